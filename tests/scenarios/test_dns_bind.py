"""DNS on a real name server: BIND 9, RFC 2136 updates and AXFR under TSIG, with record sets of other hands in the zone.

Each step ends with a second plan that is empty, and with the foreign record sets as they were.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from mailstack.model.instant import Instant
from mailstack.model.resource import DkimKeyBody, Kind, Operation, body_of
from mailstack.reconcile.brake import Brake, nobody
from mailstack.reconcile.dns.authoritative import AuthoritativeDns
from mailstack.reconcile.dns.live import spread
from mailstack.reconcile.dns.material import Material
from mailstack.reconcile.dns.records import wanted_records
from mailstack.reconcile.plan import DNS_RECORD, Change, Plan
from mailstack.reconcile.reconciler import Reconciler
from tests.support.bind import Bind, SetKey, running_bind
from tests.support.memory_dns import MemoryDns
from tests.support.memory_state import MemoryState
from tests.support.specs import SpecValue, spec_value

pytestmark = pytest.mark.slow

ZONE = "example.test"
VERIFICATION = '"google-site-verification=abc"'
FOREIGN = r"""
@ IN A 192.0.2.80
www IN A 192.0.2.80
@ IN CAA 0 issue "letsencrypt.org"
legacy IN CNAME www
_acme-challenge IN TXT "someone-else"
weird IN TYPE65534 \# 4 01020304
hinfo IN HINFO "PDP-11" "UNIX"
odd IN TXT "semi;colon; and \"quotes\" back\\slash" "second string" "\195\164\200"
_dmarc.www IN TXT "v=DMARC1; p=reject"
*.wild IN A 192.0.2.81
"""
HEAD = """$TTL 300
@ IN SOA ns1 host 1 3600 600 604800 300
@ IN NS ns1
ns1 IN A 192.0.2.53
"""
TAKEN_ZONE = "taken.test"
TAKEN = """
@ IN MX 10 mail.other.test.
@ IN TXT "v=spf1 include:_spf.other.test ~all"
_dmarc IN TXT "v=DMARC1; p=reject"
sub IN NS ns.other.test.
"""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A server, its zones, and what was in them before."""

    bind: Bind
    state: MemoryState
    foreign: Mapping[SetKey, object]

    async def plan(self, spec: SpecValue) -> Plan:
        return (await self.reconciler.plan(spec)).plan

    async def apply(self, spec: SpecValue) -> Plan:
        """Applies, then checks what holds after every apply."""
        prepared = await self.reconciler.plan(spec)
        await self.reconciler.apply(prepared)
        again = await self.plan(spec)
        assert again.changes == ()
        self.check_foreign()
        return prepared.plan

    def check_foreign(self) -> None:
        now = {**self.bind.records(ZONE), **self.bind.records(TAKEN_ZONE)}
        assert {key: now.get(key) for key in self.foreign} == self.foreign

    async def keys(self) -> tuple[DkimKeyBody, ...]:
        snapshot = await self.state.snapshot((Kind.DKIM_KEY,))
        return tuple(body_of(DkimKeyBody, resource) for resource in snapshot.resources.values())

    @property
    def reconciler(self) -> Reconciler:
        return Reconciler(
            state=self.state,
            clock=lambda: Instant(1_790_000_000_000),
            hash_password=lambda plain: f"hashed {plain}",
            brake=Brake(holders=nobody),
        )

    def spec(self, *, ttl: int = 300, address: str = "192.0.2.25", hostname: str = f"mail.{ZONE}") -> SpecValue:
        everything = {
            "mta_sts": {"mode": "enforce"},
            "tls_rpt": {"reports_to": f"postmaster@{ZONE}"},
            "dmarc": {"policy": "reject", "reports_to": f"postmaster@{ZONE}"},
        }
        return self.of({ZONE: everything, "second.test": {}}, ttl=ttl, address=address, hostname=hostname)

    def of(
        self,
        domains: Mapping[str, object],
        *,
        zones: tuple[str, ...] = (ZONE,),
        ttl: int = 300,
        address: str = "192.0.2.25",
        hostname: str = f"mail.{ZONE}",
    ) -> SpecValue:
        return spec_value(
            {
                "server": {"hostname": hostname, "addresses": [address, "2001:db8::25"]},
                "domains": domains,
                "dns": {
                    "providers": {"bind": self.bind.provider()},
                    "zones": {zone: {"provider": "bind", "ttl": ttl} for zone in zones},
                },
            }
        )


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with running_bind(tmp_path, {ZONE: HEAD + FOREIGN, TAKEN_ZONE: HEAD + TAKEN}) as bind:
        foreign = {**bind.records(ZONE), **bind.records(TAKEN_ZONE)}
        bind.add(ZONE, f"{ZONE}.", 300, "TXT", VERIFICATION)
        yield Scene(bind=bind, state=MemoryState(), foreign=foreign)


def changes_of(plan: Plan) -> dict[str, Operation]:
    return {change.name: change.operation for change in plan.changes if change.kind == DNS_RECORD}


def the_change(plan: Plan, name: str) -> Change:
    return next(change for change in plan.changes if change.name == name)


async def test_first_apply_publishes_every_record_and_a_second_plan_is_empty(scene: Scene) -> None:
    await scene.apply(scene.spec())
    held = scene.bind.records(ZONE)
    assert held[f"mail.{ZONE}", "A"] == (300, ("192.0.2.25",))
    assert held[f"mail.{ZONE}", "AAAA"] == (300, ("2001:db8::25",))
    assert held[f"mail.{ZONE}", "TXT"] == (300, ('"v=spf1 a -all"',))
    assert held[ZONE, "MX"] == (300, (f"10 mail.{ZONE}.",))
    assert held[ZONE, "TXT"] == (300, (VERIFICATION, f'"v=spf1 a:mail.{ZONE} -all"'))
    assert held[f"_dmarc.{ZONE}", "TXT"] == (300, (f'"v=DMARC1; p=reject; rua=mailto:postmaster@{ZONE}"',))
    assert held[f"_smtp._tls.{ZONE}", "TXT"] == (300, (f'"v=TLSRPTv1; rua=mailto:postmaster@{ZONE}"',))
    assert held[f"_mta-sts.{ZONE}", "TXT"][1][0].startswith('"v=STSv1; id=')
    assert held[f"ed25519-1._domainkey.{ZONE}", "TXT"][1][0].startswith('"v=DKIM1; k=ed25519; p=')
    rsa = held[f"rsa2048-1._domainkey.{ZONE}", "TXT"][1][0]
    assert rsa.startswith('"v=DKIM1; k=rsa; p=')
    assert '" "' in rsa  # RFC 1035 §3.3: cut at 255 octets


async def test_what_an_apply_has_published_is_seen_at_the_zones_own_server(scene: Scene) -> None:
    await scene.apply(scene.spec())
    live = AuthoritativeDns(nameservers={ZONE: (f"127.0.0.1:{scene.bind.port}",)})
    wanted = wanted_records(scene.spec().spec, Material(dkim_keys=await scene.keys()))
    for record in (record for record in wanted if record.name.endswith(ZONE)):
        seen = await live.seen(ZONE, record.name, record.type)
        assert spread(seen, record.values).is_everywhere, record
    seen = await live.seen("", f"mail.{ZONE}", "A")
    assert "documentation" in seen.failure


async def test_a_server_without_the_zone_refuses_and_is_no_witness(scene: Scene) -> None:
    live = AuthoritativeDns(nameservers={"other.test": (f"127.0.0.1:{scene.bind.port}",)})
    (sight,) = (await live.seen("other.test", "other.test", "MX")).sights
    assert sight.failure == "answers REFUSED"


async def test_a_secondary_that_lags_is_told_from_the_primary(scene: Scene, tmp_path: Path) -> None:
    await scene.apply(scene.spec())
    folder = tmp_path / "secondary"
    folder.mkdir()
    with running_bind(folder, {ZONE: HEAD}) as secondary:
        servers = tuple(f"127.0.0.1:{port}" for port in (scene.bind.port, secondary.port, 9))
        seen = await AuthoritativeDns(nameservers={ZONE: servers}).seen(ZONE, ZONE, "MX")
    found = spread(seen, (f"10 mail.{ZONE}.",))
    assert (found.at, found.missing_at, found.unknown_at) == ((servers[0],), (servers[1],), (servers[2],))


async def test_a_zone_that_is_delegated_elsewhere_is_a_warning(scene: Scene) -> None:
    live_dns = MemoryDns(public={(ZONE, "NS"): ("ns.registrar.test.",)})
    found = await replace(scene.reconciler, live_dns=live_dns).plan(scene.spec())
    (warning,) = [warning for warning in found.plan.warnings if "is delegated to" in warning.text]
    assert warning.subject == f"dns_zone {ZONE}"
    assert f"ns.registrar.test; the provider writes for ns1.{ZONE}" in warning.text


async def test_a_domain_in_no_zone_is_published_by_hand(scene: Scene) -> None:
    plan = await scene.plan(scene.spec())
    (by_hand,) = plan.by_hand
    assert by_hand.zone == ""
    assert any(line.split()[-1] == f"mail.{ZONE}." and " MX " in line for line in by_hand.records)


async def test_another_address_and_ttl_change_what_they_concern(scene: Scene) -> None:
    await scene.apply(scene.spec())
    plan = await scene.apply(scene.spec(address="192.0.2.26"))
    assert changes_of(plan) == {f"mail.{ZONE} A": Operation.UPDATE}
    plan = await scene.apply(scene.spec(address="192.0.2.26", ttl=600))
    assert f"mail.{ZONE} A" in changes_of(plan)
    # RFC 2181 §5.2: a set has one TTL; with values of another hand in it, theirs stays.
    assert f"{ZONE} TXT" not in changes_of(plan)


async def test_a_change_by_hand_is_drift_and_is_repaired(scene: Scene) -> None:
    await scene.apply(scene.spec())
    scene.bind.replace(ZONE, f"mail.{ZONE}.", 300, "A", "192.0.2.99")
    scene.bind.replace(ZONE, f"_dmarc.{ZONE}.", 300, "TXT", '"v=DMARC1; p=none"')
    scene.bind.replace(ZONE, f"mail.{ZONE}.", 300, "AAAA")
    plan = await scene.apply(scene.spec())
    assert changes_of(plan) == {
        f"mail.{ZONE} A": Operation.UPDATE,
        f"mail.{ZONE} AAAA": Operation.CREATE,
        f"_dmarc.{ZONE} TXT": Operation.UPDATE,
    }
    assert {change.reason for change in plan.changes} == {"not as it was applied"}
    (values,) = the_change(plan, f"mail.{ZONE} A").fields
    assert (values.old, values.new) == (["192.0.2.99"], ["192.0.2.25"])


async def test_a_name_that_turns_from_an_alias_into_a_mail_domain_and_back_takes_one_apply_each(scene: Scene) -> None:
    policy_host = f"mta-sts.{ZONE}"
    as_alias, as_domain = scene.of({ZONE: {"mta_sts": {}}}), scene.of({ZONE: {}, policy_host: {}})
    await scene.apply(as_alias)
    before = scene.bind.records(ZONE)
    plan = await scene.apply(as_domain)
    assert not [warning for warning in plan.warnings if warning.subject.startswith("dns_record")]
    held = scene.bind.records(ZONE)
    assert (policy_host, "CNAME") not in held
    assert held[policy_host, "MX"] == (300, (f"10 mail.{ZONE}.",))
    await scene.apply(as_alias)
    assert scene.bind.records(ZONE) == before


async def test_a_foreign_value_beside_our_spf_record_survives_all_that_follows(scene: Scene) -> None:
    await scene.apply(scene.spec())
    scene.bind.add(ZONE, f"{ZONE}.", 300, "TXT", '"MS=ms12345678"')
    assert (await scene.plan(scene.spec())).changes == ()
    await scene.apply(scene.of({ZONE: {"spf": {"include": ["_spf.relay.test"]}}}))
    spf = f'"v=spf1 a:mail.{ZONE} include:_spf.relay.test -all"'
    assert scene.bind.records(ZONE)[ZONE, "TXT"][1] == ('"MS=ms12345678"', VERIFICATION, spf)
    await scene.apply(scene.of({"second.test": {}}))
    assert scene.bind.records(ZONE)[ZONE, "TXT"][1] == ('"MS=ms12345678"', VERIFICATION)


async def test_an_spf_record_edited_by_hand_is_repaired_and_its_neighbours_stay(scene: Scene) -> None:
    await scene.apply(scene.spec())
    scene.bind.replace(ZONE, f"{ZONE}.", 300, "TXT", '"v=spf1 +all"', VERIFICATION)
    plan = await scene.apply(scene.spec())
    assert changes_of(plan) == {f"{ZONE} TXT": Operation.UPDATE}
    assert scene.bind.records(ZONE)[ZONE, "TXT"][1] == (VERIFICATION, f'"v=spf1 a:mail.{ZONE} -all"')


async def test_names_that_are_taken_are_reported_and_left_alone(scene: Scene) -> None:
    bare = {"discovery": False}
    domains = {TAKEN_ZONE: bare, f"sub.{TAKEN_ZONE}": bare}
    spec = scene.of(domains, zones=(ZONE, TAKEN_ZONE), hostname=f"legacy.{ZONE}")
    plan = await scene.apply(spec)
    refused = {warning.subject: warning.text for warning in plan.warnings}
    assert "CNAME to www.example.test." in refused[f"dns_record legacy.{ZONE} A"]
    assert "10 mail.other.test." in refused[f"dns_record {TAKEN_ZONE} MX"]
    assert "v=spf1 include:_spf.other.test ~all" in refused[f"dns_record {TAKEN_ZONE} TXT"]
    assert "v=DMARC1; p=reject" in refused[f"dns_record _dmarc.{TAKEN_ZONE} TXT"]
    assert "delegated" in refused[f"dns_record sub.{TAKEN_ZONE} MX"]
    assert changes_of(plan) == {
        f"ed25519-1._domainkey.{TAKEN_ZONE} TXT": Operation.CREATE,
        f"rsa2048-1._domainkey.{TAKEN_ZONE} TXT": Operation.CREATE,
    }


async def test_a_binary_value_beside_our_name_is_never_written_over(scene: Scene) -> None:
    await scene.apply(scene.spec())
    scene.bind.add(ZONE, f"{ZONE}.", 300, "TXT", r'"\200\201"')
    before = scene.bind.records(ZONE)
    plan = await scene.apply(scene.of({ZONE: {"spf": {"all": "~all"}}}))
    assert f"dns_record {ZONE} TXT" in {warning.subject for warning in plan.warnings}
    assert scene.bind.records(ZONE)[ZONE, "TXT"] == before[ZONE, "TXT"]


async def test_another_server_on_the_same_zone_leaves_our_records_alone(scene: Scene) -> None:
    await scene.apply(scene.spec())
    before = scene.bind.records(ZONE)
    other = Scene(bind=scene.bind, state=MemoryState(digest_key=b"o" * 32), foreign=scene.foreign)
    plan = await other.apply(other.of({ZONE: {"dkim": {"algorithms": ["ed25519"]}}}, address="192.0.2.77"))
    assert changes_of(plan) == {}
    assert {warning.text for warning in plan.warnings} == {"belongs to another mailstack server; left alone"}
    assert scene.bind.records(ZONE) == before


async def test_a_removed_domain_takes_exactly_its_records_along(scene: Scene) -> None:
    await scene.apply(scene.of({"second.test": {}}))
    before = scene.bind.records(ZONE)
    await scene.apply(scene.spec())
    await scene.apply(scene.of({"second.test": {}}))
    assert scene.bind.records(ZONE) == before


async def test_a_zone_that_leaves_the_spec_is_left_as_it_was_found(scene: Scene) -> None:
    before = scene.bind.records(ZONE)
    await scene.apply(scene.spec())
    plan = await scene.apply(scene.of({ZONE: {}}, zones=()))
    assert changes_of(plan)[f"{ZONE} MX"] is Operation.DESTROY
    assert scene.bind.records(ZONE) == before


async def test_an_apply_that_ended_before_dns_is_finished_by_the_next(scene: Scene) -> None:
    reconciler = Reconciler(
        state=scene.state,
        clock=lambda: Instant(1_790_000_000_000),
        hash_password=lambda plain: plain,
        brake=Brake(holders=nobody),
    )
    prepared = await reconciler.plan(scene.spec())

    def killed(event: object) -> None:
        if type(event).__name__ == "StateCommitted":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await reconciler.apply(prepared, killed)
    assert (f"mail.{ZONE}", "A") not in scene.bind.records(ZONE)
    plan = await scene.apply(scene.spec())
    assert {change.kind for change in plan.changes} == {DNS_RECORD}
    assert scene.state.writes == 1
