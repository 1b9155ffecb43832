"""The lint as a plugin of mypy: `plugins = ["client_kit.mypy"]`. No type depends on it.

mypy calls a plugin's hooks where something is called, and a decorator is such a call: a module that declares something
is read as a whole by `client_kit.lint`. Each rule is an error code of its own, to be ignored or disabled as such.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from mypy.errorcodes import ErrorCode
from mypy.nodes import Context
from mypy.plugin import FunctionContext, MethodContext, Plugin, ReportConfigContext
from mypy.types import Type

from client_kit.lint import RULES, LintFinding, Program, check_module
from client_kit.lint.program import KINDS

if TYPE_CHECKING:
    from mypy.errors import Errors

__all__ = ["LintPlugin", "plugin"]

AnyContext: TypeAlias = FunctionContext | MethodContext

CODES = {code: ErrorCode(code, what, "Service") for code, (what, _) in RULES.items()}
_FRAMEWORKS = ("service_kit", "client_kit")
_DECLARING = tuple(f"service_kit.contract.{module}." for module in ("workflow", "task", "event", "command"))


class LintPlugin(Plugin):
    """Reports what the lint finds in each module that declares something."""

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self._programs: dict[tuple[str, str], tuple[object, Program]] = {}
        self._last: tuple[object, str, list[LintFinding]] = (None, "", [])
        """The module that is being checked, and what is wrong in it."""

    def get_function_hook(self, fullname: str) -> Callable[[FunctionContext], Type] | None:
        declares = fullname.startswith(_DECLARING) and fullname.rpartition(".")[2] in KINDS
        return self._look if declares else None

    def get_method_hook(self, fullname: str) -> Callable[[MethodContext], Type] | None:
        return self._look if fullname.startswith(_DECLARING) and fullname.endswith(".__call__") else None

    def report_config_data(self, ctx: ReportConfigContext) -> str | None:
        """Return a digest of the package's sources: a finding of one module may come from another one's body."""
        if not _may_declare(ctx):
            return None
        program = self._program(ctx.id, ctx.path)
        module = program.module(ctx.id)
        if module is None or not any("service_kit" in source for source in module.imports.values()):
            return None
        return program.digest()

    def _look(self, context: AnyContext) -> Type:
        api: Any = context.api
        name: str = api.tree.fullname
        program = self._program(name, api.path)
        if self._last[0] is not program or self._last[1] != name:
            self._last = (program, name, check_module(program, name))
        # At each declaration again, as mypy forgets what it reported when it checks a module once more.
        for finding in self._last[2]:
            if not finding.seen_by_types:  # mypy's own unused-coroutine says it
                at = Context(finding.line, finding.column)
                _report(api, f"{finding.subject}: {finding.problem}; {finding.cure}", at, CODES[finding.code])
        return context.default_return_type

    def _program(self, name: str, path: str) -> Program:
        """Return the program of a module, read anew if a file has changed."""
        fresh = Program.of(name, path)
        key, stamp = (str(fresh.root), fresh.package), fresh.stamp()
        if key not in self._programs or self._programs[key][0] != stamp:
            self._programs[key] = (stamp, fresh)
        return self._programs[key][1]


def _may_declare(module: ReportConfigContext) -> bool:
    """Tell, from the file alone, whether a module may use the framework: mypy asks for each one of each library."""
    file = Path(module.path)
    if file.suffix != ".py" or "site-packages" in file.parts or module.id.partition(".")[0] in _FRAMEWORKS:
        return False
    return file.is_file() and b"service_kit" in file.read_bytes()


def _report(api: Any, message: str, at: Context, code: ErrorCode) -> None:
    """Report an error, although mypy may be trying overloads, whose errors it keeps to itself."""
    errors: Errors = api.errors
    watchers, errors._watchers = errors._watchers, []
    try:
        api.fail(message, at, code=code)
    finally:
        errors._watchers = watchers


def plugin(version: str) -> type[Plugin]:
    """Return the plugin; mypy calls this."""
    return LintPlugin
