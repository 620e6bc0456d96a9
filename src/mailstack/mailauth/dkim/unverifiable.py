"""How a signature ends that cannot be checked: raised inside mailauth, a verdict for everybody else."""

from mailstack.model.verdict import DkimResult


class Unverifiable(Exception):
    """reason: for people, in our own words alone, except for domain names that were checked before."""

    def __init__(self, result: DkimResult, reason: str) -> None:
        super().__init__(reason)
        self.result = result
        self.reason = reason


def failed(reason: str) -> Unverifiable:
    return Unverifiable(DkimResult.FAIL, reason)


def malformed(reason: str) -> Unverifiable:
    # RFC 8601 §2.7.1: neutral is for signatures with syntax errors, or otherwise not able to be processed.
    return Unverifiable(DkimResult.NEUTRAL, reason)


def permanent(reason: str) -> Unverifiable:
    return Unverifiable(DkimResult.PERMERROR, reason)


def unacceptable(reason: str) -> Unverifiable:
    """Sound in itself, but not by what is asked of signatures here."""
    return Unverifiable(DkimResult.POLICY, reason)
