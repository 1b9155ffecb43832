"""One operation in both versions."""

from __future__ import annotations

from dataclasses import dataclass

from service_kit.diff.change import Change, Kind
from service_kit.diff.document import Document, Operation
from service_kit.diff.schemas import SchemaComparison
from service_kit.diff.voice import told


@dataclass(frozen=True, slots=True)
class Both:
    """One operation in both documents, and how what travels is compared."""

    kind: Kind
    old_document: Document
    new_document: Document
    old: Operation
    new: Operation
    requests: SchemaComparison
    responses: SchemaComparison

    @property
    def name(self) -> str:
        return self.old.name

    def told(self, rule: str, message: str, *, breaks: bool, place: str = "") -> Change:
        return told(self.kind, self.name, rule, message, breaks=breaks, place=place)
