"""What a FETCH of 100,000 messages holds at once, and whom it keeps waiting."""

import tracemalloc
from pathlib import Path

import pytest

from mailstack.model.mailbox import INBOX
from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import DOMAIN, RunningImap, running_imap
from tests.support.stores import account_of, new_message

MESSAGES = 100_000
AT_ONCE = 1_000
HELD_OCTETS = 24 << 20
"""Two lists of 100,000 numbers are 8 MB of it; all that is told of the messages is 40 MB."""


async def fill(server: RunningImap) -> None:
    account_id = (await account_of(server.store, f"u0@{DOMAIN}")).account_id
    mailboxes = await server.store.mailboxes.list(account_id)
    (inbox,) = [mailbox.mailbox_id for mailbox in mailboxes if mailbox.name == INBOX]
    for _ in range(MESSAGES // AT_ONCE):
        await server.store.messages.append(account_id, inbox, [new_message()] * AT_ONCE)


@pytest.mark.slow
async def test_a_fetch_of_100_000_messages_holds_little_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    async with running_imap(tmp_path) as server:
        await fill(server)
        # Late: who is silent for as long as that takes is sent away.
        async with imap_client(server.port) as client, imap_client(server.port) as other:
            await client.login()
            await other.login()
            peak = await peak_of_two_fetches(client, other)
    assert peak < HELD_OCTETS


async def peak_of_two_fetches(client: ImapClient, other: ImapClient) -> int:
    """Octets held at once."""
    await client.talk("C: s EXAMINE INBOX\nS: ...\nS: s OK …")
    tracemalloc.start()
    try:
        await client.send(b"a FETCH 1:* (UID FLAGS ENVELOPE RFC822.SIZE)\r\n")
        # Nobody reads the answer yet, and whoever else asks is answered all the same.
        await other.talk("C: b NOOP\nS: b OK …")
        assert await client.count_to("a") == MESSAGES
        await client.send(b"c FETCH 1:* (FLAGS MODSEQ)\r\n")
        assert await client.count_to("c") == MESSAGES + 1  # OK [HIGHESTMODSEQ]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak
