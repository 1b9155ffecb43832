"""What is to be decided about a service on AWS, beyond what its definitions say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from typing_extensions import TypedDict, Unpack

from service_kit.contract.command import AnyCommand
from service_kit.contract.event import Subscription
from service_kit.contract.gather import gather
from service_kit.contract.service import Service, ServiceContract, contract_of
from service_kit.contract.task import Task
from service_kit.deploy.permissions import Allow
from service_kit.deploy.template import Resource
from service_kit.deploy.values import Reference
from service_kit.errors import DefinitionError

if TYPE_CHECKING:
    from service_kit.deploy.template import Template

Runtime: TypeAlias = Literal["python3.11", "python3.12", "python3.13"]
Retention: TypeAlias = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653]
"""Days for which CloudWatch can keep logs, the usual ones of them."""

Code: TypeAlias = AnyCommand | Task[..., Any] | Subscription[Any]
"""What runs in functions and is the service's own."""

MEMORY_MB = range(128, 10_241)
TIMEOUT_S = range(1, 901)
"""Limits of Lambda: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


class FunctionOptions(TypedDict, total=False, closed=True):
    """What may be said of the function that runs a command."""

    memory_mb: int
    """Processor time grows with it: 1,769 MB are one whole processor."""
    timeout_s: int
    concurrency: int
    """How many calls run at a time, reserved for this function; only for one that runs this command alone."""
    environment: Mapping[str, str | Reference]
    """Readable by everybody who may see the function: no secrets."""
    permissions: Sequence[Allow]
    """What the command's code needs of other resources."""


@dataclass(frozen=True, slots=True)
class DeploymentOptions:
    """What holds for all functions of a service, and for its API."""

    api: Literal["http", "rest"] = "http"
    """An HTTP API with a route for each command, or a REST API that has the specification."""
    functions: Literal["one", "each"] = "one"
    """One function for all commands, or one for each; `Deployment.group` makes others."""
    runtime: Runtime = "python3.13"
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    memory_mb: int = 512
    """For commands that do not say."""
    environment: Mapping[str, str | Reference] = field(default_factory=dict[str, "str | Reference"])
    permissions: Sequence[Allow] = ()
    """For every function; `Deployment.allow` gives a permission to those alone that run the code which needs it."""
    log_retention_days: Retention = 30
    mcp: bool = True
    """Serve `/mcp`; the protocol's package is the largest part of the code then."""
    tracing: bool = True
    alarms: bool = True
    validate_requests: bool = False
    """Let a REST API refuse what does not fit the specification, before a function is called."""
    requests_per_s: int | None = None
    """What the API lets through, with bursts of twice as many; the account's limit otherwise."""


@dataclass(frozen=True, slots=True)
class Group:
    """Commands that share a function."""

    name: str
    commands: tuple[AnyCommand, ...]


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission, and the code that needs it: kinds and names."""

    permission: Allow
    code: frozenset[tuple[str, str]]


class Deployment:
    """A service with what is decided about its deployment; each method returns a new one.

        Deployment(Orders).configure(Orders.place_order, memory_mb=512)

    `service-kit sam` takes it in place of the service: `service-kit sam orders_on_aws:deployment`.
    """

    def __init__(self, service: type[Service], options: DeploymentOptions | None = None) -> None:
        self.service: type[Service] = service
        self.contract: ServiceContract = contract_of(service)
        self.options: DeploymentOptions = options or DeploymentOptions()
        self.groups: tuple[Group, ...] = ()
        self.configured: Mapping[str, FunctionOptions] = {}
        self.resources: Mapping[str, Resource] = {}
        self.grants: tuple[Grant, ...] = ()
        _check_memory(self._where, self.options.memory_mb)
        if self.options.validate_requests and self.options.api != "rest":
            raise DefinitionError(self._where, "an HTTP API validates no requests", 'choose api="rest"')

    def configure(self, command: AnyCommand, /, **options: Unpack[FunctionOptions]) -> Deployment:
        """Return the same deployment with these options for a command; what is not given stays as it was.

        A function that runs several commands has the largest memory and the longest time of them.
        """
        name = self._name_of(command)
        at = f"{self._where}, command '{name}'"
        if "memory_mb" in options:
            _check_memory(at, options["memory_mb"])
        if "timeout_s" in options and options["timeout_s"] not in TIMEOUT_S:
            raise DefinitionError(at, f"timeout_s={options['timeout_s']}", "Lambda allows 1 to 900 seconds")
        if options.get("concurrency", 1) < 1:
            raise DefinitionError(at, "a concurrency below 1 would refuse every call", "give 1 or more")
        known: FunctionOptions = self.configured.get(name, {})
        return self._copy(configured={**self.configured, name: {**known, **options}})

    def group(self, name: str, /, *commands: AnyCommand) -> Deployment:
        """Return the same deployment with one function, of this name, for these commands."""
        if not name.isidentifier() or not name.isascii() or "_" in name or not name[0].isupper():
            raise DefinitionError(
                self._where, f"'{name}' is no name of a function", "write it in CamelCase: 'Search'"
            )
        from service_kit.deploy.planning import RESERVED

        if name in {*RESERVED, *(group.name for group in self.groups)}:
            raise DefinitionError(self._where, f"there is a function '{name}' already", "choose another name")
        for command in commands:
            for group in self.groups:
                if self._name_of(command) in {other.name for other in group.commands}:
                    raise DefinitionError(
                        self._where,
                        f"command '{command.name}' is in two groups, {group.name} and {name}",
                        "leave it in one",
                    )
        members = tuple(self.contract.commands[self._name_of(command)] for command in commands)
        return self._copy(groups=(*self.groups, Group(name, members)))

    def add(self, name: str, resource: Resource, /) -> Deployment:
        """Return the same deployment with a resource of the service's own: a table, a secret, a policy.

        `Ref(name)` and `GetAtt(name)` stand for it in environments, permissions and other resources.
        """
        if not name.isalnum() or not name.isascii():
            raise DefinitionError(
                self._where,
                f"'{name}' is no name of a resource",
                "write letters and digits alone: 'ShopTable'",
            )
        if name in self.resources:
            raise DefinitionError(self._where, f"there are two resources '{name}'", "rename one of them")
        return self._copy(resources={**self.resources, name: resource})

    def environment(self, **variables: str | Reference) -> Deployment:
        """Return the same deployment with these environment variables for every function: no secrets."""
        known = self.options.environment
        return self._copy(options=replace(self.options, environment={**known, **variables}))

    def allow(self, permission: Allow, /, *code: Code) -> Deployment:
        """Return the same deployment with a permission for the functions that run this code, and for no others."""
        if not code:
            raise DefinitionError(
                self._where,
                f"nobody is allowed {list(permission.actions)}",
                "name the commands, tasks and subscriptions that need it",
            )
        grant = Grant(permission, frozenset((each.kind, self._own(each)) for each in code))
        return self._copy(grants=(*self.grants, grant))

    def granted(self, kind: str, *names: str) -> tuple[Allow, ...]:
        """Return what is allowed to the function that runs these commands, tasks or subscriptions."""
        wanted = {(kind, name) for name in names}
        return tuple(grant.permission for grant in self.grants if wanted & grant.code)

    def template(self) -> Template:
        """Return the SAM template; raise DefinitionError for what AWS cannot run."""
        from service_kit.deploy.assembly import assemble

        return assemble(self)

    def notes(self) -> tuple[str, ...]:
        """Return what is different on AWS, and should be known."""
        from service_kit.deploy.notes import notes_on

        return tuple(notes_on(self))

    @property
    def _where(self) -> str:
        return f"deployment of '{self.contract.name}'"

    def _name_of(self, command: AnyCommand) -> str:
        own = self.contract.commands.get(command.name)
        if own is None or own.function is not command.function:
            raise DefinitionError(
                self._where,
                f"command '{command.name}' is not part of the service",
                f"name one of its class: {self.service.__name__}.{next(iter(self.contract.commands), '...')}",
            )
        return command.name

    def _own(self, code: Code) -> str:
        """Return the name of something that is part of the service."""
        if not isinstance(code, Task | Subscription):
            return self._name_of(code)
        found = gather(self.contract)
        own = (found.tasks if isinstance(code, Task) else found.subscriptions).get(code.name)
        if own is None or own.function is not code.function:
            raise DefinitionError(
                self._where,
                f"{code.kind} '{code.name}' is not part of the service",
                "name one that it gathers; include=[module] adds those of a module",
            )
        return code.name

    def _copy(self, **changes: Any) -> Deployment:
        made = type(self).__new__(type(self))
        made.__dict__.update(self.__dict__ | changes)
        return made


def _check_memory(at: str, memory_mb: int) -> None:
    if memory_mb not in MEMORY_MB:
        raise DefinitionError(at, f"memory_mb={memory_mb}", "Lambda allows 128 to 10240 MB")
