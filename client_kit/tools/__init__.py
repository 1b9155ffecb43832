"""Function tools of language models, from an OpenAPI document: what a model is told, and what its calls become.

`operations` reads a document, `strict` fits schemas to what the model APIs can enforce (and `nulls` undoes it in
calls), `formats` writes them as each API wants them, `remote` sends the calls. No agents' framework is imported.
"""

from __future__ import annotations

from client_kit.tools.formats import Offer as Offer
from client_kit.tools.formats import offer_tools as offer_tools
from client_kit.tools.nulls import without_nulls as without_nulls
from client_kit.tools.operations import Operation as Operation
from client_kit.tools.operations import read_operations as read_operations
from client_kit.tools.remote import RemoteService as RemoteService

__all__ = ["Offer", "Operation", "RemoteService", "offer_tools", "read_operations", "without_nulls"]
