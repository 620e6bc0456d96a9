"""Two clients on one server: `owner` is u0, who shares, `other` is u1, who is shared with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import RunningImap, running_imap

OTHERS = "Other Users/u0@peer.test"


@dataclass(frozen=True, slots=True)
class TwoAccounts:
    owner: ImapClient
    other: ImapClient
    server: RunningImap

    async def share(self, rights: str, *, mailbox: str = "shared") -> None:
        await self.owner.talk(f"""
            C: share SETACL {mailbox} u1 {rights}
            S: share OK …
        """)


@asynccontextmanager
async def two_accounts(folder: Path, *, quota_bytes: int | None = None) -> AsyncIterator[TwoAccounts]:
    """The owner has a mailbox `shared`, with three messages: \\Seen, \\Flagged, \\Deleted."""
    async with (
        running_imap(folder, accounts=("u0", "u1"), quota_bytes=quota_bytes) as server,
        imap_client(server.port) as owner,
        imap_client(server.port) as other,
    ):
        await owner.login("u0")
        await other.login("u1")
        await owner.talk("C: made CREATE shared\nS: made OK …")
        for flag in ("\\Seen", "\\Flagged", "\\Deleted"):
            await owner.append(b"Subject: one\r\n\r\nbody of it\r\n", mailbox="shared", flags=flag)
        yield TwoAccounts(owner, other, server)
