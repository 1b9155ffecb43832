"""From a template to its text."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from service_kit.deploy.template import Template
from service_kit.deploy.values import GetAtt, If, NotEmpty, Ref, Sub, plain

HEADER = """\
# Written by `service-kit sam`; a change here is lost with the next one.
# What it holds follows from the service and its Deployment, and `service-kit sam --check` tells whether it still does.
"""


def to_json(template: Template) -> str:
    """Return the template as JSON, which CloudFormation and SAM take as well."""
    return json.dumps(plain(template.document()), indent=2, ensure_ascii=False) + "\n"


def to_yaml(template: Template) -> str:
    """Return the template as YAML with the short forms of intrinsic functions; needs PyYAML."""
    import yaml

    text: str = yaml.dump(
        template.document(), Dumper=_dumper(), allow_unicode=True, sort_keys=False, width=110
    )
    return HEADER + text


@cache
def _dumper() -> Any:
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True  # CloudFormation reads no anchors

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
            return super().increase_indent(flow, False)

        def choose_scalar_style(self) -> Any:
            # PyYAML quotes whatever has a tag; names need no quotes.
            tag = getattr(self.event, "tag", None)
            return "" if tag in ("!Ref", "!GetAtt") else super().choose_scalar_style()

    def ref(dumper: Any, value: Any) -> Any:
        return dumper.represent_scalar("!Ref", value.name)

    def get_att(dumper: Any, value: Any) -> Any:
        return dumper.represent_scalar("!GetAtt", f"{value.resource}.{value.attribute}")

    def sub(dumper: Any, value: Any) -> Any:
        return dumper.represent_scalar("!Sub", value.text)

    def if_(dumper: Any, value: Any) -> Any:
        return dumper.represent_sequence("!If", [value.condition, value.then, value.otherwise])

    def not_empty(dumper: Any, value: Any) -> Any:
        return dumper.represent_sequence("!Not", [{"Fn::Equals": [Ref(value.parameter), ""]}])

    Dumper.add_representer(Ref, ref)
    Dumper.add_representer(GetAtt, get_att)
    Dumper.add_representer(Sub, sub)
    Dumper.add_representer(If, if_)
    Dumper.add_representer(NotEmpty, not_empty)
    return Dumper
