"""From a request to a command's arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import ValidationError

from service_kit.contract.codec import BodyCodec, CommandCodec, RestCodec
from service_kit.contract.exchange import Request
from service_kit.contract.parameters import Parameter
from service_kit.contract.strings import StringCodec
from service_kit.http.forgery import refuse_forged
from service_kit.http.problems import InvalidInput, KitProblem, error_list

if TYPE_CHECKING:
    from service_kit.contract.cors import Cors

Decode: TypeAlias = Callable[[Request], dict[str, Any]]
"""Return the arguments by name; raise KitProblem."""


def rpc_decoder(codec: CommandCodec, cors: Cors | None) -> Decode:
    """Return the decoder of the RPC face: everything is in the body."""
    return _body_decoder(codec.rpc, cors)


def rest_decoder(rest: RestCodec, query_ignored: frozenset[str], cors: Cors | None) -> Decode:
    """Return the decoder of the REST face; `query_ignored` are query parameters of security schemes."""
    decode_body = _body_decoder(rest.body, cors) if rest.body else None
    bare_post = decode_body is None and rest.route.method == "POST"
    texts = rest.texts
    known = query_ignored | {p.wire_name for p, _ in texts if p.location == "query"}
    if not texts and decode_body is not None:
        return decode_body

    def arguments(request: Request) -> dict[str, Any]:
        if bare_post:
            refuse_forged(request, cors)
        errors: list[dict[str, Any]] = []
        found = _decode_texts(texts, request, known, errors)
        if decode_body is not None:
            try:
                found |= decode_body(request)
            except InvalidInput as error:
                errors += error.members["errors"]
        if errors:
            raise InvalidInput(errors)
        return found

    return arguments


def _body_decoder(codec: BodyCodec, cors: Cors | None) -> Decode:
    decode = codec.decoder()

    def arguments(request: Request) -> dict[str, Any]:
        content_type = request.first_lines.get(b"content-type")
        if content_type != b"application/json":
            refuse_forged(request, cors)
            if content_type is not None:
                _check_content_type(content_type.decode("latin-1"), request.body)
        try:
            return decode(request.body)
        except ValidationError as error:
            errors = error_list(error)
            if errors[0]["type"] == "json_invalid" and not errors[0]["loc"]:
                raise KitProblem(400, "malformed-json", errors[0]["msg"]) from None
            raise InvalidInput([{**e, "loc": ["body", *e["loc"]]} for e in errors]) from None

    return arguments


def _check_content_type(content_type: str, body: bytes) -> None:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "application/json" or media_type.endswith("+json") or not body:
        return
    raise KitProblem(
        415, "unsupported-media-type", f"the body is '{media_type or 'untyped'}'; send application/json"
    )


def _decode_texts(
    texts: tuple[tuple[Parameter, StringCodec], ...],
    request: Request,
    known: frozenset[str],
    errors: list[dict[str, Any]],
) -> dict[str, Any]:
    query = _query_of(request, known, errors)
    found: dict[str, Any] = {}
    for parameter, codec in texts:
        values = _texts_of(parameter, request, query)
        loc = [parameter.location, parameter.wire_name]
        if not values:
            if parameter.required:
                errors.append({"loc": loc, "msg": "Field required", "type": "missing"})
        elif len(values) > 1 and codec.shape == "scalar":
            errors.append({"loc": loc, "msg": "Input should be given once", "type": "repeated"})
        else:
            try:
                found[parameter.name] = codec.decode(values)
            except ValidationError as error:
                errors += error_list(error, *loc)
    return found


def _query_of(
    request: Request, known: frozenset[str], errors: list[dict[str, Any]]
) -> Mapping[str, list[str]]:
    query: dict[str, list[str]] = {}
    if request.query_string:
        for name, value in request.query:
            query.setdefault(name, []).append(value)
        errors += [
            {"loc": ["query", name], "msg": "Unknown query parameter", "type": "extra_forbidden"}
            for name in query.keys() - known
        ]
    return query


def _texts_of(parameter: Parameter, request: Request, query: Mapping[str, list[str]]) -> list[str]:
    match parameter.location:
        case "path":
            return [request.path_params[parameter.wire_name]]
        case "query":
            return query.get(parameter.wire_name, [])
        case _:
            value = request.header(parameter.wire_name.encode("latin-1"))
            return [] if value is None else [value]
