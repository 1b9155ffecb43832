"""What an answer means: a result, a declared error, a problem, or drift. Written from docs/design/wire.md."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlsplit

from client_kit.contracts import CommandContract, rest_of
from client_kit.drift import CURE, answer_drift, argument_path, arguments_drift
from client_kit.errors import ContractDrift, ProblemError, excerpt
from client_kit.wire import EVENT_STREAM, Response

NO_SUCH_COMMAND = {"": "has no such command"}
"""How a drift describes a command that the service does not know."""

URN = "urn:problem-type:"
FRAMEWORK = f"{URN}service-kit:"
CONFLICT = f"{FRAMEWORK}idempotency-conflict"
_STANDARD = frozenset({"type", "title", "status", "detail", "instance", "request_id"})


def result_of(contract: CommandContract, response: Response) -> Any:
    """Return the result of a successful answer; raise ContractDrift, or ProblemError if no service wrote it."""
    kind = response.media_type
    if kind == EVENT_STREAM:
        raise ContractDrift(
            contract.name, "its answer", {"": "is a stream of items, and one result in this contract"}, CURE
        )
    rest = rest_of(contract)
    if rest is not None:
        return _plain(contract, lambda: rest.decode_answer(kind, response.body))
    if kind == "application/json" or response.status == HTTPStatus.NO_CONTENT:
        return decoded(contract, response.body, "its answer")
    raise _foreign(contract.name, response)


def check_stream(contract: CommandContract, response: Response) -> None:
    """Raise unless a successful answer is the stream that the contract says."""
    if response.stream is not None:
        return
    if response.media_type == "application/json" or response.status == HTTPStatus.NO_CONTENT:
        raise ContractDrift(
            contract.name, "its answer", {"": "is one result, and a stream of items in this contract"}, CURE
        )
    raise _foreign(contract.name, response)


def decoded(contract: CommandContract, body: bytes, subject: str) -> Any:
    """Return a result or an item; raise ContractDrift if the contract cannot read it."""
    return _plain(contract, lambda: contract.decode_result(body), subject)


def _plain(contract: CommandContract, decode: Callable[[], Any], subject: str = "its answer") -> Any:
    try:
        return decode()
    except ValueError as error:
        raise answer_drift(contract.name, subject, error) from error


def failure_of(contract: CommandContract, response: Response, at: str = "this URL") -> Exception:
    """Return the error that an answer with a status other than 2xx means, from the service at a URL."""
    if 300 <= response.status < 400:
        return _redirect(contract.name, response)
    members = _json_object(response.body) if response.media_type.endswith("json") else None
    if members is None:
        return _foreign(contract.name, response)
    return problem_of(contract, members, response.status, response.headers.get("x-request-id"), at)


def problem_of(
    contract: CommandContract,
    members: Mapping[str, Any],
    status: int,
    request_id: str | None = None,
    at: str = "this URL",
) -> Exception:
    """Return the error for a problem: the declared one, drift, or a ProblemError."""
    kind = str(members.get("type", "about:blank"))
    declared = None
    if kind.startswith(URN) and not kind.startswith(FRAMEWORK):
        declared = contract.errors.get(kind.rpartition(":")[2])
    if declared is not None:
        try:
            return declared.decode_fields(members)
        except ValueError as error:
            drift = answer_drift(contract.name, f"its error '{kind.rpartition(':')[2]}'", error)
            drift.__cause__ = error
            return drift
    if (documented := _documented(contract, members, status)) is not None:
        return documented
    problem = ProblemError(
        contract.name,
        status,
        type=kind,
        title=str(members.get("title") or _phrase(status)),
        detail=_detail(members),
        request_id=str(members["request_id"]) if "request_id" in members else request_id,
        members={k: v for k, v in members.items() if k not in _STANDARD},
    )
    drift_found = _drift_behind(problem, at)
    if drift_found is not None:
        drift_found.__cause__ = problem
        return drift_found
    return problem


def _documented(contract: CommandContract, members: Mapping[str, Any], status: int) -> Exception | None:
    """Return the error that a REST service documents for this status, if the body is one.

    Whatever stands in front of the service may answer with the same status and another body.
    """
    rest = rest_of(contract)
    declared = rest.errors_by_status.get(status) if rest is not None else None
    if declared is None:
        return None
    try:
        return declared.decode_fields(members)
    except ValueError:
        return None


def stream_failure(contract: CommandContract, data: bytes) -> Exception:
    """Return the error that ended a stream."""
    members = _json_object(data)
    if members is None:
        return ContractDrift(contract.name, "the error in its stream", {"": "is not a problem"}, CURE)
    status = members.get("status")
    return problem_of(contract, members, status if isinstance(status, int) else 500)


def _drift_behind(problem: ProblemError, at: str) -> ContractDrift | None:
    if problem.type == f"{FRAMEWORK}not-found":
        return ContractDrift(
            problem.command,
            f"the service at {at}",
            NO_SUCH_COMMAND,
            f"check the URL, or {CURE}",
        )
    if problem.type == f"{FRAMEWORK}invalid-input":
        return arguments_drift(problem.command, problem.members.get("errors"))
    return None


def _detail(members: Mapping[str, Any]) -> str:
    detail = str(members.get("detail") or "")
    errors = members.get("errors")
    if not isinstance(errors, list):
        return detail
    parts: list[str] = []
    for item in cast(list[object], errors)[:5]:
        if isinstance(item, dict):
            entry = cast(dict[str, Any], item)
            parts.append(f"{argument_path(entry.get('loc'))}: {entry.get('msg', '')}")
    return "; ".join([detail, *parts] if detail else parts)


def _redirect(command: str, response: Response) -> ProblemError:
    target = urlsplit(response.headers.get("location", ""))
    shown = excerpt(f"{target.scheme}://{target.netloc}{target.path}" if target.netloc else target.path)
    return ProblemError(
        command,
        response.status,
        title=_phrase(response.status),
        detail=f"redirected to '{shown}', and redirects are not followed: give the final URL of the service",
        request_id=response.headers.get("x-request-id"),
    )


def _foreign(command: str, response: Response) -> ProblemError:
    """Return the problem for an answer that does not speak the protocol: a proxy's page, another server's."""
    kind = response.media_type or "no content type"
    start = excerpt(response.body[:2000].decode("utf-8", "replace"))
    return ProblemError(
        command,
        response.status,
        title=_phrase(response.status),
        detail=f"not an answer of the service but {kind}" + (f": {start}" if start else ""),
        request_id=response.headers.get("x-request-id"),
    )


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return cast(dict[str, Any], value) if isinstance(value, dict) else None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
