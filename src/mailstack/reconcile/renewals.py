"""Asks the authority now and then when it would have its certificates renewed, and notes that in the state. RFC 9773.

What follows from it is the next plan's (providers.acme). Where nothing is known a certificate is renewed by its age.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mailstack.model.errors import Damaged, Invalid
from mailstack.model.instant import Instant, as_datetime, iso
from mailstack.model.issuance import NotIssued, RenewalInfo
from mailstack.model.resource import CertificateBody, Kind, Operation, ResourceChange, Snapshot, body_of
from mailstack.reconcile.issue import Issuing, Surroundings, account_of, settle
from mailstack.reconcile.providers.acme import ACME, RENEWALS_ASKED_EVERY_MS
from mailstack.reconcile.providers.certs import lifetime_of


async def look_at_renewals(issuing: Issuing, around: Surroundings) -> None:
    """Not oftener than every few hours, whichever process comes first; an authority that does not answer changes
    nothing."""
    authority, now = around.acme.directory_url, around.clock()
    chains = _chains(await around.state.snapshot((Kind.CERTIFICATE,)), authority, now)
    if not chains:
        return
    # The lease is the note that it was done: another owner each time, for an owner could renew its own.
    until = Instant(now + RENEWALS_ASKED_EVERY_MS)
    if not await issuing.locks.acquire(f"renewals {authority}", f"{issuing.owner} {now}", now=now, until=until):
        return
    try:
        found = await issuing.issuer().renewals(await account_of(around), chains)
    except NotIssued:
        return

    def changes(state: Snapshot) -> Sequence[ResourceChange]:
        return [change for name, info in found.items() for change in _noted(state, name, chains[name], info)]

    if changes(await around.state.snapshot((Kind.CERTIFICATE,))):
        await settle(changes, issuing, around)


def _chains(state: Snapshot, authority: str, now: Instant) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for (_, name), resource in state.resources.items():
        try:
            body = body_of(CertificateBody, resource)
            # RFC 9773 §4.3: nobody asks for one that has expired.
            if (
                body.issuer == ACME
                and body.authority == authority
                and lifetime_of(body.certificate).end > as_datetime(now)
            ):
                found[name] = body.certificate
        except (Damaged, Invalid):
            continue
    return found


def _noted(state: Snapshot, name: str, chain: str, info: RenewalInfo) -> Sequence[ResourceChange]:
    held = state.resources.get((Kind.CERTIFICATE, name))
    if held is None or held.fields["certificate"] != chain:
        return ()  # another one has come meanwhile
    fields = {
        **held.fields,
        "renew_from": iso(info.start),
        "renew_until": iso(info.end),
        "renewal_page": info.page,
    }
    is_news = fields != held.fields
    return [ResourceChange(operation=Operation.UPDATE, resource=replace(held, fields=fields))] if is_news else []
