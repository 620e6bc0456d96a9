"""The scripts of a spec as its server runs them, over mailboxes that nobody has made, while somebody looks on."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mailstack.app.filtering import filter_of
from mailstack.app.sieve_words import sentence
from mailstack.app.silence import Silence
from mailstack.formats.headers import first, scan_fields
from mailstack.model.delivery import Delivered, OutgoingMail, QueueItem, SmtpReply
from mailstack.model.errors import Invalid, NotFound
from mailstack.model.ids import AccountId, MailboxId, QueueItemId
from mailstack.model.instant import Instant
from mailstack.model.mailbox import Mailbox, MailboxRole
from mailstack.model.message import NewMessage, RawMessage
from mailstack.model.principal import Account
from mailstack.model.script import RunningScripts
from mailstack.ports.accounts import Accounts
from mailstack.ports.mailboxes import DeliveryMailboxes
from mailstack.ports.scripts import RunScripts
from mailstack.ports.sieve_memory import SieveMemory
from mailstack.services.inbound.deliver import Delivery, Letter
from mailstack.services.inbound.filter.carry_out import Filter
from mailstack.services.inbound.filter.shelf import Origin, ServerScripts
from mailstack.services.inbound.filter.verdict import Ran, Verdict
from mailstack.services.inbound.forwarding import Forwarding
from mailstack.services.inbound.trace import passed_addresses
from mailstack.services.lists.lists import Lists
from mailstack.services.outbound.local import deliver_locally
from mailstack.services.outbound.sender import forward_address
from mailstack.services.spam.policies import Policies
from mailstack.sieve.actions import FileInto, Keep, Redirect, Reject
from mailstack.store.memory.bad_addresses import MemoryBadAddresses
from mailstack.store.memory.queue import MemoryQueue
from mailstack.store.memory.store import MemoryStore

MOST_TIMES = 20
"""That a mail is sent on from script to script: more than anybody means."""
WHOSE = {
    Origin.BEFORE: "of the server, before",
    Origin.SPEC: "of the spec",
    Origin.OWN: "of its own",
    Origin.VACATION: "of its vacation response",
    Origin.AFTER: "of the server, after",
}
Used = Keep | FileInto | Redirect | Reject
"""What none of these is done with is thrown away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByScripts:
    """What scripts did with a mail, besides copies and what leaves. By login, all but notified, which are address keys.
    refusing: what the sender hears. failed: why."""

    discarding: Collection[str] = ()
    answering: Collection[str] = ()
    refusing: Mapping[str, SmtpReply] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    notified: Collection[str] = ()


class NobodysScripts:
    """Works as ports.scripts.RunScripts: what people keep on their server, no spec knows."""

    async def read(self, account_id: AccountId, name: str) -> bytes:  # noqa: ARG002  # the port has it
        raise NotFound("there is no script of that name")

    async def running(self, account_id: AccountId) -> RunningScripts:  # noqa: ARG002  # the port has it
        return RunningScripts()


class ReadyMailboxes:
    """Works as ports.mailboxes.DeliveryMailboxes. Whichever is looked for is there: its owner has made it."""

    def __init__(self, mailboxes: DeliveryMailboxes) -> None:
        self._mailboxes = mailboxes

    async def list(self, account_id: AccountId) -> Sequence[Mailbox]:
        return await self._mailboxes.list(account_id)

    async def find(self, account_id: AccountId, names: Sequence[str]) -> Mailbox | None:
        found: Mailbox | None = None
        for depth in range(1, len(names) + 1):
            above = None if found is None else found.mailbox_id
            found = await self._mailboxes.find(account_id, names[:depth])
            if found is None:
                found = await self.create(account_id, parent_id=above, name=names[depth - 1])
        return found

    async def create(
        self, account_id: AccountId, *, parent_id: MailboxId | None, name: str, role: MailboxRole | None = None
    ) -> Mailbox:
        return await self._mailboxes.create(account_id, parent_id=parent_id, name=name, role=role)

    async def subscribe(self, account_id: AccountId, mailbox_id: MailboxId, *, is_subscribed: bool) -> None:
        await self._mailboxes.subscribe(account_id, mailbox_id, is_subscribed=is_subscribed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelves:
    """What scripts look into: app.filtering.FilterStore."""

    mailboxes: DeliveryMailboxes
    scripts: RunScripts
    accounts: Accounts
    sieve_memory: SieveMemory
    annotations: None = None


def noted_filter(
    shelves: Shelves,
    store: MemoryStore,
    server: ServerScripts,
    *,
    forwarding: Forwarding,
    policies: Policies,
    is_traced: bool = False,
) -> "NotedFilter":
    made = filter_of(
        shelves,
        server,
        forwarding=forwarding,
        policies=policies,
        signing_keys={},
        token=bytes,
        is_traced=is_traced,
    )
    return NotedFilter(made, store)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """login: whose scripts sent it. is_told: written because of a mail, and not that mail itself."""

    login: str
    item: QueueItem
    content: bytes
    is_told: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """services.outbound.local.OwnMailboxes."""

    hostname: str
    forwarding: Forwarding
    lists: Lists
    delivery: Delivery


async def deliver_within(noted: "NotedFilter", within: Within, store: MemoryStore, *, now: Instant) -> None:
    """What scripts send on to addresses of this server comes there at once, and meets the scripts there."""
    for _ in range(MOST_TIMES):
        here = [sent for sent in await noted.sent() if not sent.is_told and await _is_here(within, sent)]
        for sent in here:
            found = await deliver_locally(within, sent.item, sent.content, now)
            await store.queue.enqueue(found.further, next_at=now)
            noted.arrived(sent)
            if not isinstance(found.outcome, Delivered):
                await store.queue.enqueue([_waiting(sent)], next_at=now)
        if not here:
            return


def _waiting(sent: Sent) -> OutgoingMail:
    item = sent.item
    return OutgoingMail(
        reverse_path=item.reverse_path,
        recipients=(item.recipient,),
        raw=sent.content,
        queued_at=item.queued_at,
        is_8bit=item.is_8bit,
        smtp_utf8=item.smtp_utf8,
        trace_id=item.trace_id,
    )


async def _is_here(within: Within, sent: Sent) -> bool:
    _, _, domain = key_of(sent.item.recipient).rpartition("@")
    return await within.forwarding.is_ours(domain)


class NotedFilter:
    """Works as services.inbound.deliver.MailFilter, as the one behind it does, and remembers what scripts came to.

    What they send lies in a queue of each account, so that it is known to be theirs. That a script failed is told here,
    and not with a mail to its owner."""

    def __init__(self, filter_: Filter, store: MemoryStore) -> None:
        self._filter = filter_
        self._store = store
        self._queues: dict[str, MemoryQueue] = {}
        self._verdicts: list[tuple[str, Verdict]] = []
        self._taken = 0
        self._arrived: set[tuple[str, QueueItemId]] = set()

    async def verdict(self, letter: Letter, account: Account, raw: RawMessage | None = None) -> Verdict | None:
        found = await self._filter.verdict(letter, account, raw)
        if found is not None:
            self._verdicts.append((account.login, found))
        return found

    async def carry_out(
        self,
        delivery: Delivery,  # noqa: ARG002  # the port has it
        verdict: Verdict,
        letter: Letter,
        message: NewMessage,
        account: Account,
    ) -> None:
        queue = self._queues.setdefault(account.login, MemoryQueue(Silence(), MemoryBadAddresses()))
        apart = Delivery(mailboxes=self._store.mailboxes, messages=self._store.messages, queue=queue, filter_=self)
        await self._filter.carry_out(apart, replace(verdict, ran=()), letter, message, account)

    def take(self) -> Sequence[tuple[str, Verdict]]:
        """By login, each once, in the order in which they were found."""
        taken = self._verdicts[self._taken :]
        self._taken = len(self._verdicts)
        return taken

    async def sent(self) -> Sequence[Sent]:
        """What has not arrived."""
        return [
            _sent(login, item, await queue.content(item.mail_id))
            for login, queue in self._queues.items()
            for item in await queue.items()
            if (login, item.item_id) not in self._arrived
        ]

    def arrived(self, sent: Sent) -> None:
        self._arrived.add((sent.login, sent.item.item_id))

    async def done(self) -> ByScripts:
        verdicts: dict[str, list[Verdict]] = {}
        for login, verdict in self._verdicts:
            verdicts.setdefault(login, []).append(verdict)
        told = [sent for sent in await self.sent() if sent.is_told]
        notices = [sent for sent in told if _is_notification(sent.content)]
        refusing = {login: _reply(refusal) for login, found in self._verdicts if (refusal := found.refusal) is not None}
        return ByScripts(
            discarding=tuple(login for login, found in verdicts.items() if not any(map(_is_used, found))),
            answering=tuple(
                dict.fromkeys(sent.login for sent in told if sent not in notices and sent.login not in refusing)
            ),
            refusing=refusing,
            failed={login: fault for login, found in self._verdicts for fault in _faults(found)},
            notified=tuple(dict.fromkeys(key_of(sent.item.recipient) for sent in notices)),
        )


def _sent(login: str, item: QueueItem, content: bytes) -> Sent:
    # RFC 9228 §4: what is sent on says by whom.
    return Sent(login=login, item=item, content=content, is_told=login not in passed_addresses(content))


def key_of(recipient: str) -> str:
    try:
        return forward_address(recipient).key
    except Invalid:
        return recipient


def titled(ran: Ran) -> str:
    """A script of an account, or one that runs over its mail, for people."""
    is_accounts = ran.origin in (Origin.SPEC, Origin.OWN, Origin.VACATION)
    return WHOSE[ran.origin] if is_accounts else f"{ran.name} {WHOSE[ran.origin]}"


def came_to(login: str, verdict: Verdict) -> Iterator[str]:
    """One line for each script that ran, for people."""
    for ran in verdict.ran:
        done = f"fails: {ran.fault}" if ran.fault else "; ".join(map(sentence, ran.actions))
        yield f"{login}: script {titled(ran)}: {done}"


def _faults(verdict: Verdict) -> Iterator[str]:
    for ran in verdict.ran:
        if ran.fault:
            yield f"script {titled(ran)} fails: {ran.fault}"


def _is_used(verdict: Verdict) -> bool:
    return any(isinstance(action, Used) for action in verdict.actions)


def _reply(refusal: Reject) -> SmtpReply:
    return SmtpReply(code=550, status="5.7.1", text=" ".join(refusal.reason.split()))


def _is_notification(content: bytes) -> bool:
    """RFC 5436 §2.7.1: auto-notified."""
    found = first(scan_fields(content), b"auto-submitted")
    return found is not None and found.strip().lower().startswith(b"auto-notified")
