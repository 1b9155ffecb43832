"""Services: a class whose attributes are the public, typed contract."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias, TypeVar, cast

from typing_extensions import TypedDict, Unpack

from service_kit.contract.body import check_body
from service_kit.contract.checks import check_middleware, check_service
from service_kit.contract.command import AnyCommand, Command, StreamCommand
from service_kit.contract.declaration import Declaration
from service_kit.contract.exchange import Middleware
from service_kit.errors import DefinitionError, ExecutionExists, ExecutionNotFound, ServiceError

if TYPE_CHECKING:
    from openapi_pydantic import OpenAPI

    from client_kit import Connection
    from service_kit.contract.at_rest import MakeCodecs
    from service_kit.contract.cors import Cors
    from service_kit.contract.plugin import Plugin
    from service_kit.contract.prompt import Prompt
    from service_kit.contract.security import AnyScheme
    from service_kit.contract.signal import Signal, State
    from service_kit.contract.workflow import Workflow
    from service_kit.http import AsgiApplication, HttpOptions

D = TypeVar("D")

Lifespan: TypeAlias = Callable[[], AbstractAsyncContextManager[object]]
"""Opened before the first request, closed after the last: `@asynccontextmanager async def lifespan(): ...`."""


class ServiceOptions(TypedDict, total=False, closed=True):
    """Class keywords of a service: `class Orders(Service, version="1.2", security=[key])`; subclasses inherit them."""

    name: str
    """Lower-case, in URLs and queue names; the class name in kebab-case otherwise."""
    version: str
    include: Sequence[ModuleType]
    """More modules whose private declarations belong to the service, beside its own."""
    routes: Sequence[object]
    """FastAPI routers, served beside the commands."""
    use: Sequence[Middleware | AsgiMiddleware]
    security: Sequence[AnyScheme]
    """Schemes any of which admits a caller."""
    management: Sequence[AnyScheme]
    """Schemes any of which admits an operator; without one, only programs of the same machine are admitted."""
    plugin: Plugin
    prompts: Sequence[Prompt]
    """What agents' users find at `/mcp` to begin with."""
    cors: Cors
    lifespan: Lifespan
    codecs: MakeCodecs
    """A function that returns what payloads are written and read by, on every host that stores them."""


class AsgiMiddleware:
    """An ASGI middleware class with its arguments, wrapped around the whole application.

    `AsgiMiddleware(GZipMiddleware, minimum_size=500)`: any class that Starlette's `Middleware` takes.
    """

    def __init__(self, cls: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        self.cls = cls
        self.args = args
        self.kwargs = kwargs

    def wrap(self, application: Any) -> Any:
        """Return the middleware around an ASGI application."""
        return self.cls(application, *self.args, **self.kwargs)


@dataclass(frozen=True, slots=True)
class ServiceContract:
    """A service as data: what every other room reads."""

    name: str
    title: str
    version: str = "0.1.0"
    description: str = ""
    commands: Mapping[str, AnyCommand] = field(default_factory=lambda: MappingProxyType({}))
    workflows: Mapping[str, Workflow[..., Any]] = field(default_factory=lambda: MappingProxyType({}))
    """The public ones; `gather` finds them all."""
    signals: Mapping[str, Signal[Any]] = field(default_factory=lambda: MappingProxyType({}))
    """The public ones, by their own names."""
    states: Mapping[str, State[Any]] = field(default_factory=lambda: MappingProxyType({}))
    scope: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """The names among which the class stands: tasks and subscriptions are there."""
    include: tuple[ModuleType, ...] = ()
    routes: tuple[object, ...] = ()
    use: tuple[Middleware | AsgiMiddleware, ...] = ()
    security: tuple[AnyScheme, ...] = ()
    management: tuple[AnyScheme, ...] = ()
    """Schemes any of which admits an operator; without one, only programs of the same machine are admitted."""
    declared_plugin: Plugin | None = None
    prompts: tuple[Prompt, ...] = ()
    cors: Cors | None = None
    lifespan: Lifespan | None = None
    codecs: MakeCodecs | None = None

    @property
    def plugin(self) -> Plugin:
        """What an agent's catalogue is told: as declared, or the defaults."""
        if self.declared_plugin is not None:
            return self.declared_plugin
        # Asked for by the manifest alone; two pydantic models are too dear for the import of every service.
        from service_kit.contract.plugin import Plugin

        return Plugin()

    @property
    def errors(self) -> dict[str, type[ServiceError]]:
        """Every declared error by name."""
        return {name: error for c in self.commands.values() for name, error in c.errors.items()}

    @property
    def schemes(self) -> dict[str, AnyScheme]:
        """Every security scheme by name: the service's, then those of single commands."""
        found = {scheme.name: scheme for scheme in self.security}
        for declared in self.commands.values():
            for scheme in declared.options.get("security", ()):
                found.setdefault(scheme.name, scheme)
        return found

    def security_of(self, declared: AnyCommand) -> Sequence[AnyScheme]:
        """Return the schemes any of which admits a caller of this command; empty: it is open."""
        return declared.options.get("security", self.security)


class Service:
    """Base of services: declare commands as functions, and name them in the class body.

        class Orders(Service, version="1.0"):
            \"\"\"Take, pay for and ship orders.\"\"\"

            place_order = place_order

    An attribute's name is the command's public name. Options are class keywords (`ServiceOptions`), so that
    they take no name away from commands. An instance is a client: `ServiceClient[Orders](url)`, or better
    `async with connect(Orders, url) as client`.
    """

    _contract: ClassVar[ServiceContract] = ServiceContract(name="service", title="Service")
    _system_errors: ClassVar[Mapping[str, type[ServiceError]]] = {
        "ExecutionNotFound": ExecutionNotFound,
        "ExecutionExists": ExecutionExists,
    }
    _connection: Connection[Any]

    def __init_subclass__(cls, **options: Unpack[ServiceOptions]) -> None:
        super().__init_subclass__()
        # The frame of the class statement: a module, or a function in tests.
        cls._contract = _describe(cls, options, sys._getframe(1).f_locals)

    def __init__(self, url: str) -> None:
        from client_kit import Connection  # the client is needed only by those who call

        self._connection = Connection(type(self), url)

    def _bind(self, declared: AnyCommand) -> object:
        bound = self._connection.bind(declared)
        self.__dict__[declared.name] = bound  # the next look-up does not come here
        return bound

    def _bind_workflow(self, declared: Workflow[..., Any]) -> object:
        bound = self._connection.bind_workflow(declared)
        self.__dict__[declared.name] = bound
        return bound

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()

    @classmethod
    def asgi(cls, options: HttpOptions | None = None) -> AsgiApplication:
        """Return the HTTP face as an ASGI application: serve it with any server, or mount it in another one."""
        # Outward, for the sake of the one public spelling.
        from service_kit.hosts.asgi import create_application

        return create_application(cls._contract, options)

    @classmethod
    def specification(cls, *, url: str | None = None, include_rpc: bool = False) -> OpenAPI:
        """Return the OpenAPI 3.1 document as openapi-pydantic's model, to edit and serve at a path of your own."""
        from service_kit.openapi.model import specification_model  # outward, as above

        return specification_model(cls._contract, url=url, include_rpc=include_rpc)


def contract_of(service: type[Service]) -> ServiceContract:
    """Return the service as data."""
    return service._contract


def _describe(cls: type[Service], options: ServiceOptions, scope: Mapping[str, Any]) -> ServiceContract:
    unknown = options.keys() - ServiceOptions.__annotations__.keys()
    if unknown:
        raise DefinitionError(
            f"service '{cls.__name__}'",
            f"unknown class keywords {sorted(unknown)}",
            f"known ones are {sorted(ServiceOptions.__annotations__)}",
        )
    at = f"service '{cls.__name__}'"
    check_body(at, vars(cls), ServiceOptions.__annotations__)
    inherited = cls._contract
    commands, workflows = _public(cls)
    given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
    contract = replace(
        inherited,
        **{"declared_plugin" if k == "plugin" else k: v for k, v in given.items() if k != "name"},
        name=_checked_name(cls, options.get("name") or _kebab(cls.__name__)),
        title=cls.__name__,
        description=_own_doc(cls) or inherited.description,
        commands=MappingProxyType(_inherited(cls, lambda base: base.commands) | commands),
        workflows=MappingProxyType(_inherited(cls, lambda base: base.workflows) | workflows),
        signals=MappingProxyType(_inherited(cls, lambda base: base.signals) | _typed(cls, "Signal")),
        states=MappingProxyType(_inherited(cls, lambda base: base.states) | _typed(cls, "State")),
        scope=scope,
    )
    check_service(at, options, contract)
    check_middleware(at, [layer for layer in contract.use if not isinstance(layer, AsgiMiddleware)])
    return contract


def _inherited(cls: type[Service], part: Callable[[ServiceContract], Mapping[str, D]]) -> dict[str, D]:
    """Return what the bases offer, of several the first one's where they differ, as attributes do."""
    found: dict[str, D] = {}
    for base in reversed(cls.__mro__[1:]):
        if issubclass(base, Service):
            found |= part(base._contract)
    return found


def _public(cls: type[Service]) -> tuple[dict[str, AnyCommand], dict[str, Workflow[..., Any]]]:
    """Take the commands and workflows of the class body, each under its attribute's name."""
    commands: dict[str, AnyCommand] = {}
    workflows: dict[str, Workflow[..., Any]] = {}
    for name, value in list(vars(cls).items()):
        # By kind, so that a service of commands alone imports nothing of workflows.
        if not isinstance(value, Declaration) or value.kind not in ("command", "workflow"):
            continue
        if name.startswith("_") or hasattr(Service, name):
            raise DefinitionError(
                f"service '{cls.__name__}', {value.kind} '{name}'",
                "the name is taken by the class itself" if hasattr(Service, name) else "the name is private",
                "give the attribute another name",
            )
        named = value.named(name)
        named.codec  # noqa: B018 - annotations that look forward are resolved now, or reported
        setattr(cls, name, named)
        if isinstance(named, Command | StreamCommand):
            commands[name] = named
        else:
            workflows[name] = cast("Workflow[..., Any]", named)
    return commands, workflows


def _typed(cls: type[Service], kind: str) -> dict[str, Any]:
    """Take the signals or states of the class body by their names."""
    # A class that has one has imported their module; another one need not.
    module = sys.modules.get("service_kit.contract.signal")
    return {v.name: v for v in vars(cls).values() if isinstance(v, getattr(module, kind))} if module else {}


def _checked_name(cls: type[Service], name: str) -> str:
    if re.fullmatch(r"[a-z][a-z0-9-]{0,62}", name):
        return name
    raise DefinitionError(
        f"service '{cls.__name__}'",
        f"name '{name}' does not fit into URLs and queue names",
        "use lower-case letters, digits and dashes, at most 63",
    )


def _kebab(class_name: str) -> str:
    return (
        re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", class_name).replace("_", "-").lower()
    )


def _own_doc(cls: type[Service]) -> str:
    return inspect.cleandoc(vars(cls).get("__doc__") or "")
