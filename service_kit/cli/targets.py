"""From `module:Service` on the command line to the class: imports the user's module, and explains what fails."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Generator
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from service_kit.cli.failures import Unusable
from service_kit.contract.service import Service
from service_kit.errors import DefinitionError

if TYPE_CHECKING:
    from service_kit.hosts.local.host import LocalOptions
    from service_kit.hosts.local.service import LocalService
    from service_kit.http import AsgiApplication, HttpOptions

EXAMPLE = "write module:Service, such as orders:Orders or src/orders.py:Orders"


class BrokenModule(Unusable):
    """The user's module cannot be imported; `error` is what it raised."""

    def __init__(self, error: BaseException, problem: str, cure: str = "", details: str = "") -> None:
        super().__init__(problem, cure, details)
        self.error = error


@dataclass(frozen=True, slots=True)
class Target:
    """What the command line names: a module, by name or by file, and perhaps a class in it."""

    text: str
    module: str
    folder: Path
    """Goes onto sys.path: the current directory, or the one that a file's imports start from."""
    file: Path | None
    attribute: str | None


def parse_target(text: str) -> Target:
    """Read a target; raise Unusable if it names a file that is not there, or nothing at all."""
    place, attribute = _split(text)
    if not place.endswith(".py") and "/" not in place and "\\" not in place:
        if not all(part.isidentifier() for part in place.split(".")):
            raise Unusable(f"'{text}' names no module", EXAMPLE)
        return Target(text, place, Path.cwd(), None, attribute)
    file = Path(place).resolve()
    if not file.is_file():
        raise Unusable(f"there is no file {place}", _near_files(Path(place)) or EXAMPLE)
    folder, module = _import_name(file)
    return Target(text, module, folder, file, attribute)


def load_service(text: str) -> type[Service]:
    """Import the module and return its service; raise Unusable, BrokenModule among them, with a cure."""
    target = parse_target(text)
    module = _import(target)
    if target.attribute is None:
        return _only_service(target, module)
    found = _look_up(target, module)
    if isinstance(found, type) and issubclass(found, Service) and found is not Service:
        return found
    raise Unusable(f"{text} is {_describe(found)}, not a service", _choices(target, module))


def create_application(text: str, options: HttpOptions | None = None) -> AsgiApplication:
    """Load the service and return its HTTP face; raise Unusable as `load_service` does."""
    service = load_service(text)
    with explained(service):
        return service.asgi(options)


def prepare_service(
    text: str, database: Path | None, options: LocalOptions, http: HttpOptions
) -> LocalService:
    """Load the service and return it ready to serve, all of it; raise Unusable, also for a database."""
    from service_kit.hosts.local.service import create_local_service

    service = load_service(text)
    with explained(service):
        return create_local_service(service, database, options=options, http=http)


@contextlib.contextmanager
def explained(service: type[Service]) -> Generator[None]:
    """Raise Unusable, with a cure, for what goes wrong while a service is put together."""
    from service_kit.hosts.local.files import FileUnavailable

    try:
        yield
    except FileUnavailable as error:
        raise Unusable(error.problem, error.cure) from None
    except DefinitionError as error:
        raise BrokenModule(error, f"{place_of(error)}: {error.problem}", error.cure) from error
    except Exception as error:
        from service_kit.hosts.local.tracebacks import format_failure

        what = f"service '{service.__name__}' cannot be put together"
        raise BrokenModule(error, what, "mend its middleware or routes", format_failure(error)) from error


def place_of(error: DefinitionError) -> str:
    """Return the line and the declaration that a definition error speaks of."""
    from service_kit.hosts.local.tracebacks import user_line

    line = user_line(error)
    return f"{line}: {error.where}" if line else error.where


def services_in(module: ModuleType) -> list[type[Service]]:
    """Return the services that a module defines, or those it imports if it defines none."""
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Service) and value is not Service
    ]
    distinct = list(dict.fromkeys(found))
    return [s for s in distinct if s.__module__ == module.__name__] or distinct


def _split(text: str) -> tuple[str, str | None]:
    place, colon, attribute = text.rpartition(":")
    if not colon or not all(part.isidentifier() for part in attribute.split(".")):
        return text, None  # a colon of a Windows drive is none of ours
    return place, attribute


def _import_name(file: Path) -> tuple[Path, str]:
    """Return the folder that a file's package is imported from, and the name it has there."""
    parts = [] if file.stem == "__init__" else [file.stem]
    folder = file.parent
    while (folder / "__init__.py").is_file() and folder.name.isidentifier():
        parts.insert(0, folder.name)
        folder = folder.parent
    return folder, ".".join(parts)


def _import(target: Target) -> ModuleType:
    for folder in (Path.cwd(), target.folder):  # a file's own folder goes first, as for `python file.py`
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    try:
        module = import_module(target.module)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{target.module}.".startswith(f"{error.name}."):
            raise Unusable(
                f"there is no module '{error.name}' in {target.folder} or among the installed ones",
                _near_modules(target, error.name),
            ) from None
        raise _broken(target, error) from error
    except (Exception, SystemExit) as error:
        raise _broken(target, error) from error
    if target.file is not None and Path(module.__file__ or "").resolve() != target.file:
        raise Unusable(
            f"'{target.module}' is the name of another module, {module.__file__ or 'a built-in one'}",
            f"give {target.file.name} another name",
        )
    return module


def _broken(target: Target, error: BaseException) -> BrokenModule:
    from service_kit.hosts.local.tracebacks import format_failure

    if isinstance(error, DefinitionError):
        return BrokenModule(error, f"{place_of(error)}: {error.problem}", error.cure)
    if isinstance(error, SystemExit):
        return BrokenModule(
            error,
            f"module '{target.module}' ends the program when it is imported",
            "put what it runs under: if __name__ == '__main__':",
        )
    cure = ""
    if isinstance(error, ModuleNotFoundError):
        cure = f"install it, or mend the import: '{error.name}' is not in {target.folder} either"
    return BrokenModule(error, f"module '{target.module}' cannot be imported", cure, format_failure(error))


def _only_service(target: Target, module: ModuleType) -> type[Service]:
    found = services_in(module)
    if len(found) == 1:
        return found[0]
    if not found:
        raise Unusable(f"module '{target.module}' has no service", "declare one: class Orders(Service): ...")
    raise Unusable(f"module '{target.module}' has {len(found)} services", _choices(target, module))


def _look_up(target: Target, module: ModuleType) -> object:
    value: Any = module
    for part in (target.attribute or "").split("."):
        try:
            value = getattr(value, part)
        except AttributeError:
            near = get_close_matches(part, [name for name in vars(module) if not name.startswith("__")], n=1)
            hint = f"did you mean '{near[0]}'? " if near else ""
            raise Unusable(
                f"module '{target.module}' has no '{target.attribute}'", hint + _choices(target, module)
            ) from None
    return value


def _choices(target: Target, module: ModuleType) -> str:
    place = target.text if target.attribute is None else target.text[: -len(target.attribute) - 1]
    names = [f"{place}:{service.__name__}" for service in services_in(module)]
    return (
        f"choose {' or '.join(names)}"
        if names
        else "it has no service; declare one: class Orders(Service): ..."
    )


def _describe(value: object) -> str:
    kind = value.__name__ if isinstance(value, type) else type(value).__name__
    return f"the class {kind}" if isinstance(value, type) else f"of the type {kind}"


def _near_modules(target: Target, name: str) -> str:
    package, dot, own = name.rpartition(".")
    folder = target.folder.joinpath(*package.split("."))
    if not folder.is_dir():
        return EXAMPLE
    here = [p.stem for p in folder.iterdir() if p.suffix == ".py" or (p / "__init__.py").is_file()]
    near = get_close_matches(own, here, n=1)
    return f"did you mean '{package}{dot}{near[0]}'?" if near else EXAMPLE


def _near_files(path: Path) -> str:
    folder = path.parent
    names = [p.name for p in folder.glob("*.py")] if folder.is_dir() else []
    near = get_close_matches(path.name, names, n=1)
    return f"did you mean {folder / near[0]}?" if near else ""
