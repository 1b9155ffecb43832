"""Types as they are at run time, as expressions; the classes that they lead to are published on the way."""

from __future__ import annotations

import collections.abc
import contextlib
import sys
import types
import typing
from collections.abc import Generator, Iterable
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import typing_extensions

from service_kit.errors import DefinitionError
from service_kit.publishing.aliases import find_alias
from service_kit.publishing.classes import publish_class
from service_kit.publishing.definitions import Assignment, Ledger
from service_kit.publishing.expressions import (
    NONE,
    Display,
    Expression,
    Imported,
    Local,
    Quoted,
    String,
    Subscript,
    Text,
    annotated,
    call,
    union,
)
from service_kit.publishing.fields import metadata_of
from service_kit.publishing.origins import imported
from service_kit.publishing.values import Unspeakable, value_of

ALIAS_TYPES: tuple[type, ...] = tuple(
    {
        getattr(module, "TypeAliasType")  # noqa: B009 - typing has it from 3.12 on
        for module in (typing, typing_extensions)
        if hasattr(module, "TypeAliasType")
    }
)
NAMED = (type, TypeVar, typing.NewType, *ALIAS_TYPES)
"""Kinds of types that know their names."""
_QUALIFIERS: dict[Any, str] = {
    getattr(module, name): name
    for module in (typing, typing_extensions)
    for name in ("Required", "NotRequired", "ReadOnly", "Final")
    if hasattr(module, name)
}
_TYPE_ALIAS = Imported("typing", "TypeAlias")


class TypeReader:
    """Reads types of one service; what they need is collected in the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._alive: dict[str, object] = {}
        self._variables: tuple[Any, ...] = ()
        """Type variables of the class or alias that is being read."""

    def read(self, form: Any, module: str, where: str) -> Expression:
        """Return a type; raise DefinitionError, naming `where`, for one that cannot be published.

        `module` is where it is written: names that this module has for types are kept.
        """
        if not isinstance(form, NAMED):
            alias = find_alias(form, module)
            if alias is not None and alias.is_public:
                return Imported(alias.module, alias.name)
            if alias is not None:
                return self._alias(alias.module, alias.name, form, where)
        return self._plain(form, module, where)

    def refer(self, cls: type) -> Expression:
        """Return the name of a class for a value; raise Unspeakable."""
        try:
            return self._class(cls, f"a value of {cls.__qualname__}")
        except DefinitionError as error:
            raise Unspeakable(str(error)) from None

    def _plain(self, form: Any, module: str, where: str) -> Expression:
        if isinstance(form, typing.NewType):
            return self._new_type(form, where)
        if isinstance(form, ALIAS_TYPES):
            return self._alias_type(form, where)
        if isinstance(form, TypeVar):
            return self._type_var(form, where)
        origin, arguments = get_origin(form), get_args(form)
        if origin is Annotated:
            return self._annotated(form, arguments[0], module, where)
        if origin in (typing.Union, types.UnionType):
            return union(self.read(member, module, where) for member in arguments)
        if origin in (Literal, typing_extensions.Literal):
            items = tuple(value_of(item, self.refer) for item in arguments)
            return Subscript(Imported("typing", "Literal"), items)
        if origin in _QUALIFIERS:
            word = _QUALIFIERS[origin]
            name = Imported("typing_extensions" if word == "ReadOnly" else "typing", word)
            return Subscript(name, (self.read(arguments[0], module, where),))
        if origin is not None:
            return self._parametrized(origin, arguments, module, where)
        return self._with_variables(form, self._bare(form, where))

    def _with_variables(self, form: Any, name: Expression) -> Expression:
        """Return a name with the brackets that pydantic leaves out: `Page[T]` is `Page` to it."""
        generic = getattr(form, "__pydantic_generic_metadata__", None)
        if not generic or not generic["parameters"] or not isinstance(name, Local):
            return name
        known = set(generic["parameters"]).issubset(self._variables)
        items = tuple(
            self._type_var(variable, "") if known else Imported("typing", "Any")
            for variable in generic["parameters"]
        )
        return Subscript(name, items)

    @contextlib.contextmanager
    def _inside(self, variables: Iterable[Any]) -> Generator[None]:
        """Read what is inside of a class or alias with these type variables."""
        outer, self._variables = self._variables, tuple(variables)
        try:
            yield
        finally:
            self._variables = outer

    def _bare(self, form: Any, where: str) -> Expression:
        match form:
            case None | types.NoneType:
                return NONE
            case type():
                return self._class(form, where)
            case typing.ForwardRef():
                raise DefinitionError(
                    where,
                    f"'{form.__forward_arg__}' is not defined where it is written",
                    "import or define it",
                )
            case _ if getattr(form, "__module__", "") in ("typing", "typing_extensions"):
                return Imported("typing", getattr(form, "_name", None) or str(form).rpartition(".")[2])
            case _:
                raise DefinitionError(where, f"{form!r} is no type that can be published", "use another type")

    def _class(self, cls: Any, where: str) -> Expression:
        generic = getattr(cls, "__pydantic_generic_metadata__", None) if isinstance(cls, type) else None
        if generic and generic["origin"] is not None:
            return self._parametrized(generic["origin"], generic["args"], cls.__module__, where)
        if (name := imported(cls)) is not None:
            return name
        key = f"{cls.__module__}:{cls.__qualname__}"
        if key not in self.ledger.definitions:
            self._alive[key] = cls
            variables = generic["parameters"] if generic else getattr(cls, "__parameters__", ())
            with self._inside(variables):
                publish_class(cls, key, where, self)
        elif self._alive.get(key, cls) is not cls:
            raise DefinitionError(where, f"two classes are {key}", "give one of them another name")
        return Local(key)

    def _parametrized(self, origin: Any, arguments: Iterable[Any], module: str, where: str) -> Expression:
        items = tuple(self._argument(argument, module, where) for argument in arguments)
        if origin is collections.abc.Callable:
            raise DefinitionError(where, "a function does not travel", "use another type")
        base = (
            self._bare(origin, where)
            if not isinstance(origin, ALIAS_TYPES)
            else self._plain(origin, module, where)
        )
        if origin is tuple and not items:
            items = (Display("(", (), ")"),)
        return Subscript(base, items)

    def _argument(self, argument: Any, module: str, where: str) -> Expression:
        return Text("...") if argument is ... else self.read(argument, module, where)

    def _annotated(self, form: Any, inner: Any, module: str, where: str) -> Expression:
        metadata: list[Expression] = []
        for item in form.__metadata__:
            spoken = metadata_of(item, self.refer)
            if spoken is not None:
                metadata.append(spoken)
            elif item is not None and not isinstance(item, str):
                self.ledger.note(f"{where}: {type(item).__name__} is code, and stays at the service")
        return annotated(self.read(inner, module, where), metadata)

    def _alias(self, module: str, name: str, form: Any, where: str) -> Expression:
        key = f"{module}:{name}"
        if key not in self.ledger.definitions:
            value = self._plain(form, module, where)
            self.ledger.definitions[key] = Assignment(name, module, _TYPE_ALIAS, value)
        return Local(key)

    def _alias_type(self, form: Any, where: str) -> Expression:
        key = f"{form.__module__}:{form.__name__}"
        if key not in self.ledger.definitions:
            # Known before it is read: it may mention itself.
            maker, name = Imported("typing_extensions", "TypeAliasType"), String(form.__name__)
            self.ledger.definitions[key] = Assignment(form.__name__, form.__module__, None, call(maker, name))
            with self._inside(form.__type_params__):
                inner = self._plain(_evaluated(form.__value__, form.__module__), form.__module__, where)
            value = Quoted(inner)
            more = {}
            if form.__type_params__:
                variables = [self.read(v, form.__module__, where) for v in form.__type_params__]
                more["type_params"] = Display("(", tuple(variables), ")")
            self.ledger.definitions[key] = Assignment(
                form.__name__, form.__module__, None, call(maker, name, value, **more)
            )
        return Local(key)

    def _new_type(self, form: Any, where: str) -> Expression:
        key = f"{form.__module__}:{form.__name__}"
        if key not in self.ledger.definitions:
            inner = self.read(form.__supertype__, form.__module__, where)
            value = call(Imported("typing", "NewType"), String(form.__name__), inner)
            self.ledger.definitions[key] = Assignment(form.__name__, form.__module__, None, value)
        return Local(key)

    def _type_var(self, form: TypeVar, where: str) -> Expression:
        module = form.__module__ or ""
        key = f"{module}:{form.__name__}"
        if key not in self.ledger.definitions:
            given: list[Expression] = [String(form.__name__)]
            given += [self.read(one, module, where) for one in form.__constraints__]
            named: dict[str, Expression] = {}
            if form.__bound__ is not None:
                named["bound"] = self.read(form.__bound__, module, where)
            if form.__covariant__:
                named["covariant"] = Text("True")
            value = call(Imported("typing", "TypeVar"), *given, **named)
            self.ledger.definitions[key] = Assignment(form.__name__, module, None, value)
        return Local(key)


def _evaluated(form: Any, module: str) -> Any:
    """Return a type whose author may have written it, or parts of it, in quotes."""
    holder = types.SimpleNamespace(__annotations__={"form": form})
    return typing.get_type_hints(holder, vars(sys.modules[module]), include_extras=True)["form"]
