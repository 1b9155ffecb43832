"""Ids that are made for users: standard, ordered by time, never twice."""

from __future__ import annotations

import time
import uuid

import pytest

from client_kit.ids import new_id


def test_is_a_uuid_of_version_7_with_the_time_in_front() -> None:
    before_ms = time.time_ns() // 1_000_000
    made = uuid.UUID(new_id())
    after_ms = time.time_ns() // 1_000_000
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert before_ms <= made.int >> 80 <= after_ms


def test_a_later_one_sorts_after_an_earlier_one(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0, 999_999, 1_000_000, 1_700_000_000_000_000_000, 1_800_000_000_000_000_000])
    monkeypatch.setattr(time, "time_ns", lambda: next(times))
    first, at_once, *later = (new_id() for _ in range(5))
    assert (first[:12], at_once[:12]) == ("0" * 12, "0" * 12)
    assert [first, *later] == sorted([first, *later])


def test_differ_in_all_bits_that_are_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    made = [int(new_id(), 16) for _ in range(2_000)]
    assert len(set(made)) == 2_000
    ever, always = 0, (1 << 128) - 1
    for one in made:
        ever, always = ever | one, always & one
    assert (ever & ~always).bit_count() == 74


def test_a_clock_before_1970_makes_an_id_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: -5_000_000_000)
    assert uuid.UUID(new_id()).version == 7
