"""All ports of one store together: what an engine has to offer, and what an adapter of it is opened as."""

from typing import Protocol

from mailstack.model.instant import Clock, Instant
from mailstack.ports.accounts import Accounts
from mailstack.ports.acquaintances import Acquaintances
from mailstack.ports.annotations import Annotations
from mailstack.ports.app_passwords import AppPasswords
from mailstack.ports.bad_addresses import BadAddresses
from mailstack.ports.bans import Bans
from mailstack.ports.challenges import Challenges
from mailstack.ports.changes import Changes
from mailstack.ports.crowds import Crowds
from mailstack.ports.email_submissions import EmailSubmissions
from mailstack.ports.emails import Emails
from mailstack.ports.greylist import Greylist
from mailstack.ports.hand_notes import HandNotes
from mailstack.ports.issuance import Issuance
from mailstack.ports.locks import Locks
from mailstack.ports.mailboxes import Mailboxes
from mailstack.ports.messages import Messages
from mailstack.ports.object_journal import ObjectJournal
from mailstack.ports.push_subscriptions import PushSubscriptions
from mailstack.ports.queue import Queue
from mailstack.ports.reputation import Reputation
from mailstack.ports.scripts import Scripts
from mailstack.ports.search import Search
from mailstack.ports.sending_identities import SendingIdentities
from mailstack.ports.sharing import Sharing
from mailstack.ports.sieve_memory import SieveMemory
from mailstack.ports.spam_lessons import SpamLessons
from mailstack.ports.spam_tables import SpamTables
from mailstack.ports.state import State
from mailstack.ports.sts_policies import StsPolicies
from mailstack.ports.submitted import Submitted
from mailstack.ports.tokens import Tokens
from mailstack.ports.trash import Trash
from mailstack.ports.tree_changes import TreeChanges
from mailstack.ports.unsubscribed import Unsubscribed
from mailstack.ports.upkeep import Upkeep
from mailstack.ports.uploads import Uploads
from mailstack.ports.vacations import Vacations
from mailstack.ports.verifiers import Verifiers
from mailstack.ports.warm_days import WarmDays
from mailstack.ports.web_sessions import WebSessions


class Store(Protocol):
    @property
    def state(self) -> State: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def verifiers(self) -> Verifiers: ...
    @property
    def app_passwords(self) -> AppPasswords: ...
    @property
    def web_sessions(self) -> WebSessions: ...
    @property
    def mailboxes(self) -> Mailboxes: ...
    @property
    def messages(self) -> Messages: ...
    @property
    def emails(self) -> Emails: ...
    @property
    def tree_changes(self) -> TreeChanges: ...
    @property
    def changes(self) -> Changes: ...
    @property
    def search(self) -> Search: ...
    @property
    def queue(self) -> Queue: ...
    @property
    def email_submissions(self) -> EmailSubmissions: ...
    @property
    def locks(self) -> Locks: ...
    @property
    def challenges(self) -> Challenges: ...
    @property
    def tokens(self) -> Tokens: ...
    @property
    def issuance(self) -> Issuance: ...
    @property
    def trash(self) -> Trash: ...
    @property
    def upkeep(self) -> Upkeep: ...
    @property
    def sharing(self) -> Sharing: ...
    @property
    def annotations(self) -> Annotations: ...
    @property
    def bans(self) -> Bans: ...
    @property
    def greylist(self) -> Greylist: ...
    @property
    def sts_policies(self) -> StsPolicies: ...
    @property
    def unsubscribed(self) -> Unsubscribed: ...
    @property
    def warm_days(self) -> WarmDays: ...
    @property
    def bad_addresses(self) -> BadAddresses: ...
    @property
    def submitted(self) -> Submitted: ...
    @property
    def hand_notes(self) -> HandNotes: ...
    @property
    def scripts(self) -> Scripts: ...
    @property
    def vacations(self) -> Vacations: ...
    @property
    def sieve_memory(self) -> SieveMemory: ...
    @property
    def reputation(self) -> Reputation: ...
    @property
    def acquaintances(self) -> Acquaintances: ...
    @property
    def spam_lessons(self) -> SpamLessons: ...
    @property
    def spam_tables(self) -> SpamTables: ...
    @property
    def uploads(self) -> Uploads: ...
    @property
    def object_journal(self) -> ObjectJournal: ...
    @property
    def sending_identities(self) -> SendingIdentities: ...
    @property
    def push_subscriptions(self) -> PushSubscriptions: ...
    @property
    def crowds(self) -> Crowds | None:
        """None: there are no other nodes."""
        ...

    @property
    def clock(self) -> Clock:
        """What it goes by; who compares moments with those that it holds goes by the same."""
        ...

    async def now(self) -> Instant:
        """As ports.store_time has it."""
        ...

    async def sweep(self) -> int:
        """Removes blobs that no row names; returns how many went. Once a day is often enough."""
        ...

    async def close(self) -> None:
        """Once what is being written is durable."""
        ...
