"""Retry arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_kit.engine.retry import Retry, error_names
from service_kit.errors import DefinitionError


class OutOfStock(ValueError):
    pass


def delays(retry: Retry, random: float = 0.0) -> list[float | None]:
    return [retry.next_delay_s(attempt, (), random) for attempt in range(1, 6)]


def test_waits_double_until_the_cap() -> None:
    retry = Retry(max_attempts=5, backoff_s=1, backoff_max_s=5, jitter=0)
    assert delays(retry) == [1, 2, 4, 5, None]


def test_waits_grow_by_any_factor_until_the_cap() -> None:
    retry = Retry(max_attempts=5, backoff_s=2, backoff_factor=1.5, backoff_max_s=6, jitter=0)
    assert delays(retry) == [2, 3, 4.5, 6, None]
    assert Retry(backoff_factor=1.001, backoff_max_s=60, jitter=0).delay_s(5_000, 0.0) == 60


def test_no_wait_stays_no_wait_however_often_it_is_doubled() -> None:
    assert Retry(max_attempts=None, backoff_s=0).delay_s(10**9, 0.0) == 0


def test_attempts_count_the_first_one() -> None:
    assert Retry(max_attempts=1).next_delay_s(1, (), 0.0) is None
    assert delays(Retry(backoff_s=3, backoff_factor=1, jitter=0)) == [3, 3, None, None, None]


def test_jitter_takes_off_a_part_of_the_wait() -> None:
    retry = Retry(backoff_s=10, jitter=0.5)
    assert retry.delay_s(1, 0.0) == 10
    assert retry.delay_s(1, 0.5) == 7.5


def test_attempts_without_limit_do_not_overflow() -> None:
    for factor in (1.0, 1.001, 1.9, 2.0, 1e3):
        retry = Retry(max_attempts=None, backoff_factor=factor, backoff_max_s=60, jitter=0)
        assert retry.next_delay_s(10**9, (), 0.0) == pytest.approx(min(60, retry.delay_s(10**9, 0.0)))
        assert retry.delay_s(10**9, 0.0) <= 60


@pytest.mark.parametrize("refused", [OutOfStock, ValueError, "OutOfStock", f"{__name__}:OutOfStock"])
def test_errors_that_are_not_retryable_fail_at_once(refused: type[BaseException] | str) -> None:
    retry = Retry(non_retryable=(refused,))
    assert retry.next_delay_s(1, error_names(OutOfStock()), 0.0) is None
    assert retry.next_delay_s(1, error_names(KeyError()), 0.0) is not None


def test_retries_are_equal_whether_errors_are_named_or_given() -> None:
    assert Retry(non_retryable=(ValueError,)) == Retry(non_retryable=("builtins:ValueError",))


def test_names_of_an_error_are_those_of_its_class_and_bases() -> None:
    assert error_names(OutOfStock()) == (
        f"{__name__}:OutOfStock",
        "builtins:ValueError",
        "builtins:Exception",
        "builtins:BaseException",
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_attempts", 0),
        ("backoff_s", -1.0),
        ("backoff_s", float("nan")),
        ("backoff_factor", 0.5),
        ("backoff_max_s", -1.0),
        ("backoff_s", float("inf")),
        ("backoff_factor", float("inf")),
        ("backoff_max_s", float("inf")),
        ("jitter", 1.5),
        ("jitter", -0.1),
    ],
)
def test_nonsense_is_refused_where_it_is_written(field: str, value: float) -> None:
    with pytest.raises(DefinitionError, match=rf"Retry\({field}={value}\)"):
        Retry(**{field: value})  # type: ignore[arg-type]  # each field is tried with a number


@given(
    attempt=st.integers(1, 1_000),
    backoff_s=st.floats(0, 1e6),
    factor=st.floats(1, 1e3),
    cap_s=st.floats(0, 1e6),
    jitter=st.floats(0, 1),
    random=st.floats(0, 1, exclude_max=True),
)
def test_wait_is_never_negative_and_never_above_the_cap(
    attempt: int, backoff_s: float, factor: float, cap_s: float, jitter: float, random: float
) -> None:
    retry = Retry(
        max_attempts=None, backoff_s=backoff_s, backoff_factor=factor, backoff_max_s=cap_s, jitter=jitter
    )
    assert 0 <= retry.delay_s(attempt, random) <= cap_s
