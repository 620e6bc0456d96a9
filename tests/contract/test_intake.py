"""ports.messages.Intake on every engine, those in memory too: what delivery asks for."""

import mmap
import random
from pathlib import Path

import pytest

from mailstack.model.errors import NotFound, QuotaExceeded
from mailstack.model.ids import AccountId, MailboxId, MessageId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import NewMessage
from mailstack.ports.bus import account_topic
from mailstack.ports.store import Store
from tests.support.digests import digest_of
from tests.support.recording_bus import RecordingBus
from tests.support.stores import mailbox_with, make_account, new_message, uids

LARGE_BYTES = 300_000

pytestmark = pytest.mark.in_memory


@pytest.fixture
async def inbox(store: Store, account_id: AccountId) -> MailboxId:
    return await mailbox_with(store, account_id, MailboxRole.INBOX)


async def test_append_tells_those_who_wait(
    store: Store, account_id: AccountId, inbox: MailboxId, bus: RecordingBus
) -> None:
    await store.messages.append(account_id, inbox, [new_message(1)])
    assert bus.published[-1] == account_topic(account_id)


async def test_append_to_no_mailbox_is_not_found_and_keeps_nothing(store: Store, account_id: AccountId) -> None:
    with pytest.raises(NotFound):
        await store.messages.append(account_id, MailboxId(999), [new_message()])
    assert await store.messages.used_bytes(account_id) == 0


async def test_uids_and_mod_seqs_ascend(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    first = await store.messages.append(account_id, inbox, [new_message(1), new_message(2)])
    second = await store.messages.append(account_id, inbox, [new_message(3)])
    assert [appended.uid for appended in (*first, *second)] == [1, 2, 3]
    assert first[0].mod_seq == first[1].mod_seq < second[0].mod_seq


async def test_append_past_the_quota_is_refused_whole(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    size_bytes = len(new_message(1).raw)
    await store.messages.append(account_id, inbox, [new_message(1)], quota_bytes=size_bytes)
    with pytest.raises(QuotaExceeded):
        await store.messages.append(account_id, inbox, [new_message(2)], quota_bytes=2 * size_bytes - 1)
    assert await store.messages.used_bytes(account_id) == size_bytes
    assert len(await store.messages.placements(account_id, inbox)) == 1


@pytest.mark.parametrize("size_bytes", [0, 1, 4_096, 65_536, 65_537, LARGE_BYTES])
async def test_every_size_is_read_back_byte_for_byte(
    store: Store, account_id: AccountId, inbox: MailboxId, size_bytes: int
) -> None:
    raw = random.Random(size_bytes).randbytes(size_bytes)
    message = NewMessage(raw=raw, received_at=new_message().received_at, digest=digest_of(raw))
    (appended,) = await store.messages.append(account_id, inbox, [message])
    assert await store.messages.read(account_id, appended.message_id) == raw


async def test_a_mapped_file_is_appended(store: Store, account_id: AccountId, inbox: MailboxId, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.write_bytes(random.Random(1).randbytes(LARGE_BYTES))
    with spool.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        message = NewMessage(raw=mapped, received_at=new_message().received_at, digest=new_message().digest)
        (appended,) = await store.messages.append(account_id, inbox, [message])
    assert await store.messages.read(account_id, appended.message_id) == spool.read_bytes()


async def test_placements_of_some_uids_pass_over_those_that_are_not_there(
    store: Store, account_id: AccountId, inbox: MailboxId
) -> None:
    await store.messages.append(account_id, inbox, [new_message(number) for number in range(5)])
    found = await store.messages.placements(account_id, inbox, uids(2, 4, 5, 77))
    assert [placement.uid for placement in found] == [2, 4, 5]
    with pytest.raises(NotFound):
        await store.messages.placements(account_id, MailboxId(999))


async def test_read_of_no_message_is_not_found(store: Store, account_id: AccountId) -> None:
    with pytest.raises(NotFound):
        await store.messages.read(account_id, MessageId(999))


async def test_accounts_do_not_see_each_other(store: Store, account_id: AccountId, inbox: MailboxId) -> None:
    other = await make_account(store, "bob@example.com")
    (appended,) = await store.messages.append(account_id, inbox, [new_message()])
    assert await store.messages.placements(other, inbox) == []
    with pytest.raises(NotFound):
        await store.messages.read(other, appended.message_id)
