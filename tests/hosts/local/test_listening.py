"""The listening socket, and what is said when there is none."""

from __future__ import annotations

import socket

import pytest

from service_kit.hosts.local.listening import AddressUnavailable, listen, url_of


def test_port_0_is_a_free_one_and_listens_at_once() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert url_of(listener) == f"http://127.0.0.1:{port}"
        with socket.create_connection(("127.0.0.1", port)):
            pass


def test_every_interface_is_reached_by_loopback() -> None:
    with listen("0.0.0.0", 0) as listener:
        assert url_of(listener).startswith("http://127.0.0.1:")


def test_localhost_is_the_older_family() -> None:
    with listen("localhost", 0) as listener:
        assert url_of(listener).startswith("http://127.0.0.1:")


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_the_newer_family_has_brackets_in_its_url() -> None:
    try:
        listener = listen("::1", 0)
    except AddressUnavailable:
        pytest.skip("IPv6 is switched off")
    with listener:
        assert url_of(listener).startswith("http://[::1]:")


@pytest.mark.parametrize(
    ("host", "problem"),
    [
        ("192.0.2.1", "192.0.2.1 is no address of this machine"),
        ("no.such.host.invalid", "host 'no.such.host.invalid' is unknown"),
        ("a" * 64 + ".example", "is unknown"),
    ],
)
def test_an_address_of_somebody_else_is_refused(host: str, problem: str) -> None:
    with pytest.raises(AddressUnavailable) as caught:
        listen(host, 0)
    assert problem in caught.value.problem
    assert "127.0.0.1" in caught.value.cure


def test_a_taken_port_is_refused() -> None:
    with listen("127.0.0.1", 0) as listener, pytest.raises(AddressUnavailable) as caught:
        listen("127.0.0.1", listener.getsockname()[1])
    assert "is taken by another program" in str(caught.value)
