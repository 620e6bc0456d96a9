"""Why a server cannot start or change, in sentences for the operator. What the servers tell peers is model.errors'."""

from collections.abc import Sequence


class CannotServe(Exception):
    """str() is one sentence that names the thing."""


class SpecFaulty(CannotServe):
    """lines: one for each fault, as `mailstack validate` prints them. watch: files that may mend it, as they were read
    from read_at_ns on."""

    def __init__(self, lines: Sequence[str], watch: Sequence[str] = (), read_at_ns: int = 0) -> None:
        super().__init__("; ".join(lines))
        self.lines = tuple(lines)
        self.watch = tuple(watch)
        self.read_at_ns = read_at_ns


class ApplyBroken(CannotServe):
    """The spec is valid and could not be applied."""


class PortBusy(CannotServe):
    """Another program listens there."""


class WorkerUnable(CannotServe):
    """A worker could not start, or could not build a generation."""
