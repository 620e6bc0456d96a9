"""Queries over an account find what reading every message would find, and tell what has changed."""

import random
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from mailstack.formats.collation import casemap
from mailstack.formats.digest import digest_message
from mailstack.formats.first_address import AddressField, first_display
from mailstack.model.errors import Conflict
from mailstack.model.ids import MailboxId, MessageId, ModSeq
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.message import FlagChange, FlagOperation, NewMessage, Placement, StoredMessage
from mailstack.model.numset import NumSet
from mailstack.model.query import (
    And,
    Contains,
    Everything,
    HasAttachment,
    HasKeyword,
    InMailbox,
    InMailboxOtherThan,
    InstantRange,
    Not,
    Or,
    Query,
    SizeRange,
    TextField,
    ThreadHasKeyword,
    ThreadReach,
    TimeField,
)
from mailstack.model.sorting import EmailSortKey, KeywordKey, SortField, SortKey
from mailstack.services.mailbox import view
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.emails_found import EmailQuery, EmailsFound, find_emails
from mailstack.services.mailbox.found_changes import found_changes
from mailstack.services.mailbox.match import matching

KEYWORDS = ("\\Seen", "\\Flagged", "Work")
SORTS = (
    SortField.ARRIVAL,
    SortField.DATE,
    SortField.SIZE,
    SortField.SUBJECT,
    SortField.DISPLAY_FROM,
    SortField.DISPLAY_TO,
)
ATTACHED = (
    b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nhello\r\n--x\r\n"
    b"Content-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment\r\n\r\nxx\r\n--x--\r\n"
)


@dataclass(frozen=True, slots=True)
class Kept:
    """One message as the oracle sees it. at: where it lies without \\Deleted."""

    at: frozenset[MailboxId]
    placement: Placement
    stored: StoredMessage


AllKept = Mapping[MessageId, Kept]


def raw_of(chance: random.Random, number: int) -> bytes:
    parent = chance.randrange(12)
    lines = [
        b"Message-ID: <%d@x.example>" % number,
        b"References: <thread%d@x.example>" % parent,
        b"Subject: topic %d %s" % (parent, chance.choice((b"alpha", b"beta", b"Gamma"))),
        b"From: %s <a%d@x.example>" % (chance.choice((b"Ann", b"bob", b"Cid")), chance.randrange(3)),
        b"To: %s@y.example" % chance.choice((b"zoe", b"Yan")),
    ]
    if chance.random() < 0.8:
        lines.append(b"Date: %d Jan 1970 10:00:00 +0000" % (1 + chance.randrange(28)))
    if chance.random() < 0.3:
        return b"\r\n".join(lines) + b"\r\n" + ATTACHED
    return b"\r\n".join(lines) + b"\r\n\r\n" + chance.choice((b"needle", b"hay", b"hay and needle")) + b"\r\n"


class Account:
    """A handful of mailboxes, and random things that happen there."""

    def __init__(self, mail: AccountMail, chance: random.Random, mailbox_ids: Sequence[MailboxId]) -> None:
        self.mail = mail
        self.chance = chance
        self.mailbox_ids = list(mailbox_ids)
        self.number = 0

    async def append(self) -> None:
        self.number += 1
        raw = raw_of(self.chance, self.number)
        message = NewMessage(
            raw=raw,
            received_at=Instant(self.chance.randrange(40) * DAY_MS),
            digest=digest_message(raw),
            keywords=frozenset(self.chance.sample(KEYWORDS, k=self.chance.randint(0, 3))),
            is_deleted=self.chance.random() < 0.1,
        )
        await self.mail.messages.append(self.mail.account_id, self.chance.choice(self.mailbox_ids), [message])

    async def step(self) -> None:
        mail, chance = self.mail, self.chance
        source, target = chance.sample(self.mailbox_ids, k=2)
        placements = await mail.messages.placements(mail.account_id, source)
        if not placements or chance.random() < 0.2:
            return await self.append()
        uid = chance.choice(placements).uid
        some = NumSet(((uid, uid),))
        match chance.randrange(5):
            case 0:
                await mail.messages.copy(mail.account_id, source, some, target)
            case 1:
                await mail.messages.move(mail.account_id, source, some, target)
            case 2:
                keywords = frozenset(chance.sample(KEYWORDS, k=1))
                operation = chance.choice((FlagOperation.ADD, FlagOperation.REMOVE))
                change = FlagChange(operation=operation, keywords=keywords, is_deleted=False)
                await mail.messages.change_flags(mail.account_id, source, some, change)
            case 3:
                operation = chance.choice((FlagOperation.ADD, FlagOperation.REMOVE))
                change = FlagChange(operation=operation, keywords=frozenset(), is_deleted=True)
                await mail.messages.change_flags(mail.account_id, source, some, change)
            case _:
                change = FlagChange(operation=FlagOperation.ADD, keywords=frozenset(), is_deleted=True)
                await mail.messages.change_flags(mail.account_id, source, some, change)
                await mail.messages.expunge(mail.account_id, source, some)
        return None

    async def everything(self) -> dict[MessageId, Kept]:
        at: dict[MessageId, set[MailboxId]] = {}
        placed: dict[MessageId, Placement] = {}
        for mailbox_id in self.mailbox_ids:
            for placement in await self.mail.messages.placements(self.mail.account_id, mailbox_id):
                if placement.is_deleted:
                    continue
                at.setdefault(placement.message_id, set()).add(mailbox_id)
                placed[placement.message_id] = placement
        stored = await self.mail.messages.stored(self.mail.account_id, list(at))
        return {one.message_id: Kept(frozenset(at[one.message_id]), placed[one.message_id], one) for one in stored}

    def query(self, depth: int = 0) -> Query:
        chance = self.chance
        leaves: tuple[Query, ...] = (
            Everything(),
            InMailbox(chance.choice(self.mailbox_ids)),
            InMailbox(MailboxId(9_999)),
            InMailboxOtherThan(frozenset(chance.sample(self.mailbox_ids, k=2))),
            HasKeyword(chance.choice(KEYWORDS)),
            ThreadHasKeyword(chance.choice(list(ThreadReach)), chance.choice(KEYWORDS)),
            HasAttachment(),
            Contains(chance.choice((TextField.TEXT, TextField.BODY)), "needle"),
            Contains(TextField.SUBJECT, "alpha"),
            Contains(TextField.FROM, "ann"),
            SizeRange(chance.choice((None, 250)), chance.choice((None, 300))),
            InstantRange(TimeField.RECEIVED, Instant(chance.randrange(40) * DAY_MS), None),
        )
        if depth == 2 or chance.random() < 0.5:
            return chance.choice(leaves)
        terms = tuple(self.query(depth + 1) for _ in range(chance.randint(1, 3)))
        return chance.choice((And(terms), Or(terms), Not(terms[0])))

    def asked(self) -> EmailQuery:
        chance = self.chance
        keys: list[EmailSortKey] = []
        for _ in range(chance.randint(0, 3)):
            is_reverse = chance.random() < 0.5
            if chance.random() < 0.6:
                keys.append(SortKey(chance.choice(SORTS), is_reverse))
            else:
                thread = chance.choice((None, ThreadReach.ALL, ThreadReach.SOME))
                keys.append(KeywordKey(chance.choice(KEYWORDS), thread, is_reverse))
        return EmailQuery(filter=self.query(), sort=keys, is_collapsed=chance.random() < 0.4)

    async def expected(self, asked: EmailQuery) -> list[MessageId]:
        all_ = await self.everything()
        order = [message_id for message_id in all_ if await self._matches(asked.filter, message_id, all_)]
        order.sort(reverse=asked.sort[-1].is_reverse if asked.sort else True)
        for key in reversed(asked.sort):
            order.sort(key=lambda one, key=key: _value(key, all_[one], all_), reverse=key.is_reverse)  # type: ignore[misc]
        if not asked.is_collapsed:
            return order
        threads = [all_[one].stored.thread_id for one in order]
        return [one for at, one in enumerate(order) if threads[at] not in threads[:at]]

    async def _matches(self, query: Query, message_id: MessageId, all_: AllKept) -> bool:
        kept = all_[message_id]
        match query:
            case And(terms):
                return all([await self._matches(term, message_id, all_) for term in terms])
            case Or(terms):
                return any([await self._matches(term, message_id, all_) for term in terms])
            case Not(term):
                return not await self._matches(term, message_id, all_)
            case InMailbox(mailbox_id):
                return mailbox_id in kept.at
            case InMailboxOtherThan(mailbox_ids):
                return bool(kept.at - mailbox_ids)
            case ThreadHasKeyword(reach, keyword):
                return _in_thread(kept, all_, keyword, reach)
            case _:
                mail = self.mail
                return bool(await matching(query, [kept.placement], messages=mail.messages, account_id=mail.account_id))


def _in_thread(kept: Kept, all_: AllKept, keyword: str, reach: ThreadReach) -> bool:
    having = [
        keyword in one.placement.keywords for one in all_.values() if one.stored.thread_id == kept.stored.thread_id
    ]
    return {ThreadReach.ALL: all(having), ThreadReach.SOME: any(having), ThreadReach.NONE: not any(having)}[reach]


def _value(key: EmailSortKey, kept: Kept, all_: AllKept) -> Any:
    stored = kept.stored
    if isinstance(key, KeywordKey):
        if key.thread is None:
            return key.keyword in kept.placement.keywords
        return _in_thread(kept, all_, key.keyword, key.thread)
    values: dict[SortField, Any] = {
        SortField.ARRIVAL: stored.received_at,
        SortField.DATE: stored.received_at if stored.digest.sent_at is None else stored.digest.sent_at,
        SortField.SIZE: stored.size_bytes,
        SortField.SUBJECT: casemap(stored.digest.base_subject),
        SortField.DISPLAY_FROM: casemap(first_display(stored.digest.envelope, AddressField.FROM)),
        SortField.DISPLAY_TO: casemap(first_display(stored.digest.envelope, AddressField.TO)),
    }
    return values[key.field]


async def an_account(mail: AccountMail, seed: int) -> Account:
    mailboxes = await mail.mailboxes.list(mail.account_id)
    account = Account(mail, random.Random(seed), [mailbox.mailbox_id for mailbox in mailboxes])
    for _ in range(50):
        await account.append()
    for _ in range(40):
        await account.step()
    return account


@pytest.mark.parametrize("seed", range(3))
async def test_any_query_finds_what_reading_every_message_finds(mail: AccountMail, seed: int) -> None:
    account = await an_account(mail, seed)
    for _ in range(80):
        asked = account.asked()
        assert list(await find_emails(mail, asked)) == await account.expected(asked), asked
        await account.step()


def test_what_is_found_is_a_sequence_as_a_list_is() -> None:
    found, listed = EmailsFound(array("q", [7, 8, 9, 10]), range(3, -1, -1)), [10, 9, 8, 7]
    assert ([*found], len(found), found[1], [*found[1:3]], [*found[2:9]]) == (listed, 4, 9, [9, 8], [8, 7])
    assert [at for at, one in enumerate(listed) if found.index(one) == at] == [0, 1, 2, 3]
    assert (8 in found, 8 in found[3:], None in found) == (True, False, False)
    with pytest.raises(ValueError, match="11"):
        found.index(11)


@pytest.mark.parametrize("many", [0, view.MANY], ids=["in a thread", "on the loop"])
async def test_lists_by_receipt_while_the_mailbox_changes(
    mail: AccountMail, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view, "MANY", many)
    account = await an_account(mail, 200)
    for _ in range(60):
        here = InMailbox(account.chance.choice(account.mailbox_ids))
        some = And((here, Not(HasKeyword(account.chance.choice(KEYWORDS)))))
        asked = EmailQuery(
            filter=account.chance.choice((here, some)),
            sort=[SortKey(SortField.ARRIVAL, account.chance.random() < 0.5)],
            is_collapsed=account.chance.random() < 0.5,
        )
        assert list(await find_emails(mail, asked)) == await account.expected(asked), asked
        await account.step()


@pytest.mark.parametrize("seed", range(3))
async def test_what_changed_makes_the_new_list_of_the_old_one(mail: AccountMail, seed: int) -> None:
    account = await an_account(mail, 100 + seed)
    for _ in range(60):
        asked = account.asked()
        before, state = list(await find_emails(mail, asked)), await mail.changes.mod_seq(mail.account_id)
        for _ in range(account.chance.randint(0, 4)):
            await account.step()
        after = await account.expected(asked)
        changes = await found_changes(mail, asked, state)
        left = [message_id for message_id in before if message_id not in set(changes.removed)]
        for at, message_id in changes.added:
            left.insert(at, message_id)
        assert left == after, asked
        assert changes.total == len(after)
        assert changes.mod_seq == await mail.changes.mod_seq(mail.account_id)


async def test_a_message_that_is_new_is_added_and_not_removed(mail: AccountMail) -> None:
    account = await an_account(mail, 7)
    asked = EmailQuery(filter=Everything())
    state = await mail.changes.mod_seq(mail.account_id)
    await account.append()
    changes = await found_changes(mail, asked, state)
    assert changes.removed == []
    assert [at for at, _ in changes.added] == [0]


async def test_a_state_that_never_was_tells_nothing(mail: AccountMail) -> None:
    state = await mail.changes.mod_seq(mail.account_id)
    with pytest.raises(Conflict):
        await found_changes(mail, EmailQuery(filter=Everything()), ModSeq(state + 1))
