"""The contracts of `Deliveries` and `DeliverySchedule`, for every store."""

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
    assert len(await stores.deliveries.dead(None, 10)) == 1


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
    assert await stores.deliveries.dead("count", 10) == [
        DeadLetter(publish().event, "count", 1, '["boom"]', NOW_S)
    ]
    assert await stores.deliveries.dead("mail", 10) == []
    assert await _claim(stores, LATER_S) == []
    assert await stores.schedule.next_delivery_s(["count"]) is None


async def test_dead_letters_are_told_the_oldest_first(stores: Stores) -> None:
    for number in (2, 1, 3):
        await stores.deliveries.publish([publish(f"e-{number}", "count", at_s=NOW_S + number)])
        await _bury(stores, NOW_S + 100 - number)
    assert [letter.event.id for letter in await stores.deliveries.dead(None, 2)] == ["e-3", "e-2"]


async def test_a_redriven_delivery_has_fresh_attempts(stores: Stores) -> None:
    await stores.deliveries.publish(
        [publish("e-1", "count"), publish("e-2", "count"), publish("e-3", "mail")]
    )
    await _bury(stores)
    assert await stores.deliveries.redrive("count", "e-1", NOW_S) == 1
    (again,) = await _claim(stores)
    assert (again.event.id, again.attempt, again.lost) == ("e-1", 1, False)
    assert await stores.deliveries.redrive("count", None, NOW_S) == 1
    assert await stores.deliveries.redrive("count", None, NOW_S) == 0
    assert [letter.event.id for letter in await stores.deliveries.dead(None, 10)] == ["e-3"]


async def test_the_next_delivery_is_told(stores: Stores) -> None:
    assert await stores.schedule.next_delivery_s(["count"]) is None
    assert await stores.schedule.next_delivery_s([]) is None
    await stores.deliveries.publish([publish("e-1", "count", at_s=NOW_S + 2)])
    await stores.deliveries.publish([publish("e-2", "mail", at_s=NOW_S + 1)])
    assert await stores.schedule.next_delivery_s(["count"]) == NOW_S + 2
    assert await stores.schedule.next_delivery_s(["count", "mail"]) == NOW_S + 1
