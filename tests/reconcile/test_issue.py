"""Certificates through plan and apply, with an authority in memory and a clock that is moved by hand."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from mailstack.app.silence import Silence
from mailstack.model.challenge import ChallengeKind
from mailstack.model.errors import Conflict, NotFound, TryAgainLater
from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS, Instant, iso
from mailstack.model.issuance import NotIssued, Registration, RenewalInfo
from mailstack.model.resource import CertificateBody, Kind, body_of
from mailstack.reconcile import issue
from mailstack.reconcile.brake import Brake, nobody
from mailstack.reconcile.dns.material import material_of
from mailstack.reconcile.dns.records import wanted_records
from mailstack.reconcile.dns.targets import NoDns
from mailstack.reconcile.issue import OnWait, Turn, check_issued
from mailstack.reconcile.plan import Plan, PlanWarning
from mailstack.reconcile.prepared import Prepared
from mailstack.reconcile.progress import CertificateNotIssued, ContactTold, Event, OrderElsewhere, TurnAwaited
from mailstack.reconcile.providers.acme import RENEWALS_ASKED_EVERY_MS
from mailstack.reconcile.providers.asked_renewal import ask_renewal
from mailstack.reconcile.providers.certs import check_pair, key_digest, self_signed
from mailstack.reconcile.reconciler import Reconciler
from mailstack.spec.faults import SpecInvalid
from mailstack.store.sqlite.open import SqliteStore, open_store
from tests.support.fake_clock import FakeClock
from tests.support.memory_dns import MemoryDns
from tests.support.memory_issuer import MemoryIssuer, at_once, issuing_by
from tests.support.running import DEADLINE_S
from tests.support.specs import SpecValue, spec_value

HOST = "mail.example.com"
AUTHORITY = "https://acme-v02.api.letsencrypt.org/directory"
STS = {"example.com": {"mta_sts": {"mode": "testing"}}}


def spec_of(acme: Mapping[str, object] | None = None, **settings: object) -> SpecValue:
    return spec_value({"tls": {"issuer": "acme", "acme": acme or {}}, **settings})


@dataclass(slots=True, kw_only=True)
class World:
    store: SqliteStore
    clock: FakeClock
    issuer: MemoryIssuer
    folder: Path
    dns: MemoryDns = field(default_factory=MemoryDns)
    events: list[Event] = field(default_factory=list)
    has_server: bool = True
    turn: Turn = at_once

    def reconciler(self) -> Reconciler:
        return Reconciler(
            state=self.store.state,
            clock=self.clock,
            hash_password=str,
            brake=Brake(holders=nobody),
            live_dns=self.dns,
            issuing=issuing_by(self.issuer, self.store, has_server=self.has_server, turn=self.turn),
        )

    async def plan(self, spec: SpecValue) -> Prepared:
        return await self.reconciler().plan(spec)

    async def apply(self, spec: SpecValue) -> Plan:
        prepared = await self.plan(spec)
        await self.reconciler().apply(prepared, self.events.append)
        await self.reconciler().order(prepared, self.events.append)
        await self.publish(spec)
        return prepared.plan

    async def publish(self, spec: SpecValue) -> None:
        """What a person does, or a provider: every record that the spec asks for is in DNS."""
        snapshot = await self.store.state.snapshot()
        records = wanted_records(spec.spec, material_of(spec.spec, snapshot.resources.values()))
        self.dns.servers["ns1"] = {record.key: record.values for record in records}

    async def held(self, name: str = HOST) -> CertificateBody:
        snapshot = await self.store.state.snapshot()
        return body_of(CertificateBody, snapshot.resources[Kind.CERTIFICATE, name])

    async def key(self, name: str = HOST) -> str:
        return (await self.store.state.secrets(Kind.CERTIFICATE))[name]["key"]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clock = FakeClock()
    store = await open_store(tmp_path / "store", clock=clock, bus=Silence())
    found = World(store=store, clock=clock, issuer=MemoryIssuer(clock=clock), folder=tmp_path)
    # A server that has a self-signed certificate, and DKIM keys that sign: what is left to do is certificates.
    await found.apply(spec_value({}))
    await found.apply(spec_value({}))
    yield found
    await store.close()


def warnings_of(plan: Plan) -> list[str]:
    return [warning.text for warning in plan.warnings if warning.subject.startswith("certificate ")]


async def test_a_new_server_gets_its_certificates_in_one_apply_and_the_next_plan_is_empty(world: World) -> None:
    spec = spec_of(domains=STS)
    plan = await world.apply(spec)
    reasons = {change.name: change.reason for change in plan.changes if change.kind == "certificate"}
    assert reasons == dict.fromkeys((HOST, "mta-sts.example.com"), "ordered from Let's Encrypt")
    for name in (HOST, "mta-sts.example.com"):
        body = await world.held(name)
        assert (body.issuer, body.names) == ("acme", (name,))
        check_pair(body.certificate, await world.key(name))
    after = await world.plan(spec)
    assert after.plan.is_empty
    assert warnings_of(after.plan) == []
    assert after.again_at is not None
    assert after.again_at > world.clock() + 55 * DAY_MS


async def test_the_account_key_is_one_for_all_orders_and_kept(world: World) -> None:
    await world.apply(spec_of(domains=STS))
    await world.apply(spec_of({"key": "rsa2048"}, domains=STS))
    assert len({order.account.key for order in world.issuer.orders}) == 1
    assert len(world.issuer.orders) == 4


async def test_a_self_signed_one_serves_until_the_order_succeeds(world: World) -> None:
    world.issuer.refusals = [NotIssued("port 80 is closed")]
    await world.apply(spec_of())
    temporary, key = await world.held(), await world.key()
    assert temporary.issuer == "self-signed"
    check_pair(temporary.certificate, key)
    waiting = await world.plan(spec_of())
    assert waiting.plan.is_empty
    assert waiting.again_at == world.clock() + 5 * MINUTE_MS
    assert "port 80 is closed" in warnings_of(waiting.plan)[0]
    world.clock.advance(5 * MINUTE_MS)
    await world.apply(spec_of())
    issued = await world.held()
    assert issued.issuer == "acme"
    # The same key, so that a TLSA record of the first one is good for the second.
    assert key_digest(issued.certificate) == key_digest(temporary.certificate)
    assert warnings_of((await world.plan(spec_of())).plan) == []


async def renewed(world: World) -> None:
    """By the next plan that has something to do."""
    prepared = await world.plan(spec_of())
    assert prepared.plan.is_empty
    assert prepared.again_at is not None
    world.clock.now = prepared.again_at
    assert [change.name for change in (await world.apply(spec_of())).changes] == [HOST]


async def test_renewals_keep_the_key_for_a_year_and_are_few(world: World) -> None:
    await world.apply(spec_of())
    key, start = await world.key(), world.clock()
    while world.clock() < start + 300 * DAY_MS:
        await renewed(world)
        assert await world.key() == key
    assert 6 <= len(world.issuer.orders) <= 7
    while world.clock() < start + 365 * DAY_MS:
        await renewed(world)
    assert await world.key() != key


async def test_a_renewal_that_fails_for_weeks_is_tried_rarely_and_the_old_one_goes_on(world: World) -> None:
    await world.apply(spec_of())
    first = await world.held()
    prepared = await world.plan(spec_of())
    assert prepared.again_at is not None
    world.clock.now = prepared.again_at
    world.issuer.refusals = [NotIssued("the authority is down")] * 1_000
    start, tries = world.clock(), 0
    while world.clock() < start + 20 * DAY_MS:
        await world.apply(spec_of())
        tries += 1
        prepared = await world.plan(spec_of())
        assert prepared.again_at is not None
        world.clock.now = prepared.again_at
    assert tries < 30
    assert await world.held() == first
    assert "days more" in warnings_of(prepared.plan)[0]


async def test_a_rate_limit_is_respected(world: World) -> None:
    until = Instant(world.clock() + 50 * HOUR_MS)
    world.issuer.refusals = [NotIssued("no more", not_before=until)]
    await world.apply(spec_of())
    assert (await world.plan(spec_of())).again_at == until


async def test_a_name_that_cannot_be_proved_stops_no_other(world: World) -> None:
    world.issuer.refusals = [NotIssued("no address")]
    await world.apply(spec_of(domains=STS))
    assert (await world.held(HOST)).issuer == "self-signed"
    assert (await world.held("mta-sts.example.com")).issuer == "acme"


@pytest.mark.parametrize("what", ["nonsense", "another key", "another name"])
async def test_what_is_of_no_use_is_not_taken_in(world: World, what: str) -> None:
    await world.apply(spec_of(domains=STS))
    held = await world.held()
    other = await world.held("mta-sts.example.com")
    of_another_key, _ = self_signed((HOST,), world.clock())
    world.issuer.answers = {"nonsense": what, "another key": of_another_key, "another name": other.certificate}[what]
    await world.apply(spec_of({"directory": "letsencrypt-staging"}, domains=STS))
    assert await world.held() == held
    reasons = [event.reason for event in world.events if isinstance(event, CertificateNotIssued)]
    assert reasons[0].startswith("the authority sent a chain that is of no use")


async def test_a_certificate_for_fewer_names_is_not_taken_in(world: World) -> None:
    chain, key = self_signed((HOST,), world.clock())
    with pytest.raises(NotIssued, match="not good for www"):
        check_issued(chain, key, (HOST, "www.example.com"), world.clock())


async def test_without_a_server_proofs_by_http_are_left_to_serve(world: World) -> None:
    world.has_server = False
    await world.apply(spec_of())
    assert world.issuer.orders == []
    after = await world.plan(spec_of())
    assert after.plan.is_empty
    assert "mailstack serve orders it when it runs" in warnings_of(after.plan)[0]
    world.has_server = True
    await world.apply(spec_of())
    assert (await world.held()).issuer == "acme"


@pytest.mark.parametrize(
    ("challenge", "may_order", "orders"), [("http-01", True, 1), ("http-01", False, 0), ("dns-01", True, 0)]
)
async def test_without_dns_only_proofs_that_need_none_are_tried_and_only_where_that_is_meant(
    world: World, challenge: str, may_order: bool, orders: int
) -> None:
    spec = spec_of({"challenge": challenge})
    without_dns = replace(world.reconciler(), dns=NoDns(may_order=may_order))
    prepared = await without_dns.plan(spec)
    await without_dns.apply(prepared)
    await without_dns.order(prepared)
    assert len(world.issuer.orders) == orders
    assert warnings_of(prepared.plan) == []


async def test_what_is_the_same_of_many_certificates_is_said_once(world: World) -> None:
    world.has_server = False
    domains = {f"d{number}.example": {"mta_sts": {"mode": "testing"}} for number in range(20)}
    warnings = (await world.plan(spec_of(domains=domains))).plan.warnings
    assert [item.subject for item in warnings if item.subject.startswith("certificate")] == [
        f"certificate {HOST}",  # which has one to go on with
        "certificates mta-sts.d0.example, mta-sts.d1.example, mta-sts.d2.example, mta-sts.d3.example,"
        " mta-sts.d4.example and 15 more",
    ]


async def test_an_external_account_is_a_secret_that_is_needed_until_the_account_is_made(world: World) -> None:
    spec = spec_of({"eab": {"key_id": "kid-1", "key": f"file/{world.folder / 'eab'}"}})
    with pytest.raises(SpecInvalid, match=r"tls\.acme\.eab\.key: the secret file .*eab cannot be read"):
        await world.plan(spec)
    (world.folder / "eab").write_text("zWNDZM6eQGHWpSRTPal5\n")
    await world.apply(spec)
    account = world.issuer.orders[0].account
    assert (account.eab_key_id, account.eab_key) == ("kid-1", "zWNDZM6eQGHWpSRTPal5")
    (world.folder / "eab").unlink()
    assert (await world.plan(spec)).plan.is_empty


async def test_what_another_process_has_ordered_since_the_plan_is_not_ordered_twice(world: World) -> None:
    spec = spec_of(domains=STS)
    ours = await world.plan(spec)
    await world.reconciler().apply(ours, world.events.append)
    world.clock.advance(MINUTE_MS)
    await world.apply(spec)  # another process, which sees certificates that have yet to be ordered
    assert len(world.issuer.orders) == 2
    await world.reconciler().order(ours, world.events.append)
    assert len(world.issuer.orders) == 2
    assert OrderElsewhere(name=HOST) in world.events


async def test_what_another_process_has_ordered_otherwise_is_ordered_all_the_same(world: World) -> None:
    await world.apply(spec_of())
    ours = await world.plan(spec_of({"key": "rsa2048"}))
    await world.reconciler().apply(ours, world.events.append)
    world.clock.advance(60 * DAY_MS)
    await world.apply(spec_of())
    await world.reconciler().order(ours, world.events.append)
    assert [len(order.key) > 1_000 for order in world.issuer.orders] == [False, False, True]


async def test_whoever_comes_second_leaves_the_order_to_the_first(world: World) -> None:
    now = world.clock()
    assert await world.store.locks.acquire(f"certificate {HOST}", "another", now=now, until=Instant(now + 1_000))
    await world.apply(spec_of())
    assert world.issuer.orders == []
    assert OrderElsewhere(name=HOST) in world.events
    again_at = (await world.plan(spec_of())).again_at
    assert again_at is not None
    assert again_at <= now + 5 * MINUTE_MS


async def test_a_lease_outlives_a_store_that_is_busy_for_a_moment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issue, "RENEW_LEASE_S", 0.0)
    taken, is_taken_again = [0], asyncio.Event()
    acquire = world.store.locks.acquire

    async def busy_at_first(name: str, owner: str, *, now: Instant, until: Instant) -> bool:
        taken[0] += 1
        if taken[0] == 2:
            raise TryAgainLater("too many writes waiting")
        if taken[0] > 2:
            is_taken_again.set()
        return await acquire(name, owner, now=now, until=until)

    monkeypatch.setattr(world.store.locks, "acquire", busy_at_first)

    async def look() -> None:
        async with asyncio.timeout(DEADLINE_S):
            await is_taken_again.wait()

    world.issuer.meanwhile = look
    await world.apply(spec_of())
    assert (await world.held()).issuer == "acme"


async def test_what_was_issued_outlives_an_apply_that_came_between(world: World) -> None:
    await world.apply(spec_of())
    other = spec_of({"key": "rsa2048"}, aliases={"a@example.com": ["b@example.net"]})

    async def apply_another() -> None:
        without_orders = replace(world.reconciler(), issuing=None)
        await without_orders.apply(await without_orders.plan(other))

    world.issuer.meanwhile = apply_another
    await world.apply(spec_of({"key": "rsa2048"}))
    assert (await world.held()).key_type == "rsa2048"
    snapshot = await world.store.state.snapshot()
    assert (snapshot.spec_hash, (Kind.ALIAS, "a@example.com") in snapshot.resources) == (other.digest, True)


async def test_a_certificate_that_nobody_wants_any_more_is_not_taken_in(world: World) -> None:
    chain, key = self_signed((HOST,), world.clock())
    (tmp := world.folder / "mail.pem").write_text(chain)
    (world.folder / "mail.key").write_text(key)
    files = [{"certificate": str(tmp), "key": f"file/{world.folder / 'mail.key'}"}]

    async def use_files() -> None:
        without_orders = replace(world.reconciler(), issuing=None)
        await without_orders.apply(await without_orders.plan(spec_value({"tls": {"issuer": "files", "files": files}})))

    world.issuer.meanwhile = use_files
    await world.apply(spec_of())
    assert (await world.held()).issuer == "files"


@dataclass(slots=True, kw_only=True)
class OneTurn:
    """As app.turn, within this process. held: who has it, "" for nobody. taken: what for, in order."""

    held: str = ""
    taken: list[str] = field(default_factory=list)
    is_refused: bool = False

    @asynccontextmanager
    async def take(self, what: str, on_wait: OnWait) -> AsyncIterator[None]:
        if self.held:
            on_wait(self.held)
        if self.is_refused:
            raise TryAgainLater(f"another apply is at work: {self.held}")
        assert not self.held
        self.held = what
        self.taken.append(what)
        yield
        self.held = ""


async def test_nobody_holds_the_turn_while_an_authority_is_waited_for(world: World) -> None:
    turn, seen = OneTurn(), []

    async def look() -> None:
        seen.append(turn.held)

    world.issuer.meanwhile = look
    world.turn = turn.take
    await world.apply(spec_of(domains=STS))
    assert seen == ["", ""]
    assert turn.taken == ["what an authority has answered"] * 2
    assert (await world.held()).issuer == "acme"


async def test_what_was_issued_is_taken_in_though_another_apply_has_the_turn_for_ever(world: World) -> None:
    world.turn = OneTurn(held="process 7 (mailstack apply)", is_refused=True).take
    await world.apply(spec_of())
    assert (await world.held()).issuer == "acme"
    assert TurnAwaited(holder="process 7 (mailstack apply)") in world.events


async def test_a_renewal_names_the_certificate_that_it_replaces(world: World) -> None:
    await world.apply(spec_of())
    first = await world.held()
    await renewed(world)
    await world.apply(spec_of({"directory": "letsencrypt-staging"}))
    assert [order.replaces for order in world.issuer.orders] == ["", first.certificate, ""]


async def test_an_authority_is_told_of_a_new_contact_and_the_next_plan_is_empty(world: World) -> None:
    await world.apply(spec_of({"email": "a@example.com"}))
    told = await world.apply(spec_of({"email": "b@example.com"}))
    assert [(change.kind, change.fields[0].new) for change in told.changes] == [("acme_account", "b@example.com")]
    assert world.issuer.contacts == ["b@example.com"]
    assert world.events[-1] == ContactTold(authority=AUTHORITY, email="b@example.com")
    assert (await world.plan(spec_of({"email": "b@example.com"}))).plan.is_empty
    await world.apply(spec_of())
    assert world.issuer.contacts == ["b@example.com", ""]


async def test_a_contact_that_is_refused_is_not_what_the_state_says(world: World) -> None:
    await world.apply(spec_of({"email": "a@example.com"}))
    world.issuer.refusals = [NotIssued("no such host")]
    await world.apply(spec_of({"email": "b@example.com"}))
    snapshot = await world.store.state.snapshot()
    assert snapshot.resources[Kind.ACME_ACCOUNT, AUTHORITY].fields["email"] == "a@example.com"
    waiting = await world.plan(spec_of({"email": "b@example.com"}))
    assert (waiting.plan.is_empty, waiting.again_at) == (True, world.clock() + 5 * MINUTE_MS)
    world.clock.advance(5 * MINUTE_MS)
    await world.apply(spec_of({"email": "b@example.com"}))
    assert world.issuer.contacts == ["b@example.com"]
    assert (await world.plan(spec_of({"email": "b@example.com"}))).plan.warnings == told_of_nothing(waiting.plan)


def told_of_nothing(plan: Plan) -> tuple[PlanWarning, ...]:
    return tuple(warning for warning in plan.warnings if not warning.subject.startswith("acme_account"))


async def test_the_accounts_url_is_kept_but_not_what_could_break_a_record(world: World) -> None:
    world.issuer.registration = Registration(uri="https://ca.example/acct/7", caa_names=("ca.example", 'x"; bad'))
    await world.apply(spec_of())
    fields = (await world.store.state.snapshot()).resources[Kind.ACME_ACCOUNT, AUTHORITY].fields
    assert (fields["uri"], fields["caa_names"]) == ("https://ca.example/acct/7", ["ca.example"])
    world.issuer.registration = Registration(uri="https://ca.example/acct/8;x")
    await world.apply(spec_of({"key": "rsa2048"}))
    fields = (await world.store.state.snapshot()).resources[Kind.ACME_ACCOUNT, AUTHORITY].fields
    assert fields["uri"] == "https://ca.example/acct/7"


def window(start: Instant, length_ms: int = HOUR_MS) -> RenewalInfo:
    return RenewalInfo(start=start, end=Instant(start + length_ms))


async def test_a_certificate_is_renewed_when_its_authority_suggests_it(world: World) -> None:
    start = Instant(world.clock() + 10 * DAY_MS)
    world.issuer.renewal = window(start)
    await world.apply(spec_of())
    first = await world.held()
    while (prepared := await world.plan(spec_of())).plan.is_empty:
        assert prepared.again_at is not None
        assert prepared.again_at <= world.clock() + RENEWALS_ASKED_EVERY_MS
        await world.apply(spec_of())
        world.clock.now = prepared.again_at
    assert start <= world.clock() <= start + HOUR_MS
    world.issuer.renewal = None
    (change,) = (await world.apply(spec_of())).changes
    assert "and the authority suggests it" in change.reason
    assert (await world.held()).certificate != first.certificate
    assert (await world.held()).renew_from == ""


async def test_a_suggestion_that_moves_is_noted_when_it_is_asked_for_every_few_hours(world: World) -> None:
    world.issuer.renewal = window(Instant(world.clock() + 50 * DAY_MS))
    await world.apply(spec_of())
    asked = world.issuer.asked
    for _ in range(6):  # as for a drift check
        world.clock.advance(15 * MINUTE_MS)
        await world.apply(spec_of())
    assert world.issuer.asked - asked <= 1
    soon = Instant(world.clock() + 2 * DAY_MS)
    world.issuer.renewal = window(soon)
    world.clock.advance(RENEWALS_ASKED_EVERY_MS)
    generation = await world.store.state.generation()
    await world.apply(spec_of())
    assert (await world.held()).renew_from == iso(soon)
    assert await world.store.state.generation() == generation + 1


async def test_an_authority_that_wants_each_certificate_renewed_at_once_is_not_obeyed_for_ever(world: World) -> None:
    world.issuer.renewal = window(Instant(world.clock() - DAY_MS))
    await world.apply(spec_of())
    for _ in range(20):
        world.clock.advance(HOUR_MS)
        await world.apply(spec_of())
    assert len(world.issuer.orders) == 1


async def asked(world: World, name: str = "", *, is_forced: bool = False) -> tuple[str, ...]:
    return await ask_renewal(world.store.state, world.store.issuance, name, is_forced=is_forced, now=world.clock())


async def test_an_order_that_failed_is_tried_at_once_when_somebody_asks(world: World) -> None:
    world.issuer.refusals = [NotIssued("port 80 is closed")]
    await world.apply(spec_of(domains=STS))
    assert (await world.plan(spec_of(domains=STS))).plan.is_empty
    assert await asked(world) == (HOST,)
    (change,) = (await world.apply(spec_of(domains=STS))).changes
    assert change.name == HOST
    body = await world.held()
    assert (body.issuer, body.renewal) == ("acme", "")
    assert await asked(world) == ()


async def test_a_certificate_that_is_good_is_ordered_anew_only_by_force_and_keeps_its_key(world: World) -> None:
    await world.apply(spec_of())
    key, generation = await world.key(), await world.store.state.generation()
    with pytest.raises(Conflict, match="is good for 90 days more and is renewed by itself; --force"):
        await asked(world, HOST)
    with pytest.raises(NotFound, match=rf"there is no certificate other\.example \(certificates: {HOST}\)"):
        await asked(world, "other.example")
    assert await world.store.state.generation() == generation
    assert await asked(world, HOST, is_forced=True) == (HOST,)
    (change,) = (await world.apply(spec_of())).changes
    assert change.reason == "ordered anew, as somebody asked"
    assert await world.key() == key
    assert len(world.issuer.orders) == 2
    assert (await world.plan(spec_of())).plan.is_empty


async def test_what_was_asked_for_and_fails_waits_like_any_other_order(world: World) -> None:
    await world.apply(spec_of())
    held = await world.held()
    await asked(world, HOST, is_forced=True)
    world.issuer.refusals = [NotIssued("the authority is down")]
    await world.apply(spec_of())
    waiting = await world.plan(spec_of())
    assert (waiting.plan.is_empty, waiting.again_at) == (True, world.clock() + 5 * MINUTE_MS)
    world.clock.advance(5 * MINUTE_MS)
    await world.apply(spec_of())
    assert (await world.held()).certificate != held.certificate


async def test_proofs_are_shown_while_the_authority_looks_and_gone_afterwards(world: World) -> None:
    seen: list[str] = []

    async def look() -> None:
        seen.extend(await world.store.challenges.names(ChallengeKind.HTTP_01, now=world.clock()))

    world.issuer.meanwhile = look
    await world.apply(spec_of())
    assert seen == [f"t-{HOST}"]
    assert list(await world.store.challenges.names(ChallengeKind.HTTP_01, now=world.clock())) == []


async def test_six_day_certificates_are_renewed_every_four_days(world: World) -> None:
    world.issuer.lifetime = timedelta(days=6)
    await world.apply(spec_of())
    again_at = (await world.plan(spec_of())).again_at
    assert again_at is not None
    assert 3.5 * DAY_MS < again_at - world.clock() < 4.2 * DAY_MS


@pytest.mark.parametrize("days", [70, 100, 400])
async def test_a_clock_that_is_far_ahead_orders_no_certificates_without_end(world: World, days: int) -> None:
    await world.apply(spec_of())
    held, orders = await world.held(), len(world.issuer.orders)
    world.clock.advance(days * DAY_MS)
    world.issuer.behind = timedelta(days=days)
    for _ in range(10):
        await world.apply(spec_of())
        world.clock.advance(MINUTE_MS)
    assert len(world.issuer.orders) - orders <= 2
    assert await world.held() == held
    reasons = [event.reason for event in world.events if isinstance(event, CertificateNotIssued)]
    assert "is this machine's clock right?" in reasons[0]


async def test_a_failure_that_a_clock_far_ahead_has_noted_is_not_waited_for(world: World) -> None:
    world.clock.advance(400 * DAY_MS)
    world.issuer.refusals = [NotIssued("the authority's certificate is not trusted")]
    await world.apply(spec_of())
    world.clock.advance(-400 * DAY_MS)
    await world.apply(spec_of())
    assert (await world.held()).issuer == "acme"


TTL_MS = 600_000
TLSA = (f"_25._tcp.{HOST}", "TLSA")


def dane(key: str = "ecdsa256") -> SpecValue:
    return spec_value(
        {
            "tls": {"issuer": "acme", "dane": True, "acme": {"key": key}},
            "dns": {"zones": {"example.com": {"provider": "manual", "ttl": 600}}},
            "reconcile": {"drift_check": None},
        }
    )


def tlsa(body: CertificateBody) -> str:
    return f"3 1 1 {key_digest(body.certificate)}"


async def test_a_new_key_is_in_dns_for_two_ttls_before_it_is_used_and_the_old_ones_record_goes_last(
    world: World,
) -> None:
    await world.apply(dane())
    old = await world.held()
    assert (tlsa(old),) == world.dns.servers["ns1"][TLSA]
    world.dns.servers["ns2"] = dict(world.dns.servers["ns1"])  # a secondary that lags

    announced = await world.apply(dane("rsa2048"))
    assert [change.reason for change in announced.changes] == [
        "a new key: its TLSA record is published before it is used"
    ]
    both = world.dns.servers["ns1"][TLSA]
    assert both[0] == tlsa(old)
    assert len(both) == 2
    orders = len(world.issuer.orders)

    assert (await world.plan(dane("rsa2048"))).plan.is_empty
    world.clock.advance(5 * MINUTE_MS)
    waiting = await world.plan(dane("rsa2048"))
    assert waiting.plan.is_empty
    assert warnings_of(waiting.plan) == ["the TLSA record of its new key is not seen yet at ns2; the old key goes on"]
    world.dns.servers["ns2"] = dict(world.dns.servers["ns1"])
    world.clock.advance(5 * MINUTE_MS)
    assert [change.reason for change in (await world.apply(dane("rsa2048"))).changes] == [
        "the TLSA record of its new key is seen at ns1, ns2"
    ]
    seen_at = world.clock()
    waiting = await world.plan(dane("rsa2048"))
    assert waiting.plan.is_empty
    assert waiting.again_at is not None
    assert seen_at + 2 * TTL_MS - 1_000 <= waiting.again_at <= seen_at + 2 * TTL_MS
    assert len(world.issuer.orders) == orders

    world.clock.now = waiting.again_at
    await world.apply(dane("rsa2048"))
    new = await world.held()
    assert (new.key_type, tlsa(new)) == ("rsa2048", both[1])
    check_pair(new.certificate, await world.key())
    assert set(world.dns.servers["ns1"][TLSA]) == set(both)

    done = await world.plan(dane("rsa2048"))
    assert done.plan.is_empty
    assert done.again_at is not None
    world.clock.now = done.again_at
    assert [change.reason for change in (await world.apply(dane("rsa2048"))).changes] == [
        "the TLSA record of the former key is not needed any more"
    ]
    assert (tlsa(new),) == world.dns.servers["ns1"][TLSA]
    assert (await world.plan(dane("rsa2048"))).plan.is_empty


async def test_two_years_under_dane_never_show_a_key_that_senders_may_not_know(world: World) -> None:
    history: list[tuple[Instant, frozenset[str]]] = []
    keys: set[str] = set()
    await world.apply(dane())
    start, applies = world.clock(), 0
    while world.clock() < start + 730 * DAY_MS:
        history.append((world.clock(), frozenset(world.dns.servers["ns1"][TLSA])))
        body = await world.held()
        keys.add(tlsa(body))
        # Whatever a resolver has kept for a TTL, it holds the key that is shown.
        kept = [published for at, published in history if at >= world.clock() - TTL_MS] or [history[-1][1]]
        if len(history) > 1:
            kept.append(next(published for at, published in reversed(history[:-1]) if at <= world.clock() - TTL_MS))
        assert all(tlsa(body) in published for published in kept)
        prepared = await world.plan(dane())
        assert prepared.plan.is_empty
        assert prepared.again_at is not None
        world.clock.now = prepared.again_at
        await world.apply(dane())
        applies += 1
    assert len(keys) == 2
    assert applies < 40


async def test_a_renewal_in_the_middle_of_a_roll_keeps_the_old_key_and_the_roll(world: World) -> None:
    await world.apply(dane())
    old = await world.held()
    world.dns.servers["ns2"] = dict(world.dns.servers["ns1"])
    await world.apply(dane("rsa2048"))
    world.clock.advance(80 * DAY_MS)
    await world.apply(dane("rsa2048"))
    renewed_one = await world.held()
    assert renewed_one.certificate != old.certificate
    assert tlsa(renewed_one) == tlsa(old)
    check_pair(renewed_one.certificate, await world.key())
    assert renewed_one.next_key_digest in world.dns.servers["ns1"][TLSA][1]
    assert "next_key" in (await world.store.state.secrets(Kind.CERTIFICATE))[HOST]


async def test_without_dane_another_kind_of_key_is_used_at_once(world: World) -> None:
    await world.apply(spec_of())
    await world.apply(spec_of({"key": "rsa2048"}))
    body = await world.held()
    assert (body.key_type, body.next_key_digest, body.last_key_digest) == ("rsa2048", "", "")
    check_pair(body.certificate, await world.key())


@pytest.mark.parametrize("key", ["ecdsa256", "rsa2048"])  # the same kind, or a roll to another one under way
async def test_under_dane_a_certificate_of_our_own_has_the_key_that_the_authoritys_had(world: World, key: str) -> None:
    await world.apply(dane())
    old = await world.held()
    await world.apply(dane(key))
    own = spec_value(
        {
            "tls": {"issuer": "self-signed", "dane": True},
            "dns": {"zones": {"example.com": {"provider": "manual", "ttl": 600}}},
        }
    )
    await world.apply(own)
    new = await world.held()
    assert (new.issuer, new.authority, new.next_key_digest) == ("self-signed", "", "")
    assert world.dns.servers["ns1"][TLSA] == (tlsa(new),) == (tlsa(old),)
    check_pair(new.certificate, await world.key())
    assert (await world.plan(own)).plan.is_empty


async def test_a_roll_that_loses_its_dane_uses_the_next_key_at_once(world: World) -> None:
    await world.apply(dane())
    await world.apply(dane("rsa2048"))
    made = (await world.held()).next_key_digest
    await world.apply(spec_of({"key": "rsa2048"}))
    body = await world.held()
    assert (key_digest(body.certificate), body.next_key_digest) == (made, "")
    assert (await world.plan(spec_of({"key": "rsa2048"}))).plan.is_empty
