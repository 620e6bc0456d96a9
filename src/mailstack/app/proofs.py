"""Keeps the handshakes that prove host names as the store has them, for one worker.

Woken by whoever leaves or removes a proof; a wake-up that was lost is made good by a look now and then.
"""

import asyncio
import ssl

import structlog

from mailstack.app.build import Adapters
from mailstack.model.challenge import ChallengeKind
from mailstack.model.errors import DomainError, Invalid
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
        self._wake = asyncio.Event()
        self._end_watch = adapters.bus.watch(CHALLENGE_TOPIC, self._wake.set)
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def end(self) -> None:
        self._end_watch()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                self._proofs.show(await self._contexts())
            except (DomainError, OSError) as fault:
                log.warning("proofs for certificates cannot be read", fault=repr(fault))
            except Exception:  # a bug met here must not leave this worker without proofs for good
                log.exception("proofs for certificates not shown")
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

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
