"""Codecs: what payloads look like in the store."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from service_kit.contract.at_rest import Codec

MARK = "~"
"""What a packed text begins with. No JSON does, so that what was written before a codec was chosen stays readable."""
BLOB = "@"
"""In the place of a codec's name: the rest says where the text is kept."""


@dataclass(frozen=True, slots=True)
class Zlib:
    """Compress what is longer than `over_bytes`."""

    over_bytes: int = 1_000
    level: int = 6

    @property
    def name(self) -> str:
        return "zlib"

    def encode(self, data: bytes) -> bytes | None:
        return zlib.compress(data, self.level) if len(data) > self.over_bytes else None

    def decode(self, data: bytes) -> bytes:
        return zlib.decompress(data)


class CodecMissing(LookupError):
    """Something was written by a codec that this host does not have."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"a payload was written by codec '{name}', which this host does not have; let the function that "
            "the service names as codecs=... return it, too, behind the one that writes"
        )


class Codecs:
    """The first one writes, all of them read."""

    def __init__(self, codecs: Sequence[Codec]) -> None:
        for codec in codecs:
            if not codec.name.replace("-", "").isalnum():
                raise ValueError(f"codec {codec!r} is named {codec.name!r}; use letters, digits and dashes")
        self._known = {codec.name: codec for codec in codecs}
        if len(self._known) < len(codecs):
            names = [codec.name for codec in codecs]
            raise ValueError(f"two codecs have one name, of {names}; it tells what which of them has written")
        self.writes: bool = bool(codecs)
        self._writer = codecs[0] if codecs else None

    def encode(self, text: str) -> str:
        """Return a text as it is stored."""
        data = None if self._writer is None or not text else self._writer.encode(text.encode())
        if data is not None and self._writer is not None:
            return f"{MARK}{self._writer.name}:{base64.b64encode(data).decode()}"
        return f"{MARK}:{text}" if text.startswith(MARK) else text

    def decode(self, text: str) -> str:
        """Return the text that was stored; raise CodecMissing."""
        if not text.startswith(MARK):
            return text
        name, _, rest = text[1:].partition(":")
        if not name:
            return rest
        if name not in self._known:
            raise CodecMissing(name)
        return self._known[name].decode(base64.b64decode(rest)).decode()
