"""A process that appends numbered messages to one account and says so after each: `append_worker PATH ACCOUNT FIRST
COUNT`. A number on a line of its own: this message was acknowledged."""

import asyncio
import sys
from pathlib import Path

from mailstack.model.ids import AccountId, MailboxId
from mailstack.store.sqlite.open import open_store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import new_message


async def append(path: Path, account_id: AccountId, numbers: range) -> None:
    store = await open_store(path, clock=FakeClock(), bus=RecordingBus())

    async def one(number: int) -> None:
        await store.messages.append(account_id, MailboxId(1), [new_message(number, size_bytes=2_000)])
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()

    try:
        for start in range(numbers.start, numbers.stop, 5):
            async with asyncio.TaskGroup() as group:
                for number in range(start, min(start + 5, numbers.stop)):
                    group.create_task(one(number))
    finally:
        await store.close()


if __name__ == "__main__":
    first, count = int(sys.argv[3]), int(sys.argv[4])
    asyncio.run(append(Path(sys.argv[1]), AccountId(sys.argv[2]), range(first, first + count)))
