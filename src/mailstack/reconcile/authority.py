"""What a plan may expect of an authority, and who shows the proofs that it wants: by the spec, and by who runs here."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace

from mailstack.model.challenge import ChallengeKind
from mailstack.model.instant import Clock, Instant
from mailstack.model.issuance import ProofMethod
from mailstack.ports.issuer import Prover
from mailstack.ports.state import State
from mailstack.reconcile.dns.live import LiveDns
from mailstack.reconcile.dns.material import Material
from mailstack.reconcile.dns.publish import owner_id, write_proofs
from mailstack.reconcile.dns.record_set import RecordSet
from mailstack.reconcile.dns.targets import DnsContext, NoDns
from mailstack.reconcile.issue import Issuing, OnWait, Surroundings
from mailstack.reconcile.progress import Progress, TurnAwaited
from mailstack.reconcile.proofs import DnsProver, ServerProver
from mailstack.reconcile.providers.acme import LEFT_TO_SERVE, NO_ORDERING, Ordering
from mailstack.reconcile.publication import held_material
from mailstack.reconcile.wanted import keyed_digest
from mailstack.spec.secrets import SecretMissing


async def ordering_of(context: DnsContext, issuing: Issuing | None) -> Ordering:
    if isinstance(context.mode, NoDns) and (_is_by_dns(context) or not context.mode.may_order):
        return NO_ORDERING  # the authority would look for names that may not be published yet
    can_order = _is_by_dns(context) or (issuing is not None and issuing.has_server)
    return Ordering(
        can_order=can_order,
        can_ask=issuing is not None,
        why_not="" if can_order else LEFT_TO_SERVE,
        failures={} if issuing is None else await issuing.issuance.failures(),
    )


async def surroundings_of(
    context: DnsContext, state: State, issuing: Issuing, live_dns: LiveDns, clock: Clock, progress: Progress
) -> Surroundings:
    """For the orders of one apply."""
    digest_key = await state.digest_key()
    owned = replace(context, owner=owner_id(digest_key))
    material = await held_material(context.spec, state)

    def on_wait(holder: str) -> None:
        progress(TurnAwaited(holder=holder))

    return Surroundings(
        state=state,
        acme=context.spec.tls.acme,
        eab_key=eab_key(context),
        prover=prover_for(owned, material, live_dns, issuing, clock, on_wait),
        digest=keyed_digest(digest_key),
        clock=clock,
        progress=progress,
    )


def prover_for(
    context: DnsContext, material: Material, live_dns: LiveDns, issuing: Issuing, clock: Clock, on_wait: OnWait
) -> Prover:
    """material: as the zones were planned with. on_wait: told whose turn is waited for."""

    async def write(records: Sequence[RecordSet], zones: Collection[str]) -> None:
        async with issuing.turn("the proof for a certificate", on_wait):
            await write_proofs(context, material, records, zones)

    if _is_by_dns(context):
        return DnsProver(issuing.challenges, context.spec.dns.zones, live_dns, write, clock=clock)
    return ServerProver(issuing.challenges, clock=clock, is_answered=issuing.is_answered)


async def is_proving(issuing: Issuing | None, now: Instant) -> bool:
    """An order is under way, of whichever process, whose proofs are in DNS."""
    return issuing is not None and bool(await issuing.challenges.names(ChallengeKind.DNS_01, now=now))


def eab_key(context: DnsContext) -> str:
    """The secret of the account that the authority knows already; "" for none, or for one that cannot be read here:
    an account that was made once needs it no more."""
    account = context.spec.tls.acme.eab
    with suppress(SecretMissing):
        return context.resolve(account.key.get_secret_value(), context.directory) if account else ""
    return ""


def _is_by_dns(context: DnsContext) -> bool:
    return ProofMethod(context.spec.tls.acme.challenge) is ProofMethod.DNS_01
