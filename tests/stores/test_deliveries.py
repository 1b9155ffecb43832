"""The contracts of `Deliveries`, `DeadLetters` and `DeliverySchedule`, for every store."""

from __future__ import annotations

import pytest

from service_kit.runtime.ports import Stores
from service_kit.runtime.records import Claim, ClaimedDelivery, DeadLetter
from tests.stores.examples import NOW_S, OWNER, publish

pytestmark = pytest.mark.anyio

LATER_S = NOW_S + 31


async def _claim(stores: Stores, now_s: float = NOW_S) -> list[ClaimedDelivery]:
    claim = Claim("me", now_s + 30)
    return list(await stores.deliveries.claim(["count", "mail"], claim, now_s, 10))


async def _bury(stores: Stores, at_s: float = NOW_S) -> None:
    for one in await _claim(stores, at_s):
        assert await stores.deliveries.bury(one.event.id, one.subscription, one.claim, '["boom"]', at_s)


async def _dead(stores: Stores, subscription: str | None) -> list[DeadLetter]:
    return list((await stores.letters.list(subscription, 10, None)).letters)


async def test_each_subscription_gets_each_event(stores: Stores) -> None:
    await stores.deliveries.publish([publish("e-1", "count", "mail"), publish("e-2", "count")])
    found = await _claim(stores)
    assert {(d.event.id, d.subscription) for d in found} == {
        ("e-1", "count"),
        ("e-1", "mail"),
        ("e-2", "count"),
    }
    assert {(d.attempt, d.lost) for d in found} == {(1, False)}
    assert found[0].event in (publish("e-1").event, publish("e-2").event)


async def test_an_event_that_is_published_again_is_a_no_op_whatever_became_of_it(stores: Stores) -> None:
    names = ("waits", "runs", "done", "dead")
    await stores.deliveries.publish([publish("e-1", *names)])
    claims = {d.subscription: d.claim for d in await stores.deliveries.claim(names[1:], OWNER, NOW_S, 9)}
    await stores.deliveries.done("e-1", "done", claims["done"])
    await stores.deliveries.bury("e-1", "dead", claims["dead"], "[]", NOW_S)
    await stores.deliveries.publish([publish("e-1", *names)])
    assert [d.subscription for d in await stores.deliveries.claim(names, OWNER, NOW_S, 9)] == ["waits"]
    assert len(await _dead(stores, None)) == 1


async def test_the_oldest_come_first_and_no_more_than_asked_for(stores: Stores) -> None:
    await stores.deliveries.publish([publish(f"e-{n}", at_s=NOW_S - n) for n in range(4)])
    found = await stores.deliveries.claim(["count"], OWNER, NOW_S, 2)
    assert [d.event.id for d in found] == ["e-3", "e-2"]


async def test_a_claim_that_ran_out_was_an_attempt_and_its_holder_can_do_nothing(stores: Stores) -> None:
    await stores.deliveries.publish([publish()])
    (old,) = await _claim(stores)
    assert await _claim(stores) == []
    (mine,) = await _claim(stores, LATER_S)
    assert (mine.attempt, mine.lost) == (2, True)
    assert await stores.deliveries.done("e-1", "count", old.claim) is False
    assert await stores.deliveries.retry("e-1", "count", old.claim, NOW_S) is False
    assert await stores.deliveries.bury("e-1", "count", old.claim, "[]", NOW_S) is False
    assert await stores.deliveries.done("e-1", "count", mine.claim) is True
    assert await stores.deliveries.done("e-1", "count", mine.claim) is False


async def test_a_retried_delivery_is_available_at_its_time(stores: Stores) -> None:
    await stores.deliveries.publish([publish()])
    (first,) = await _claim(stores)
    assert await stores.schedule.next_delivery_s(["count"]) == NOW_S + 30
    await stores.deliveries.retry("e-1", "count", first.claim, NOW_S + 5)
    assert await stores.schedule.next_delivery_s(["count"]) == NOW_S + 5
    assert await _claim(stores, NOW_S + 4) == []
    (second,) = await _claim(stores, NOW_S + 5)
    assert (second.attempt, second.lost) == (2, False)


async def test_a_buried_delivery_is_a_dead_letter(stores: Stores) -> None:
    await stores.deliveries.publish([publish()])
    await _bury(stores, NOW_S)
    letter = DeadLetter(publish().event, "count", 1, '["boom"]', NOW_S)
    assert await _dead(stores, "count") == [letter]
    assert await _dead(stores, "mail") == []
    assert await stores.letters.read("count", "e-1") == letter
    assert await stores.letters.read("mail", "e-1") is None
    assert await stores.letters.read("count", "e-2") is None
    assert await _claim(stores, LATER_S) == []
    assert await stores.schedule.next_delivery_s(["count"]) is None


async def test_dead_letters_are_told_the_oldest_first(stores: Stores) -> None:
    for number in (2, 1, 3):
        await stores.deliveries.publish([publish(f"e-{number}", "count", at_s=NOW_S + number)])
        await _bury(stores, NOW_S + 100 - number)
    page = await stores.letters.list(None, 2, None)
    assert [letter.event.id for letter in page.letters] == ["e-3", "e-2"]


async def _pages(stores: Stores, subscription: str | None, limit: int) -> list[list[tuple[str, str]]]:
    pages, after = list[list[tuple[str, str]]](), None
    while True:
        page = await stores.letters.list(subscription, limit, after)
        pages.append([(letter.event.id, letter.subscription) for letter in page.letters])
        if (after := page.after) is None:
            return pages


async def test_pages_of_dead_letters_have_each_once_though_they_died_at_one_time(stores: Stores) -> None:
    names = [f"e-{number}" for number in range(5)]
    await stores.deliveries.publish([publish(name, "count", "mail") for name in names])
    await _bury(stores)
    await stores.deliveries.publish([publish("e-0/last", "count")])
    await _bury(stores, NOW_S + 1)
    of_count, of_mail = [(name, "count") for name in names], [(name, "mail") for name in names]
    found = await _pages(stores, None, 3)
    assert [len(page) for page in found] == [3, 3, 3, 2]
    assert [one for page in found for one in page] == [*of_count, *of_mail, ("e-0/last", "count")]
    assert await _pages(stores, "count", 3) == [of_count[:3], [*of_count[3:], ("e-0/last", "count")]]
    assert await _pages(stores, "mail", 5) == [of_mail]


async def test_a_page_goes_on_behind_a_letter_that_is_gone(stores: Stores) -> None:
    await stores.deliveries.publish([publish(f"e-{number}", "count") for number in range(4)])
    await _bury(stores)
    first = await stores.letters.list("count", 2, None)
    await stores.letters.discard("count", ["e-1"], NOW_S)
    second = await stores.letters.list("count", 2, first.after)
    assert [letter.event.id for letter in second.letters] == ["e-2", "e-3"]
    assert second.after is None


async def test_a_discarded_letter_is_finished_and_what_is_gone_is_told_from_what_never_was(
    stores: Stores,
) -> None:
    await stores.deliveries.publish([publish("e-1", "count"), publish("e-2", "count"), publish("e-3")])
    await _bury(stores)
    discard = stores.letters.discard
    assert await discard("count", ["e-2", "e-9", "e-1", "e-2"], NOW_S) == {"e-1": True, "e-2": True}
    assert await discard("count", ["e-1", "e-2"], NOW_S) == {"e-1": False, "e-2": False}
    assert await discard("mail", ["e-3"], NOW_S) == {}
    assert await stores.letters.read("count", "e-1") is None
    assert await stores.letters.redrive("count", "e-1", NOW_S) == 0
    await stores.deliveries.publish([publish("e-1", "count"), publish("e-4", "count")])
    assert [one.event.id for one in await _claim(stores, LATER_S)] == ["e-4"]
    assert await discard("count", ["e-4"], NOW_S) == {"e-4": False}
    assert [letter.event.id for letter in await _dead(stores, None)] == ["e-3"]


async def test_a_redriven_delivery_has_fresh_attempts(stores: Stores) -> None:
    await stores.deliveries.publish(
        [publish("e-1", "count"), publish("e-2", "count"), publish("e-3", "mail")]
    )
    await _bury(stores)
    assert await stores.letters.redrive("count", "e-1", NOW_S) == 1
    (again,) = await _claim(stores)
    assert (again.event.id, again.attempt, again.lost) == ("e-1", 1, False)
    assert await stores.letters.redrive("count", None, NOW_S) == 1
    assert await stores.letters.redrive("count", None, NOW_S) == 0
    assert [letter.event.id for letter in await _dead(stores, None)] == ["e-3"]


async def test_the_next_delivery_is_told(stores: Stores) -> None:
    assert await stores.schedule.next_delivery_s(["count"]) is None
    assert await stores.schedule.next_delivery_s([]) is None
    await stores.deliveries.publish([publish("e-1", "count", at_s=NOW_S + 2)])
    await stores.deliveries.publish([publish("e-2", "mail", at_s=NOW_S + 1)])
    assert await stores.schedule.next_delivery_s(["count"]) == NOW_S + 2
    assert await stores.schedule.next_delivery_s(["count", "mail"]) == NOW_S + 1
