"""Keeps the handshakes that prove host names as the store has them, for one worker.

Woken by whoever leaves or removes a proof; a wake-up that was lost is made good by a look now and then.
"""

import ssl

import structlog

from mailstack.app.build import Adapters
from mailstack.app.woken import Woken
from mailstack.model.challenge import ChallengeKind
from mailstack.model.errors import Invalid
from mailstack.net.tls import Identity, server_context
from mailstack.net.tls_proofs import ACME_TLS, TlsProofs
from mailstack.ports.bus import CHALLENGE_TOPIC

log = structlog.get_logger()

LOOK_EVERY_S = 30.0


class ProofKeeper:
    """Begins at once, ends when cancelled by `end`."""

    def __init__(self, adapters: Adapters, proofs: TlsProofs) -> None:
        self._adapters = adapters
        self._proofs = proofs
        self._woken = Woken(
            self._show,
            bus=adapters.bus,
            topic=CHALLENGE_TOPIC,
            every_s=LOOK_EVERY_S,
            failing="proofs for certificates not shown",
        )

    async def end(self) -> None:
        await self._woken.end()

    async def _show(self) -> None:
        self._proofs.show(await self._contexts())

    async def _contexts(self) -> dict[str, ssl.SSLContext]:
        challenges, now = self._adapters.store.challenges, self._adapters.clock()
        found: dict[str, ssl.SSLContext] = {}
        for name in await challenges.names(ChallengeKind.TLS_ALPN_01, now=now):
            challenge = await challenges.find(ChallengeKind.TLS_ALPN_01, name, now=now)
            if challenge is None:
                continue
            # One PEM text holds both. RFC 8737 §3: the answer names this protocol alone.
            identity = Identity(names=(name,), chain=challenge.value, key="")
            try:
                found[name.lower()] = server_context(identity, protocols=(ACME_TLS,))
            except Invalid as fault:
                log.warning("a proof cannot be shown", name=name, reason=fault.detail)
        return found
