"""A year of rotations on a fake clock: applied only when something is due, with DNS that lags behind.

The promise: mail signed at any moment within the queue's lifetime verifies against what every server shows now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from mailstack.mailauth.dkim.keys import pair_of, record
from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS, Instant
from mailstack.model.resource import DkimKeyBody, KeyState, Kind
from mailstack.reconcile.brake import EVERYTHING_ALLOWED, Brake, nobody
from mailstack.reconcile.prepared import Prepared
from mailstack.reconcile.providers.keys import live_keys, resource_name
from mailstack.reconcile.reconciler import Reconciler
from mailstack.services.outbound.schedule import Schedule
from tests.support.fake_clock import FakeClock
from tests.support.memory_dns import MemoryDns
from tests.support.memory_state import MemoryState
from tests.support.specs import SpecValue, spec_value

START = 1_790_000_000_000
LIFETIME_MS = Schedule().lifetime_ms
Records = Mapping[str, str]
"""The text of each key's record, by name."""


@dataclass(kw_only=True)
class LaggingDns:
    """Servers that show what was published some time ago. lags_ms: by server. stuck: these show what they showed."""

    lags_ms: dict[str, int]
    stuck: set[str] = field(default_factory=set)
    published: list[tuple[Instant, Records]] = field(default_factory=list)
    live: MemoryDns = field(default_factory=lambda: MemoryDns(servers={}))

    def publish(self, now: Instant, records: Records) -> None:
        if not self.published or self.published[-1][1] != records:
            self.published.append((now, records))

    def show(self, now: Instant) -> None:
        for server, lag_ms in self.lags_ms.items():
            if server in self.stuck:
                continue
            known = [records for moment, records in self.published if moment + lag_ms <= now]
            shown = known[-1] if known else {}
            self.live.servers[server] = {(name, "TXT"): (text,) for name, text in shown.items()}


@dataclass(frozen=True, kw_only=True)
class Signed:
    """All mail from one moment to another, by one key. text: of its record, from the private key."""

    begin: Instant
    end: Instant
    name: str
    text: str


@dataclass(kw_only=True)
class Year:
    spec: SpecValue
    dns: LaggingDns
    clock: FakeClock = field(default_factory=lambda: FakeClock(START))
    state: MemoryState = field(default_factory=MemoryState)
    signed: list[Signed] = field(default_factory=list)
    plans: int = 0
    applies: int = 0
    unsigned_days: int = 0

    async def walk(self, days: int) -> None:
        end = Instant(START + days * DAY_MS)
        while self.clock.now < end:
            prepared = await self.look_after()
            assert prepared.again_at is not None
            assert prepared.again_at > self.clock.now
            await self.pass_time_until(min(prepared.again_at, end))

    async def look_after(self) -> Prepared:
        """What is due; a second plan at the same moment never has more."""
        self.dns.show(self.clock.now)
        prepared = await self.reconciler.plan(self.spec)
        self.plans += 1
        if prepared.steps:
            self.applies += 1
            await self.reconciler.apply(prepared)
            self.dns.publish(self.clock.now, _records(await self.keys()))
            prepared = await self.reconciler.plan(self.spec)
            assert prepared.plan.is_empty
        return prepared

    async def pass_time_until(self, moment: Instant) -> None:
        """Mail is sent all the time, and each day it is checked that receivers can verify it."""
        signing = [(resource_name(key), text) for key, text in await self._signing()]
        while self.clock.now < moment:
            begin, following = self.clock.now, min(Instant(self.clock.now + DAY_MS), moment)
            self.signed += [Signed(begin=begin, end=following, name=name, text=text) for name, text in signing]
            self.unsigned_days += not signing and following - begin >= DAY_MS
            self.clock.now = following
            self.dns.show(following)
            self.check()

    def check(self) -> None:
        self.signed = [mail for mail in self.signed if mail.end >= self.clock.now - LIFETIME_MS]
        for mail in self.signed:
            for server, held in self.dns.live.servers.items():
                assert held.get((mail.name, "TXT")) == (mail.text,), (server, mail)

    async def keys(self) -> Sequence[DkimKeyBody]:
        return live_keys(await self.state.snapshot((Kind.DKIM_KEY,)))

    async def _signing(self) -> list[tuple[DkimKeyBody, str]]:
        """With the text of the record that each one's signatures need."""
        secrets = await self.state.secrets(Kind.DKIM_KEY)
        keys = [key for key in await self.keys() if key.state == KeyState.SIGNS]
        pems = [secrets[resource_name(key)]["private_key"] for key in keys]
        pairs = [pair_of(key.algorithm, pem) for key, pem in zip(keys, pems, strict=True)]
        return [(key, record(key.algorithm, pair.public_key)) for key, pair in zip(keys, pairs, strict=True)]

    @property
    def reconciler(self) -> Reconciler:
        return Reconciler(
            state=self.state,
            clock=self.clock,
            hash_password=str,
            brake=Brake(holders=nobody, allowed=EVERYTHING_ALLOWED),
            live_dns=self.dns.live,
        )


def _records(keys: Sequence[DkimKeyBody]) -> Records:
    return {resource_name(key): record(key.algorithm, key.public_key) for key in keys}


def a_spec(**dkim: object) -> SpecValue:
    dns = {"zones": {"example.com": {"provider": "manual", "ttl": 3_600}}}
    settings = {"domains": {"example.com": {"dkim": dkim}}, "dns": dns, "reconcile": {"drift_check": None}}
    return spec_value(settings)


BOTH = ("rsa2048", "ed25519")


@pytest.mark.parametrize(
    ("algorithms", "lags_ms"),
    [
        (("ed25519",), {"ns1": 0}),
        (BOTH, {"ns1": MINUTE_MS, "ns2": 6 * HOUR_MS}),
        (("ed25519",), {"ns1": 3 * DAY_MS, "ns2": DAY_MS + 17 * MINUTE_MS}),
    ],
    ids=["at once", "hours", "days"],
)
async def test_every_mail_of_a_year_verifies_while_keys_are_rotated(
    algorithms: tuple[str, ...], lags_ms: dict[str, int]
) -> None:
    year = Year(spec=a_spec(rotate_every="90d", algorithms=algorithms), dns=LaggingDns(lags_ms=lags_ms))
    await year.walk(400)
    names = {name for _, records in year.dns.published for name in records}
    # Made at the start and followed four times, after 90 days and whatever DNS took.
    assert len(names) == 5 * len(algorithms)
    # Made, seen, withdrawn: a rotation is three applies, for both algorithms at once.
    assert year.applies <= 2 + 4 * 3
    assert year.plans < 600
    assert year.unsigned_days <= 3


async def test_a_server_that_takes_nothing_new_for_a_month_holds_the_rotation_and_no_mail() -> None:
    dns = LaggingDns(lags_ms={"ns1": MINUTE_MS, "ns2": MINUTE_MS})
    year = Year(spec=a_spec(rotate_every="30d", algorithms=["ed25519"]), dns=dns)
    await year.walk(20)
    dns.stuck.add("ns2")
    await year.walk(60)
    # The one before signs on while the follower is not seen everywhere.
    assert [key.state for key in await year.keys()] == ["signs", "published"]
    dns.stuck.clear()
    await year.walk(75)
    assert [key.state for key in await year.keys()] == ["signs"]


async def test_without_rotation_a_year_is_two_applies() -> None:
    year = Year(spec=a_spec(algorithms=["ed25519"]), dns=LaggingDns(lags_ms={"ns1": HOUR_MS}))
    while year.clock.now < START + 366 * DAY_MS:
        prepared = await year.look_after()
        again_at = prepared.again_at or Instant(year.clock.now + 30 * DAY_MS)
        await year.pass_time_until(again_at)
    assert year.applies == 2
    assert len(year.dns.published) == 1
