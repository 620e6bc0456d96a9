"""`mailstack tls policy` as it is typed: live DNS, what the server remembers, and no exchanger spoken to."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.app.clock import system_clock
from mailstack.app.silence import Silence
from mailstack.cli.main import cli
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.tls_policy import KnownStsPolicy, StsMode, StsPolicy
from mailstack.store.sqlite.open import open_store
from tests.support.dns_server import DnsServer, dns_server_beside

EE = "3 1 1 " + "ab" * 32
NAMES = {
    **{
        domain: {"MX": [f"10 mx1.{domain}.", f"20 mx2.{domain}."]}
        for domain in ("plain.test", "kept.test", "tried.test", "down.test", "dane.test", "gone.test")
    },
    **{f"_mta-sts.{domain}": {"TXT": ['"v=STSv1; id=1;"']} for domain in ("kept.test", "tried.test", "down.test")},
    "mta-sts.down.test": {"A": ["127.0.0.1"]},  # where nobody is ever asked
    "mx1.dane.test": {"A": ["192.0.2.1"]},
    "mx2.dane.test": {"A": ["192.0.2.2"]},
    "_25._tcp.mx1.dane.test": {"TLSA": [EE]},
    "_25._tcp.mx2.dane.test": {"TLSA": ["1 1 1 " + "00" * 32]},
    "null.test": {"MX": ["0 ."]},
    "alone.test": {"A": ["192.0.2.9"]},
}
SECURE = {"dane.test", *(name for name in NAMES if name.endswith(".dane.test"))}

PLAIN = """\
plain.test
  DANE     none: DNSSEC does not vouch for who takes its mail
  MTA-STS  no record
     10 mx1.plain.test: opportunistic: TLS where it is offered, under any certificate
     20 mx2.plain.test: opportunistic: TLS where it is offered, under any certificate
"""
KEPT = """\
kept.test
  DANE     none: DNSSEC does not vouch for who takes its mail
  MTA-STS  enforce, hosts mx2.kept.test, *.else.test; fetched THEN, until THEN
     10 mx1.kept.test: passed over: mx1.kept.test is not in the MTA-STS policy of kept.test
     20 mx2.kept.test: sts: TLS, under a certificate for its name
"""
TRIED = """\
tried.test
  DANE     none: DNSSEC does not vouch for who takes its mail
  MTA-STS  testing, hosts mx2.tried.test, *.else.test; fetched THEN, until THEN
     10 mx1.tried.test: sts-testing: TLS where it is offered; what the policy would have stopped is noted
     20 mx2.tried.test: sts-testing: TLS where it is offered; what the policy would have stopped is noted
"""
DOWN = """\
down.test
  DANE     none: DNSSEC does not vouch for who takes its mail
  MTA-STS  a record (1), but no policy
           not fetched at THEN (sts-policy-fetch-error): mta-sts.down.test has no address that can be asked
     10 mx1.down.test: opportunistic: TLS where it is offered, under any certificate
     20 mx2.down.test: opportunistic: TLS where it is offered, under any certificate
"""
GONE = """\
gone.test
  DANE     none: DNSSEC does not vouch for who takes its mail
  MTA-STS  enforce, hosts mx2.gone.test, *.else.test; fetched THEN, until THEN; its record is gone
     10 mx1.gone.test: passed over: mx1.gone.test is not in the MTA-STS policy of gone.test
     20 mx2.gone.test: sts: TLS, under a certificate for its name
"""
DANE = f"""\
dane.test
  DANE     of each exchanger that has TLSA records: DNSSEC vouches for who takes its mail
  MTA-STS  no record
     10 mx1.dane.test: dane: TLS, under a certificate that its TLSA records name
          TLSA {EE}
     20 mx2.dane.test: required: TLS, under any certificate: its TLSA records are of no use
"""
ALONE = """\
alone.test
  DANE     none: DNSSEC does not vouch for who takes its mail
  MTA-STS  no record
        alone.test: opportunistic: TLS where it is offered, under any certificate
"""
NULL = """\
null.test
  DANE     none: DNSSEC does not vouch for who takes its mail
  MTA-STS  no record
  nobody to send to: 556 5.1.10 null.test accepts no mail
"""
DEAF = """\
deaf.test
  DANE     none: DNSSEC does not vouch for who takes its mail
  MTA-STS  not known: DNS: _mta-sts.deaf.test. TXT: no name server can answer
  nobody to send to: 451 4.4.3 DNS: deaf.test. MX: no name server can answer
"""


@pytest.fixture(scope="module")
def dns() -> Iterator[DnsServer]:
    with dns_server_beside(NAMES) as server:
        server.secure |= SECURE
        server.failing |= {"deaf.test", "_mta-sts.deaf.test"}
        yield server


@pytest.fixture(scope="module")
def spec(dns: DnsServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("policy") / "mailstack.yaml"
    path.write_text(
        "server: {hostname: mail.example.com}\nstorage: {path: state}\ndomains: {example.com: }\n"
        f'dns: {{resolvers: ["{dns.endpoint}"], validating: true}}\n'
    )
    assert run("apply", "--yes", "--no-dns", str(path)).exit_code == 0
    asyncio.run(remember(path.parent / "state"))
    return path


async def remember(folder: Path) -> None:
    store = await open_store(folder, clock=system_clock, bus=Silence())
    now = system_clock()
    for domain, mode in (
        ("kept.test", StsMode.ENFORCE),
        ("tried.test", StsMode.TESTING),
        ("gone.test", StsMode.ENFORCE),
    ):
        policy = StsPolicy(mode=mode, max_age_s=604_800, mx=(f"mx2.{domain}", "*.else.test"))
        known = KnownStsPolicy(domain=domain, policy_id="1", policy=policy, fetched_at=now)
        await store.sts_policies.keep(known, refresh_at=Instant(now + DAY_MS), ends_at=Instant(now + 7 * DAY_MS))
    await store.close()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


@pytest.mark.parametrize(
    ("domain", "expected", "code"),
    [
        ("plain.test", PLAIN, 0),
        ("KEPT.test", KEPT, 0),
        ("tried.test", TRIED, 0),
        ("down.test", DOWN, 0),
        ("gone.test", GONE, 0),
        ("dane.test", DANE, 0),
        ("alone.test", ALONE, 0),
        ("null.test", NULL, 1),
        ("deaf.test", DEAF, 1),
    ],
)
def test_each_exchanger_is_told_with_its_policy_and_why(spec: Path, domain: str, expected: str, code: int) -> None:
    found = run("tls", "policy", str(spec), domain)
    assert re.sub(r"\d{4}-\d\d-\d\dT[0-9:]{8}Z", "THEN", found.stdout) == expected
    assert found.exit_code == code


def test_json_says_the_same(spec: Path) -> None:
    found = json.loads(run("tls", "policy", str(spec), "kept.test", "--format", "json").stdout)
    sts = found["mta_sts"]
    assert sts.pop("fetched_at") < sts.pop("ends_at")
    assert found == {
        "domain": "kept.test",
        "dnssec": {"is_asked_for": True, "vouches_for_exchangers": False},
        "mta_sts": {
            "record_id": "1",
            "record_fault": None,
            "mode": "enforce",
            "mx": ["mx2.kept.test", "*.else.test"],
            "failure": None,
        },
        "least_tls": "opportunistic",
        "least_tls_place": None,
        "relay": None,
        "refusal": None,
        "exchangers": [
            {
                "host": "mx1.kept.test",
                "preference": 10,
                "is_tried": False,
                "policy": "sts",
                "tlsa": [],
                "why": "mx1.kept.test is not in the MTA-STS policy of kept.test",
            },
            {
                "host": "mx2.kept.test",
                "preference": 20,
                "is_tried": True,
                "policy": "sts",
                "tlsa": [],
                "why": "TLS, under a certificate for its name",
            },
        ],
    }


@pytest.mark.parametrize(
    ("least", "domain", "expected"),
    [
        (
            "required",
            "plain.test",
            "  TLS at least required (FILE:PLACE)\n"
            "     10 mx1.plain.test: opportunistic: TLS, under any certificate, as this server asks\n",
        ),
        (
            "verified",
            "tried.test",
            "     10 mx1.tried.test: sts-testing: TLS, under a certificate for its name, as this server asks\n",
        ),
        ("verified", "kept.test", "     20 mx2.kept.test: sts: TLS, under a certificate for its name\n"),
        ("verified", "dane.test", "     10 mx1.dane.test: dane: TLS, under a certificate that its TLSA records name\n"),
        (
            "verified",
            "dane.test",
            "     20 mx2.dane.test: required: TLS, under a certificate for its name, as this server asks\n",
        ),
        ("required", "dane.test", "     20 mx2.dane.test: required: TLS, under any certificate: its TLSA records"),
    ],
)
def test_what_we_ask_for_counts_too(spec: Path, least: str, domain: str, expected: str) -> None:
    asking = with_more(spec, f"sending: {{tls: {least}}}\n")
    found = run("tls", "policy", str(asking), domain)
    assert expected in re.sub(rf"{re.escape(str(asking))}:\d+:\d+", "FILE:PLACE", found.stdout)


def with_more(spec: Path, text: str) -> Path:
    """Beside the spec, which others go by."""
    more = spec.with_name("more.yaml")
    more.write_text(spec.read_text() + text)
    return more


def test_a_route_is_told_by_its_relay_or_by_what_it_asks_for(spec: Path) -> None:
    routes = "{from: news@example.com, via: r}, {to: plain.test, via: direct, tls: required}"
    asking = with_more(spec, f"relays: {{r: {{host: r.test}}}}\nroutes: [{routes}]\n")
    asked = json.loads(run("tls", "policy", str(asking), "plain.test", "--format", "json").stdout)
    assert (asked["least_tls"], asked["relay"]) == ("required", None)
    relayed = run("tls", "policy", str(asking), "plain.test", "--from", "news@example.com")
    assert "  goes by relay r, which has TLS of its own; what would go straight there:\n" in relayed.stdout


def test_what_is_learned_here_is_not_kept(spec: Path) -> None:
    first, second = (
        json.loads(run("tls", "policy", str(spec), "down.test", "--format", "json").stdout) for _ in range(2)
    )
    assert first["mta_sts"]["failure"]["type"] == second["mta_sts"]["failure"]["type"] == "sts-policy-fetch-error"

    async def remembered() -> bool:
        store = await open_store(spec.parent / "state", clock=system_clock, bus=Silence())
        found = await store.sts_policies.find("down.test")
        await store.close()
        return found.failure is not None

    assert not asyncio.run(remembered())


def test_it_needs_no_server_to_have_been_there(dns: DnsServer, tmp_path: Path) -> None:
    path = tmp_path / "mailstack.yaml"
    path.write_text(
        "server: {hostname: mail.example.com}\nstorage: {path: state}\ndomains: {example.com: }\n"
        f'dns: {{resolvers: ["{dns.endpoint}"]}}\n'
    )
    found = run("tls", "policy", str(path), "dane.test")
    assert found.exit_code == 0
    assert "DANE     not looked for: dns.validating is off" in found.stdout
    assert "mx1.dane.test: opportunistic" in found.stdout
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(("domain", "told"), [("a..b", "is no domain"), ("[192.0.2.1]", "is an address")])
def test_what_is_no_domain_is_told(spec: Path, domain: str, told: str) -> None:
    found = run("tls", "policy", str(spec), domain)
    assert (found.exit_code, told in found.stderr) == (1, True)
