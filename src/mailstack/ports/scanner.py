"""Engines beside us that judge mail as it comes in: spam filters and virus scanners."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mailstack.model.message import RawMessage
from mailstack.model.spam import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """One mail as it came. peer_host: an address, "" where nobody knows it. host_name: that the address is verified to
    have, "" without one. recipients: addresses."""

    raw: RawMessage
    peer_host: str
    host_name: str
    ehlo_domain: str
    reverse_path: str
    recipients: Sequence[str]
    trace_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """virus: the name of the one that was found, printable ASCII; "" for none. keeps_virus, is_virus_checked: as of
    model.spam.Score."""

    findings: Sequence[Finding] = ()
    virus: str = ""
    keeps_virus: bool = False
    is_virus_checked: bool = False


class Scanner(Protocol):
    """Not held to a deadline: whoever asks has one, and stops asking."""

    async def scan(self, mail: Brought) -> Scanned:
        """Raises TryAgainLater where nobody answers, Invalid where the answer is that this mail cannot be judged."""
        ...

    async def is_alive(self) -> bool:
        """It answers, whatever it is at work on."""
        ...
