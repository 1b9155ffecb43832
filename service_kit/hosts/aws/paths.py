"""Where a service is under its API: which part of an event's path is the service's, and which is in front of it.

The four sources differ; docs/design/lambda.md has the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NO_STAGE = "$default"


def locate_2(context: Mapping[str, Any], raw_path: str) -> tuple[str, str]:
    """Return prefix and path of an event of payload 2.0."""
    stage: str = context.get("stage") or NO_STAGE
    if stage == NO_STAGE:
        return "", raw_path
    prefix = f"/{stage}"
    # A custom domain's URL has no stage, and its API mapping, if it has one, is nowhere in the event.
    shown = prefix if ".execute-api." in (context.get("domainName") or "") else ""
    return shown, cut_prefix(prefix, raw_path) or raw_path


def locate_1(event: Mapping[str, Any], context: Mapping[str, Any]) -> tuple[str, str]:
    """Return prefix and path of an event of payload 1.0."""
    path: str = event["path"] or "/"
    asked: str = context.get("path") or path
    if asked != path and asked.endswith(path):
        return asked[: -len(path)], path  # a REST API at its own address: the stage is in one of the two only
    stage: str = context.get("stage") or NO_STAGE
    if ".execute-api." not in (context.get("domainName") or ""):
        prefix = _before_resource(path, event.get("resource") or "", event.get("pathParameters") or {})
    elif stage == NO_STAGE:
        return "", path
    else:
        prefix = f"/{stage}"
    return prefix, cut_prefix(prefix, path) or path


def cut_prefix(prefix: str, path: str) -> str | None:
    """Return what follows `prefix` in `path`, whole segments only; None if it does not begin so."""
    if path == prefix:
        return "/"
    return path[len(prefix) :] if path.startswith(f"{prefix}/") else None


def _before_resource(path: str, resource: str, parameters: Mapping[str, str]) -> str:
    """Return the base path mapping of a custom domain: what stands in `path` before the matched resource."""
    if not resource.startswith("/") or path.rstrip("/") == resource.rstrip("/"):
        return ""
    template, segments = _segments(resource), _segments(path)
    length = len(template)
    if template and template[-1].endswith("+}"):
        value = parameters.get(template[-1][1:-2])
        if value is None:
            return ""
        length += len(_segments(value)) - 1
    kept = len(segments) - length
    matches = kept > 0 and all(
        part == found or part.startswith("{") for part, found in zip(template, segments[kept:], strict=False)
    )
    return "".join(f"/{segment}" for segment in segments[:kept]) if matches else ""


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]
