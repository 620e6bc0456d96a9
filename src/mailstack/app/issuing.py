"""What ordering certificates takes, with the adapters that do it: for `serve`, `apply` and `plan` alike."""

import secrets
from collections.abc import Awaitable, Callable

from mailstack.app.clock import system_clock
from mailstack.app.own_answers import own_answers
from mailstack.ports.issuer import Issuer
from mailstack.reconcile.issue import Issuing
from mailstack.spec.model import Spec
from mailstack.store.sqlite.open import SqliteStore

OWNER_BYTES = 8


async def nobody_is_told() -> None:
    """A server that runs beside hears it from the store."""


def issuing_with(
    store: SqliteStore, spec: Spec, *, has_server: bool, on_issued: Callable[[], Awaitable[None]] = nobody_is_told
) -> Issuing:
    """has_server: one runs on this store, or will before anything is ordered."""
    listeners = spec.server.listeners
    return Issuing(
        issuer=_acme_issuer,
        issuance=store.issuance,
        locks=store.locks,
        challenges=store.challenges,
        is_answered=own_answers({"http": listeners.http, "https": listeners.https}),
        owner=secrets.token_hex(OWNER_BYTES),
        has_server=has_server,
        on_issued=on_issued,
    )


def _acme_issuer() -> Issuer:
    from mailstack.clients.acme.issuer import AcmeIssuer  # half a second of imports, for what is rarely done

    return AcmeIssuer(clock=system_clock)
