"""From bytes to rows that name them: packed before the transaction, claimed in it, thrown away when it fails."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Protocol, TypeVar

from mailstack.model.errors import TryAgainLater
from mailstack.store.sql.blobs import Blob, HeldBlobs, Retired
from mailstack.store.sql.database import Database, Result, Transaction

MOST_PACKINGS = 3
"""A second packing finds names that nobody else has; a third is for what was retired in between."""


class Packed(Protocol):
    @property
    def blob(self) -> Blob: ...


Source = TypeVar("Source")
Ready = TypeVar("Ready", bound=Packed)


async def write_packed(
    database: Database,
    held: HeldBlobs,
    pack: Callable[[], Sequence[Ready]],
    work: Callable[[Transaction, Sequence[Ready]], Result],
    *,
    is_large: bool,
    is_long: bool,
) -> Result:
    """pack: in a thread when is_large; may be asked more than once. work, is_long: as of Database.write."""
    for _ in range(MOST_PACKINGS):
        packed = await database.in_thread(pack) if is_large else pack()
        try:
            return await database.write(partial(_claimed, held, packed, work), is_long=is_long)
        except Retired:
            continue
        except Exception:
            if files_of(packed):
                await database.in_thread(discard, held, files_of(packed))
            raise
    raise TryAgainLater(f"objects in {held.place} are deleted as fast as they are put")


def pack_each(held: HeldBlobs, sources: Iterable[Source], pack: Callable[[Source], Ready]) -> list[Ready]:
    """All, or nothing is left of them."""
    packed: list[Ready] = []
    try:
        for source in sources:
            packed.append(pack(source))
    except Exception:
        discard(held, files_of(packed))
        raise
    return packed


def files_of(packed: Sequence[Packed]) -> list[str]:
    return [each.blob.file for each in packed if each.blob.file is not None]


def discard(held: HeldBlobs, files: Iterable[str]) -> None:
    for file in files:
        held.discard(file)


def _claimed(
    held: HeldBlobs,
    packed: Sequence[Ready],
    work: Callable[[Transaction, Sequence[Ready]], Result],
    transaction: Transaction,
) -> Result:
    held.claim(transaction, [each.blob for each in packed])
    return work(transaction, packed)
