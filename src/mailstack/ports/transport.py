"""Handing a mail to the next server."""

from collections.abc import Sequence
from typing import Protocol

from mailstack.model.delivery import NextHop, Outcome


class Transport(Protocol):
    async def deliver(
        self,
        hop: NextHop,
        *,
        reverse_path: str,
        recipients: Sequence[str],
        content: bytes,
        is_8bit: bool,
        smtp_utf8: bool,
    ) -> Sequence[Outcome]:
        """One outcome for each recipient, in their order. Never raises for what the peer or the network does: that is
        a Deferred or a Failed."""
        ...
