"""DNS automation damage: what tools like this one have done to other people's records, on a real BIND 9.

Each zone holds record sets of other hands where ours want to be, or right beside them; they outlive apply, change and
removal, to the octet.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from mailstack.model.instant import Instant
from mailstack.model.resource import CertificateBody, Kind, body_of
from mailstack.reconcile.brake import Brake, nobody
from mailstack.reconcile.dns.authoritative import AuthoritativeDns
from mailstack.reconcile.dns.live import spread
from mailstack.reconcile.dns.zone_file import ZoneFileProvider
from mailstack.reconcile.plan import Plan
from mailstack.reconcile.providers.certs import key_digest
from mailstack.reconcile.reconciler import Reconciler
from tests.support.bind import Bind, running_bind
from tests.support.memory_dns import MemoryDns
from tests.support.memory_state import MemoryState
from tests.support.specs import SpecValue, spec_value

pytestmark = pytest.mark.slow

ZONE, HOST = "damage.test", "mail.damage.test"
HEAD = """$TTL 300
@ IN SOA ns1 host 1 3600 600 604800 300
@ IN NS ns1
ns1 IN A 192.0.2.53
"""
Started = Callable[[str], Bind]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    """Starts a BIND whose zone holds these records besides."""
    running = []

    def start(records: str) -> Bind:
        running.append(running_bind(tmp_path, {ZONE: HEAD + records}))
        return running[-1].__enter__()

    yield start
    for context in running:
        context.__exit__(None, None, None)


def reconciler(state: MemoryState) -> Reconciler:
    return Reconciler(
        state=state,
        clock=lambda: Instant(1_790_000_000_000),
        hash_password=lambda plain: plain,
        brake=Brake(holders=nobody),
    )


def spec(bind: Bind, settings: Mapping[str, object] | None = None, **domain: object) -> SpecValue:
    return spec_value(
        {
            "server": {"hostname": HOST, "addresses": ["192.0.2.25"]},
            "domains": {ZONE: {"dkim": {"algorithms": ["ed25519"]}, **domain}},
            "dns": {
                "providers": {"bind": bind.provider()},
                "zones": {ZONE: {"provider": "bind", "ttl": 300}},
                "caa": ["ca.test"],
            },
            **(settings or {}),
        }
    )


async def applied(state: MemoryState, wanted: SpecValue) -> Plan:
    """And a second plan is empty."""
    prepared = await reconciler(state).plan(wanted)
    await reconciler(state).apply(prepared)
    assert (await reconciler(state).plan(wanted)).plan.changes == ()
    return prepared.plan


async def withdrawn(state: MemoryState, bind: Bind) -> None:
    """Everything of ours, by a spec without the zone."""
    providers = {"providers": {"bind": bind.provider()}}
    await applied(state, spec(bind, {"dns": providers, "domains": {"other.test": {}}}))


def refusals(plan: Plan) -> dict[str, str]:
    return {warning.subject: warning.text for warning in plan.warnings}


FOREIGN_SETS = f"""
mail IN CAA 0 issue "theirs.test"
@ IN CAA 0 issue "web.test"
_imaps._tcp IN SRV 5 5 9930 imap.elsewhere.test.
_xmpp-client._tcp IN SRV 5 5 5222 xmpp.elsewhere.test.
_25._tcp.mail IN TLSA 3 1 1 {"cd" * 32}
_443._tcp.www IN TLSA 3 1 1 {"ef" * 32}
"""


async def test_foreign_srv_tlsa_and_caa_sets_outlive_all_that_we_do(started: Started) -> None:
    bind, state = started(FOREIGN_SETS), MemoryState()
    before = bind.records(ZONE)
    plan = await applied(state, spec(bind, {"tls": {"dane": True}}))
    found = refusals(plan)
    assert 'exists and is not mailstack\'s (0 issue "theirs.test")' in found[f"dns_record {HOST} CAA"]
    assert "5 5 9930 imap.elsewhere.test." in found[f"dns_record _imaps._tcp.{ZONE} SRV"]
    assert "cdcdcd" in found[f"dns_record _25._tcp.{HOST} TLSA"]
    now = bind.records(ZONE)
    assert {key: now.get(key) for key in before} == before
    assert (f"_imap._tcp.{ZONE}", "SRV") in now  # what is free is ours
    await withdrawn(state, bind)
    assert bind.records(ZONE) == before


async def test_our_own_srv_tlsa_and_caa_sets_come_back_as_written(started: Started) -> None:
    bind, state = started(""), MemoryState()
    before = bind.records(ZONE)
    await applied(state, spec(bind, {"tls": {"dane": True}}))
    now = bind.records(ZONE)
    snapshot = await state.snapshot((Kind.CERTIFICATE,))
    (certificate,) = (body_of(CertificateBody, resource) for resource in snapshot.resources.values())
    assert now[f"_25._tcp.{HOST}", "TLSA"] == (300, (f"3 1 1 {key_digest(certificate.certificate)}",))
    assert now[HOST, "CAA"] == (300, ('0 issue "ca.test"', '0 issuewild ";"'))
    assert now[f"_imaps._tcp.{ZONE}", "SRV"] == (300, (f"0 1 993 {HOST}.",))
    assert now[f"_pop3s._tcp.{ZONE}", "SRV"] == (300, ("0 0 0 .",))
    await withdrawn(state, bind)
    assert bind.records(ZONE) == before


@pytest.mark.parametrize(
    ("foreign", "told"),
    [
        ("mta-sts IN CNAME policies.elsewhere.test.\n", "policies.elsewhere.test."),
        ("mta-sts IN A 192.0.2.80\n", "holds A records"),
        ('mta-sts IN TXT "theirs"\n', "holds TXT records"),
    ],
)
async def test_a_policy_host_of_others_is_left_alone(started: Started, foreign: str, told: str) -> None:
    bind, state = started(foreign), MemoryState()
    before = bind.records(ZONE)
    plan = await applied(state, spec(bind, mta_sts={"mode": "testing"}))
    assert told in refusals(plan)[f"dns_record mta-sts.{ZONE} CNAME"]
    now = bind.records(ZONE)
    assert {key: now.get(key) for key in before} == before
    await withdrawn(state, bind)
    assert bind.records(ZONE) == before


async def test_a_policy_host_of_ours_is_an_alias_of_the_host(started: Started) -> None:
    bind, state = started(""), MemoryState()
    before = bind.records(ZONE)
    await applied(state, spec(bind, mta_sts={"mode": "testing"}))
    assert bind.records(ZONE)[f"mta-sts.{ZONE}", "CNAME"] == (300, (f"{HOST}.",))
    # It goes with what asked for it, and the name is free again.
    await applied(state, spec(bind))
    assert (f"mta-sts.{ZONE}", "CNAME") not in bind.records(ZONE)
    await withdrawn(state, bind)
    assert bind.records(ZONE) == before


async def test_a_text_of_over_255_octets_is_cut_and_read_whole(started: Started) -> None:
    bind, state = started(""), MemoryState()
    includes = [f"a-rather-long-name-of-a-service-{number}.elsewhere.test" for number in range(9)]
    await applied(state, spec(bind, spf={"include": includes}))
    (held,) = bind.records(ZONE)[ZONE, "TXT"][1]
    assert '" "' in held
    value = f"v=spf1 a:{HOST} {' '.join(f'include:{name}' for name in includes)} -all"
    seen = await AuthoritativeDns(nameservers={ZONE: (f"127.0.0.1:{bind.port}",)}).seen(ZONE, ZONE, "TXT")
    assert spread(seen, (value,)).is_everywhere


async def test_texts_of_others_at_the_apex_are_kept_whatever_becomes_of_ours(started: Started) -> None:
    long = "x" * 300
    foreign = f'@ IN TXT "MS=ms1"\n@ IN TXT "{long[:200]}" "{long[200:]}"\n@ 300 IN TXT "site-verification=a;b"\n'
    bind, state = started(foreign), MemoryState()
    before = bind.records(ZONE)[ZONE, "TXT"][1]
    for settings in ({}, {"spf": {"all": "~all"}}, {"spf": {"include": ["relay.test"]}}):
        await applied(state, spec(bind, **settings))
        values = bind.records(ZONE)[ZONE, "TXT"][1]
        assert len(values) == 4
        assert {value.replace('" "', "") for value in before} <= {value.replace('" "', "") for value in values}
    await withdrawn(state, bind)
    left = bind.records(ZONE)[ZONE, "TXT"][1]
    assert {value.replace('" "', "") for value in left} == {value.replace('" "', "") for value in before}


async def test_a_name_without_mail_that_gets_mail_elsewhere_is_left_alone(started: Started) -> None:
    foreign = 'shop IN MX 10 mx.elsewhere.test.\nshop IN TXT "v=spf1 include:elsewhere.test -all"\nwww IN CNAME shop\n'
    bind, state = started(foreign), MemoryState()
    before = bind.records(ZONE)
    base = spec(bind).spec.dns
    dns = {
        "providers": {"bind": bind.provider()},
        "zones": {ZONE: {"provider": "bind", "ttl": base.zones[ZONE].ttl}},
        "no_mail": [f"shop.{ZONE}", f"www.{ZONE}", f"parked.{ZONE}"],
    }
    plan = await applied(state, spec(bind, {"dns": dns}))
    found = refusals(plan)
    assert "10 mx.elsewhere.test." in found[f"dns_record shop.{ZONE} MX"]
    assert "v=spf1 include:elsewhere.test -all" in found[f"dns_record shop.{ZONE} TXT"]
    assert "CNAME" in found[f"dns_record www.{ZONE} MX"]
    now = bind.records(ZONE)
    assert {key: now.get(key) for key in before} == before
    assert now[f"parked.{ZONE}", "MX"] == (300, ("0 .",))
    assert now[f"_dmarc.parked.{ZONE}", "TXT"] == (300, ('"v=DMARC1; p=reject"',))


class NoTlsa(ZoneFileProvider):
    """As of Route 53, Azure and others: they have no such type."""

    SUPPORTS = ZoneFileProvider.SUPPORTS - {"TLSA"}


async def test_a_type_that_the_provider_lacks_stops_nothing_and_is_looked_for(tmp_path: Path) -> None:
    wanted = spec_value(
        {
            "server": {"hostname": HOST},
            "domains": {ZONE: {}},
            "tls": {"dane": True},
            "dns": {
                "providers": {"p": {"class": f"{__name__}.NoTlsa", "directory": str(tmp_path / "zones")}},
                "zones": {ZONE: {"provider": "p"}},
            },
        }
    )
    state, live_dns = MemoryState(), MemoryDns()
    await applied(state, wanted)
    found = Reconciler(
        state=state,
        clock=lambda: Instant(1_790_000_000_000),
        hash_password=lambda plain: plain,
        brake=Brake(holders=nobody),
        live_dns=live_dns,
    )
    plan = (await found.plan(wanted)).plan
    (by_hand,) = plan.by_hand
    assert by_hand.reason == "provider p has no TLSA"
    assert by_hand.records[0].startswith(f"_25._tcp.{HOST}.")
    assert f"_25._tcp.{HOST} TLSA" in live_dns.asked
    assert any(f"not everywhere yet: _25._tcp.{HOST} TLSA" in warning.text for warning in plan.warnings)
