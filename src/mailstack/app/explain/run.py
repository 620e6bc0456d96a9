"""One mail, explained: handed to the server of a spec as a stranger would, over a directory and a store of its own.

The very commands, stages and replies of a server that serves; somebody only looks on. Nothing is written, sent or
counted. DNS is asked, or what stands in for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mailstack.app.asked import dns_lists_of
from mailstack.app.explain.envelope import Addressed
from mailstack.app.explain.explanation import Explanation, Finding, Mail, Question, Scripted, Step, Verdict, WarmingUp
from mailstack.app.explain.findings import Scene, findings_of, script_findings
from mailstack.app.explain.live import Ids, LiveAcquaintances, LiveMailboxes, LiveMemory, LiveModels, LiveScripts
from mailstack.app.explain.witness import NotedResolver, Observation, Witness
from mailstack.app.filtering import server_scripts
from mailstack.app.mail_work import ListWork, MailWork, ban_rules_of, gate_of, lists_of, smtp_service
from mailstack.app.scoring import SpamKnowledge, Untaught, judging_of, policies_of
from mailstack.app.silence import Silence
from mailstack.app.spec_tests.bed import Bed
from mailstack.app.spec_tests.client import connected
from mailstack.app.spec_tests.conversation import Envelope, Outcome, hand_over_by
from mailstack.app.spec_tests.directory import NotedAccounts
from mailstack.app.spec_tests.filtering import (
    ByScripts,
    NobodysScripts,
    NotedFilter,
    ReadyMailboxes,
    Shelves,
    Within,
    deliver_within,
    noted_filter,
)
from mailstack.app.spec_tests.mail import answer_of, copies, leaving, on_the_way
from mailstack.model.conduct import Ban
from mailstack.model.delivery import SmtpReply
from mailstack.model.greylist import GreyEntry
from mailstack.model.instant import Clock, Instant, iso
from mailstack.ports.accounts import Accounts
from mailstack.ports.greylist import Greylist
from mailstack.ports.mailboxes import DeliveryMailboxes
from mailstack.ports.resolver import Resolver
from mailstack.ports.scripts import RunScripts
from mailstack.ports.sieve_memory import SieveMemory
from mailstack.ports.warm_days import WarmDays
from mailstack.servers.smtp.service import SmtpRole, SmtpService
from mailstack.services.conduct import Conduct
from mailstack.services.inbound.deliver import Delivery
from mailstack.services.inbound.mail import InboundMail
from mailstack.services.inbound.stages.route import results_field
from mailstack.services.outbound.mx import best_hosts
from mailstack.services.outbound.route import Gradual
from mailstack.services.outbound.warming import Warming
from mailstack.services.spam.experience import Experience
from mailstack.services.spam.namesakes import Namesakes
from mailstack.services.spam.scoring import SpamModels
from mailstack.store.memory.store import MemoryStore
from mailstack.wire.smtp.reply import Reply

UNKNOWN = "bans are a running server's own, and not looked at without --live"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """again: it was asked to come again, and does. known: what a server here knows, None where none is looked at."""

    resolver: Resolver
    clock: Clock
    again: bool = False
    known: "Known | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """bans: in force. All else is only read."""

    bans: Sequence[Ban]
    greylist: Greylist
    warm_days: WarmDays
    accounts: Accounts
    mailboxes: DeliveryMailboxes
    scripts: RunScripts
    sieve_memory: SieveMemory
    models: SpamModels
    experience: Experience


class Read:
    """Works as ports.greylist.Greylist, and keeps nothing. greylist: None where each mail is the first."""

    def __init__(self, greylist: Greylist | None) -> None:
        self._greylist = greylist

    async def find(self, keys: Sequence[str], *, now: Instant) -> Mapping[str, GreyEntry]:
        return {} if self._greylist is None else await self._greylist.find(keys, now=now)

    async def keep(self, entries: Mapping[str, GreyEntry]) -> None: ...

    async def forget(self, *, now: Instant) -> int:  # noqa: ARG002  # the port has it
        return 0


async def explain(bed: Bed, to: Addressed, content: bytes, around: Circumstances) -> Explanation:
    """content: with CRLF."""
    store = MemoryStore(clock=around.clock, bus=Silence())
    telling = _Telling(bed, around)
    service = telling.service(store)
    envelope = Envelope(ehlo_domain=to.helo, reverse_path=to.mail_from, recipients=to.recipients)
    with connected(service, SmtpRole.MX, to.peer) as client:
        outcome = await hand_over_by(client, envelope, content, lambda said, reply: telling.heard(to, said, reply))
    verdict = _verdict(to, outcome)
    refusals = outcome.refusals if verdict is Verdict.PARTLY else {}
    reply = str(_deciding(outcome) or telling.steps[-1].reply)
    await deliver_within(telling.scripts, telling.within, store, now=around.clock())
    telling.sent_on_here()
    left = await leaving(bed, telling.hosts_of, await on_the_way(store, telling.scripts))
    warming = Warming(store.warm_days if around.known is None else around.known.warm_days, clock=around.clock)
    warming_up = {address: await _warming_up(warming, *by) for address, by in left.warming.items()}
    return Explanation(
        mail=Mail(
            octets=len(content),
            peer=to.peer,
            helo=to.helo,
            mail_from=to.mail_from,
            recipients=to.recipients,
            notes=to.notes,
        ),
        steps=tuple(telling.steps),
        verdict=verdict,
        reply=reply,
        refused={recipient: str(reply) for recipient, reply in refusals.items()},
        authentication_results=telling.results.decode("ascii"),
        stored={login: tuple(found) for login, found in (await copies(bed, store)).items()},
        sent_on={address: _way(way, warming_up.get(address)) for address, way in left.ways.items()},
        warming_up=warming_up,
        scripts=_scripted(await telling.scripts.done()),
        dns=telling.questions(),
    )


class _Telling:
    """results: the Authentication-Results field, once the sender has been checked."""

    def __init__(self, bed: Bed, around: Circumstances) -> None:
        self.steps: list[Step] = []
        self.results = b""
        self._bed = bed
        self._around = around
        self._accounts = NotedAccounts(bed.accounts)
        self._resolver = NotedResolver(around.resolver)
        self._witness = Witness()
        self._conduct = Conduct(clock=around.clock)
        if around.known is not None and bed.blueprint.server is not None:
            self._conduct.rules = ban_rules_of(bed.blueprint, bed.blueprint.server)
            self._conduct.show(around.known.bans)
        self._service: SmtpService
        self.scripts: NotedFilter
        self.within: Within

    async def hosts_of(self, domain: str) -> Sequence[str]:
        return best_hosts(domain, await self._resolver.mail_exchangers(domain))

    def service(self, store: MemoryStore) -> SmtpService:
        bed, clock = self._bed, self._around.clock
        known = self._around.known
        greylist = Read(None if known is None else known.greylist)
        gate = gate_of(bed.blueprint.receiving, self._resolver, greylist, clock=clock)
        lists = lists_of(
            bed.blueprint,
            ListWork(
                accounts=self._accounts,
                unsubscribed=store.unsubscribed,
                signing_keys={},
                clock=clock,
                resolver=self._resolver,
            ),
        )
        self.scripts = noted_filter(
            _shelves(bed.accounts, store, known),
            store,
            server_scripts(bed.blueprint.sieve),
            forwarding=lists.forwarding,
            policies=policies_of(bed.blueprint),
            is_traced=True,
        )
        delivery = Delivery(mailboxes=store.mailboxes, messages=store.messages, queue=store.queue, filter_=self.scripts)
        made = smtp_service(
            bed.blueprint,
            MailWork(
                accounts=self._accounts,
                messages=store.messages,
                delivery=delivery,
                lists=lists,
                submitted=store.submitted,
                conduct=self._conduct,
                gate=replace(gate, greylisting=None) if self._around.again else gate,
                judging=judging_of(bed.blueprint, self._spam_knowledge()),
                clock=clock,
                token=bytes,
                resolver=self._resolver,
            ),
            sasl=bed.sasl,
            signing_keys={},
            tls=None,
            plaintext_is_secure=lambda _peer: False,
        )
        self.within = Within(hostname=made.hostname, forwarding=lists.forwarding, lists=lists, delivery=delivery)
        self._service = replace(
            made,
            inbound=replace(made.inbound, stages=self._witness.stages()),
            # Whoever explains a mail to twenty unknown recipients need not be held up for it.
            limits=replace(made.limits, first_delay_s=0),
        )
        return self._service

    def _spam_knowledge(self) -> SpamKnowledge:
        """Engines are the server's own, and are not asked."""
        lists = dns_lists_of(self._bed.blueprint, self._resolver, clock=self._around.clock)
        names = Namesakes(accounts=self._accounts, domains=frozenset(self._bed.blueprint.domains))
        known = self._around.known
        if known is None:
            return SpamKnowledge(models=Untaught(), sources=[names], elsewhere=[lists])
        ids = Ids(spec=self._bed.accounts, server=known.accounts)
        return SpamKnowledge(
            models=LiveModels(known.models, ids),
            sources=[names, known.experience.reputation],
            elsewhere=[lists],
            account_sources=[LiveAcquaintances(known.experience.acquainted, ids)],
        )

    def heard(self, to: Addressed, said: str, reply: Reply) -> None:
        observations = self._witness.take()
        self._note_results(observations)
        receiving = self._service.inbound.receiving
        scene = Scene(
            receiving=receiving,
            directory=self._accounts.take_notes(),
            blocklists=self._bed.blueprint.receiving.blocklists,
            again=self._around.again,
            is_live=self._around.known is not None,
            answer=self._resolver.answer,
            verdicts=self.scripts.take(),
        )
        findings = [finding for observation in observations for finding in findings_of(observation, scene)]
        if said == "connect":
            said = f"connection from {to.peer}"
            findings.append(self._peer(to.peer))
        self.steps.append(Step(said=said, reply=answer_of(reply), findings=tuple(findings)))

    def sent_on_here(self) -> None:
        """What scripts made of mail that other scripts have sent on to accounts of this server."""
        if verdicts := self.scripts.take():
            findings = tuple(script_findings(verdicts))
            self.steps.append(Step(said="what scripts send on within the server", reply="", findings=findings))

    def _peer(self, peer_host: str) -> Finding:
        senders, ban = self._service.inbound.receiving.senders, self._conduct.ban_of(peer_host)
        if ban is not None:
            return Finding(check="peer", result="banned", reason=f"{ban.reason}, until {iso(ban.until)}")
        if senders is not None and senders.trusts(peer_host):
            return Finding(check="peer", result="trusted", reason="it is in receiving.trusted_peers")
        return Finding(check="peer", result="stranger", reason="" if self._around.known else UNKNOWN)

    def questions(self) -> tuple[Question, ...]:
        return self._resolver.questions()

    def _note_results(self, observations: Sequence[Observation]) -> None:
        for observation in observations:
            if isinstance(observation.came_to, InboundMail):
                self.results = results_field(self._service.inbound.receiving, observation.came_to) or self.results


def _shelves(accounts: Accounts, store: MemoryStore, known: Known | None) -> Shelves:
    """Without a server to look at, each mailbox that a script names is there."""
    if known is None:
        return Shelves(
            mailboxes=ReadyMailboxes(store.mailboxes),
            scripts=NobodysScripts(),
            accounts=accounts,
            sieve_memory=store.sieve_memory,
        )
    ids = Ids(accounts, known.accounts)
    return Shelves(
        mailboxes=LiveMailboxes(store.mailboxes, known.mailboxes, ids),
        scripts=LiveScripts(known.scripts, ids),
        accounts=accounts,
        sieve_memory=LiveMemory(known.sieve_memory, ids),
    )


def _scripted(done: ByScripts) -> Scripted:
    return Scripted(
        discarded=tuple(done.discarding),
        answered=tuple(done.answering),
        refused={login: str(reply) for login, reply in done.refusing.items()},
        notified=tuple(done.notified),
    )


async def _warming_up(warming: Warming, gradual: Gradual, provider: str) -> WarmingUp:
    stage = await warming.stage(gradual.warm_up, provider)
    return WarmingUp(
        provider=provider,
        relay=gradual.meanwhile.name,
        share=round(stage.share, 4) if stage.has_room else 0.0,
        most_today=stage.most,
        sent_today=stage.done,
    )


def _way(way: str, warming_up: WarmingUp | None) -> str:
    if warming_up is None or warming_up.share >= 1:
        return way
    return f"{way} or {warming_up.relay}" if warming_up.share else warming_up.relay


def _verdict(to: Addressed, outcome: Outcome) -> Verdict:
    if outcome.refused is None and not outcome.refusals:
        return Verdict.ACCEPTED
    if outcome.refused is None and len(outcome.refusals) < len(set(to.recipients)):
        return Verdict.PARTLY
    replies = [outcome.refused] if outcome.refused is not None else list(outcome.refusals.values())
    return Verdict.REFUSED if any(reply.code >= 500 for reply in replies) else Verdict.DEFERRED


def _deciding(outcome: Outcome) -> SmtpReply | None:
    """The refusal of the whole mail, or else of the first recipient that was refused; None for none."""
    return outcome.refused or next(iter(outcome.refusals.values()), None)
