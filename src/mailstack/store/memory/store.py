"""The adapters of one store in memory, which know of each other what the ports promise."""

from mailstack.model.instant import Clock
from mailstack.ports.bus import Bus
from mailstack.store.memory.accounts import MemoryAccounts
from mailstack.store.memory.mailboxes import MemoryMailboxes
from mailstack.store.memory.messages import MemoryMessages
from mailstack.store.memory.queue import MemoryQueue
from mailstack.store.memory.state import MemoryState


class MemoryStore:
    """accounts: the directory of another store, shared instead of one's own; its mail is not."""

    def __init__(self, *, clock: Clock, bus: Bus, accounts: MemoryAccounts | None = None) -> None:
        self.accounts = MemoryAccounts() if accounts is None else accounts
        self.state = MemoryState(clock=clock, bus=bus, accounts=self.accounts)
        self.mailboxes = MemoryMailboxes(bus)
        self.messages = MemoryMessages(self.mailboxes, bus)
        self.queue = MemoryQueue(bus)
