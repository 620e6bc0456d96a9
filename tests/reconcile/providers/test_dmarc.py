"""`dmarc: policy: auto`: stages by time and health, shown in plans, never back."""

from dataclasses import dataclass, field, replace

import pytest

from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS, Instant, iso
from mailstack.model.resource import Kind, Operation, ResourceChange
from mailstack.ports.dmarc_evidence import DmarcEvidence, Evidence, NoReports
from mailstack.reconcile.brake import EVERYTHING_ALLOWED, Brake, nobody
from mailstack.reconcile.plan import Change, Plan
from mailstack.reconcile.prepared import Prepared
from mailstack.reconcile.providers.keys import live_keys
from mailstack.reconcile.reconciler import Reconciler
from tests.support.fake_clock import FakeClock
from tests.support.memory_dns import MemoryDns
from tests.support.memory_state import MemoryState
from tests.support.published import publish_keys
from tests.support.specs import SpecValue, spec_value

START = Instant(1_790_000_000_000)
SPF = "v=spf1 a:mail.example.com -all"


@dataclass(frozen=True)
class Reported:
    """Works as DmarcEvidence: one answer for every domain."""

    evidence: Evidence

    async def reported(self, domain: str, since: Instant) -> Evidence | None:  # noqa: ARG002  one for all
        return self.evidence


@dataclass
class Server:
    """One whose DNS shows what it publishes, as far as a test lets it."""

    state: MemoryState = field(default_factory=MemoryState)
    dns: MemoryDns = field(default_factory=MemoryDns)
    clock: FakeClock = field(default_factory=lambda: FakeClock(START))
    evidence: DmarcEvidence = field(default_factory=NoReports)

    async def prepare(self, **dmarc: object) -> Prepared:
        return await self.reconciler.plan(a_spec(**dmarc))

    async def apply(self, **dmarc: object) -> Plan:
        """And what follows once the record is seen."""
        plan = await self.apply_unseen(**dmarc)
        self.show(policy(plan))
        await self.reconciler.apply(await self.prepare(**dmarc))
        assert (await self.prepare(**dmarc)).plan.is_empty
        return plan

    async def apply_unseen(self, **dmarc: object) -> Plan:
        prepared = await self.prepare(**dmarc)
        await self.reconciler.apply(prepared)
        return prepared.plan

    def show(self, stage: str, server: str = "ns1") -> None:
        self.dns.servers[server]["_dmarc.example.com", "TXT"] = (f"v=DMARC1; p={stage}",)

    async def begin(self, **dmarc: object) -> None:
        """The first apply, and the one that lets keys sign."""
        await self.apply(**dmarc)
        publish_keys(self.dns, live_keys(await self.state.snapshot((Kind.DKIM_KEY,))))
        self.dns.servers["ns1"]["example.com", "TXT"] = ("other=1", SPF)
        await self.apply(**dmarc)

    @property
    def reconciler(self) -> Reconciler:
        return Reconciler(
            state=self.state,
            clock=self.clock,
            hash_password=str,
            brake=Brake(holders=nobody, allowed=EVERYTHING_ALLOWED),
            live_dns=self.dns,
            dmarc_evidence=self.evidence,
        )


def a_spec(**dmarc: object) -> SpecValue:
    domain = {"dkim": {"algorithms": ["ed25519"]}, "dmarc": {"policy": "auto", **dmarc}}
    zones = {"example.com": {"provider": "manual"}}
    return spec_value({"domains": {"example.com": domain}, "dns": {"zones": zones}, "reconcile": {"drift_check": None}})


def the_stage(plan: Plan) -> Change | None:
    return next((change for change in plan.changes if change.kind == Kind.DMARC), None)


def policy(plan: Plan) -> str:
    """As the record to publish has it."""
    (line,) = [line for item in plan.by_hand for line in item.records if line.startswith("_dmarc.")]
    return line.partition("p=")[2].partition('"')[0]


def warnings(plan: Plan) -> list[str]:
    return [warning.text for warning in plan.warnings if "DMARC" in warning.text]


async def test_stages_follow_each_other_in_their_time_with_dates_in_the_plan() -> None:
    server = Server()
    first = the_stage((await server.prepare()).plan)
    assert first is not None
    assert first.reason == "auto begins with none; quarantine 14d after its record is seen, if SPF and DKIM are well"
    await server.begin()
    prepared = await server.prepare()
    assert (policy(prepared.plan), prepared.again_at) == ("none", START + 14 * DAY_MS)
    server.clock.now = Instant(START + 14 * DAY_MS)
    plan = await server.apply()
    change = the_stage(plan)
    assert change is not None
    assert (policy(plan), change.fields[0].old, change.fields[0].new) == ("quarantine", "none", "quarantine")
    assert change.reason.startswith(
        f"none since {iso(START)}, SPF and DKIM are seen, no reports are read yet; reject 30d after its record is seen"
    )
    server.clock.advance(29 * DAY_MS)
    assert (await server.prepare()).plan.is_empty
    server.clock.advance(DAY_MS)
    assert policy(await server.apply()) == "reject"
    prepared = await server.prepare()
    assert warnings(prepared.plan) == []
    server.clock.advance(400 * DAY_MS)
    assert policy((await server.prepare()).plan) == "reject"


async def test_the_time_of_a_stage_runs_from_when_every_server_shows_its_record() -> None:
    server = Server(dns=MemoryDns(servers={"ns1": {}, "ns2": {}}))
    plan = await server.apply_unseen()
    server.show("none")
    server.clock.advance(20 * DAY_MS)
    prepared = await server.prepare()
    assert the_stage(prepared.plan) is None
    assert warnings(prepared.plan) == [
        "DMARC p=none counts from when its record is seen in DNS: seen at 1 of 2 servers; not there (ns2)"
    ]
    assert prepared.again_at == server.clock.now + HOUR_MS
    server.show("none", server="ns2")
    seen_at = server.clock.now
    prepared = await server.prepare()
    change = the_stage(prepared.plan)
    assert change is not None
    day = iso(Instant(seen_at + 14 * DAY_MS))[:10]
    assert change.reason == (
        f"the record of p=none is seen in DNS: its time runs from now on; quarantine on {day} if SPF and DKIM are well"
    )
    assert [field.name for field in change.fields] == ["since"]
    await server.reconciler.apply(prepared)
    resource = (await server.state.snapshot()).resources[Kind.DMARC, "example.com"]
    assert (policy(plan), resource.fields["since"]) == ("none", iso(seen_at))


async def test_a_stage_that_was_just_published_is_looked_for_soon_and_then_less_often() -> None:
    server = Server()
    prepared = await server.prepare()
    assert prepared.again_at == START + MINUTE_MS
    await server.reconciler.apply(prepared)
    server.clock.advance(2 * HOUR_MS)
    assert (await server.prepare()).again_at == server.clock.now + 30 * MINUTE_MS


async def test_a_stage_of_a_state_from_before_goes_on_from_where_it_was() -> None:
    server = Server()
    await server.begin()
    resource = (await server.state.snapshot()).resources[Kind.DMARC, "example.com"]
    before = replace(resource, fields={"stage": "none", "since": iso(Instant(START - 20 * DAY_MS))})
    change = ResourceChange(operation=Operation.UPDATE, resource=before)
    snapshot = await server.state.snapshot()
    await server.state.commit([change], base=snapshot.generation, spec_hash=snapshot.spec_hash)
    server.clock.advance(7 * DAY_MS)
    assert policy((await server.prepare()).plan) == "quarantine"


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (("example.com", "TXT"), "the SPF record: not there (ns1)"),
        (("_dmarc.example.com", "TXT"), "the DMARC record of p=none: not there (ns1)"),
        (("ed25519-1._domainkey.example.com", "TXT"), "the record of ed25519-1: ns1 does not have it"),
    ],
)
async def test_a_stage_is_held_while_what_it_needs_is_not_seen(broken: tuple[str, str], told: str) -> None:
    server = Server()
    await server.begin()
    kept = server.dns.servers["ns1"].pop(broken)
    server.clock.now = Instant(START + 15 * DAY_MS)
    prepared = await server.prepare()
    assert the_stage(prepared.plan) is None
    assert warnings(prepared.plan) == [f"DMARC stays at p=none, where p=quarantine was due: {told}"]
    assert prepared.again_at == server.clock.now + 6 * HOUR_MS
    server.dns.servers["ns1"][broken] = kept
    assert policy(await server.apply()) == "quarantine"


async def test_a_second_spf_record_holds_a_stage() -> None:
    server = Server()
    await server.begin()
    server.dns.servers["ns1"]["example.com", "TXT"] = (SPF, "v=spf1 include:other.example -all")
    server.clock.now = Instant(START + 15 * DAY_MS)
    (warning,) = warnings((await server.prepare()).plan)
    assert "the SPF record: also there: v=spf1 include:other.example -all (ns1)" in warning


async def test_a_stage_that_nobody_published_is_not_passed() -> None:
    server = Server()
    await server.begin()
    server.clock.now = Instant(START + 14 * DAY_MS)
    await server.apply_unseen()
    server.clock.advance(31 * DAY_MS)
    prepared = await server.prepare()
    assert (the_stage(prepared.plan), policy(prepared.plan)) == (None, "quarantine")


async def test_a_policy_never_steps_back() -> None:
    server = Server()
    await server.begin()
    server.clock.now = Instant(START + 15 * DAY_MS)
    await server.apply()
    server.dns.servers["ns1"].clear()
    for _ in range(3):
        server.clock.advance(60 * DAY_MS)
        assert policy((await server.prepare()).plan) == "quarantine"


async def test_a_domain_that_signs_only_since_yesterday_waits() -> None:
    server = Server()
    await server.apply()
    server.clock.now = Instant(START + 13 * DAY_MS)
    publish_keys(server.dns, live_keys(await server.state.snapshot((Kind.DKIM_KEY,))))
    server.dns.servers["ns1"]["example.com", "TXT"] = (SPF,)
    await server.apply()
    server.clock.advance(2 * DAY_MS)
    (warning,) = warnings((await server.prepare()).plan)
    assert "ed25519-1 signs only since" in warning
    server.clock.advance(5 * DAY_MS)
    assert policy(await server.apply()) == "quarantine"


@pytest.mark.parametrize(
    ("evidence", "advances", "told"),
    [
        (Evidence(reports=40, messages=1_000, failing=10), True, "10 of 1000 mails fail in 40 reports"),
        (Evidence(reports=40, messages=1_000, failing=11), False, "receivers report that 11 of 1000 of its mails fail"),
        (Evidence(reports=0, messages=0, failing=0), True, "0 of 0 mails fail in 0 reports"),
    ],
)
async def test_reports_decide_once_somebody_reads_them(evidence: Evidence, advances: bool, told: str) -> None:
    server = Server(evidence=Reported(evidence))
    await server.begin()
    server.clock.now = Instant(START + 14 * DAY_MS)
    plan = (await server.prepare()).plan
    change = the_stage(plan)
    assert (change is not None) == advances
    assert told in (change.reason if change is not None else warnings(plan)[0])


@pytest.mark.parametrize(
    ("stages", "policies"),
    [
        ({"none": "0d"}, ["quarantine", "reject", "reject"]),
        ({"none": "0d", "quarantine": "0d"}, ["reject", "reject", "reject"]),
        ({"quarantine": "0d"}, ["none", "reject", "reject"]),
        ({"none": "30d", "quarantine": "52w"}, ["none", "quarantine", "quarantine"]),
    ],
)
async def test_stages_can_be_long_or_left_out(stages: dict[str, str], policies: list[str]) -> None:
    server = Server()
    await server.begin(stages=stages)
    found = [policy((await server.prepare(stages=stages)).plan)]
    for _ in range(2):
        server.clock.advance(31 * DAY_MS)
        found.append(policy(await server.apply(stages=stages)))
    assert found == policies


async def test_only_policies_that_are_due_have_anything_asked() -> None:
    server = Server()
    await server.begin()
    server.dns.asked.clear()
    prepared = await server.reconciler.plan(a_spec())
    assert prepared.plan.is_empty
    due = [question for question in server.dns.asked if "_domainkey" in question]
    server.clock.now = Instant(START + 14 * DAY_MS)
    server.dns.asked.clear()
    await server.prepare()
    assert len([question for question in server.dns.asked if "_domainkey" in question]) == len(due) + 1


@pytest.mark.parametrize("explicit", ["quarantine", "reject"])
async def test_a_policy_ahead_of_its_records_is_told_until_a_key_signs(explicit: str) -> None:
    server = Server()
    (warning,) = warnings((await server.prepare(policy=explicit)).plan)
    assert warning.startswith(f"DMARC policy {explicit} is ahead of its records: no DKIM key signs yet")
    assert warnings((await server.prepare(policy=explicit, testing=True)).plan) == []
    await server.begin(policy=explicit)
    assert warnings((await server.prepare(policy=explicit)).plan) == []


async def test_auto_that_is_given_up_leaves_no_stage_behind() -> None:
    server = Server()
    await server.begin()
    plan = await server.apply(policy="reject")
    assert plan.destroyed(Kind.DMARC) == ("example.com",)
    assert policy(plan) == "reject"
