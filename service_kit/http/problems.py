"""Failures as answers: RFC 9457 problems, and the one table from exceptions to statuses."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from service_kit.contract.command import AnyCommand
from service_kit.contract.exchange import Request, Response
from service_kit.errors import Refusal, ServiceError
from service_kit.http.access_log import printable
from service_kit.http.titles import title_of

logger: logging.Logger = logging.getLogger("service_kit.http")

KIT = "urn:problem-type:service-kit:"
MEDIA_TYPE = b"application/problem+json"
_LISTED_ERRORS = 1000


class KitProblem(Exception):
    """A failure that the HTTP room itself finds; `code` is the last part of its problem type."""

    def __init__(self, status: int, code: str, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.members = members
        self.headers: dict[str, str] = {}


class InvalidInput(KitProblem):
    """Parameters that do not fit their types; `errors` as pydantic lists them, without the input."""

    def __init__(self, errors: Sequence[Mapping[str, Any]]) -> None:
        first = errors[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(422, "invalid-input", f"{where}: {first['msg']}{more}", errors=errors)


def error_list(error: ValidationError, *prefix: str) -> list[dict[str, Any]]:
    """Return pydantic's errors as a caller may see them: where, what, which rule; nothing of the input."""
    count = error.error_count()
    if count > _LISTED_ERRORS:
        # Each byte or two of a body can be an error of its own: told one by one, 4 MB take gigabytes and seconds.
        return [{"loc": [*prefix], "msg": f"{count} errors, too many to list", "type": "too_many_errors"}]
    return [
        {"loc": [*prefix, *e["loc"]], "msg": e["msg"], "type": e["type"]}
        for e in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def _problem_of(
    error: BaseException, service: str, declared: AnyCommand | None, request: Request
) -> dict[str, Any]:
    """Return the problem that tells a caller of `error`: the one table of errors and statuses."""
    match error:
        case KitProblem():
            problem = _problem(KIT + error.code, error.status, error.detail) | error.members
        case ServiceError() if (name := _declared_name(error, declared)) is not None:
            problem = _problem(f"urn:problem-type:{service}:{name}", error.status, str(error), error.title)
            problem |= error.encode_fields()
        case Refusal():
            problem = _problem("about:blank", error.status, error.detail)
        case _:
            _log_internal(error, declared, request)
            detail = f"the service failed; its log knows more under request id {request.request_id}"
            problem = _problem(KIT + "internal", 500, detail)
    return problem | {"request_id": request.request_id}


def respond(error: BaseException, service: str, declared: AnyCommand | None, request: Request) -> Response:
    """Return the response that tells a caller of `error`; it never raises."""
    try:
        return _told(error, service, declared, request)
    except Exception as failure:  # noqa: BLE001 - a field that is no JSON, a header that is no text: the service's own
        untold = RuntimeError(f"{type(error).__name__} cannot be told to the caller")
        untold.__cause__ = failure
        return _told(untold, service, declared, request)


def _told(error: BaseException, service: str, declared: AnyCommand | None, request: Request) -> Response:
    problem = _problem_of(error, service, declared, request)
    headers = [(b"content-type", MEDIA_TYPE)]
    if isinstance(error, KitProblem | Refusal):
        headers += [(_header(k.lower()), _header(v)) for k, v in error.headers.items()]
    return Response(problem["status"], headers, to_json(problem, inf_nan_mode="null"))


def _header(text: str) -> bytes:
    """Return a header's name or value as bytes; raise ValueError for one that would end its line."""
    if "\r" in text or "\n" in text:
        raise ValueError("a header cannot have a line break")
    return text.encode("latin-1")


def _problem(type_: str, status: int, detail: str, title: str | None = None) -> dict[str, Any]:
    return {
        "type": type_,
        "title": title or title_of(status),
        "status": status,
        "detail": detail,
    }


def _declared_name(error: ServiceError, declared: AnyCommand | None) -> str | None:
    """Return the name under which the command declares this error, or a base of it."""
    known = declared.errors if declared else {}
    for cls in type(error).__mro__:
        if known.get(cls.__name__) is cls:
            return cls.__name__
    return None


def _log_internal(error: BaseException, declared: AnyCommand | None, request: Request) -> None:
    hint = ""
    if isinstance(error, ServiceError) and declared is not None:
        hint = f": it raised {type(error).__name__}, which it does not declare; add it to errors=[...]"
    what = declared.where if declared else f"{request.method} {printable(request.path)}"
    logger.error("request %s failed in %s%s", request.request_id, what, hint, exc_info=error)
