"""Logging in by SASL, for every protocol that has it: what is offered on a connection, and one exchange from the first
message to an account. A protocol server carries the messages over its own lines. RFC 4422, RFC 5802.
"""

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import assert_never

from mailstack.model.delivery import Credentials
from mailstack.model.errors import AuthenticationFailed
from mailstack.model.principal import Ability, Account
from mailstack.services.identity.login import SCRAM, Login, LoginOrigin
from mailstack.wire.sasl.encoding import encode_challenge
from mailstack.wire.sasl.mechanisms import Offer, mechanism
from mailstack.wire.sasl.steps import Broken, Challenge, Disproved, Mechanism, NeedsVerifier, Proved

NONCE_OCTETS = 18

Ask = Callable[[Challenge], Awaitable[bytes]]
"""Sends a challenge and returns the decoded response; raises what ends the exchange."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaslService:
    """end_point: of a connection's TLS, the hash of the certificate that it showed, None where that is not certain.
    token: random bytes."""

    login: Login
    end_point: Callable[[ssl.SSLObject], bytes | None]
    token: Callable[[int], bytes]

    def offer(self, tls: ssl.SSLObject | None) -> Offer:
        return Offer(has_verifiers=self.login.has_verifiers, end_point=None if tls is None else self.end_point(tls))

    def exchange(self, name: str, tls: ssl.SSLObject | None) -> Mechanism | None:
        """A fresh one; None for a mechanism that is not offered."""
        return mechanism(name, self.offer(tls), nonce=encode_challenge(self.token(NONCE_OCTETS)).decode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One try to come in. ability: what the account must be able to do. tell: takes the mechanism's last message, for
    the reply of success to carry; None where that carries none."""

    login: Login
    ability: Ability
    origin: LoginOrigin
    ask: Ask
    tell: Callable[[bytes], None] | None = None


async def log_in(exchange: Mechanism, initial: bytes | None, entry: Entry) -> Account:
    """Raises AuthenticationFailed, Forbidden, TryAgainLater, and what asking raises."""
    step = exchange.begin(initial)
    while isinstance(step, Challenge):
        step = exchange.respond(await entry.ask(step))
    match step:
        case Credentials():
            return await entry.login.authenticate(
                step.username, step.password, ability=entry.ability, origin=entry.origin
            )
        case NeedsVerifier():
            return await _log_in_by_proof(exchange, step, replace(entry, origin=replace(entry.origin, proof=SCRAM)))
        case Broken():
            raise await entry.login.failed(entry.origin, "", step.reason)
        case Proved() | Disproved():
            raise RuntimeError("proved before anything was asked")
        case _:
            assert_never(step)


async def _log_in_by_proof(exchange: Mechanism, needed: NeedsVerifier, entry: Entry) -> Account:
    candidate = await entry.login.candidate(needed.username, entry.origin)
    step = needed.answer(candidate.verifier)
    while isinstance(step, Challenge):
        step = exchange.respond(await entry.ask(step))
    if isinstance(step, Broken):
        raise await entry.login.failed(entry.origin, candidate.username, step.reason)
    if not isinstance(step, Proved):
        raise await entry.login.failed(entry.origin, candidate.username)
    account = await entry.login.admit(candidate, ability=entry.ability, origin=entry.origin)
    if entry.tell is not None:
        entry.tell(step.final.data)
        return account
    # RFC 4954 §4, RFC 9051 §6.2.2: neither success reply carries data, so the last message is a challenge of its own,
    # and what it is answered with is empty.
    if await entry.ask(step.final):
        raise AuthenticationFailed("more was said after the exchange")
    return account
