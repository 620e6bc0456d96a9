"""One mail of a test, handed to the server: what was said, who was refused, and where copies lie in the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from mailstack.app.filtering import server_scripts
from mailstack.app.mail_work import ListWork, MailWork, lists_of, smtp_service
from mailstack.app.scoring import policies_of
from mailstack.app.silence import Silence
from mailstack.app.spec_tests.bed import Bed, clock
from mailstack.app.spec_tests.client import connected
from mailstack.app.spec_tests.conversation import Envelope, hand_over_by
from mailstack.app.spec_tests.directory import NotedAccounts
from mailstack.app.spec_tests.filtering import (
    ByScripts,
    NobodysScripts,
    NotedFilter,
    ReadyMailboxes,
    Shelves,
    Within,
    came_to,
    deliver_within,
    key_of,
    noted_filter,
)
from mailstack.app.spec_tests.judging import NotedJudging
from mailstack.app.spec_tests.result import Step
from mailstack.model.delivery import QueueItem, SmtpReply
from mailstack.model.principal import Account
from mailstack.model.spam import Judged
from mailstack.servers.smtp.service import SmtpRole
from mailstack.services.conduct import Conduct
from mailstack.services.inbound.deliver import Delivery
from mailstack.services.mailbox.tree import MailboxTree
from mailstack.services.outbound.destination import Destination, HostsOf, Local, ToRelay, Unknown, destination
from mailstack.services.outbound.route import Gradual
from mailstack.spec.sections.outbound import DIRECT
from mailstack.spec.sections.tests import Send
from mailstack.store.memory.store import MemoryStore
from mailstack.wire.smtp.reply import Reply

LATER = "later"
"""The way of a copy that waits for a mailbox of this server."""
UNDECIDED = "undecided"
"""That of one for which DNS does not say who takes its mail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """refused: the reply to the whole mail, None where it was taken or every recipient was refused for itself.
    refusals: by recipient as written. copies: by login, a mailbox path for each. leaving: by address key, the way.
    warming: of those that leave by a warm-up, what has the rest of such mail till it is over. scripts: what those of
    accounts did with it besides. judged: by login what it scored, where anybody looked."""

    refused: SmtpReply | None
    refusals: Mapping[str, SmtpReply]
    copies: Mapping[str, Sequence[str]]
    leaving: Mapping[str, str]
    story: Sequence[Step]
    warming: Mapping[str, str] = field(default_factory=dict)
    scripts: ByScripts = field(default_factory=ByScripts)
    judged: Mapping[str, Judged] = field(default_factory=dict)

    def way(self, address: str) -> str:
        """For people."""
        meanwhile = self.warming.get(address)
        way = self.leaving[address]
        return way if meanwhile is None else f"{way} (its warm-up is taken as over; till then {meanwhile} has a share)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """ways: by address key: DIRECT, a relay's name, LATER or UNDECIDED. warming: of those that are DIRECT by a warm-up,
    which one, and the provider."""

    ways: Mapping[str, str]
    warming: Mapping[str, tuple[Gradual, str]]


async def hand_over(bed: Bed, send: Send, content: bytes) -> Happened:
    """Into a store of its own, which nobody else sees."""
    store = MemoryStore(clock=clock, bus=Silence())
    accounts = NotedAccounts(bed.accounts)
    lists = lists_of(
        bed.blueprint, ListWork(accounts=accounts, unsubscribed=store.unsubscribed, signing_keys={}, clock=clock)
    )
    scripts = noted_filter(
        Shelves(
            mailboxes=ReadyMailboxes(store.mailboxes),
            scripts=NobodysScripts(),
            # Whom scripts ask about says nothing of how the mail's own addresses were resolved.
            accounts=bed.accounts,
            sieve_memory=store.sieve_memory,
        ),
        store,
        server_scripts(bed.blueprint.sieve),
        forwarding=lists.forwarding,
        policies=policies_of(bed.blueprint),
    )
    judging = NotedJudging(bed.blueprint)
    delivery = Delivery(mailboxes=store.mailboxes, messages=store.messages, queue=store.queue, filter_=scripts)
    service = smtp_service(
        bed.blueprint,
        MailWork(
            accounts=accounts,
            messages=store.messages,
            delivery=delivery,
            lists=lists,
            submitted=store.submitted,
            conduct=Conduct(clock=clock),
            gate=None,
            judging=judging,
            clock=clock,
            token=bytes,
        ),
        sasl=bed.sasl,
        signing_keys={},
        tls=None,
        plaintext_is_secure=lambda _peer: True,
    )
    story: list[Step] = []
    of_login = await _notes_of_login(accounts, send)

    def heard(said: str, reply: Reply) -> None:
        # The greeting says nothing of the mail. Of a longer reply, the first line: what is offered has no bearing.
        if said != "connect":
            of_scripts = (*judging.take_notes(), *_notes_of(scripts))
            notes = (*accounts.take_notes(), *(of_login if said.startswith("AUTH ") else ()), *of_scripts)
            story.append(Step(said=said, answer=answer_of(reply), notes=notes))

    envelope = Envelope(ehlo_domain=send.helo, reverse_path=sender_of(send), recipients=send.to, login=send.as_)
    role = SmtpRole.MX if send.as_ is None else SmtpRole.SUBMISSION
    with connected(service, role, send.client_ip) as client:
        outcome = await hand_over_by(client, envelope, content, heard)
    within = Within(hostname=service.hostname, forwarding=lists.forwarding, lists=lists, delivery=delivery)
    await deliver_within(scripts, within, store, now=clock())
    if came := _notes_of(scripts):
        story.append(Step(said="what scripts send on here", answer="delivered", notes=came))
    left = await leaving(bed, partial(_hosts_of, send), await on_the_way(store, scripts))
    return Happened(
        refused=outcome.refused,
        refusals=outcome.refusals,
        copies=await copies(bed, store),
        leaving=left.ways,
        story=tuple(story),
        warming={address: gradual.meanwhile.name for address, (gradual, _) in left.warming.items()},
        scripts=await scripts.done(),
        judged=judging.judged_for,
    )


def _notes_of(scripts: NotedFilter) -> tuple[str, ...]:
    return tuple(line for login, verdict in scripts.take() for line in came_to(login, verdict))


async def _notes_of_login(accounts: NotedAccounts, send: Send) -> tuple[str, ...]:
    if send.as_ is None:
        return ()
    owner = await accounts.find(send.as_)
    if isinstance(owner, Account) and not owner.password_hash:
        accounts.note(f"{owner.login} has no password, so that nobody can log in")
    return accounts.take_notes()


def answer_of(reply: Reply) -> str:
    """On one line."""
    return str(reply.as_outcome()) if len(reply.lines) == 1 else f"{reply.code} {reply.lines[0]}"


def sender_of(send: Send) -> str:
    """Of the envelope; the account's own address where the test names none."""
    return send.from_ if send.from_ is not None else send.as_ or ""


async def copies(bed: Bed, store: MemoryStore) -> dict[str, list[str]]:
    """By login, a mailbox path for each."""
    found: dict[str, list[str]] = {}
    for account_id in store.messages.holders():
        owner = await bed.accounts.account(account_id)
        login = owner.login if isinstance(owner, Account) else account_id
        for path, mailbox in MailboxTree(await store.mailboxes.list(account_id)):
            found.setdefault(login, []).extend(
                path for _ in await store.messages.placements(account_id, mailbox.mailbox_id)
            )
    return found


async def on_the_way(store: MemoryStore, scripts: NotedFilter) -> Sequence[QueueItem]:
    """The mail itself, and what is written by others than scripts because of it."""
    sent_on = [sent.item for sent in await scripts.sent() if not sent.is_told]
    return (*await store.queue.items(), *sent_on)


async def leaving(bed: Bed, hosts_of: HostsOf, items: Sequence[QueueItem]) -> Leaving:
    """What a test promises must not end with a day of the calendar: warm-ups are taken as over."""
    ways: dict[str, str] = {}
    warming: dict[str, tuple[Gradual, str]] = {}
    for item in items:
        key = key_of(item.recipient)

        async def once_over(gradual: Gradual, provider: str, key: str = key) -> bool:
            warming[key] = gradual, provider
            return True

        found = await destination(
            bed.accounts,
            bed.routes,
            hosts_of,
            item.recipient,
            reverse_path=item.reverse_path,
            goes_direct=once_over,
        )
        ways[key] = _way(found)
    return Leaving(ways=ways, warming=warming)


async def _hosts_of(send: Send, domain: str) -> Sequence[str]:
    return send.mx.get(domain, (domain,))


def _way(found: Destination) -> str:
    match found:
        case ToRelay(relay):
            return relay.name
        case Local():
            return LATER
        case Unknown():
            return UNDECIDED
        case _:
            return DIRECT
