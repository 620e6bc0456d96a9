"""Receiving over a real store, with the scripts that a test gives its accounts: what came of a mail, where it lies."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from mailstack.app.filtering import filter_of
from mailstack.mailauth.dkim.keys import SigningKey
from mailstack.model.address import parse_address
from mailstack.model.delivery import QueueItem
from mailstack.model.handling import PLAIN, UNASKED, Handling, Notification
from mailstack.model.message import FlagChange, FlagOperation
from mailstack.model.numset import numset_of
from mailstack.model.principal import Account
from mailstack.model.resource import (
    AccountBody,
    AliasBody,
    Body,
    DomainBody,
    Kind,
    ListBody,
    Operation,
    Resource,
    ResourceChange,
    ScriptBody,
    fields_of,
)
from mailstack.model.script import ScriptQuota
from mailstack.model.verdict import Authentication
from mailstack.ports.accounts import Accounts
from mailstack.ports.annotations import Annotations
from mailstack.ports.mailboxes import DeliveryMailboxes
from mailstack.ports.queue import Queue
from mailstack.ports.scripts import RunScripts
from mailstack.ports.sieve_memory import SieveMemory
from mailstack.ports.store import Store
from mailstack.services.inbound.deliver import Delivery
from mailstack.services.inbound.filter.shelf import NamedScript, ServerScripts
from mailstack.services.inbound.forwarding import Forwarding
from mailstack.services.inbound.mail import Decision, InboundMail, Recipient
from mailstack.services.inbound.pipeline import InboundPipeline, Phase
from mailstack.services.inbound.stages.receiving import Receiving, SenderPolicy
from mailstack.services.lists.lists import Lists
from mailstack.services.mailbox.tree import MailboxTree
from mailstack.services.outbound.local import LocalResult, deliver_locally
from mailstack.services.spam.judging import Judging
from mailstack.services.spam.policies import Policies
from mailstack.store.bus_local import LocalBus
from tests.support.engines import open_store
from tests.support.fake_clock import FakeClock
from tests.support.mailing_lists import make_lists

HOSTNAME = "mail.example.com"
ALICE, BOB, SMALL = "alice@example.com", "bob@example.com", "small@example.com"
SENDER, DORA = "carol@elsewhere.example", "dora@elsewhere.example"
SMALL_QUOTA = 2_000
QUOTA = ScriptQuota(scripts=50, octets=1_000_000)
NAME = "filter"


def mail_of(
    subject: str = "Hello", *, to: str = ALICE, from_: str = SENDER, fields: str = "", body: str = "Hi.\r\n"
) -> bytes:
    """fields: further ones, each with its CRLF."""
    return (
        f"From: Carol <{from_}>\r\nTo: <{to}>\r\nSubject: {subject}\r\n"
        f"Message-ID: <{subject.lower()}@elsewhere.example>\r\n{fields}\r\n{body}"
    ).encode()


@dataclass(frozen=True, kw_only=True)
class Shelves:
    """Works as app.filtering.FilterStore."""

    mailboxes: DeliveryMailboxes
    scripts: RunScripts
    accounts: Accounts
    sieve_memory: SieveMemory
    annotations: Annotations


@dataclass(frozen=True, kw_only=True)
class Boxes:
    """Works as services.outbound.local.OwnMailboxes."""

    hostname: str
    forwarding: Forwarding
    lists: Lists
    delivery: Delivery


@dataclass
class FilterWorld:
    """Copies: the mailbox paths of an account, and what lies there. before, after, named: the server's scripts. queue,
    memory, mailboxes: the store's, or what a test puts in their place."""

    store: Store
    clock: FakeClock
    queue: Queue
    memory: SieveMemory
    mailboxes: DeliveryMailboxes
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    named: Mapping[str, str] = field(default_factory=dict)
    signing_keys: dict[str, Sequence[SigningKey]] = field(default_factory=dict)
    judging: Judging | None = None
    senders: SenderPolicy | None = None
    postmaster: str | None = None
    _traces: "count[int]" = field(default_factory=count)

    def forwarding(self) -> Forwarding:
        return Forwarding(
            hostname=HOSTNAME,
            accounts=self.store.accounts,
            postmaster=self.postmaster,
            signing_keys=self.signing_keys,
            path_key=b"k" * 32,
        )

    def delivery(self) -> Delivery:
        server = ServerScripts(
            before=tuple(NamedScript(name="before", content=text.encode()) for text in self.before),
            after=tuple(NamedScript(name="after", content=text.encode()) for text in self.after),
            named={name: text.encode() for name, text in self.named.items()},
        )
        store = self.store
        scripts = filter_of(
            Shelves(
                mailboxes=self.mailboxes,
                scripts=store.scripts,
                accounts=store.accounts,
                sieve_memory=self.memory,
                annotations=store.annotations,
            ),
            server,
            forwarding=self.forwarding(),
            policies=Policies() if self.judging is None else self.judging.policies,
            signing_keys=self.signing_keys,
            token=lambda octets: bytes([next(self._traces) % 256]) * octets,
        )
        return Delivery(mailboxes=self.mailboxes, messages=store.messages, queue=self.queue, filter_=scripts)

    def pipeline(self) -> InboundPipeline:
        return InboundPipeline(
            receiving=Receiving(
                hostname=HOSTNAME,
                accounts=self.store.accounts,
                messages=self.store.messages,
                delivery=self.delivery(),
                forwarding=self.forwarding(),
                lists=make_lists(self.forwarding(), self.clock),
                judging=self.judging,
                senders=self.senders,
            )
        )

    async def receive(
        self,
        raw: bytes,
        *,
        to: Sequence[str] = (ALICE,),
        sender: str = SENDER,
        authentication: Authentication | None = None,
        is_suspicious: bool = False,
        handling: Handling = PLAIN,
        notification: Notification = UNASKED,
    ) -> InboundMail | Decision:
        """What the pipeline came to."""
        pipeline = self.pipeline()
        mail = InboundMail(
            peer_host="192.0.2.9",
            ehlo_domain="elsewhere.example",
            protocol="ESMTP",
            trace_id=f"t{next(self._traces)}",
            reverse_path=sender,
            size_bytes=0,
            is_8bit=False,
            smtp_utf8=False,
            received_at=self.clock(),
            is_suspicious=is_suspicious,
            handling=handling,
        )
        for path in to:
            newest = Recipient(address=parse_address(path), text=path, notification=notification)
            resolved = await pipeline.run(Phase.RCPT, mail.to((*mail.recipients, newest)))
            assert isinstance(resolved, InboundMail)
            mail = resolved
        mail = mail.holding(raw, is_8bit=False, received_at=self.clock())
        if authentication is not None:
            mail = replace(mail, authentication=authentication)
        return await pipeline.run(Phase.DATA, mail)

    async def pass_on(self, *, to: str) -> list[LocalResult]:
        """What waits in the queue for an account of ours comes to it, and is gone from there with what it led to."""
        found: list[LocalResult] = []
        boxes = Boxes(
            hostname=HOSTNAME,
            forwarding=self.forwarding(),
            lists=make_lists(self.forwarding(), self.clock),
            delivery=self.delivery(),
        )
        for item in await self.queue.items():
            if item.recipient == to:
                content = await self.queue.content(item.mail_id)
                await self.queue.drop([item.item_id], now=self.clock())
                found.append(await deliver_locally(boxes, item, content, self.clock()))
        return found

    async def clear(self, login: str) -> None:
        """Its owner makes room."""
        account_id = (await self.account(login)).account_id
        change = FlagChange(operation=FlagOperation.ADD, keywords=frozenset(), is_deleted=True)
        for mailbox in await self.store.mailboxes.list(account_id):
            placed = await self.store.messages.placements(account_id, mailbox.mailbox_id)
            uids = numset_of(one.uid for one in placed)
            await self.store.messages.change_flags(account_id, mailbox.mailbox_id, uids, change)
            await self.store.messages.expunge(account_id, mailbox.mailbox_id)

    async def use(self, script: str, *, of: str = ALICE, name: str = NAME) -> None:
        """Kept under that name, and active."""
        account = await self.account(of)
        await self.store.scripts.put(account.account_id, name, script.encode(), quota=QUOTA)
        await self.store.scripts.activate(account.account_id, name)

    async def commit(self, kind: Kind, name: str, body: Body) -> None:
        await _commit(self.store, [_created(kind, name, body)])

    async def give(self, script: str, *, to: str = ALICE) -> None:
        """As the spec does."""
        await self.commit(Kind.SCRIPT, to, ScriptBody(content=script, origin="file"))

    async def account(self, login: str = ALICE) -> Account:
        found = await self.store.accounts.find(login)
        assert isinstance(found, Account)
        return found

    async def placed(self, login: str = ALICE) -> dict[str, list[tuple[bytes, frozenset[str]]]]:
        """By path: of each message there its bytes and flags. Mailboxes without any are left out."""
        account_id = (await self.account(login)).account_id
        found: dict[str, list[tuple[bytes, frozenset[str]]]] = {}
        for path, mailbox in MailboxTree(await self.store.mailboxes.list(account_id)):
            for one in await self.store.messages.placements(account_id, mailbox.mailbox_id):
                raw = await self.store.messages.read(account_id, one.message_id)
                found.setdefault(path, []).append((raw, one.keywords))
        return found

    async def where(self, login: str = ALICE) -> dict[str, int]:
        """By path, how many messages lie there."""
        return {path: len(messages) for path, messages in (await self.placed(login)).items()}

    async def queued(self) -> list[tuple[QueueItem, bytes]]:
        return [(item, await self.queue.content(item.mail_id)) for item in await self.queue.items()]

    async def sent_to(self) -> list[str]:
        return sorted(item.recipient for item in await self.queue.items())


@asynccontextmanager
async def filter_world(folder: Path) -> AsyncIterator[FilterWorld]:
    bus = LocalBus(folder / "bus")
    await bus.start()
    clock = FakeClock()
    store = await open_store(folder / "store", clock=clock, bus=bus)
    try:
        await _commit(store, _everybody())
        yield FilterWorld(store, clock, store.queue, store.sieve_memory, store.mailboxes)
    finally:
        await store.close()
        await bus.close()


def _everybody() -> list[ResourceChange]:
    domain = DomainBody(catch_all=None, subaddress_separators="+", alias_of=None, dkim_algorithms=())
    team = _list("Team", members=(ALICE, DORA), post="anyone")
    news = _list("News", members=(ALICE, DORA), owners=(BOB,), post="owners")
    return [
        _created(Kind.DOMAIN, "example.com", domain),
        _created(Kind.ACCOUNT, ALICE, _account("Alice Example", addresses=("a.example@example.com",))),
        _created(Kind.ACCOUNT, BOB, _account("Bob")),
        _created(Kind.ACCOUNT, SMALL, _account("Small", quota_bytes=SMALL_QUOTA)),
        _created(Kind.ALIAS, "both@example.com", AliasBody(targets=(ALICE, BOB))),
        _created(Kind.LIST, "team@example.com", team),
        _created(Kind.LIST, "news@example.com", news),
    ]


def _list(name: str, *, members: tuple[str, ...], owners: tuple[str, ...] = (), post: str) -> ListBody:
    return ListBody(
        name=name,
        description="",
        members=members,
        owners=owners,
        post=post,
        posters=(),
        subject_prefix="",
        reply_to="author",
        unsubscribe=False,
    )


def _account(name: str, *, addresses: tuple[str, ...] = (), quota_bytes: int | None = None) -> AccountBody:
    return AccountBody(name=name, addresses=addresses, roles=(), abilities=("receive",), quota_bytes=quota_bytes)


def _created(kind: Kind, name: str, body: Body) -> ResourceChange:
    return ResourceChange(operation=Operation.CREATE, resource=Resource(kind=kind, name=name, fields=fields_of(body)))


async def _commit(store: Store, changes: Sequence[ResourceChange]) -> None:
    await store.state.commit(changes, base=await store.state.generation(), spec_hash="x")
