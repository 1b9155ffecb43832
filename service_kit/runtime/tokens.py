"""Tokens by which tasks are completed from outside: signed, so that nobody can complete what he was not given."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from service_kit.engine.options import TaskOptions
from service_kit.runtime.records import ClaimedTask, TaskKey


class TaskTokens:
    """Signs and reads tokens with HMAC-SHA256 (RFC 2104)."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 16:
            raise ValueError("the secret of task tokens needs 16 bytes or more, or it can be guessed")
        self._secret = secret

    def sign(self, claimed: ClaimedTask) -> str:
        """Return the token of a task: equal for all its attempts."""
        key, chosen = claimed.key, claimed.options
        limits = chosen and [chosen.timeout_s, chosen.heartbeat_timeout_s, chosen.schedule_to_close_s]
        parts = [key.execution, key.run, key.seq, claimed.name, claimed.scheduled_at_s, limits]
        body = json.dumps(parts, separators=(",", ":")).encode()
        return _text(body) + "." + _text(self._mac(body))

    def read(self, token: str) -> tuple[TaskKey, str]:
        """Return the task that a token stands for, and its name; raise ValueError if it was not signed here."""
        execution, run, seq, name, *_ = self._parts(token)
        return TaskKey(execution, run, seq), name

    def scheduled(self, token: str) -> tuple[float, TaskOptions]:
        """Return when the task was called, and with which limits of its own; raise ValueError, as `read`."""
        parts = self._parts(token)
        scheduled_at_s, limits = parts[4:] or (float("inf"), None)  # older tokens have no limits
        timeout_s, silence_s, whole_s = limits or (None, None, None)
        return float(scheduled_at_s), TaskOptions(
            timeout_s=timeout_s, heartbeat_timeout_s=silence_s, schedule_to_close_s=whole_s
        )

    def _parts(self, token: str) -> list[Any]:
        body_text, _, mac_text = token.partition(".")
        try:
            body, mac = _bytes(body_text), _bytes(mac_text)
        except ValueError:
            body, mac = b"", b""
        if not hmac.compare_digest(mac, self._mac(body)):
            raise ValueError("this is no task token of this service")
        parts: list[Any] = json.loads(body)
        return parts

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._secret, body, hashlib.sha256)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
