"""What the store costs: CPU and wall time of its operations, disk per message. `python -m bench.store [folder]`.

CPU is of the whole process, writer threads and kernel included; every append is fsynced. Messages come from the peers'
generator where it is there (sizes and words as in BUDGETS.md), else from a plain one.
"""

import asyncio
import random
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import uvloop

from mailstack.formats.digest import digest_message
from mailstack.model.delivery import Delivered, OutgoingMail, Settlement, SmtpReply
from mailstack.model.flags import SEEN
from mailstack.model.ids import AccountId, Generation, MailboxId, MessageId
from mailstack.model.instant import HOUR_MS, Instant
from mailstack.model.message import FlagChange, FlagOperation, NewMessage
from mailstack.model.numset import NumSet
from mailstack.model.resource import AccountBody, Kind, Operation, Resource, ResourceChange, fields_of
from mailstack.ports.store import Store
from mailstack.store.bus_local import LocalBus
from mailstack.store.sqlite.databases import account_folder
from mailstack.store.sqlite.open import open_store
from tests.support.quota import quota

PEERS = Path(__file__).parent.parent.parent / "shared" / "peers"
INBOX = MailboxId(1)
CONNECTIONS = 10
RECIPIENTS = 100
DELIVERED = Delivered(reply=SmtpReply(code=250, status="2.0.0", text="taken"), host="mx.x.example")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    messages: int = 3_000
    big_mailbox: int = 10_000
    long_queue: int = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    name: str
    operations: int
    cpu_s: float
    wall_s: float

    def __str__(self) -> str:
        cpu_us, wall_us = self.cpu_s / self.operations * 1e6, self.wall_s / self.operations * 1e6
        return f"{self.name:<44}{cpu_us:>12.1f}{wall_us:>12.1f}{self.operations / self.wall_s:>12.0f}"


async def measure(name: str, operations: int, work: Callable[[], Awaitable[object]]) -> Figure:
    wall, cpu = time.perf_counter(), used_cpu_s()
    await work()
    return Figure(name=name, operations=operations, cpu_s=used_cpu_s() - cpu, wall_s=time.perf_counter() - wall)


async def run(folder: Path) -> None:
    scale = Scale()
    bus = LocalBus(folder / "bus")
    await bus.start()
    store = await open_store(folder / "store", clock=now, bus=bus)
    try:
        print(f"{'operation':<44}{'CPU us':>12}{'wall us':>12}{'per s':>12}")
        for part in PARTS:
            for figure in await part(store, scale):
                print(figure)
        account_id = await _account_id(store, 0)
    finally:
        await store.close()
        await bus.close()
    print(
        _disk(
            account_folder(folder / "store", account_id) / "mail.db", 1 + 1_000 + scale.messages // RECIPIENTS + 1_000
        )
    )


async def _directory(store: Store, _scale: Scale) -> list[Figure]:
    changes = [_account(number) for number in range(RECIPIENTS)]
    await store.state.commit(changes, base=Generation(0), spec_hash="bench")

    async def find() -> None:
        for number in range(5_000):
            assert await store.accounts.find(f"user{number % RECIPIENTS}@example.com") is not None

    return [await measure("accounts.find", 5_000, find)]


async def _append(store: Store, _scale: Scale) -> list[Figure]:
    account_id = await _account_id(store, 0)
    messages = _messages(1_000)
    await store.messages.append(account_id, INBOX, messages[:1])

    async def one_by_one() -> None:
        for message in messages:
            await store.messages.append(account_id, INBOX, [message])

    return [await measure("append 4 KB, one account, one after another", len(messages), one_by_one)]


async def _append_by_turns(store: Store, scale: Scale) -> list[Figure]:
    accounts = [await _account_id(store, number) for number in range(RECIPIENTS)]
    for account_id in accounts:
        await store.mailboxes.list(account_id)
    messages = _messages(scale.messages)

    async def by_turns() -> None:
        async def connection(first: int) -> None:
            for number in range(first, scale.messages, CONNECTIONS):
                await store.messages.append(accounts[number % RECIPIENTS], INBOX, [messages[number]])

        async with asyncio.TaskGroup() as group:
            for first in range(CONNECTIONS):
                group.create_task(connection(first))

    async def together() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(1_000):
                group.create_task(store.messages.append(accounts[0], INBOX, [messages[number]]))

    return [
        await measure(f"append 4 KB, {RECIPIENTS} accounts, {CONNECTIONS} at a time", scale.messages, by_turns),
        await measure("append 4 KB, one account, 1,000 at a time", 1_000, together),
    ]


async def _one_mailbox(store: Store, scale: Scale) -> list[Figure]:
    account_id = await _account_id(store, 1)
    mailbox = await store.mailboxes.create(account_id, parent_id=None, name="Big")
    target = await store.mailboxes.create(account_id, parent_id=None, name="Target")
    place = mailbox.mailbox_id
    messages = _messages(1_000)
    for _ in range(scale.big_mailbox // len(messages)):
        appended = await store.messages.append(account_id, place, messages)
    ids = [MessageId(appended[-1].message_id - back) for back in range(scale.big_mailbox)]
    every = NumSet(((1, scale.big_mailbox),))
    seen = FlagChange(operation=FlagOperation.ADD, keywords=frozenset({SEEN}), is_deleted=False)
    gone = FlagChange(operation=FlagOperation.ADD, keywords=frozenset(), is_deleted=True)

    async def repeat(times: int, work: Callable[[int], Awaitable[object]]) -> None:
        for number in range(times):
            await work(number)

    def one_flag(number: int) -> Awaitable[object]:
        uid = number // 2 + 1
        operation = FlagOperation.REMOVE if number % 2 else FlagOperation.ADD
        change = FlagChange(operation=operation, keywords=frozenset({"$Test"}), is_deleted=False)
        return store.messages.change_flags(account_id, place, NumSet(((uid, uid),)), change)

    async def fifty() -> None:
        await store.messages.placements(account_id, place, NumSet(((scale.big_mailbox - 49, scale.big_mailbox),)))
        await store.messages.stored(account_id, ids[:50])

    figures = [
        await measure("status", 2_000, lambda: repeat(2_000, lambda _: store.mailboxes.status(account_id, place))),
        await measure("newest 50: placements and stored", 50, lambda: repeat(50, lambda _: fifty())),
        await measure(f"placements of {scale.big_mailbox:,}", 1, lambda: store.messages.placements(account_id, place)),
        await measure(f"stored, {scale.big_mailbox:,}", 1, lambda: store.messages.stored(account_id, ids)),
        await measure("read 4 KB", 1_000, lambda: repeat(1_000, lambda n: store.messages.read(account_id, ids[n]))),
        await measure("change one flag", 500, lambda: repeat(500, one_flag)),
        await measure(
            f"change flags of {scale.big_mailbox:,}",
            1,
            lambda: store.messages.change_flags(account_id, place, every, seen),
        ),
        await measure(f"copy {scale.big_mailbox:,}", 1, lambda: store.messages.copy(account_id, place, every, INBOX)),
        await measure(
            f"move {scale.big_mailbox:,}", 1, lambda: store.messages.move(account_id, place, every, target.mailbox_id)
        ),
    ]
    await store.messages.change_flags(account_id, target.mailbox_id, every, gone)
    expunge = await measure(
        f"expunge {scale.big_mailbox:,}", 1, lambda: store.messages.expunge(account_id, target.mailbox_id)
    )
    return [*figures, expunge]


async def _queue(store: Store, scale: Scale) -> list[Figure]:
    """What a long queue costs a new mail is the ratio of the two figures; the third is a look in vain."""
    start = now()
    later = Instant(start + HOUR_MS)
    raw = _generator()(0)

    async def one_mail() -> None:
        for number in range(300):
            await store.queue.enqueue([_mail(raw, start, f"user{number}@x.example")], next_at=start)
            (item,) = await store.queue.lease("bench", now=start, until=later, quota=quota(50))
            assert await store.queue.settle("bench", [Settlement(item_id=item.item_id, outcome=DELIVERED)])

    async def in_vain() -> None:
        for _ in range(2_000):
            assert not await store.queue.lease("bench", now=start, until=later, quota=quota(50))

    empty = await measure("enqueue, lease, settle; empty queue", 300, one_mail)
    waiting = [f"user{number}@y.example" for number in range(100)]
    for _ in range(scale.long_queue // len(waiting)):
        await store.queue.enqueue([_mail(raw, start, *waiting)], next_at=later)
    return [
        empty,
        await measure(f"enqueue, lease, settle; {scale.long_queue:,} waiting", 300, one_mail),
        await measure(f"lease in vain; {scale.long_queue:,} waiting", 2_000, in_vain),
    ]


async def _state(store: Store, _scale: Scale) -> list[Figure]:
    changes = [_account(number) for number in range(RECIPIENTS, 10_000)]
    return [
        await measure(
            "commit 9,900 accounts",
            1,
            lambda: store.state.commit(changes, base=Generation(1), spec_hash="more"),
        ),
        await measure("snapshot of 10,000 accounts", 1, store.state.snapshot),
    ]


PARTS = (_directory, _append, _append_by_turns, _one_mailbox, _queue, _state)


def _mail(raw: bytes, now: Instant, *recipients: str) -> OutgoingMail:
    return OutgoingMail(
        reverse_path="bob@example.com",
        recipients=recipients,
        raw=raw,
        queued_at=now,
        is_8bit=False,
        smtp_utf8=False,
        trace_id="bench",
    )


def _account(number: int) -> ResourceChange:
    name = f"user{number}@example.com"
    body = AccountBody(name=f"User {number}", addresses=(), roles=(), abilities=(), quota_bytes=None)
    account = Resource(kind=Kind.ACCOUNT, name=name, fields=fields_of(body), digests={"password": "0" * 64})
    return ResourceChange(operation=Operation.CREATE, resource=account, secrets={"password": "$argon2id$" + "x" * 80})


async def _account_id(store: Store, number: int) -> AccountId:
    found = await store.accounts.find(f"user{number}@example.com")
    assert found is not None
    assert hasattr(found, "account_id")
    return AccountId(found.account_id)


def _messages(count: int) -> list[NewMessage]:
    make = _generator()
    messages = []
    for number in range(count):
        raw = make(number)
        messages.append(NewMessage(raw=raw, received_at=now(), digest=digest_message(raw)))
    return messages


def _generator() -> Callable[[int], bytes]:
    if (PEERS / "genmail.py").exists():
        sys.path.insert(0, str(PEERS))
        import genmail  # type: ignore[import-not-found]  # only on the reference machine

        return lambda number: bytes(genmail.make(number, 4096))
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefghijklmnoprstuvw", k=chance.randint(2, 9))) for _ in range(3_000)]
    header = b"From: Bob <bob@x.example>\r\nTo: Alice <alice@example.com>\r\nSubject: words\r\n\r\n"
    return lambda _: header + " ".join(chance.choices(words, k=600)).encode()[: 4096 - len(header)]


def _disk(file: Path, messages: int) -> str:
    return f"{'disk per message of 4 KB, at rest':<44}{file.stat().st_size / messages:>12.0f} bytes"


def now() -> Instant:
    return Instant(time.time_ns() // 1_000_000)


def used_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="mailstack-bench-"))
    try:
        uvloop.run(run(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
