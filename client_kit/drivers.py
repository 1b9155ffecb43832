"""The two drivers of a flow, async and sync: all that differs between them."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from typing import TypeVar, cast

from client_kit.deadline import Deadline, OutOfTime
from client_kit.effects import Close, Effect, Fetch, Flow, Send, Sleep, Wait
from client_kit.transports import Transport
from client_kit.transports.portal import Portal
from client_kit.wire import AsyncBody, SyncBody

T = TypeVar("T")


async def drive(flow: Flow[T], transport: Transport, deadline: Deadline) -> T:
    """Run a flow in the running loop."""
    try:
        effect = next(flow)
        while True:
            scope = asyncio.timeout(deadline.remaining_s())
            try:
                async with scope:
                    answer = await _perform(effect, transport)
            except Exception as error:  # noqa: BLE001 - the flow decides what becomes of it
                effect = flow.throw(OutOfTime() if scope.expired() else error)
            else:
                effect = flow.send(answer)
    except StopIteration as done:
        return cast(T, done.value)
    finally:
        flow.close()


def drive_sync(flow: Flow[T], transport: Transport, deadline: Deadline, portal: Portal) -> T:
    """Run a flow in this thread."""
    try:
        effect = next(flow)
        while True:
            try:
                answer = _perform_sync(effect, transport, deadline, portal)
            except TimeoutError as error:
                effect = flow.throw(OutOfTime() if isinstance(effect, Send) or deadline.is_over() else error)
            except Exception as error:  # noqa: BLE001 - the flow decides what becomes of it
                effect = flow.throw(error)
            else:
                effect = flow.send(answer)
    except StopIteration as done:
        return cast(T, done.value)
    finally:
        flow.close()


async def _perform(effect: Effect, transport: Transport) -> object:
    match effect:
        case Send(request):
            return await transport.send(request)
        case Sleep(seconds):
            await asyncio.sleep(seconds)
        case Fetch(function):
            if inspect.iscoroutinefunction(function):
                return await function()
            fetched = await asyncio.to_thread(function)
            return await fetched if inspect.isawaitable(fetched) else fetched
        case Wait(future, _):
            # Shielded: a caller that gives up must not cancel what others wait for.
            return await asyncio.shield(asyncio.wrap_future(future))
        case Close(body):
            await cast(AsyncBody, body).close()
    return None


def _perform_sync(effect: Effect, transport: Transport, deadline: Deadline, portal: Portal) -> object:
    match effect:
        case Send(request):
            return transport.send_sync(request)
        case Sleep(seconds):
            time.sleep(seconds)
        case Fetch(function):
            fetched = function()
            return portal.run(fetched, deadline.remaining_s()) if inspect.isawaitable(fetched) else fetched
        case Wait(future, leader):
            if leader == threading.get_ident():  # only its event loop can be the leader, and we block it
                raise RuntimeError("an async call of this thread is fetching the token; await this call too")
            return future.result(deadline.remaining_s())
        case Close(body):
            cast(SyncBody, body).close()
    return None
