"""A picture of somewhere else, as it was had from there, or why it was not."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """media_type: as the octets themselves say it."""

    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPicture:
    """reason: for the log, printable and on one line."""

    reason: str
