"""Replaying recorded histories against today's code: what tells, before a release, whose executions it would break."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from service_kit.contract.gather import Declarations, gather
from service_kit.contract.service import Service, contract_of
from service_kit.engine.history import HistoryEvent
from service_kit.engine.instance import replay
from service_kit.engine.machine import WorkflowCode
from service_kit.errors import HistoryUnreadable, NonDeterminismError, TurnTooLong
from service_kit.testing.histories import AnyHistory, never_began, read_history, start_of

__all__ = ["RecordedHistory", "Replayer", "ReplaysFailed", "replay_history"]

UNFIT = (NonDeterminismError, HistoryUnreadable, TurnTooLong, LookupError)
"""What a history and the code raise that do not fit each other."""


class ReplaysFailed(AssertionError):
    """Some histories do not fit the code; the message has each with both sides."""

    def __init__(self, failures: Mapping[Path, Exception], count: int) -> None:
        self.failures: Mapping[Path, Exception] = failures
        self.count: int = count
        told = [f"{path}: {type(error).__name__}: {error}" for path, error in failures.items()]
        super().__init__("\n".join([f"{len(failures)} of {count} histories do not replay", *told]))


class Replayer:
    """Checks recorded histories against the workflows of a service: `Replayer(Orders).replay_directory("histories")`.

    A history is what `Execution.recording` gives, or what `execution.history()` and the management API do, as JSON.
    Neither tasks nor time are needed: a history holds what they gave.
    """

    def __init__(self, service: type[Service]) -> None:
        self._declarations = gather(contract_of(service))

    def replay(self, history: AnyHistory) -> None:
        """Replay one history to its end.

        Raises NonDeterminismError, with both sides and the line, if the code does not do what the history says;
        HistoryUnreadable for something else; LookupError if the service has no such workflow.
        """
        replay_history(self._declarations, read_history(history))

    def replay_file(self, path: str | Path) -> None:
        """Replay the history in a file, as `replay`; the error has the file's name in a note."""
        try:
            self.replay(Path(path).read_text("utf-8"))
        except Exception as error:
            error.add_note(f"history: {path}")
            raise

    def replay_directory(self, path: str | Path) -> int:
        """Replay every `*.json` in a directory and below; return how many there are.

        Raises ReplaysFailed with all that do not fit, and ValueError for a directory without any: a check that
        finds nothing to check would always pass.
        """
        files = sorted(Path(path).rglob("*.json"))
        if not files:
            raise ValueError(
                f"there are no histories (*.json) in '{path}'; record some by Execution.recording"
            )
        failures: dict[Path, Exception] = {}
        for file in files:
            try:
                self.replay(file.read_text("utf-8"))
            except UNFIT as error:
                failures[file] = error
        if failures:
            raise ReplaysFailed(failures, len(files))
        return len(files)


@dataclass(frozen=True, slots=True)
class RecordedHistory:
    """A history in a file, and the service whose workflow it is of; the fixture `recorded_history`."""

    service: type[Service]
    path: Path

    def replay(self) -> None:
        """Replay it against today's code, as `Replayer.replay_file`."""
        __tracebackhide__ = (
            True  # what does not fit is said by the error; where the engine noticed is no news
        )
        try:
            Replayer(self.service).replay_file(self.path)
        except UNFIT as error:
            raise error.with_traceback(None) from None


def replay_history(declarations: Declarations, events: list[HistoryEvent]) -> None:
    """Replay the events of one run, as `Replayer.replay`."""
    if never_began(events):
        return
    workflow = declarations.workflow(start_of(events).workflow)
    code = WorkflowCode(workflow.name, workflow.run, declarations.failures, workflow.line)
    replay(code, events).discard()
