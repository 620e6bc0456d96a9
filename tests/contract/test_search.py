"""ports.search, on every engine: the index follows the mail, and finds words where they stand."""

from collections.abc import Sequence
from dataclasses import replace
from mmap import mmap

import pytest

from mailstack.model.errors import NotFound
from mailstack.model.ids import AccountId, EmailId, MailboxId, MessageId, Uid
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import FlagChange, FlagOperation
from mailstack.model.objectid import email_object_id, thread_object_id
from mailstack.model.query import DayRange, EmailIdIs, HasAttachment, InstantRange, SizeRange, ThreadIdIs, TimeField
from mailstack.model.search import Condition, HasWords, Hits, IndexedMessage, Scope, Word, WordMatch
from mailstack.ports.store import Store
from tests.support.stores import mailbox_with, make_account, new_message, uids

ALL = (Scope.SUBJECT, Scope.BODY)


@pytest.fixture
async def inbox(store: Store, account_id: AccountId) -> MailboxId:
    return await mailbox_with(store, account_id, MailboxRole.INBOX)


class Mail:
    """Appends a message with these words, and asks."""

    def __init__(self, store: Store, account_id: AccountId, inbox: MailboxId) -> None:
        self.store, self.account_id, self.inbox = store, account_id, inbox

    async def put(self, *, is_partial: bool = False, size_bytes: int = 500, **words: str) -> MessageId:
        message = new_message(1, size_bytes=size_bytes)
        (appended,) = await self.store.messages.append(self.account_id, self.inbox, [message])
        scopes = {Scope[name.upper()]: set(text.split()) for name, text in words.items()}
        entry = IndexedMessage(message_id=appended.message_id, words=scopes, is_partial=is_partial)
        await self.store.search.add(self.account_id, [entry])
        return appended.message_id

    async def find(self, condition: Condition) -> Hits:
        return await self.store.search.find(self.account_id, self.inbox, condition)

    async def uids(self, match: WordMatch, *texts: str, scopes: Sequence[Scope] = ALL) -> list[int]:
        words = tuple(Word(match=match, text=text) for text in texts)
        hits = await self.find(HasWords(scopes=tuple(scopes), words=words))
        assert hits.open == []
        return [int(uid) for uid in hits.uids]

    async def waiting(self) -> list[MessageId]:
        backlog = await self.store.search.backlog(self.account_id, limit=100, limit_bytes=1 << 20)
        return [one.message_id for one in backlog]


@pytest.fixture
def mail(store: Store, account_id: AccountId, inbox: MailboxId) -> Mail:
    return Mail(store, account_id, inbox)


async def test_words_are_found_whole_and_by_beginning_end_and_middle(mail: Mail) -> None:
    await mail.put(body="quarterly report")
    await mail.put(body="quarter portal")
    assert await mail.uids(WordMatch.EXACT, "quarter") == [2]
    assert await mail.uids(WordMatch.PREFIX, "quarter") == [1, 2]
    assert await mail.uids(WordMatch.SUFFIX, "port") == [1]
    assert await mail.uids(WordMatch.INFIX, "port") == [1, 2]
    assert await mail.uids(WordMatch.INFIX, "absent") == []


async def test_all_words_must_be_there(mail: Mail) -> None:
    await mail.put(body="alpha beta")
    await mail.put(body="alpha")
    assert await mail.uids(WordMatch.EXACT, "alpha", "beta") == [1]


async def test_a_word_counts_in_its_scope_only(mail: Mail) -> None:
    await mail.put(subject="alpha", body="beta")
    await mail.put(subject="beta", body="alpha")
    assert await mail.uids(WordMatch.EXACT, "alpha", scopes=[Scope.SUBJECT]) == [1]
    assert await mail.uids(WordMatch.INFIX, "eta", scopes=[Scope.SUBJECT]) == [2]
    assert await mail.uids(WordMatch.PREFIX, "al", scopes=ALL) == [1, 2]


async def test_no_word_is_an_operator_of_the_engine(mail: Mail) -> None:
    await mail.put(body="near or not and")
    for word in ("near", "or", "not", "and"):
        assert await mail.uids(WordMatch.EXACT, word) == [1]
    for hostile in ('"', 'a" OR "b', "near*", "b\\", "%", "_", "'; --"):
        assert await mail.uids(WordMatch.EXACT, hostile) == []
        assert await mail.uids(WordMatch.INFIX, hostile) == []


async def test_words_of_any_length_and_in_any_number(mail: Mail) -> None:
    long = "长" * 5_000
    await mail.put(body=f"{long}a short")
    await mail.put(body=f"{long}b " + " ".join(f"{number}{'界' * 120}" for number in range(5_000)))
    assert await mail.uids(WordMatch.EXACT, f"{long}a") == [1]
    assert await mail.uids(WordMatch.PREFIX, long) == [1, 2]
    assert await mail.uids(WordMatch.EXACT, f"0{'界' * 120}", f"4999{'界' * 120}") == [2]
    assert await mail.uids(WordMatch.EXACT, long) == []


async def test_words_of_an_account_are_not_found_in_another(mail: Mail, store: Store) -> None:
    bob = await make_account(store, "bob@example.com")
    other = Mail(store, bob, await mailbox_with(store, bob, MailboxRole.INBOX))
    await mail.put(body="alpha")
    await other.put(body="beta")
    await other.put(body="alpha")
    assert await mail.uids(WordMatch.EXACT, "alpha") == [1]
    assert await mail.uids(WordMatch.EXACT, "beta") == []
    await mail.store.search.reset(mail.account_id)
    assert await other.uids(WordMatch.INFIX, "lph") == [2]
    assert await mail.uids(WordMatch.INFIX, "lph") == []


async def test_words_of_any_script(mail: Mail) -> None:
    await mail.put(body="żółw 会议 会 школа")
    assert await mail.uids(WordMatch.INFIX, "ół") == [1]
    assert await mail.uids(WordMatch.INFIX, "会") == [1]
    assert await mail.uids(WordMatch.SUFFIX, "кола") == [1]


async def test_a_message_that_is_partly_indexed_stays_open(mail: Mail) -> None:
    await mail.put(body="alpha", is_partial=True)
    await mail.put(body="beta")
    asked = HasWords(scopes=ALL, words=(Word(match=WordMatch.EXACT, text="beta"),))
    assert await mail.find(asked) == Hits(uids=[Uid(2)], open=[Uid(1)])
    asked = HasWords(scopes=ALL, words=(Word(match=WordMatch.EXACT, text="alpha"),))
    assert await mail.find(asked) == Hits(uids=[Uid(1)], open=[])


async def test_messages_wait_in_order_until_they_are_added(
    mail: Mail, store: Store, account_id: AccountId, inbox: MailboxId
) -> None:
    assert not await store.search.is_behind(account_id)
    await store.messages.append(account_id, inbox, [new_message(number) for number in range(5)])
    assert await store.search.is_behind(account_id)
    first = await store.search.backlog(account_id, limit=2, limit_bytes=1 << 20)
    assert [one.raw for one in first] == [new_message(0).raw, new_message(1).raw]
    await store.search.add(account_id, [IndexedMessage(message_id=one.message_id, words={}) for one in first])
    assert await mail.waiting() == [3, 4, 5]
    few = await store.search.backlog(account_id, limit=100, limit_bytes=600)
    assert len(few) == 1


async def test_a_large_message_waits_outside_of_memory(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    large = new_message(1, size_bytes=(1 << 20) + 1)
    await store.messages.append(account_id, inbox, [large])
    (waiting,) = await store.search.backlog(account_id, limit=1, limit_bytes=1)
    assert isinstance(waiting.raw, mmap)
    assert waiting.raw[:] == large.raw


async def test_what_was_added_by_another_meanwhile_is_passed_over(mail: Mail, store: Store) -> None:
    message_id = await mail.put(body="alpha")
    again = IndexedMessage(message_id=message_id, words={Scope.BODY: {"beta"}})
    await store.search.add(mail.account_id, [again])
    assert await mail.uids(WordMatch.EXACT, "beta") == []
    assert await mail.uids(WordMatch.EXACT, "alpha") == [1]


async def test_an_expunged_message_leaves_the_index(mail: Mail, store: Store) -> None:
    await mail.put(body="alpha", is_partial=True)
    await mail.put(body="alpha")
    change = FlagChange(operation=FlagOperation.ADD, keywords=frozenset(), is_deleted=True)
    await store.messages.change_flags(mail.account_id, mail.inbox, uids(1), change)
    await store.messages.expunge(mail.account_id, mail.inbox)
    assert await mail.uids(WordMatch.EXACT, "alpha") == [2]


async def test_a_message_that_went_before_it_was_indexed_never_enters(mail: Mail, store: Store) -> None:
    (gone,) = await store.messages.append(mail.account_id, mail.inbox, [new_message(is_deleted=True)])
    waiting = await store.search.backlog(mail.account_id, limit=10, limit_bytes=1 << 20)
    await store.messages.expunge(mail.account_id, mail.inbox)
    words = {Scope.BODY: {"alpha"}}
    await store.search.add(mail.account_id, [IndexedMessage(message_id=one.message_id, words=words) for one in waiting])
    assert [one.message_id for one in waiting] == [gone.message_id]
    assert await mail.uids(WordMatch.EXACT, "alpha") == []
    assert not await store.search.is_behind(mail.account_id)


async def test_a_copy_is_found_where_it_lies(mail: Mail, store: Store) -> None:
    await mail.put(body="alpha")
    archive = await mailbox_with(store, mail.account_id, MailboxRole.ARCHIVE)
    await store.messages.copy(mail.account_id, mail.inbox, uids(1), archive)
    hits = await store.search.find(
        mail.account_id, archive, HasWords(scopes=ALL, words=(Word(match=WordMatch.EXACT, text="alpha"),))
    )
    assert hits.uids == [1]


async def test_reset_makes_every_message_wait_again(mail: Mail, store: Store) -> None:
    message_id = await mail.put(body="alpha")
    await store.search.reset(mail.account_id)
    assert await mail.waiting() == [message_id]
    assert await mail.uids(WordMatch.INFIX, "alph") == []


async def test_many_batches_keep_the_whole_vocabulary(mail: Mail) -> None:
    for number in range(25):
        await mail.put(body=f"w{number}x shared")
    assert await mail.uids(WordMatch.INFIX, "7x") == [8, 18]
    assert len(await mail.uids(WordMatch.INFIX, "hare")) == 25


async def test_a_vocabulary_that_changes_between_searches_is_searched_as_it_is(mail: Mail, store: Store) -> None:
    for number in range(35):
        await mail.put(body=f"w{number}x shared")
        assert await mail.uids(WordMatch.INFIX, f"w{number}x") == [number + 1]
        assert await mail.uids(WordMatch.INFIX, "w0x") == [1]
    await store.search.reset(mail.account_id)
    for one in await store.search.backlog(mail.account_id, limit=35, limit_bytes=1 << 20):
        words = {Scope.BODY: {f"again{one.message_id}"}}
        await store.search.add(mail.account_id, [IndexedMessage(message_id=one.message_id, words=words)])
        assert await mail.uids(WordMatch.SUFFIX, f"n{one.message_id}") == [one.message_id]


async def test_dates_sizes_and_ids(mail: Mail, store: Store) -> None:
    small = await mail.put(size_bytes=500)
    await mail.put(size_bytes=1500)
    assert (await mail.find(SizeRange(larger=500, smaller=None))).uids == [2]
    assert (await mail.find(SizeRange(larger=None, smaller=1000))).uids == [1]
    received = Instant(1_700_000_000_001)
    day = received // DAY_MS + 719_163
    assert (await mail.find(InstantRange(TimeField.RECEIVED, received, None))).uids == [1, 2]
    assert (await mail.find(InstantRange(TimeField.RECEIVED, None, received))).uids == []
    assert (await mail.find(DayRange(TimeField.RECEIVED, day, day + 1))).uids == [1, 2]
    assert (await mail.find(DayRange(TimeField.RECEIVED, day + 1, None))).uids == []
    small_id = email_object_id(mail.account_id, EmailId(small))
    assert (await mail.find(EmailIdIs(small_id))).uids == [1]
    (stored,) = await store.messages.stored(mail.account_id, [small])
    assert (await mail.find(ThreadIdIs(thread_object_id(mail.account_id, stored.thread_id)))).uids == [1]
    for other in ("", "M1", email_object_id(AccountId("0" * 16), EmailId(small)), f"M{mail.account_id}-01"):
        assert (await mail.find(EmailIdIs(other))) == Hits(uids=[], open=[])


async def test_copies_have_the_id_of_what_they_copy(mail: Mail, store: Store) -> None:
    """RFC 8474 §5.1; the numbers of their own are no ids of any email."""
    first = await mail.put()
    await store.messages.copy(mail.account_id, mail.inbox, uids(1), mail.inbox)
    asked = EmailIdIs(email_object_id(mail.account_id, EmailId(first)))
    assert (await mail.find(asked)).uids == [1, 2]
    assert (await mail.find(EmailIdIs(email_object_id(mail.account_id, EmailId(first + 1))))).uids == []
    change = FlagChange(operation=FlagOperation.ADD, keywords=frozenset(), is_deleted=True)
    await store.messages.change_flags(mail.account_id, mail.inbox, uids(1), change)
    await store.messages.expunge(mail.account_id, mail.inbox)
    assert (await mail.find(asked)).uids == [2]


async def test_messages_with_attachments(mail: Mail, store: Store) -> None:
    await mail.put()
    message = new_message(2)
    attached = replace(message, digest=replace(message.digest, has_attachment=True))
    await store.messages.append(mail.account_id, mail.inbox, [attached])
    assert (await mail.find(HasAttachment())) == Hits(uids=[Uid(2)], open=[])


async def test_a_mailbox_that_is_none_is_not_found(mail: Mail, store: Store) -> None:
    with pytest.raises(NotFound):
        await store.search.find(mail.account_id, MailboxId(99), SizeRange(larger=0, smaller=None))
