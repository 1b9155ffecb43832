"""Media types of a body or a response."""

from __future__ import annotations

from service_kit.diff.document import Json

EVENT_STREAM = "text/event-stream"


def media_types(holder: Json | None) -> dict[str, Json]:
    """Return the media types by name, without the names' parameters."""
    content = (holder or {}).get("content") or {}
    return {name.partition(";")[0].strip().lower(): media or {} for name, media in content.items()}
