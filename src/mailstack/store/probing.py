"""What trying out a part of the storage finds: what was asked of it, how long it took, what to do where it fails."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter

from mailstack.model.errors import DomainError


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """fault: "" where all is well. remedy: what to do about it, "" where the fault says so. is_needed: the store does
    not work without."""

    what: str
    took_s: float
    fault: str = ""
    remedy: str = ""
    is_needed: bool = True


async def asked(what: str, ask: Callable[[], Awaitable[object]], remedy: str, *, is_needed: bool = True) -> Finding:
    """ask: raises a DomainError where it fails."""
    began, fault = perf_counter(), ""
    try:
        await ask()
    except DomainError as failure:
        fault = failure.detail
    took_s = perf_counter() - began
    return Finding(what=what, took_s=took_s, fault=fault, remedy=remedy if fault else "", is_needed=is_needed)
