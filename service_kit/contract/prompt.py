"""Prompts: texts that a service offers to the users of agents, with typed arguments."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, NamedTuple, cast, overload

from pydantic import ValidationError
from typing_extensions import TypedDict, Unpack

from service_kit.contract.codec import adapter_of
from service_kit.contract.declaration import (
    Declaration,
    awaited,
    check_function,
    enclosing_names,
    where,
)
from service_kit.contract.options import check_options
from service_kit.contract.parameters import Parameter
from service_kit.contract.strings import StringCodec, shape_of
from service_kit.errors import DefinitionError


class PromptOptions(TypedDict, total=False, closed=True):
    """Options of a prompt."""

    title: str
    """A few words for a menu; the function's name otherwise."""
    description: str
    """What it is good for; the docstring otherwise."""


class PromptArgument(NamedTuple):
    """One argument, as an agent's user is asked for it."""

    name: str
    description: str
    required: bool


class InvalidPromptArguments(ValueError):
    """What was given for a prompt does not fit its parameters; the message may be shown to whoever gave it."""


class Prompt(Declaration):
    """A function from a few texts to one: what an agent is told to do."""

    kind = "prompt"

    def __init__(
        self,
        function: Callable[..., Any],
        options: PromptOptions,
        local_names: Mapping[str, Any],
        name: str | None = None,
    ) -> None:
        check_options(
            where(self.kind, function, name or function.__name__), options, PromptOptions.__annotations__
        )
        self.options = options
        self._texts: dict[str, StringCodec] | None = None
        self._invoke: Callable[..., Awaitable[Any]] = awaited(function)
        super().__init__(function, local_names, name)

    @property
    def title(self) -> str:
        return self.options.get("title") or self.name.replace("_", " ").capitalize()

    @property
    def description(self) -> str:
        return self.options.get("description") or inspect.getdoc(self.function) or ""

    @property
    def arguments(self) -> list[PromptArgument]:
        """What is asked for, in the order of the parameters."""
        described = self.codec.rpc.adapter.json_schema().get("properties", {})
        return [
            PromptArgument(p.name, described.get(p.name, {}).get("description", ""), p.required)
            for p in self.codec.parameters
        ]

    def check(self) -> None:
        """Raise DefinitionError for a parameter that no text can spell, or a result that is no text."""
        self._codecs()

    async def render(self, arguments: Mapping[str, str]) -> str:
        """Return the text for these arguments; raise InvalidPromptArguments."""
        codecs = self._codecs()
        for name in arguments.keys() - codecs.keys():
            raise InvalidPromptArguments(f"prompt '{self.name}' has no argument '{name}'")
        given: dict[str, Any] = {}
        for parameter in self.codec.parameters:
            text = arguments.get(parameter.name)
            if text is not None:
                given[parameter.name] = _decoded(parameter, codecs[parameter.name], text)
            elif parameter.required:
                raise InvalidPromptArguments(f"prompt '{self.name}' needs the argument '{parameter.name}'")
        return cast(str, await self._invoke(**given))

    def _codecs(self) -> dict[str, StringCodec]:
        if self._texts is None:
            self._texts = {p.name: self._text_codec(p) for p in self.codec.parameters}
        return self._texts

    def _text_codec(self, parameter: Parameter) -> StringCodec:
        at = f"{self.where}, parameter '{parameter.name}'"
        adapter = adapter_of(at, parameter.annotation)
        shape = shape_of(adapter)
        if shape != "scalar":
            raise DefinitionError(
                at, "arguments of prompts are texts", "take a simple type: str, int, a date, a Literal"
            )
        return StringCodec(adapter, shape)

    def _result_type(self, annotation: Any) -> Any:
        if annotation is not str:
            raise DefinitionError(self.where, f"it returns {annotation!r}", "return the text: '-> str'")
        return annotation


class PromptDecoration:
    """`@prompt(...)` with options, waiting for its function."""

    def __init__(self, options: PromptOptions, local_names: Mapping[str, Any]) -> None:
        self._options = options
        self._local_names = local_names

    def __call__(self, function: Callable[..., str] | Callable[..., Coroutine[Any, Any, str]], /) -> Prompt:
        check_function("prompt", function)
        return Prompt(function, self._options, self._local_names)


@overload
def prompt(function: Callable[..., str] | Callable[..., Coroutine[Any, Any, str]], /) -> Prompt: ...
@overload
def prompt(**options: Unpack[PromptOptions]) -> PromptDecoration: ...
def prompt(
    function: Callable[..., Any] | None = None, /, **options: Unpack[PromptOptions]
) -> Prompt | PromptDecoration:
    """Declare a prompt: a function from typed arguments to a text; list it in `prompts=[...]` of the service.

    Agents' users choose it from a menu, and give its arguments as texts. Raises DefinitionError for a mistake.
    """
    decoration = PromptDecoration(options, enclosing_names())
    return decoration if function is None else decoration(function)


def _decoded(parameter: Parameter, codec: StringCodec, text: str) -> Any:
    try:
        return codec.decode([text])
    except ValidationError as error:
        raise InvalidPromptArguments(
            f"argument '{parameter.name}' does not fit: {error.errors()[0]['msg']}"
        ) from None
