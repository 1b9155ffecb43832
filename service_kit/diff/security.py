"""Who may call an operation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from service_kit.diff.both import Both
from service_kit.diff.change import Change
from service_kit.diff.document import Document, Json, Operation, canonical

Proof: TypeAlias = frozenset[str]
"""What a caller has to show: schemes by what they ask for, and scopes. Empty: nothing."""

_ANNOTATIONS = ("description", "bearerFormat", "flows", "openIdConnectUrl")
"""Where a caller gets a token, and what it looks like: not whether one is needed."""


def compare_security(both: Both) -> Iterator[Change]:
    """Yield what is different in who is admitted: breaking if a proof that was enough no longer is."""
    old, new = _proofs(both.old_document, both.old), _proofs(both.new_document, both.new)
    refused = {proof: name for proof, name in old.items() if not any(other <= proof for other in new)}
    admitted = {proof: name for proof, name in new.items() if not any(other <= proof for other in old)}
    if refused:
        yield both.told(
            "security-tightened",
            f"{{s}} no longer admits {_list(refused.values())}, only {_list(new.values())}",
            breaks=True,
        )
    elif admitted:
        yield both.told("security-loosened", f"{{s}} now admits {_list(admitted.values())}", breaks=False)


def _proofs(document: Document, operation: Operation) -> dict[Proof, str]:
    alternatives = document.security_of(operation) or [{}]
    found: dict[Proof, str] = {}
    for alternative in alternatives:
        parts: set[str] = set()
        for name, scopes in alternative.items():
            asks = canonical(_asked(document.scheme(name)) or name)
            parts |= {asks, *(f"{asks} {scope}" for scope in scopes or ())}
        found.setdefault(frozenset(parts), _told(alternative))
    return found


def _asked(scheme: Json) -> Json:
    """Return what a scheme asks for; names of headers, and of HTTP's schemes, have no case."""
    kept = {k: v for k, v in scheme.items() if k not in _ANNOTATIONS}
    for keyword in ("scheme", "name") if scheme.get("in") == "header" else ("scheme",):
        if isinstance(kept.get(keyword), str):
            kept[keyword] = kept[keyword].lower()
    return kept


def _told(alternative: object) -> str:
    if not isinstance(alternative, dict) or not alternative:
        return "everybody"
    parts = [
        f"`{name}`" + (f" ({', '.join(map(str, scopes))})" if scopes else "")
        for name, scopes in alternative.items()
    ]
    return f"callers with {' and '.join(parts)}"


def _list(names: Iterable[str]) -> str:
    return " or ".join(names)
