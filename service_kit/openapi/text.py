"""Cutting prose to the lengths that agents' catalogues allow."""

from __future__ import annotations

import re


def first_sentence(text: str) -> str:
    """Return the first sentence of the first paragraph, on one line."""
    paragraph = " ".join(text.strip().partition("\n\n")[0].split())
    found = re.match(r".+?[.!?](?=\s|$)", paragraph)
    return found.group() if found else paragraph


def cut(text: str, limit: int, *, ellipsis: str = "…") -> str:
    """Return the text in at most `limit` characters, cut after a word where there is one."""
    if len(text) <= limit:
        return text
    room = limit - len(ellipsis)
    at = text.rfind(" ", 0, room + 1)
    return text[: at if at > 0 else room].rstrip(" ,;:-") + ellipsis


def words(class_name: str) -> str:
    """Return `OrderService` as `Order Service`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_", " ", class_name).strip()
