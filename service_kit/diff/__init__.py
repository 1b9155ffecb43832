"""What has changed between two versions of a service, and whom it breaks.

Pure functions over documents (OpenAPI 3.0 and 3.1, ours or somebody else's) and over `describe_durable`'s
description of what OpenAPI has no words for. Nothing here reads files, imports users' modules, or prints.
"""

from __future__ import annotations

from service_kit.diff.change import Change as Change
from service_kit.diff.change import Verdict as Verdict
from service_kit.diff.compare import compare as compare
from service_kit.diff.description import describe_durable as describe_durable
from service_kit.diff.document import UnreadableDocument as UnreadableDocument
