"""A new key under DANE on a real name server: BIND 9 holds the TLSA records, and is asked whether they are seen.

The authority is in memory and the clock is moved by hand; octoDNS, updates, AXFR and the look at the servers are real.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mailstack.app.silence import Silence
from mailstack.model.instant import HOUR_MS, MINUTE_MS
from mailstack.model.resource import CertificateBody, Kind, body_of
from mailstack.ports.store import Store
from mailstack.reconcile.brake import Brake, nobody
from mailstack.reconcile.dns.authoritative import authoritative_dns
from mailstack.reconcile.providers.certs import key_digest
from mailstack.reconcile.reconciler import Reconciler
from tests.support.bind import Bind, running_bind
from tests.support.engines import open_store
from tests.support.fake_clock import FakeClock
from tests.support.memory_issuer import MemoryIssuer, issuing_by
from tests.support.specs import SpecValue, spec_value

pytestmark = pytest.mark.slow

ZONE = "example.test"
HOST = f"mail.{ZONE}"
FOREIGN = f"_443._tcp.{HOST}"
HEAD = f"""$TTL 300
@ IN SOA ns1 host 1 3600 600 604800 300
@ IN NS ns1
ns1 IN A 127.0.0.1
_443._tcp.mail IN TLSA 3 1 1 {"ab" * 32}
"""


@dataclass(slots=True, kw_only=True)
class Scene:
    bind: Bind
    store: Store
    clock: FakeClock
    issuer: MemoryIssuer

    def spec(self, key: str) -> SpecValue:
        zone = {"provider": "bind", "ttl": 300, "nameservers": [f"127.0.0.1:{self.bind.port}"]}
        return spec_value(
            {
                "server": {"hostname": HOST, "addresses": ["192.0.2.1"]},
                "domains": {ZONE: {}},
                "tls": {"issuer": "acme", "dane": True, "acme": {"key": key}},
                "dns": {"providers": {"bind": self.bind.provider()}, "zones": {ZONE: zone}},
            }
        )

    async def apply(self, key: str) -> list[str]:
        """Why the certificate changed."""
        spec = self.spec(key)
        reconciler = Reconciler(
            state=self.store.state,
            clock=self.clock,
            hash_password=str,
            brake=Brake(holders=nobody),
            live_dns=authoritative_dns(spec.spec),
            resolve=lambda _reference, _directory: self.bind.secret,
            issuing=issuing_by(self.issuer, self.store),
        )
        prepared = await reconciler.plan(spec)
        await reconciler.apply(prepared)
        await reconciler.order(prepared)
        return [change.reason for change in prepared.plan.changes if change.kind == "certificate"]

    async def shown(self) -> str:
        snapshot = await self.store.state.snapshot((Kind.CERTIFICATE,))
        return f"3 1 1 {key_digest(body_of(CertificateBody, snapshot.resources[Kind.CERTIFICATE, HOST]).certificate)}"

    def published(self) -> set[str]:
        return set(self.bind.records(ZONE)[f"_25._tcp.{HOST}", "TLSA"][1])


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    folder = tmp_path / "bind"
    folder.mkdir()
    clock = FakeClock()
    with running_bind(folder, {ZONE: HEAD}) as bind:
        store = await open_store(tmp_path / "store", clock=clock, bus=Silence())
        yield Scene(bind=bind, store=store, clock=clock, issuer=MemoryIssuer(clock=clock))
        await store.close()


async def test_at_no_moment_is_a_key_shown_that_dns_does_not_hold(scene: Scene) -> None:
    await scene.apply("ecdsa256")
    old = await scene.shown()
    assert scene.published() == {old}

    assert await scene.apply("rsa2048") == ["a new key: its TLSA record is published before it is used"]
    both = scene.published()
    assert (await scene.shown(), len(both), old in both) == (old, 2, True)

    scene.clock.advance(5 * MINUTE_MS)
    (reason,) = await scene.apply("rsa2048")
    assert reason.startswith("the TLSA record of its new key is seen at ")
    assert await scene.shown() == old

    scene.clock.advance(10 * MINUTE_MS)  # two TTLs of 300 seconds
    await scene.apply("rsa2048")
    new = await scene.shown()
    assert both == {old, new} == scene.published()

    scene.clock.advance(HOUR_MS)
    assert await scene.apply("rsa2048") == ["the TLSA record of the former key is not needed any more"]
    assert scene.published() == {new}
    assert await scene.apply("rsa2048") == []
    assert scene.bind.records(ZONE)[FOREIGN, "TLSA"] == (300, (f"3 1 1 {'ab' * 32}",))
