"""From the events of API Gateway and function URLs to requests.

Shapes: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html, and for
REST APIs https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Collection, Mapping
from typing import Any, Literal, TypeAlias
from urllib.parse import quote, unquote, urlencode

from service_kit.contract.exchange import RawHeaders, Request
from service_kit.contract.route import METHODS
from service_kit.hosts.aws.paths import cut_prefix, locate_1, locate_2
from service_kit.http.problems import KitProblem

Event: TypeAlias = dict[str, Any]
"""What the Lambda runtime hands over: JSON, made by AWS."""
Payload: TypeAlias = Literal["1.0", "2.0"]

_NAMES: dict[str, bytes] = {}
"""Names of headers as gateways spell them and as requests have them; callers invent some, so it is bounded."""
_KEPT_NAMES = 256

_URL_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"


class UnknownEvent(ValueError):
    """The event comes from no source that this handler answers."""

    def __init__(self, event: object) -> None:
        found = f"has the keys {sorted(event)}" if isinstance(event, dict) else f"is {type(event).__name__}"
        super().__init__(
            "this handler answers API Gateway REST and HTTP APIs (payload 1.0), HTTP APIs (payload 2.0) and "
            f"Lambda function URLs; the event {found}; connect the function to one of these"
        )


def payload_of(event: Event) -> Payload:
    """Return the payload version of an event; raise UnknownEvent if it is of another kind."""
    if isinstance(event, dict) and isinstance(context := event.get("requestContext"), dict):
        if event.get("version") == "2.0" and "rawPath" in event:
            return "2.0"
        if "httpMethod" in event and "path" in event and "elb" not in context:
            return "1.0"
    raise UnknownEvent(event)


def read_request(event: Event, payload: Payload, mount: str) -> tuple[Request, bytes]:
    """Return the request, still without its body, and its path as it was encoded, if that can matter.

    `mount` is the prefix under which the API has the service. An event that only looks like one of its kind
    raises AttributeError, KeyError, TypeError or ValueError.
    """
    request, encoded = _read_2(event) if payload == "2.0" else _read_1(event)
    if not request.path.startswith("/"):
        raise ValueError(f"the event's path is '{request.path}'")
    if mount and (path := cut_prefix(mount, request.path)) is not None:
        request.root_path, request.path = request.root_path + mount, path
    if not encoded or "%" not in request.path:
        return request, b""
    raw_path = _bytes(request.path)
    request.path = unquote(request.path)
    return request, raw_path


def read_body(event: Event, limit_bytes: int) -> bytes | None:
    """Return the body, or None if it is larger than the limit; raise KitProblem if it is no body."""
    body = event.get("body")
    if not body:
        return b""
    if not isinstance(body, str):
        raise KitProblem(400, "malformed-request", "the event's body is not text")
    if event.get("isBase64Encoded"):
        try:
            data = a2b_base64(body)
        except (Base64Error, ValueError):
            raise KitProblem(400, "malformed-request", "the event's body is not base64") from None
    else:
        # JSON can spell a lone surrogate: that must not raise here, but be refused by what reads the body.
        data = body.encode("utf-8", "surrogatepass")
    return data if len(data) <= limit_bytes else None


def _read_2(event: Event) -> tuple[Request, bool]:
    context: Mapping[str, Any] = event["requestContext"]
    http: Mapping[str, Any] = context.get("http") or {}
    headers: Mapping[str, str] = event.get("headers") or {}
    lines = _lines(headers.items())
    if cookies := event.get("cookies"):
        lines = [line for line in lines if line[0] != b"cookie"]
        lines.append((b"cookie", _bytes("; ".join(cookies))))
    domain: str = context.get("domainName") or "localhost"
    root_path, path = locate_2(context, event["rawPath"] or "/")
    request = Request(
        _method(http.get("method") or event.get("httpMethod") or event["routeKey"].partition(" ")[0]),
        path,
        _query(query) if (query := event.get("rawQueryString")) else b"",
        lines,
        root_path,
        _scheme(headers.get("x-forwarded-proto")),
        (domain, None),
        _client(http.get("sourceIp")),
    )
    if "x-forwarded-proto" not in headers:
        # AWS writes names in lower case; `sam local` writes X-Forwarded-Proto, and speaks http.
        request.scheme = _scheme(request.header(b"x-forwarded-proto"))
    if isinstance(authorizer := context.get("authorizer"), dict):
        request.identity = authorizer
    # HTTP APIs decode the path before they hand it over, function URLs do not.
    return request, ".lambda-url." in domain


def _read_1(event: Event) -> tuple[Request, bool]:
    context: Mapping[str, Any] = event["requestContext"]
    caller: Mapping[str, Any] = context.get("identity") or {}
    repeated: Mapping[str, list[str]] | None = event.get("multiValueHeaders")
    lines = _repeated_lines(repeated) if repeated else _lines((event.get("headers") or {}).items())
    query = event.get("multiValueQueryStringParameters") or event.get("queryStringParameters")
    root_path, path = locate_1(event, context)
    request = Request(
        _method(event["httpMethod"]),
        path,
        urlencode(query, doseq=True).encode() if query else b"",
        lines,
        root_path,
        "https",
        (context.get("domainName") or "localhost", None),
        _client(caller.get("sourceIp")),
    )
    request.scheme = _scheme(request.header(b"x-forwarded-proto"))
    request.identity = _identity_1(context.get("authorizer"), caller)
    # Payload 1.0 has a version where an HTTP API sends it, and HTTP APIs decode the path; REST APIs do not.
    return request, "version" not in event


def _identity_1(authorizer: Mapping[str, Any] | None, caller: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the caller in the shape of payload 2.0, where a principal of IAM is under `iam`.

    An authorizer function chooses the keys of its context, and must not pass for IAM.
    """
    if not authorizer and not caller.get("userArn"):
        return None
    identity = {key: value for key, value in (authorizer or {}).items() if key != "iam"}
    if caller.get("userArn"):
        identity["iam"] = {key: caller.get(key) for key in ("userArn", "accountId", "accessKey", "caller")}
    return identity or None


def _lines(headers: Collection[tuple[str, str]]) -> RawHeaders:
    try:
        return [(_NAMES.get(name) or _name(name), value.encode("latin-1")) for name, value in headers]
    except UnicodeEncodeError:
        return [(_name(name), _bytes(value)) for name, value in headers]


def _repeated_lines(headers: Mapping[str, list[str]]) -> RawHeaders:
    try:
        return [
            (_NAMES.get(name) or _name(name), value.encode("latin-1"))
            for name, values in headers.items()
            for value in values
        ]
    except UnicodeEncodeError:
        return [(_name(name), _bytes(value)) for name, values in headers.items() for value in values]


def _name(text: str) -> bytes:
    name = _bytes(text.lower())
    if len(_NAMES) < _KEPT_NAMES:
        _NAMES[text] = name
    return name


def _bytes(text: str) -> bytes:
    """Return the octets that were in the request: the gateway read them as latin-1, or as UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _query(text: str) -> bytes:
    return (text if text.isascii() else quote(text, safe=_URL_CHARACTERS)).encode("ascii")


def _method(text: str) -> str:
    if text in METHODS:
        return text
    if not text.isalpha() or text == "ANY":
        raise ValueError(f"the event names no HTTP method, only '{text}'")
    return text.upper()


def _scheme(forwarded: str | None) -> str:
    return "http" if forwarded == "http" else "https"


def _client(source_ip: str | None) -> tuple[str, int] | None:
    return (source_ip, 0) if source_ip else None
