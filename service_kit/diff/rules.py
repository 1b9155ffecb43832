"""What each kind of difference between two schemas means, and how it is told.

In a request a difference breaks if it narrows: callers send what they always sent. In a response it breaks if it
widens: callers get what they never got. Sentences know `{s}`, the thing that changed; `{p}`, the place in it; `{old}`
and `{new}`; `{who}` sends or reads it; and `{refused}`, what becomes of a value that does not fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SchemaRule:
    """One kind of difference between two schemas."""

    narrows: bool
    widens: bool
    request: str
    response: str


def _narrowing(request: str, response: str) -> SchemaRule:
    return SchemaRule(True, False, request, response)


def _widening(request: str, response: str) -> SchemaRule:
    return SchemaRule(False, True, request, response)


def _both(request: str, response: str) -> SchemaRule:
    return SchemaRule(True, True, request, response)


def _neither(request: str, response: str) -> SchemaRule:
    return SchemaRule(False, False, request, response)


_FIELDS: Mapping[str, SchemaRule] = {
    "property-added-required": _narrowing(
        "{s} now requires {p}: {who} that leave it out {refused}",
        "{s} now always gives {p}",
    ),
    "property-added": _neither("{s} takes {p}, if it is given", "{s} may now give {p}"),
    "property-added-to-closed": _widening(
        "{s} takes {p}, if it is given",
        "{s} now gives {p}, which {who} that refuse unknown fields do not take",
    ),
    "property-removed": _both(
        "{s} no longer takes {p}: {who} that send it {refused}",
        "{s} no longer gives {p}: {who} that read it do not find it",
    ),
    "property-removed-from-open": _both(
        "{s} no longer takes {p}: {who} that send it are not heard",
        "{s} no longer gives {p}: {who} that read it do not find it",
    ),
    "required-added": _narrowing(
        "{s} now requires {p}: {who} that leave it out {refused}",
        "{s} now always gives {p}",
    ),
    "required-removed": _widening(
        "{s} no longer requires {p}",
        "{s} may now leave out {p}: {who} that rely on it do not find it",
    ),
    "read-only-added": _neither("{s} no longer takes {p}, which is now read-only", "{s} still gives {p}"),
    "read-only-removed": _neither("{s} now takes {p}, which was read-only", "{s} still gives {p}"),
    "write-only-added": _neither("{s} still takes {p}", "{s} no longer gives {p}, which is now write-only"),
    "write-only-removed": _neither("{s} still takes {p}", "{s} now gives {p}, which was write-only"),
    "default-changed": _narrowing(
        "{s} takes {new} for {p} where it is left out, no longer {old}: "
        "{who} that leave it out get something else",
        "{s}: the default of {p} is now {new}, no longer {old}",
    ),
    "default-added": _narrowing(
        "{s} now takes {new} for {p} where it is left out: {who} that leave it out may get something else",
        "{s}: the default of {p} is now {new}",
    ),
    "default-removed": _narrowing(
        "{s} no longer takes {old} for {p} where it is left out: {who} that leave it out may get something else",
        "{s}: {p} has no default any more, it was {old}",
    ),
    "deprecated": _neither("{s}: {p} is now deprecated", "{s}: {p} is now deprecated"),
    "deprecated-removed": _neither(
        "{s}: {p} is not deprecated any more", "{s}: {p} is not deprecated any more"
    ),
    "unknown-fields-closed": _narrowing(
        "{s} no longer takes unknown fields in {p}: {who} that send some {refused}",
        "{s} no longer gives unknown fields in {p}",
    ),
    "unknown-fields-opened": _widening(
        "{s} now takes unknown fields in {p}",
        "{s} may now give unknown fields in {p}, which {who} that refuse them do not take",
    ),
}

_VALUES: Mapping[str, SchemaRule] = {
    "type-changed": _both(
        "{s} takes {p} as {new}, no longer as {old}: {who} that send {old} {refused}",
        "{s} gives {p} as {new}, no longer as {old}: {who} that expect {old} fail",
    ),
    "type-widened": _widening(
        "{s} takes {p} as {new}, beside {old}",
        "{s} may now give {p} as {new}, beside {old}: {who} that expect {old} fail",
    ),
    "type-narrowed": _narrowing(
        "{s} takes {p} as {new}, no longer as any {old}: {who} that send another {old} {refused}",
        "{s} gives {p} as {new}, no longer as any {old}",
    ),
    "alternative-removed": _narrowing(
        "{s} no longer takes {old} for {p}: {who} that send it {refused}",
        "{s} no longer gives {old} for {p}",
    ),
    "alternative-added": _widening(
        "{s} also takes {new} for {p}",
        "{s} may now give {new} for {p}: {who} that do not know it fail",
    ),
    "null-removed": _narrowing(
        "{s} no longer takes null for {p}: {who} that send it {refused}",
        "{s} no longer gives null for {p}",
    ),
    "null-added": _widening(
        "{s} also takes null for {p}",
        "{s} may now give null for {p}: {who} that do not expect it fail",
    ),
    "enum-added": _narrowing(
        "{s} takes only {new} for {p}: {who} that send anything else {refused}",
        "{s} gives only {new} for {p}",
    ),
    "enum-removed": _widening(
        "{s} takes more for {p} than {old}",
        "{s} may now give more for {p} than {old}: {who} that know only these fail",
    ),
    "enum-value-removed": _narrowing(
        "{s} no longer takes {old} for {p}: {who} that send it {refused}",
        "{s} no longer gives {old} for {p}",
    ),
    "enum-value-added": _widening(
        "{s} also takes {new} for {p}",
        "{s} may now give {new} for {p}: {who} that do not know it fail",
    ),
}

_LIMITS: Mapping[str, SchemaRule] = {
    "limit-tightened": _narrowing(
        "{s} takes only {new} for {p}, where it took {old}: {who} that send anything else {refused}",
        "{s} gives only {new} for {p}, where it gave {old}",
    ),
    "limit-loosened": _widening(
        "{s} takes {new} for {p}, where it took {old}",
        "{s} may now give {new} for {p}, where it gave {old}: {who} that check it fail",
    ),
    "limit-changed": _both(
        "{s} takes {new} for {p}, where it took {old}: {who} that send what no longer fits {refused}",
        "{s} gives {new} for {p}, where it gave {old}: {who} that check it fail",
    ),
    "format-generalized": _widening(
        "{s} takes {new} for {p}, no longer only {old}",
        "{s} may now give {new} for {p}, no longer only {old}: {who} that expect {old} fail",
    ),
    "format-specialized": _narrowing(
        "{s} takes only {new} for {p}, no longer any {old}: {who} that send another one {refused}",
        "{s} gives only {new} for {p}, no longer any {old}",
    ),
}

SCHEMA_RULES: Mapping[str, SchemaRule] = {**_FIELDS, **_VALUES, **_LIMITS}
"""By the name that JSON output shows."""
