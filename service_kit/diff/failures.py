"""How an operation fails: errors that it declares, each told apart by its `type` (RFC 9457), and other responses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from service_kit.diff.both import Both
from service_kit.diff.change import Change, Direction
from service_kit.diff.document import Document, Json
from service_kit.diff.media import media_types
from service_kit.diff.voice import Voice

PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class DeclaredError:
    """One kind of problem that an operation may answer with."""

    urn: str
    status: str
    schema: Json

    @property
    def name(self) -> str:
        return self.urn.rpartition(":")[2].rpartition("/")[2]


def compare_failures(
    both: Both, old: dict[str, Json], new: dict[str, Json], direction: Direction
) -> Iterator[Change]:
    """Yield what is different in failures: a new one is safe, since every call may fail in undeclared ways."""
    errors_a, rest_a = _failures(both.old_document, old)
    errors_b, rest_b = _failures(both.new_document, new)
    yield from _errors(both, errors_a, errors_b, direction)
    secured = both.old_document.security_of(both.old) != both.new_document.security_of(both.new)
    for status in dict.fromkeys([*rest_a, *rest_b]):
        if status == "401" and secured:
            continue  # told by who is admitted
        if status not in rest_b:
            if not any(error.status == status for error in errors_b.values()):
                yield both.told("failure-removed", f"{{s}} no longer answers {status}", breaks=False)
        elif status not in rest_a:
            if not any(error.status == status for error in errors_a.values()):
                yield both.told("failure-added", f"{{s}} may also answer {status}", breaks=False)
        else:
            a, b = rest_a[status], rest_b[status]
            voice = Voice(both.kind, both.name, direction, f"its answer {status}", prefix=status)
            for name in sorted(a.keys() & b.keys()):
                yield from voice.changes(both.responses.differences({"anyOf": a[name]}, {"anyOf": b[name]}))


def _errors(
    both: Both, old: dict[str, DeclaredError], new: dict[str, DeclaredError], direction: Direction
) -> Iterator[Change]:
    for name in dict.fromkeys([*old, *new]):
        if name not in new:
            yield both.told("error-removed", f"{{s}} no longer fails with `{name}`", breaks=False, place=name)
            continue
        b = new[name]
        if name not in old:
            yield both.told(
                "error-added",
                f"{{s}} may now fail with `{name}` ({b.status}): callers that do not know it "
                "meet it as any other failure",
                breaks=False,
                place=name,
            )
            continue
        a = old[name]
        if a.status != b.status:
            yield both.told(
                "error-status-changed",
                f"{{s}} fails with `{name}` as {b.status}, no longer as {a.status}",
                breaks=True,
                place=name,
            )
        if a.urn != b.urn:
            yield both.told(
                "error-renamed",
                f"{{s}} tells `{name}` by the type `{b.urn}`, no longer `{a.urn}`: callers that tell errors apart "
                "by it do not find it",
                breaks=True,
                place=name,
            )
        voice = Voice(both.kind, both.name, direction, f"`{name}`", prefix=name)
        for d in both.responses.differences(a.schema, b.schema):
            if d.place[:1] not in (("type",), ("status",)):
                yield voice.change(d)


def _failures(
    document: Document, responses: dict[str, Json]
) -> tuple[dict[str, DeclaredError], dict[str, dict[str, list[Json]]]]:
    """Return the declared errors by name, and the schemas of all else by status and media type."""
    errors: dict[str, DeclaredError] = {}
    rest: dict[str, dict[str, list[Json]]] = {}
    for status, response in responses.items():
        if status.startswith(("2", "3")):
            continue
        others = rest.setdefault(status, {})
        for name, media in media_types(response).items():
            for schema in _alternatives(document, media.get("schema", {})):
                error = _declared(document, status, schema) if name == PROBLEM else None
                if error is None:
                    others.setdefault(name, []).append(schema)
                else:
                    errors[error.name] = error
        if not others and any(error.status == status for error in errors.values()):
            del rest[status]
    return errors, rest


def _alternatives(document: Document, schema: Json) -> list[Json]:
    found = document.follow(schema)
    for keyword in ("oneOf", "anyOf"):
        if isinstance(found, dict) and found.get(keyword):
            return list(found[keyword])
    return [schema]


def _declared(document: Document, status: str, schema: Json) -> DeclaredError | None:
    found = document.follow(schema)
    kind = (found.get("properties") or {}).get("type") if isinstance(found, dict) else None
    if not isinstance(kind, dict):
        return None
    enum = kind.get("enum") or []
    urn = kind.get("const", enum[0] if len(enum) == 1 else None)
    return DeclaredError(urn, status, schema) if isinstance(urn, str) else None
