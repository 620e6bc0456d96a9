"""Why a server cannot start or change, in sentences for the operator. What the servers tell peers is model.errors'."""

from collections.abc import Sequence


class CannotServe(Exception):
    """str() is one sentence that names the thing."""


class SpecFaulty(CannotServe):
    """lines: one for each fault, as `mailstack validate` prints them."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("; ".join(lines))
        self.lines = tuple(lines)


class ApplyBroken(CannotServe):
    """The spec is valid and could not be applied."""


class PortBusy(CannotServe):
    """Another program listens there."""


class WorkerUnable(CannotServe):
    """A worker could not start, or could not build a generation."""
