"""Messages by their ids: what rights allow, and what is told to the spam filter."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mailstack.model.changes import LogPoint
from mailstack.model.email import EmailUpdate, SetPatch
from mailstack.model.errors import Conflict, Forbidden, Invalid, NotFound, QuotaExceeded
from mailstack.model.flags import FLAGGED, SEEN
from mailstack.model.ids import MailboxId, MessageId, ModSeq, ThreadId
from mailstack.model.instant import Instant
from mailstack.model.mailbox import MailboxRole
from mailstack.model.principal import Account
from mailstack.model.rights import Grant, parse_rights
from mailstack.model.spam_lesson import Said
from mailstack.services.mailbox import emails
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.append import Arrival
from tests.support.imap_server import DOMAIN, RunningImap, running_imap
from tests.support.stores import mailbox_with, new_message

RAW = b"From: bob@x.example\r\nSubject: Hello\r\n\r\ntext\r\n"
NOBODY = MessageId(99)


@dataclass(frozen=True, kw_only=True)
class Shared:
    """u0's mail as u0 and as u1 see it, with two messages in the inbox, of which the second lies in Archive too."""

    own: AccountMail
    seen: AccountMail
    inbox: MailboxId
    archive: MailboxId
    first: MessageId
    second: MessageId

    async def grant(self, mailbox_id: MailboxId, rights: str) -> None:
        viewer = self.seen.viewer
        grant = Grant(identifier=viewer.login, account_id=viewer.account_id, rights=parse_rights(rights))
        await self.own.sharing.change(self.own.account_id, mailbox_id, grant)


def to(message_id: MessageId, *whole: MailboxId) -> EmailUpdate:
    return EmailUpdate(message_id=message_id, mailboxes=SetPatch(whole=frozenset(whole)))


def flagged(message_id: MessageId, *added: str) -> EmailUpdate:
    return EmailUpdate(message_id=message_id, keywords=SetPatch(added=frozenset(added)))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningImap]:
    async with running_imap(tmp_path, accounts=("u0", "u1"), quota_bytes=100_000) as running:
        yield running


async def account(server: RunningImap, name: str) -> Account:
    found = await server.store.accounts.find(f"{name}@{DOMAIN}")
    assert isinstance(found, Account)
    return found


@pytest.fixture
async def shared(server: RunningImap) -> Shared:
    own = server.service.mail_of(await account(server, "u0"))
    seen = server.service.mail_of(await account(server, "u1")).of(own.account)
    inbox, archive = [
        await mailbox_with(server.store, own.account_id, role) for role in (MailboxRole.INBOX, MailboxRole.ARCHIVE)
    ]
    appended = await own.messages.append(own.account_id, inbox, [new_message(1), new_message(2)])
    first, second = [each.message_id for each in appended]
    await emails.update(own, [to(second, inbox, archive)])
    return Shared(own=own, seen=seen, inbox=inbox, archive=archive, first=first, second=second)


def arrival(*flags: str) -> Arrival:
    return Arrival(raw=RAW, flags=flags, received_at=Instant(1_700_000_000_000))


async def test_what_may_not_be_read_is_not_there(shared: Shared) -> None:
    await shared.grant(shared.archive, "lr")
    assert await emails.readable(shared.own) is None
    found = await emails.placed(shared.seen, [shared.first, shared.second])
    assert {one: email.mailbox_ids for one, email in found.items()} == {shared.second: {shared.archive}}
    threads = [ThreadId(shared.first), ThreadId(shared.second)]
    assert list(await emails.of_threads(shared.seen, threads)) == threads[1:]
    assert sorted(await emails.of_threads(shared.own, threads)) == threads


async def test_changes_are_those_of_what_may_be_read(shared: Shared) -> None:
    await shared.grant(shared.archive, "lr")
    since = LogPoint(await shared.own.changes.mod_seq(shared.own.account_id))
    await emails.update(shared.own, [to(shared.first, shared.archive), to(shared.second, shared.inbox)])
    seen = await emails.changed(shared.seen, since, limit=9)
    assert (seen.created, seen.updated, seen.destroyed) == ((shared.first,), (), (shared.second,))
    threads = await emails.changed_threads(shared.seen, since, limit=9)
    assert list(map(int, (*threads.created, *threads.destroyed))) == [shared.first, shared.second]
    own = await emails.changed(shared.own, since, limit=9)
    assert (own.created, own.updated, own.destroyed) == ((), (shared.first, shared.second), ())


@pytest.mark.parametrize(
    ("rights", "update", "fault"),
    [
        ("lr", flagged(MessageId(1), SEEN), Forbidden),
        ("lrw", flagged(MessageId(1), SEEN), Forbidden),
        ("lrs", flagged(MessageId(1), FLAGGED), Forbidden),
        ("lrs", flagged(MessageId(1), SEEN), None),
        ("lrw", flagged(MessageId(1), FLAGGED, "$x"), None),
        ("lr", flagged(MessageId(1)), None),
        ("i", flagged(MessageId(1)), NotFound),
    ],
)
async def test_keywords_need_their_rights(
    shared: Shared, rights: str, update: EmailUpdate, fault: type[Exception] | None
) -> None:
    await shared.grant(shared.inbox, rights)
    result = await emails.update(shared.seen, [update])
    assert [type(one) for one in result.refused.values()] == ([] if fault is None else [fault])


async def test_keywords_need_them_in_all_mailboxes_that_are_seen(shared: Shared) -> None:
    await shared.grant(shared.inbox, "lrsw")
    await shared.grant(shared.archive, "lr")
    refused = await emails.update(shared.seen, [flagged(shared.second, SEEN)])
    assert isinstance(refused.refused[shared.second], Forbidden)
    await shared.grant(shared.archive, "l")
    done = await emails.update(shared.seen, [flagged(shared.second, SEEN)])
    assert [one.mailboxes for one in done.updated] == [{shared.inbox}]
    assert (await emails.placed(shared.own, [shared.second]))[shared.second].mailbox_ids == {
        shared.inbox,
        shared.archive,
    }


@pytest.mark.parametrize(
    ("inbox", "archive", "fault"),
    [
        ("lrte", "li", None),
        ("lrt", "li", Forbidden),
        ("lre", "li", Forbidden),
        ("lrte", "lr", Forbidden),
        ("lrte", "i", None),
        ("lrte", "p", Invalid),
    ],
)
async def test_a_move_needs_the_rights_of_both(
    shared: Shared, inbox: str, archive: str, fault: type[Exception] | None
) -> None:
    await shared.grant(shared.inbox, inbox)
    await shared.grant(shared.archive, archive)
    result = await emails.update(shared.seen, [to(shared.first, shared.archive)])
    assert [type(one) for one in result.refused.values()] == ([] if fault is None else [fault])
    there = (await emails.placed(shared.own, [shared.first]))[shared.first].mailbox_ids
    assert there == {shared.inbox if fault else shared.archive}


async def test_destroying_needs_the_rights_in_all_mailboxes_that_are_seen(shared: Shared) -> None:
    await shared.grant(shared.inbox, "lrte")
    await shared.grant(shared.archive, "lr")
    result = await emails.destroy(shared.seen, [shared.first, shared.second, NOBODY])
    assert list(result.destroyed) == [shared.first]
    assert {one: type(fault) for one, fault in result.refused.items()} == {shared.second: Forbidden, NOBODY: NotFound}
    assert list((await emails.destroy(shared.own, [shared.second])).destroyed) == [shared.second]


async def test_created_with_the_keywords_that_may_be_set_there(shared: Shared) -> None:
    await shared.grant(shared.inbox, "lri")
    await shared.grant(shared.archive, "lriw")
    made = await emails.create(shared.seen, [shared.archive], arrival(FLAGGED, SEEN))
    both = await emails.create(shared.seen, [shared.archive, shared.inbox], arrival(FLAGGED))
    assert (made.keywords_text, both.keywords_text, len(both.places)) == (FLAGGED, "", 2)
    assert await shared.own.messages.read(shared.own.account_id, both.message_id) == RAW
    await shared.grant(shared.inbox, "lr")
    with pytest.raises(Forbidden):
        await emails.create(shared.seen, [shared.archive, shared.inbox], arrival())
    with pytest.raises(NotFound):
        await emails.create(shared.seen, [MailboxId(99)], arrival())


async def test_what_is_created_is_bounded_and_is_a_message(shared: Shared) -> None:
    large = Arrival(raw=RAW + b"x" * 100_000, flags=(), received_at=Instant(0))
    with pytest.raises(QuotaExceeded):
        await emails.create(shared.own, [shared.inbox], large)
    with pytest.raises(Invalid):
        await emails.create(shared.own, [shared.inbox], Arrival(raw=b"", flags=(), received_at=Instant(0)))


async def test_a_change_in_between_stops_all_of_it(shared: Shared) -> None:
    await shared.grant(shared.inbox, "lrswite")
    stale = ModSeq(await shared.own.changes.mod_seq(shared.own.account_id) - 1)
    for mail in (shared.own, shared.seen):
        with pytest.raises(Conflict):
            await emails.update(mail, [flagged(shared.first, SEEN)], if_mod_seq=stale)
        with pytest.raises(Conflict):
            await emails.destroy(mail, [shared.first], if_mod_seq=stale)
        with pytest.raises(Conflict):
            await emails.create(mail, [shared.inbox], arrival(), if_mod_seq=stale)


INBOX, ARCHIVE, JUNK, TRASH = MailboxRole.INBOX, MailboxRole.ARCHIVE, MailboxRole.JUNK, MailboxRole.TRASH


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([[JUNK]], [Said.SPAM]),
        ([[INBOX, JUNK]], [Said.SPAM]),
        ([[ARCHIVE]], []),
        ([[TRASH]], []),
        ([[JUNK], [TRASH]], [Said.SPAM]),
        ([[JUNK], [INBOX]], []),
    ],
)
async def test_a_move_says_what_it_says_in_imap(
    server: RunningImap, shared: Shared, steps: list[list[MailboxRole]], said: list[Said]
) -> None:
    for roles in steps:
        places = [await mailbox_with(server.store, shared.own.account_id, role) for role in roles]
        await emails.update(shared.own, [to(shared.first, *places)])
    assert [lesson.wanted for lesson in await server.store.spam_lessons.open(limit=10)] == said


@pytest.mark.parametrize("target", [[INBOX], [JUNK, INBOX], [INBOX, TRASH], [TRASH]])
async def test_out_of_junk_to_anywhere_but_the_trash_it_is_none(
    server: RunningImap, shared: Shared, target: list[MailboxRole]
) -> None:
    junk = await mailbox_with(server.store, shared.own.account_id, JUNK)
    made = await emails.create(shared.own, [junk], arrival())
    places = [await mailbox_with(server.store, shared.own.account_id, role) for role in target]
    await emails.update(shared.own, [to(made.message_id, *places)])
    said = [lesson.wanted for lesson in await server.store.spam_lessons.open(limit=10)]
    assert said == ([] if target == [TRASH] else [Said.HAM])


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([("$junk",)], [Said.SPAM]),
        ([("$notjunk",)], []),
        ([("$important",)], []),
        ([("$junk", "$notjunk")], []),
    ],
)
async def test_keywords_say_what_they_say_in_imap(
    server: RunningImap, shared: Shared, steps: list[tuple[str, ...]], said: list[Said]
) -> None:
    for keywords in steps:
        await emails.update(shared.own, [flagged(shared.first, *keywords)])
    assert [lesson.wanted for lesson in await server.store.spam_lessons.open(limit=10)] == said


async def test_a_keyword_says_of_mail_in_junk_that_it_is_none(server: RunningImap, shared: Shared) -> None:
    junk = await mailbox_with(server.store, shared.own.account_id, JUNK)
    made = await emails.create(shared.own, [junk], arrival())
    await emails.update(shared.own, [flagged(made.message_id, "$notjunk")])
    assert [lesson.wanted for lesson in await server.store.spam_lessons.open(limit=10)] == [Said.HAM]


async def test_what_others_do_is_not_the_owners_word(server: RunningImap, shared: Shared) -> None:
    junk = await mailbox_with(server.store, shared.own.account_id, JUNK)
    for mailbox_id in (shared.inbox, junk):
        await shared.grant(mailbox_id, "lrswite")
    result = await emails.update(shared.seen, [to(shared.first, junk)])
    assert [one.mailboxes for one in result.updated] == [{junk}]
    assert list(await server.store.spam_lessons.open(limit=10)) == []


async def test_sessions_of_imap_see_it(shared: Shared) -> None:
    view = await shared.own.views.current(shared.own.account_id, shared.inbox)
    assert len(view.table) == 2
    await emails.update(shared.own, [to(shared.first, shared.archive), flagged(shared.second, SEEN)])
    view = await shared.own.views.current(shared.own.account_id, shared.inbox)
    assert [view.table.placement(0).keywords_text, len(view.table)] == [SEEN, 1]
