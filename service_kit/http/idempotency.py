"""`Idempotency-Key`: the first answer of a key is kept and given again.

Kept is what the function concluded: its result, or a declared error below 500. Whatever left it undecided
(invalid input, 5xx, a timeout, a caller who hung up) frees the key, and the next call runs the command.
"""

from __future__ import annotations

import asyncio
import re
from hashlib import sha256

from service_kit.contract.exchange import Next, Request, Response
from service_kit.contract.route import RPC_PREFIX
from service_kit.http.problems import KitProblem
from service_kit.runtime.idempotency import Claimed, IdempotencyStore, InFlight, Kept, KeptAnswer, Mismatch

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class Idempotency:
    """Answer each key of one command once."""

    def __init__(self, store: IdempotencyStore, scope: str, headers: tuple[bytes, ...] = ()) -> None:
        self._store = store
        self._scope = scope
        self._headers = headers
        """Those that are parameters of the command on its REST face."""

    async def answer(self, request: Request, key: str, run: Next) -> Response:
        """Return the kept answer of this key, or run the command and keep what it concluded.

        `run` marks a conclusion by a response below 500; failures raise.
        """
        if not _KEY.fullmatch(key):
            raise KitProblem(
                400, "malformed-request", "idempotency-key must be 1 to 255 visible ASCII characters"
            )
        name = f"{self._scope}\n{request.principal}\n{key}"
        match await self._store.begin(name, self._fingerprint(request)):
            case Kept(answer):
                return _replay(answer)
            case InFlight():
                problem = KitProblem(
                    409, "idempotency-conflict", "a call with this idempotency key is still running"
                )
                problem.headers["retry-after"] = "1"
                raise problem
            case Mismatch():
                raise KitProblem(
                    422,
                    "idempotency-mismatch",
                    "this idempotency key was first used with another request; use a new one",
                )
            case Claimed():
                return await self._run(request, name, run)

    def _fingerprint(self, request: Request) -> bytes:
        digest = sha256()
        parts = [request.method.encode(), request.path.encode(), request.query_string, request.body]
        for name in () if request.path.startswith(RPC_PREFIX) else self._headers:
            given = request.first_lines.get(name)
            parts += [name, b"absent" if given is None else b"=" + given]
        for part in parts:
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.digest()

    async def _run(self, request: Request, name: str, run: Next) -> Response:
        concluded = False
        try:
            response = await run(request)
            concluded = response.status < 500
        finally:
            if not concluded:
                await self._store.release(name)
        if concluded:
            # A caller who hangs up now must not free the key of a command that has run.
            await asyncio.shield(self._store.keep(name, _kept(response)))
        return response


def _kept(response: Response) -> KeptAnswer:
    return KeptAnswer(response.status, response.headers.get("content-type", ""), response.body)


def _replay(answer: KeptAnswer) -> Response:
    headers = [(b"idempotent-replayed", b"true")]
    if answer.content_type:
        headers.append((b"content-type", answer.content_type.encode("latin-1")))
    return Response(answer.status, headers, answer.body)
