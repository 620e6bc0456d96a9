"""`mailstack route` as it is typed: which way, and by what of the spec."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.app.clock import system_clock
from mailstack.app.silence import Silence
from mailstack.cli.main import cli
from mailstack.model.instant import DAY_MS, Instant, as_datetime
from mailstack.model.warm_up import WarmDay, day_of
from mailstack.store.sqlite.open import open_store
from tests.support.dns_server import dns_server_beside

SPEC = """\
server: {hostname: mail.example.com}
domains: {example.com: }
accounts:
  alice@example.com: {forward: {to: [alice@else.test], keep: true}}
  bob@example.com:
aliases: {sales@example.com: [alice@example.com, bob@example.com]}
lists: {team@example.com: {members: [bob@example.com], post: members}}
relays:
  ses: {host: ses.test, port: 465, tls: implicit}
routes:
  - {to: lan.test, via: ses}
  - {from: news@example.com, via: ses}
  - {mx: "*.provider.test", via: ses}
"""
ZONE = """\
$TTL 60
them.test.      MX 20 mx2.them.test.
them.test.      MX 10 mx1.them.test.
hosted.test.    MX 10 a.provider.test.
warm.test.      MX 10 mx.far.test.
alone.test.     A 192.0.2.1
null.test.      MX 0 .
silent.test.    NS ns.elsewhere.test.
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    (tmp_path / "dns.zone").write_text(ZONE)
    return path


def run(spec: Path, *arguments: str, is_asked: bool = True) -> Result:
    dns = ("--dns", str(spec.parent / "dns.zone")) if is_asked else ()
    return CliRunner().invoke(cli, ("route", str(spec), *arguments, *dns))


@pytest.mark.parametrize(
    ("arguments", "expected", "code"),
    [
        (
            ["x@them.test"],
            "x@them.test\n  by no route of the spec: direct\n     10 mx1.them.test\n     20 mx2.them.test\n",
            0,
        ),
        (["x@alone.test"], "x@alone.test\n  by no route of the spec: direct\n        alone.test\n", 0),
        (["x@[192.0.2.9]"], "x@[192.0.2.9]\n  by no route of the spec: direct\n        192.0.2.9\n", 0),
        (
            ["X@LAN.test"],
            "x@lan.test\n  by route 1 (FILE:11:5)\n  by relay ses (smtp to ses.test:465, TLS implicit)\n",
            0,
        ),
        (
            ["x@silent.test", "--from", "news@example.com"],
            "x@silent.test from news@example.com\n  by route 2 (FILE:12:5)\n"
            "  by relay ses (smtp to ses.test:465, TLS implicit)\n",
            0,
        ),
        (
            ["x@hosted.test"],
            "x@hosted.test\n  by route 3 (FILE:13:5)\n  by relay ses (smtp to ses.test:465, TLS implicit)\n",
            0,
        ),
        (
            ["x@null.test"],
            "x@null.test\n  by no route of the spec: direct\n"
            "  nobody to have it: 556 5.1.10 null.test accepts no mail\n",
            1,
        ),
        (
            ["x@silent.test"],
            "x@silent.test\n  it depends on DNS which route it is\n"
            "  nobody to have it: 451 4.4.3 DNS: silent.test. is delegated, and nobody is asked\n",
            1,
        ),
        (
            ["sales@example.com"],
            "sales@example.com\n  is received here\n    account alice@example.com\n    account bob@example.com\n"
            "    goes on to alice@else.test\n",
            0,
        ),
        (["team@example.com"], "team@example.com\n  is received here\n    list team@example.com\n", 0),
        (
            ["nobody@example.com"],
            "nobody@example.com\n  is received here\n  nobody to have it: nobody@example.com is unknown\n",
            1,
        ),
    ],
)
def test_the_way_is_told_with_its_reason(spec: Path, arguments: list[str], expected: str, code: int) -> None:
    found = run(spec, *arguments)
    assert (found.stdout.replace(str(spec), "FILE"), found.exit_code) == (expected, code)


def test_json_says_the_same(spec: Path) -> None:
    found = json.loads(run(spec, "x@lan.test", "--format", "json").stdout)
    assert found == {
        "to": "x@lan.test",
        "from": None,
        "way": "relay",
        "route": {"number": 1, "place": f"{spec}:11:5"},
        "relay": {
            "name": "ses",
            "protocol": "smtp",
            "host": "ses.test",
            "port": 465,
            "socket": None,
            "tls": "implicit",
        },
        "warm_up": None,
        "least_tls": None,
        "least_tls_place": None,
        "exchangers": [],
        "sources": [],
        "refusal": None,
    }
    here = json.loads(run(spec, "bob@example.com", "--format", "json").stdout)
    assert (here["way"], here["accounts"], here["refusal"]) == ("here", ["bob@example.com"], None)


def test_the_least_tls_is_told_with_the_line_that_asks_for_it(spec: Path) -> None:
    plain = json.loads(run(spec, "x@them.test", "--format", "json").stdout)
    assert (plain["least_tls"], plain["least_tls_place"]) == ("opportunistic", None)
    with spec.open("a") as file:
        file.write("  - {to: alone.test, via: direct, tls: verified}\nsending: {tls: required}\n")
    for address, least, place in (("x@them.test", "required", "15:11"), ("x@alone.test", "verified", "14:35")):
        found = run(spec, address)
        assert f"  TLS at least {least} ({spec}:{place})\n" in found.stdout
        asked = json.loads(run(spec, address, "--format", "json").stdout)
        assert (asked["least_tls"], asked["least_tls_place"]) == (least, f"{spec}:{place}")


def warming(spec: Path, days_ago: int) -> str:
    """A warm-up of that age added; returns the day on which it is over."""
    today = day_of(system_clock())
    with spec.open("a") as file:
        start = date(Instant(today - days_ago * DAY_MS))
        file.write(f"  - {{to: warm.test, via: direct, warmup: {{start: {start}, over: 7d, meanwhile: ses}}}}\n")
        file.write("storage: {path: state}\n")
    return date(Instant(today + (7 - days_ago) * DAY_MS))


def date(day: Instant) -> str:
    return as_datetime(day).strftime("%Y-%m-%d")


RELAY = "  the rest by relay ses (smtp to ses.test:465, TLS implicit)\n"


@pytest.mark.parametrize(
    ("days_ago", "told", "way"),
    [
        (-1, "nothing yet; all on DAY\n" + RELAY, "relay"),
        (2, "3.7%, 0 of at most 200 today; all on DAY\n" + RELAY, "share"),
        (7, "all of it\n", "direct"),
    ],
)
def test_a_warm_up_is_told_with_the_share_of_today(spec: Path, days_ago: int, told: str, way: str) -> None:
    over = warming(spec, days_ago)
    found = run(spec, "x@warm.test")
    head = f"x@warm.test\n  by route 4 ({spec}:14:5)\n  a warm-up for far.test: "
    assert found.stdout == f"{head}{told.replace('DAY', over)}     10 mx.far.test\n"
    facts = json.loads(run(spec, "x@warm.test", "--format", "json").stdout)
    assert (facts["way"], facts["warm_up"]["provider"], facts["warm_up"]["mail"]) == (way, "far.test", None)


def test_which_way_a_mail_of_the_queue_goes(spec: Path) -> None:
    warming(spec, 6)  # the last day: a half
    mails = {
        mail: json.loads(run(spec, "x@warm.test", "--mail", str(mail), "--format", "json").stdout)["way"]
        for mail in range(1, 15)
    }
    assert set(mails.values()) == {"direct", "relay"}
    mail = next(mail for mail, way in mails.items() if way == "direct")
    assert f"  mail {mail} goes direct today\n" in run(spec, "x@warm.test", "--mail", str(mail)).stdout


def test_what_the_server_counted_is_looked_at_if_it_is_wanted(spec: Path) -> None:
    warming(spec, 2)
    found = run(spec, "x@warm.test", "--live")
    assert (found.exit_code, "nothing was applied yet" in found.stderr) == (1, True)
    assert CliRunner().invoke(cli, ("apply", "--yes", "--no-dns", str(spec))).exit_code == 0

    async def fill() -> None:
        store = await open_store(spec.parent / "state", clock=system_clock, bus=Silence())
        await store.warm_days.add(WarmDay(provider="far.test", day=day_of(system_clock()), taken=46, troubles=4))
        await store.close()

    asyncio.run(fill())
    assert (
        "  a warm-up for far.test: 3.7%, 50 of at most 200 today; all on " in run(spec, "x@warm.test", "--live").stdout
    )
    assert "3.7%, 0 of at most 200 today" in run(spec, "x@warm.test").stdout


def test_a_resolver_is_asked(spec: Path) -> None:
    with dns_server_beside({"them.test": {"MX": ["5 live.them.test."]}}) as server:
        found = run(spec, "x@them.test", "--resolver", server.endpoint, is_asked=False)
    assert "      5 live.them.test\n" in found.stdout


def test_a_backup_hands_over_to_the_primary(tmp_path: Path) -> None:
    path = tmp_path / "mailstack.yaml"
    path.write_text(
        "server: {hostname: mx2.example.net, role: backup-mx}\n"
        "domains: {example.com: }\naccounts: {alice@example.com: }\n"
    )
    (tmp_path / "dns.zone").write_text(
        "example.com. 60 MX 10 mx1.example.com.\nexample.com. 60 MX 20 mx2.example.net.\n"
    )
    found = run(path, "alice@example.com")
    assert found.stdout == "alice@example.com\n  by no route of the spec: direct\n     10 mx1.example.com\n"
    assert "is unknown" in run(path, "nobody@example.com").stdout


def test_what_is_no_address_is_told(spec: Path) -> None:
    found = run(spec, "them.test")
    assert (found.exit_code, "them.test: not an address (such as alice@example.com)" in found.stderr) == (1, True)


def test_what_mail_leaves_from_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mailstack.yaml"
    path.write_text(
        """\
server: {hostname: mail.example.com, addresses: [127.0.0.2, {address: 192.0.2.77, name: out.example.com}, "::1"]}
domains: {example.com: }
relays: {inside: {host: 127.0.0.1, protocol: lmtp}}
routes: [{to: them.test, via: direct, source: 192.0.2.77}, {to: lan.test, via: inside}]
"""
    )
    (tmp_path / "dns.zone").write_text(ZONE)
    told = run(path, "x@alone.test").stdout.splitlines()
    assert told[-3:] == [
        "  leaves from 127.0.0.2 as mail.example.com",
        "  or from 192.0.2.77 as out.example.com (not an address of this machine)",
        "  or from ::1 as mail.example.com",
    ]
    named = json.loads(run(path, "x@them.test", "--format", "json").stdout)["sources"]
    assert named == [
        {"address": "192.0.2.77", "ehlo": "out.example.com", "is_here": False},
        {"address": "::1", "ehlo": "mail.example.com", "is_here": True},
    ]
    assert json.loads(run(path, "x@lan.test", "--format", "json").stdout)["sources"] == []
