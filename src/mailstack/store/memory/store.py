"""The adapters of one store in memory, which know of each other what the ports promise."""

from mailstack.model.instant import Clock
from mailstack.ports.bus import Bus
from mailstack.store.memory.accounts import MemoryAccounts
from mailstack.store.memory.acquaintances import MemoryAcquaintances
from mailstack.store.memory.app_passwords import MemoryAppPasswords
from mailstack.store.memory.bad_addresses import MemoryBadAddresses
from mailstack.store.memory.mailboxes import MemoryMailboxes
from mailstack.store.memory.messages import MemoryMessages
from mailstack.store.memory.queue import MemoryQueue
from mailstack.store.memory.reputation import MemoryReputation
from mailstack.store.memory.sieve_memory import MemorySieveMemory
from mailstack.store.memory.state import MemoryState
from mailstack.store.memory.sts_policies import MemoryStsPolicies
from mailstack.store.memory.submitted import MemorySubmitted
from mailstack.store.memory.unsubscribed import MemoryUnsubscribed
from mailstack.store.memory.verifiers import MemoryVerifiers
from mailstack.store.memory.warm_days import MemoryWarmDays
from mailstack.store.memory.web_sessions import MemoryWebSessions


class MemoryStore:
    """accounts: what state makes of the resources that are committed to it."""

    def __init__(self, *, clock: Clock, bus: Bus) -> None:
        self.accounts = MemoryAccounts()
        self.verifiers = MemoryVerifiers(self.accounts)
        self.app_passwords = MemoryAppPasswords(self.accounts, bus)
        self.web_sessions = MemoryWebSessions(self.accounts, bus)
        self.state = MemoryState(clock=clock, bus=bus, accounts=self.accounts)
        self.mailboxes = MemoryMailboxes(bus)
        self.messages = MemoryMessages(self.mailboxes, bus)
        self.bad_addresses = MemoryBadAddresses()
        self.queue = MemoryQueue(bus, self.bad_addresses)
        self.sieve_memory = MemorySieveMemory()
        self.reputation = MemoryReputation()
        self.acquaintances = MemoryAcquaintances()
        self.sts_policies = MemoryStsPolicies()
        self.submitted = MemorySubmitted()
        self.unsubscribed = MemoryUnsubscribed()
        self.warm_days = MemoryWarmDays()
