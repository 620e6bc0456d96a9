"""What ordering certificates takes, with the adapters that do it: for `serve`, `apply` and `plan` alike."""

import secrets
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from mailstack.app.clock import system_clock
from mailstack.app.own_answers import own_answers
from mailstack.app.store_address import StoreAddress
from mailstack.app.turn import apply_turn
from mailstack.ports.issuer import Issuer
from mailstack.ports.store import Store
from mailstack.reconcile.issue import Issuing, OnWait
from mailstack.spec.model import Spec

OWNER_BYTES = 8
TURN_WAIT_S = 600.0
"""A certificate that was issued is worth more patience than a person has."""


async def nobody_is_told() -> None:
    """A server that runs beside hears it from the store."""


def issuing_with(
    store: Store,
    storage: StoreAddress,
    spec: Spec,
    *,
    who: str,
    has_server: bool,
    on_issued: Callable[[], Awaitable[None]] = nobody_is_told,
) -> Issuing:
    """who: for others that wait meanwhile. has_server: one runs on this store, or will before anything is ordered."""

    def turn(what: str, on_wait: OnWait) -> AbstractAsyncContextManager[None]:
        return apply_turn(storage, f"{who}: {what}", on_wait=on_wait, wait_s=TURN_WAIT_S)

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
        turn=turn,
    )


def _acme_issuer() -> Issuer:
    from mailstack.clients.acme.issuer import AcmeIssuer  # half a second of imports, for what is rarely done

    return AcmeIssuer(clock=system_clock)
