"""UIDBATCHES: ranges of UIDs, newest first, without a gap. RFC 10022."""

from mailstack.formats.digest import digest_message
from mailstack.model.instant import Instant
from mailstack.model.message import NewMessage
from mailstack.model.principal import Account
from tests.servers.imap.conftest import message
from tests.support.imap_dialogue import ImapClient
from tests.support.imap_server import RunningImap


async def test_batches_reach_from_the_newest_message_to_the_first_uid(client: ImapClient, server: RunningImap) -> None:
    await fill(server, 1_250)

    await client.talk("""
        C: a EXAMINE INBOX
        S: ...
        S: a OK …
        C: b UIDBATCHES 500
        S: * UIDBATCHES (TAG "b") 1250:751,750:251,250:1
        S: b OK UIDBATCHES completed
        C: c UIDBATCHES 500 2:9
        S: * UIDBATCHES (TAG "c") 750:251,250:1
        S: c OK UIDBATCHES completed
        C: d UIDBATCHES 2000
        S: * UIDBATCHES (TAG "d") 1250:1
        S: d OK UIDBATCHES completed
        C: e UIDBATCHES 500 50:60
        S: * UIDBATCHES (TAG "e")
        S: e OK UIDBATCHES completed
        C: f UIDBATCHES 499
        S: f NO [TOOFEW] …
    """)


async def test_an_empty_mailbox_has_no_batches(client: ImapClient) -> None:
    await client.talk("""
        C: a EXAMINE Archive
        S: ...
        S: a OK …
        C: b UIDBATCHES 500
        S: * UIDBATCHES (TAG "b")
        S: b OK UIDBATCHES completed
    """)


async def fill(server: RunningImap, count: int) -> None:
    account = await server.store.accounts.find("u0@peer.test")
    assert isinstance(account, Account)
    raw = message(1)
    one = NewMessage(raw=raw, received_at=Instant(0), digest=digest_message(raw))
    inbox = next(
        mailbox for mailbox in await server.store.mailboxes.list(account.account_id) if mailbox.name == "INBOX"
    )
    await server.store.messages.append(account.account_id, inbox.mailbox_id, [one] * count)
