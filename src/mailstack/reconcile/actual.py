"""The live state: what earlier applies wrote, or nothing where nothing was applied yet."""

from dataclasses import dataclass

from mailstack.model.ids import Generation
from mailstack.model.resource import Snapshot
from mailstack.ports.state import State

NOTHING = Snapshot(generation=Generation(0), spec_hash="", resources={})
NO_KEY = b"\0" * 32
"""Stands in for the digest key of a store that does not exist yet: there is no digest to compare with either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actual:
    snapshot: Snapshot
    digest_key: bytes


async def read_actual(state: State | None) -> Actual:
    if state is None:
        return Actual(snapshot=NOTHING, digest_key=NO_KEY)
    return Actual(snapshot=await state.snapshot(), digest_key=await state.digest_key())
