"""Tells an authority whom it may write to about certificates, once the spec says somebody else. RFC 8555 §7.3.2."""

from collections.abc import Sequence
from dataclasses import replace

from mailstack.model.issuance import NotIssued
from mailstack.model.resource import Kind, Operation, ResourceChange, Snapshot
from mailstack.reconcile.diff import Step
from mailstack.reconcile.issue import (
    Issuing,
    Surroundings,
    account_of,
    is_contact,
    note_failure,
    registered,
    settle,
)
from mailstack.reconcile.progress import ContactNotTold, ContactTold
from mailstack.reconcile.providers.acme import contact_name


async def tell_contacts(orders: Sequence[Step], issuing: Issuing, around: Surroundings) -> None:
    """Failures are noted and told, never raised; the state has the address that the authority knows."""
    for step in orders:
        if is_contact(step):
            await _tell(step.wanted.resource.name, issuing, around)


async def _tell(authority: str, issuing: Issuing, around: Surroundings) -> None:
    email = around.acme.email or ""
    try:
        known = await issuing.issuer().tell_contact(await account_of(around))
    except NotIssued as fault:
        failure = await note_failure(contact_name(authority), (), fault, issuing, around)
        around.progress(ContactNotTold(authority=authority, reason=fault.reason, retry_at=failure.retry_at))
        return

    def changes(state: Snapshot) -> Sequence[ResourceChange]:
        account = state.resources.get((Kind.ACME_ACCOUNT, authority))
        if account is None:
            return ()
        told = replace(account, fields={**account.fields, "email": email})
        of_account = registered(replace(state, resources={(told.kind, told.name): told}), authority, known)
        return of_account or (ResourceChange(operation=Operation.UPDATE, resource=told),)

    await settle(changes, issuing, around)
    await issuing.issuance.forget(contact_name(authority))
    around.progress(ContactTold(authority=authority, email=email))
