"""Telling code that raises whatever it likes from the end of its coroutine."""

from __future__ import annotations


def is_closing(error: BaseException) -> bool:
    """Tell whether the coroutine that has caught `error` is being closed, because its event loop is gone.

    It must not await anything then. `coroutine.close()` raises GeneratorExit where the coroutine waits; one that
    code in it has raised comes with the frames of that code.
    """
    found = error.__traceback__
    return isinstance(error, GeneratorExit) and (found is None or found.tb_next is None)
