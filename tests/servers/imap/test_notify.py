"""NOTIFY: what happens is told without being asked for, in the selected mailbox and in others. RFC 5465."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailstack.formats.digest import digest_message
from mailstack.model.errors import DomainError, NotFound, TryAgainLater
from mailstack.model.flags import SEEN
from mailstack.model.ids import AccountId, MailboxId, ModSeq
from mailstack.model.instant import Instant
from mailstack.model.mailbox import MailboxStatus
from mailstack.model.message import FlagChange, FlagOperation, NewMessage
from mailstack.model.numset import NumSet
from mailstack.model.principal import Account
from mailstack.servers.imap import watch_news
from tests.servers.imap.conftest import message
from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import RunningImap, running_imap
from tests.support.two_accounts import OTHERS, two_accounts


@pytest.fixture
async def other(server: RunningImap) -> AsyncIterator[ImapClient]:
    """The same account, from another device."""
    async with imap_client(server.port) as client:
        await client.login()
        yield client


async def test_news_of_the_selected_mailbox_come_between_commands(inbox: ImapClient, other: ImapClient) -> None:
    await inbox.talk("""
        C: a NOTIFY SET (selected (MessageNew (uid body.peek[header.fields (subject)]) MessageExpunge FlagChange))
        S: a OK NOTIFY completed
    """)

    await other.append(message(4))
    await inbox.talk("""
        S: * 4 EXISTS
        S: * 4 FETCH (UID 4 BODY[HEADER.FIELDS (subject)] {22}
        S: Subject: message 4
        S:
        S: )
    """)
    await other.talk("C: a SELECT INBOX\nS: ...\nS: a OK …")
    await other.talk("C: b STORE 2 +FLAGS.SILENT (\\Deleted)\nS: b OK …")
    await inbox.expect("* 2 FETCH (UID 2 FLAGS (\\Seen \\Deleted))")
    await other.talk("C: c EXPUNGE\nS: * 2 EXPUNGE\nS: c OK …")
    await inbox.talk("S: * 2 EXPUNGE\nC: b NOOP\nS: b OK …")


async def test_delayed_expunges_wait_for_a_command_that_may_tell_them(inbox: ImapClient, other: ImapClient) -> None:
    await inbox.talk("""
        C: a NOTIFY SET (selected-delayed (MessageNew MessageExpunge))
        S: a OK NOTIFY completed
    """)
    await other.talk(r"""
        C: a SELECT INBOX
        S: ...
        S: a OK …
        C: b STORE 1 +FLAGS.SILENT (\Deleted)
        S: b OK …
        C: c EXPUNGE
        S: * 1 EXPUNGE
        S: c OK …
    """)
    await other.append(message(4))

    await inbox.talk("""
        S: * 4 EXISTS
        C: b FETCH 3 (UID)
        S: * 3 FETCH (UID 3)
        S: b OK …
        C: c NOOP
        S: * 1 EXPUNGE
        S: c OK …
    """)


async def test_without_a_word_of_the_selected_mailbox_nothing_is_told_of_it(
    inbox: ImapClient, other: ImapClient
) -> None:
    await inbox.talk("C: a NOTIFY NONE\nS: a OK …")
    await other.append(message(4))

    await inbox.talk(r"""
        C: b NOOP
        S: b OK …
        C: c STORE 1 +FLAGS.SILENT (\Deleted)
        S: c OK …
        C: d EXPUNGE
        S: * 1 EXPUNGE
        S: * 3 EXISTS
        S: d OK …
        C: e NOTIFY SET (selected (MessageNew MessageExpunge))
        S: e OK …
    """)


async def test_other_mailboxes_are_told_of_by_their_status(client: ImapClient, other: ImapClient) -> None:
    await client.talk("""
        C: a CREATE Lists/Lemonade
        S: a OK …
        C: b NOTIFY SET STATUS (subtree Lists (MessageNew MessageExpunge)) (mailboxes Archive (MailboxName))
        S: * STATUS "Lists" (UIDVALIDITY … MESSAGES 0 UIDNEXT 1 UNSEEN 0)
        S: * STATUS "Lists/Lemonade" (UIDVALIDITY … MESSAGES 0 UIDNEXT 1 UNSEEN 0)
        S: b OK NOTIFY completed
    """)

    await other.append(message(1), mailbox="Archive")
    await other.append(message(1), mailbox="Lists/Lemonade")
    await client.expect('* STATUS "Lists/Lemonade" (UIDVALIDITY … MESSAGES 1 UIDNEXT 2 UNSEEN 1)')
    await other.talk("C: a SELECT Lists/Lemonade\nS: ...\nS: a OK …")
    await other.talk("C: b STORE 1 FLAGS.SILENT (\\Deleted)\nS: b OK …\nC: c CLOSE\nS: c OK …")
    await client.expect('* STATUS "Lists/Lemonade" (UIDVALIDITY … MESSAGES 0 UIDNEXT 2 UNSEEN 0)')


async def test_changes_of_flags_elsewhere_have_their_mod_sequence(client: ImapClient, other: ImapClient) -> None:
    await other.append(message(1))
    await client.talk("""
        C: a ENABLE CONDSTORE
        S: * ENABLED CONDSTORE
        S: a OK …
        C: b NOTIFY SET (inboxes (MessageNew MessageExpunge FlagChange))
        S: b OK …
    """)

    await other.talk("C: a SELECT INBOX\nS: ...\nS: a OK …\nC: b STORE 1 +FLAGS.SILENT (\\Seen)\nS: b OK …")

    await client.expect('* STATUS "INBOX" (UIDVALIDITY … UNSEEN 0 HIGHESTMODSEQ …)')


@pytest.mark.parametrize("fault", [NotFound("deleted meanwhile"), TryAgainLater("busy")])
async def test_what_cannot_be_read_of_one_mailbox_costs_no_news_of_others(
    client: ImapClient, other: ImapClient, server: RunningImap, monkeypatch: pytest.MonkeyPatch, fault: DomainError
) -> None:
    await other.talk("C: a CREATE One\nS: a OK …\nC: b CREATE Two\nS: b OK …")
    await other.append(message(1), mailbox="One")
    await other.talk("C: a SELECT One\nS: ...\nS: a OK …\nC: b COPY 1 Two\nS: b OK …")
    await client.talk("""
        C: a NOTIFY SET (mailboxes (One Two) (MessageNew MessageExpunge FlagChange))
        S: a OK …
    """)
    mailboxes = server.store.mailboxes
    read = mailboxes.status

    async def fail_once(account_id: AccountId, mailbox_id: MailboxId) -> MailboxStatus:
        monkeypatch.setattr(mailboxes, "status", read)
        raise fault

    monkeypatch.setattr(mailboxes, "status", fail_once)
    await other.talk("C: c STORE 1 +FLAGS.SILENT (\\Seen)\nS: c OK …")
    if isinstance(fault, TryAgainLater):
        await client.talk("C: b NOOP\nS: b OK …")
        await client.expect('* STATUS "One" (UIDVALIDITY … UNSEEN 0 …')
    await client.expect('* STATUS "Two" (UIDVALIDITY … UNSEEN 0 …')


async def test_new_messages_that_cannot_be_read_cost_no_news_of_flags(
    inbox: ImapClient, server: RunningImap, monkeypatch: pytest.MonkeyPatch
) -> None:
    await inbox.talk("C: a NOTIFY SET (selected (MessageNew (uid envelope) MessageExpunge FlagChange))\nS: a OK …")
    account = await server.store.accounts.find("u0@peer.test")
    assert isinstance(account, Account)
    changes, messages, both_are_in = server.store.changes, server.store.messages, asyncio.Event()
    mod_seq = changes.mod_seq

    async def mod_seq_of_both(account_id: AccountId) -> ModSeq:
        await both_are_in.wait()
        return await mod_seq(account_id)

    async def fail(*_: object) -> None:
        raise TryAgainLater("busy")

    monkeypatch.setattr(changes, "mod_seq", mod_seq_of_both)
    monkeypatch.setattr(messages, "columns", fail)
    seen = FlagChange(operation=FlagOperation.ADD, keywords=frozenset({SEEN}), is_deleted=False)
    new = NewMessage(raw=message(4), received_at=Instant(0), digest=digest_message(message(4)))
    await messages.change_flags(account.account_id, MailboxId(1), NumSet(((1, 1),)), seen)
    await messages.append(account.account_id, MailboxId(1), [new])
    both_are_in.set()
    await inbox.talk("S: * 1 FETCH (UID 1 FLAGS (\\Seen))\nS: * 4 EXISTS")


async def test_names_and_subscriptions(client: ImapClient, other: ImapClient) -> None:
    await client.talk("""
        C: a NOTIFY SET (personal (MailboxName SubscriptionChange))
        S: a OK …
    """)

    await other.talk("C: a CREATE Plans\nS: a OK …")
    await client.expect('* LIST (…\\HasNoChildren) "/" "Plans"')
    await other.talk("C: b RENAME Plans Projects\nS: b OK …")
    await client.expect('* LIST (…\\HasNoChildren) "/" "Projects" ("OLDNAME" ("Plans"))')
    await other.talk("C: c SUBSCRIBE Projects\nS: c OK …")
    await client.expect('* LIST (\\Subscribed \\HasNoChildren) "/" "Projects"')
    await other.talk("C: d UNSUBSCRIBE Projects\nS: d OK …")
    await client.expect('* LIST (\\HasNoChildren) "/" "Projects"')
    await other.talk("C: e DELETE Projects\nS: e OK …")
    await client.expect('* LIST (\\NonExistent) "/" "Projects"')


async def test_idle_tells_what_notify_asks_for(client: ImapClient, other: ImapClient) -> None:
    await client.talk("""
        C: a NOTIFY SET (mailboxes Archive (MessageNew MessageExpunge))
        S: a OK …
        C: b IDLE
        S: + idling
    """)

    await other.append(message(1), mailbox="Archive")

    await client.talk("""
        S: * STATUS "Archive" (…MESSAGES 1 …
        C: DONE
        S: b OK IDLE completed
    """)


async def test_who_would_have_to_hear_too_much_hears_that_alone(
    client: ImapClient, other: ImapClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 5465 §5.8."""
    monkeypatch.setattr(watch_news, "MAX_CHANGES", 3)
    for number in range(5):
        await other.append(message(number))
    await client.talk("C: a NOTIFY SET (personal (MessageNew MessageExpunge FlagChange))\nS: a OK …")

    await other.talk("C: a SELECT INBOX\nS: ...\nS: a OK …\nC: b STORE 1:5 +FLAGS.SILENT (a)\nS: b OK …")
    await client.expect("* OK [NOTIFICATIONOVERFLOW] …")

    await other.append(message(1))
    await client.talk("C: b NOOP\nS: b OK …")


async def test_mailboxes_of_others_as_far_as_one_may_read_them(tmp_path: Path) -> None:
    """RFC 5465 §3.1, §5, RFC 4314."""
    async with (
        running_imap(tmp_path, accounts=("u0", "u1")) as server,
        imap_client(server.port) as owner,
        imap_client(server.port) as viewer,
    ):
        await owner.login("u0")
        await viewer.login("u1")
        await owner.talk("""
            C: a SETACL Archive u1@peer.test lr
            S: a OK …
            C: b SETACL Sent u1@peer.test l
            S: b OK …
        """)
        folders = '"Other Users/u0@peer.test/Archive" "Other Users/u0@peer.test/Sent"'
        await viewer.talk(f"""
            C: a NOTIFY SET (subtree ({folders}) (MessageNew MessageExpunge))
            S: * LIST (\\NoAccess) "/" "Other Users/u0@peer.test/Sent"
            S: a OK …
        """)
        for mailbox in ("Sent", "INBOX", "Archive"):
            await owner.append(message(1), mailbox=mailbox)
        await viewer.expect('* STATUS "Other Users/u0@peer.test/Archive" (…MESSAGES 1 …')


async def test_what_the_owner_has_of_a_mailbox_is_not_told(tmp_path: Path) -> None:
    """Neither what he has below it and keeps to himself, nor what he subscribes to."""
    async with two_accounts(tmp_path) as two:
        await two.owner.talk("""
            C: a CREATE work/old/hidden
            S: a OK …
            C: b SUBSCRIBE work/old
            S: b OK …
        """)
        await two.share("lr", mailbox="work/old")
        await two.other.talk(f"""
            C: a NOTIFY SET (subtree ("{OTHERS}/work") (MailboxName SubscriptionChange))
            S: a OK …
        """)
        await two.owner.talk("C: c RENAME work/old work/new\nS: c OK …")
        await two.other.expect(rf'* LIST (\HasNoChildren) "/" "{OTHERS}/work/new" ("OLDNAME" ("{OTHERS}/work/old"))')
        await two.owner.talk("C: d UNSUBSCRIBE work/new\nS: d OK …")
        await two.other.talk(f"""
            C: b SUBSCRIBE "{OTHERS}/work/new"
            S: b OK …
        """)


async def test_annotations(client: ImapClient, other: ImapClient) -> None:
    await client.talk("""
        C: a NOTIFY SET (mailboxes INBOX (MailboxMetadataChange)) (personal (ServerMetadataChange))
        S: a OK …
    """)

    await other.talk('C: a SETMETADATA INBOX (/private/comment "mine")\nS: a OK …')
    await client.expect('* METADATA "INBOX" /private/comment')
    await other.talk('C: b SETMETADATA Archive (/private/comment "old")\nS: b OK …')
    await other.talk("C: c SETMETADATA INBOX (/private/comment NIL)\nS: c OK …")
    await client.expect('* METADATA "INBOX" /private/comment')
    await other.talk('C: d SETMETADATA "" (/private/comment "server")\nS: d OK …')
    await other.append(message(1))
    await client.expect('* METADATA "" /private/comment')
