"""Orders what a plan wants from an authority: after mail is served and DNS published, one certificate after the other.

Each is ordered under a lease, for any process may be the one that plans it, and outside of anybody's turn to apply,
for it takes minutes. What was issued is a generation of its own, written in a turn; what was not is noted with the time
of the next try, and the certificate in use goes on.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

from mailstack.model.errors import Conflict, Damaged, DomainError, Invalid, TryAgainLater
from mailstack.model.ids import Generation
from mailstack.model.instant import SECOND_MS, Clock, Instant, from_datetime, iso
from mailstack.model.issuance import AcmeAccount, IssuanceFailure, Issued, NotIssued, Order, ProofMethod, Registration
from mailstack.model.resource import CertificateBody, Json, Kind, Operation, Resource, ResourceChange, Snapshot, body_of
from mailstack.ports.challenges import Challenges
from mailstack.ports.issuance import Issuance
from mailstack.ports.issuer import Issuer, Prover
from mailstack.ports.locks import Locks
from mailstack.ports.state import State
from mailstack.reconcile.diff import Step
from mailstack.reconcile.progress import (
    CertificateIssued,
    CertificateNotIssued,
    OrderBegun,
    OrderElsewhere,
    Progress,
    TurnAwaited,
)
from mailstack.reconcile.proofs import IsAnswered
from mailstack.reconcile.providers.acme import WITH_NEW_KEY, is_order, order_mark, renew_at, retry_at
from mailstack.reconcile.providers.certs import check_pair, covers, lifetime_of, make_key, not_after
from mailstack.reconcile.providers.tls import NEXT_KEY, temporary
from mailstack.reconcile.wanted import Digest
from mailstack.spec.sections.acme import Acme

LEASE_MS = 60 * SECOND_MS
RENEW_LEASE_S = 15.0
COMMITS_TRIED = 5

_NOT_IN_CAA = re.compile(r"[^\x21-\x7e]|[;\"\\\\]")
_CAA_NAME = re.compile(r"(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}")

OnWait = Callable[[str], None]
"""Told whom we wait for."""
Turn = Callable[[str, OnWait], AbstractAsyncContextManager[None]]
"""The turn to write what orders ask for, by what it is; entering raises TryAgainLater. One at a time."""
Changes = Callable[[Snapshot], Sequence[ResourceChange]]
"""What is to be written where this is the state, nothing where that is wanted no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuing:
    """What orders are made with. issuer: made when something is ordered. owner: of the leases, another one for each
    process. has_server: one of ours runs, and shows proofs. on_issued: told after each generation with a new
    certificate. turn: to write; nothing of ours holds one while it orders.
    """

    issuer: Callable[[], Issuer]
    issuance: Issuance
    locks: Locks
    challenges: Challenges
    is_answered: IsAnswered
    owner: str
    has_server: bool
    on_issued: Callable[[], Awaitable[None]]
    turn: Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Of one apply. eab_key: the secret, "" for none."""

    state: State
    acme: Acme
    eab_key: str = field(repr=False)
    prover: Prover
    digest: Digest
    clock: Clock
    progress: Progress

    def on_wait(self, holder: str) -> None:
        self.progress(TurnAwaited(holder=holder))


def split_orders(steps: Sequence[Step]) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """What is done at once, and what an authority is asked for after it. A certificate that is new begins as a
    self-signed one."""
    at_once: list[Step] = []
    orders: list[Step] = []
    for step in steps:
        if is_contact(step):
            orders.append(step)
            continue
        if step.change.operation is Operation.DESTROY or not is_order(step.wanted):
            at_once.append(step)
            continue
        orders.append(step)
        if step.change.operation is Operation.CREATE:
            at_once.append(replace(step, wanted=temporary(step.wanted)))
    return tuple(at_once), tuple(orders)


def is_contact(step: Step) -> bool:
    """An authority is to be told whom it may write to."""
    return step.wanted.resource.kind is Kind.ACME_ACCOUNT and step.change.operation is Operation.UPDATE


async def issue_all(orders: Sequence[Step], issuing: Issuing, around: Surroundings) -> None:
    """Failures are noted and told, never raised."""
    for step in orders:
        resource = step.wanted.resource
        if is_contact(step):
            continue
        async with _leased(f"certificate {resource.name}", issuing, around.clock) as is_ours:
            if is_ours and not await _is_ordered(step, around.state):
                await _issue_one(step, issuing, around)
            else:
                around.progress(OrderElsewhere(name=resource.name))


def check_issued(chain: str, key: str, names: Sequence[str], now: Instant) -> None:
    """What an authority sends is looked at before anything is served with it. Raises NotIssued."""
    try:
        check_pair(chain, key)
    except Invalid as fault:
        raise NotIssued(f"the authority sent a chain that is of no use: {fault.detail}") from None
    missing = [name for name in names if not covers(chain, name)]
    if missing:
        raise NotIssued(f"the authority sent a certificate that is not good for {', '.join(missing)}")
    lifetime = lifetime_of(chain)
    if now >= renew_at(names[0], lifetime):
        # Taken in, it would be ordered anew at the next look, and so on without an end.
        raise NotIssued(
            f"the authority sent a certificate that ends on {lifetime.end:%Y-%m-%d} and has to be renewed already:"
            " is this machine's clock right?"
        )


async def _is_ordered(step: Step, state: State) -> bool:
    """Since the plan was made, by another process that had planned the same: authorities count duplicates."""
    wanted = body_of(CertificateBody, step.wanted.resource)
    held = (await state.snapshot((Kind.CERTIFICATE,))).resources.get((Kind.CERTIFICATE, step.wanted.resource.name))
    try:
        found = None if held is None else body_of(CertificateBody, held)
    except Damaged:
        return False
    return (
        found is not None
        and found.certificate != wanted.certificate
        and (found.issuer, found.authority, found.names, found.key_type)
        == (wanted.issuer, wanted.authority, wanted.names, wanted.key_type)
    )


async def _issue_one(step: Step, issuing: Issuing, around: Surroundings) -> None:
    body = body_of(CertificateBody, step.wanted.resource)
    name, names = step.wanted.resource.name, body.names
    around.progress(OrderBegun(name=name, authority=body.authority))
    try:
        key = await _key(step, around)
        issued = await issuing.issuer().issue(await _order(step, key, around), around.prover)
        check_issued(issued.chain, key, names, around.clock())
    except NotIssued as fault:
        failure = await note_failure(name, names, fault, issuing, around)
        around.progress(CertificateNotIssued(name=name, reason=fault.reason, retry_at=failure.retry_at))
        return
    change = ResourceChange(
        operation=Operation.UPDATE, resource=_filled(step, issued, key, around), secrets={"key": key}
    )

    def changes(state: Snapshot) -> Sequence[ResourceChange]:
        held = state.resources.get((Kind.CERTIFICATE, name))
        account = registered(state, around.acme.directory_url, issued.registration)
        return (*account, *([change] if held is not None and _is_still_wanted(held, change.resource) else []))

    generation = await settle(changes, issuing, around)
    await issuing.issuance.forget(name)
    await issuing.on_issued()
    not_after = str(change.resource.fields["not_after"])
    around.progress(CertificateIssued(name=name, not_after=not_after, generation=generation))


async def _order(step: Step, key: str, around: Surroundings) -> Order:
    wanted = body_of(CertificateBody, step.wanted.resource)
    held = (await around.state.snapshot((Kind.CERTIFICATE,))).resources.get((Kind.CERTIFICATE, wanted.names[0]))
    replaces = ""
    if held is not None and held.fields.get("authority") == around.acme.directory_url:
        replaces = str(held.fields["certificate"])
    method = ProofMethod(around.acme.challenge)
    return Order(account=await account_of(around), names=wanted.names, key=key, method=method, replaces=replaces)


def _filled(step: Step, issued: Issued, key: str, around: Surroundings) -> Resource:
    resource, renewal = step.wanted.resource, issued.renewal
    fields = {
        **resource.fields,
        "certificate": issued.chain,
        "not_after": iso(from_datetime(not_after(issued.chain))),
        "renew_from": "" if renewal is None else iso(renewal.start),
        "renew_until": "" if renewal is None else iso(renewal.end),
        "renewal_page": "" if renewal is None else renewal.page,
    }
    digests = {**resource.digests, "key": around.digest(Kind.CERTIFICATE, resource.name, "key", key)}
    return replace(resource, fields=fields, digests=digests)


async def _key(step: Step, around: Surroundings) -> str:
    """A new certificate has one by now, that of the self-signed one in its place; a roll that is ready has the next."""
    name, wanted = step.wanted.resource.name, body_of(CertificateBody, step.wanted.resource)
    held = (await around.state.secrets(Kind.CERTIFICATE)).get(name, {})
    if NEXT_KEY in held and not wanted.next_key_digest:
        return held[NEXT_KEY]
    is_new = step.change.operation is Operation.CREATE
    if "key" in held and (is_new or step.wanted.made != WITH_NEW_KEY):
        return held["key"]
    return await asyncio.to_thread(make_key, wanted.key_type)


async def account_of(around: Surroundings) -> AcmeAccount:
    url = around.acme.directory_url
    held = (await around.state.secrets(Kind.ACME_ACCOUNT)).get(url, {})
    if "key" not in held:
        raise NotIssued(f"the account key for {url} is not in the server's state: apply again")
    return AcmeAccount(
        directory=url,
        key=held["key"],
        email=around.acme.email or "",
        ca_file=str(around.acme.ca or ""),
        eab_key_id=around.acme.eab.key_id if around.acme.eab and around.eab_key else "",
        eab_key=around.eab_key,
    )


async def note_failure(
    name: str, names: tuple[str, ...], fault: NotIssued, issuing: Issuing, around: Surroundings
) -> IssuanceFailure:
    before = (await issuing.issuance.failures()).get(name)
    order, now = order_mark(names, around.acme), around.clock()
    tries = before.tries + 1 if before is not None and before.order == order else 1
    failure = IssuanceFailure(
        name=name,
        order=order,
        reason=fault.reason,
        tries=tries,
        failed_at=now,
        retry_at=retry_at(now, tries, fault.not_before),
    )
    await issuing.issuance.failed(failure)
    return failure


def registered(state: Snapshot, authority: str, known: Registration) -> tuple[ResourceChange, ...]:
    """The account with what the authority calls it, where that is news."""
    account = state.resources.get((Kind.ACME_ACCOUNT, authority))
    # It is published in CAA records, and comes from outside: RFC 8657 §3 has a URI, and RFC 8659 §4.2 no such signs.
    if account is None or _NOT_IN_CAA.search(known.uri) or not known.uri.startswith("https://"):
        return ()
    names = [name for name in known.caa_names if _CAA_NAME.fullmatch(name)]
    fields: dict[str, Json] = {**account.fields, "uri": known.uri, "caa_names": [*names]}
    if fields == account.fields:
        return ()
    return (ResourceChange(operation=Operation.UPDATE, resource=replace(account, fields=fields)),)


async def settle(changes: Changes, issuing: Issuing, around: Surroundings) -> Generation:
    """As the next generation of whatever is applied by then: an order takes minutes, and its fruit must not be lost."""
    try:
        async with issuing.turn("what an authority has answered", around.on_wait):
            return await _commit(changes, around.state)
    except TryAgainLater:
        # Whoever holds the turn for so long plans again when the generation is another one by then.
        return await _commit(changes, around.state)


async def _commit(changes: Changes, state: State) -> Generation:
    for _ in range(COMMITS_TRIED):
        snapshot = await state.snapshot((Kind.CERTIFICATE, Kind.ACME_ACCOUNT))
        wanted = changes(snapshot)
        if not wanted:
            return snapshot.generation
        with suppress(Conflict):
            return await state.commit(wanted, base=snapshot.generation, spec_hash=snapshot.spec_hash)
    raise Conflict("an authority has answered, and the state never stood still to take it in")


def _is_still_wanted(held: Resource, new: Resource) -> bool:
    """Whoever applied meanwhile may have put a certificate of other names or of the user's own in its place."""
    try:
        old = body_of(CertificateBody, held)
    except Damaged:
        return True
    return old.issuer != "files" and (old.issuer != new.fields["issuer"] or list(old.names) == new.fields["names"])


@asynccontextmanager
async def _leased(name: str, issuing: Issuing, clock: Clock) -> AsyncIterator[bool]:
    """Short leases, renewed while the work lasts: what a killed process leaves ends soon."""

    async def take() -> bool:
        now = clock()
        return await issuing.locks.acquire(name, issuing.owner, now=now, until=Instant(now + LEASE_MS))

    async def keep() -> None:
        while True:
            await asyncio.sleep(RENEW_LEASE_S)
            with suppress(DomainError):  # a store that is busy: there is time for two more before the lease ends
                await take()

    if not await take():
        yield False
        return
    keeping = asyncio.create_task(keep())
    try:
        yield True
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        with suppress(DomainError):  # it ends by itself
            await issuing.locks.release(name, issuing.owner)
