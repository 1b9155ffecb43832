"""A whole document as a contract to publish."""

from __future__ import annotations

from service_kit.publishing.definitions import Ledger, Method, Published, ServiceClass
from service_kit.publishing.document.answers import AnswerReader
from service_kit.publishing.document.operations import OperationReader, Uncarried, operations_of
from service_kit.publishing.document.read import Document, Unreadable
from service_kit.publishing.document.schemas import SchemaReader
from service_kit.publishing.document.words import class_name
from service_kit.publishing.expressions import Imported, String


def publish_document(document: Document, *, name: str | None = None) -> Published:
    """Return the contract of the service that a document describes; raise Unreadable.

    Operations that cannot be commands are left out, with a note.
    """
    try:
        return _published(document, name)
    except (AttributeError, TypeError, KeyError, IndexError, RecursionError) as error:
        # Documents come from anywhere, and each place where one could be malformed would need a check of its own.
        raise Unreadable(
            f"it is not a valid document ({error})", "check it, for example with openapi-spec-validator"
        ) from error


def _published(document: Document, name: str | None) -> Published:
    members = document.members
    info = document.followed(members.get("info") or {})
    ledger = Ledger()
    schemas = SchemaReader(document, ledger)
    answers = AnswerReader(schemas)
    reader = OperationReader(schemas, answers)
    methods: list[Method] = []
    for operation in operations_of(members.get("paths") or {}, schemas):
        try:
            methods.append(reader.read(operation))
        except Uncarried as problem:
            ledger.note(f"{operation.method.upper()} {operation.path} is left out: {problem}")
    if not methods:
        raise Unreadable("it has no operations that could be commands", "give a document with paths")
    answers.name_documented()
    version = str(info.get("version") or "0")
    service = ServiceClass(
        class_name(name or str(info.get("title") or "Service")),
        Imported("client_kit.contracts", "RestService"),
        (("version", String(version)),),
        str(info.get("description") or "").strip(),
        tuple(methods),
    )
    return Published(service, version, ledger.definitions, document.server, tuple(ledger.notes))
