"""Handing a mail to the next server."""

from collections.abc import Sequence
from typing import Protocol

from mailstack.model.delivery import Envelope, NextHop, Outcome


class Transport(Protocol):
    async def deliver(self, hop: NextHop, envelope: Envelope, content: bytes) -> Sequence[Outcome]:
        """One outcome for each recipient, in their order. Never raises for what the peer or the network does: that is
        a Deferred or a Failed."""
        ...

    async def close(self) -> None:
        """Takes leave of servers that it kept a connection to. More can be delivered afterwards."""
        ...
