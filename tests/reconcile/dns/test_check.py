"""What name servers show, against what is wanted: tables of one set and one or several servers."""

import pytest

from mailstack.reconcile.dns.check import Standing, is_made_by_apply, judge, summary
from mailstack.reconcile.dns.live import Seen, Sight
from mailstack.reconcile.dns.record_set import RecordSet
from mailstack.reconcile.plan import KNOWN_AFTER_APPLY

SPF, MX, TLSA = "v=spf1 a -all", "10 mail.example.se.", f"3 1 1 {'ab' * 32}"
DKIM = "v=DKIM1; k=rsa; p=AB"


def record(record_type: str, *values: str) -> RecordSet:
    return RecordSet(name="example.se", type=record_type, values=values)


def shown(*values: str, server: str = "ns1") -> Sight:
    return Sight(server=server, values=values)


@pytest.mark.parametrize(
    ("wanted", "sight", "standing"),
    [
        (record("TXT", SPF), shown(SPF), Standing.PRESENT),
        (record("TXT", SPF), shown(SPF, "site=1"), Standing.PRESENT),
        (record("TXT", SPF), shown("site=1"), Standing.MISSING),
        (record("TXT", SPF), shown(), Standing.MISSING),
        (record("TXT", SPF), shown("v=spf1 +all"), Standing.DIFFERS),
        (record("TXT", SPF), shown(SPF, "v=spf1 +all"), Standing.DIFFERS),  # RFC 7208 §4.5: two are none
        (record("TXT", DKIM), shown("v=DKIM1;k=rsa;p=AB"), Standing.PRESENT),
        (record("TXT", DKIM), shown("v=DKIM1; k=rsa; p=AC"), Standing.DIFFERS),
        (record("MX", MX), shown(MX), Standing.PRESENT),
        (record("MX", MX), shown(MX, "20 backup.example.se."), Standing.DIFFERS),
        (record("MX", MX), shown("10 other.example.se."), Standing.DIFFERS),
        (record("A", "192.0.2.1", "192.0.2.2"), shown("192.0.2.2"), Standing.DIFFERS),
        (record("A", "192.0.2.1", "192.0.2.2"), shown("192.0.2.2", "192.0.2.1"), Standing.PRESENT),
        (record("TLSA", TLSA), shown(TLSA, f"3 1 1 {'cd' * 32}"), Standing.PRESENT),
        (record("TLSA", TLSA), shown(f"3 1 1 {'cd' * 32}"), Standing.MISSING),
        (record("TXT", SPF), Sight(server="ns1", alias="elsewhere.se."), Standing.DIFFERS),
        (record("TXT", SPF), Sight(server="ns1", failure="does not answer"), Standing.UNKNOWN),
    ],
)
def test_one_server(wanted: RecordSet, sight: Sight, standing: Standing) -> None:
    assert judge("example.se", wanted, Seen(sights=(sight,))).standing is standing


DEAD = Sight(server="ns3", failure="does not answer")


@pytest.mark.parametrize(
    ("sights", "standing", "told"),
    [
        ((shown(MX), shown(MX, server="ns2")), Standing.PRESENT, "seen at 2 servers"),
        ((shown(MX), DEAD), Standing.PRESENT, "seen at 1 of 2 servers; ns3 does not answer"),
        ((shown(MX), shown(server="ns2"), DEAD), Standing.MISSING,
         "seen at 1 of 3 servers; not there (ns2); ns3 does not answer"),
        ((shown(), shown(server="ns2")), Standing.MISSING, "not there (ns1, ns2)"),
        ((shown(MX), shown("10 old.se.", server="ns2")), Standing.DIFFERS,
         "seen at 1 of 2 servers; there: 10 old.se. (ns2)"),
        ((shown(MX, "20 b.se."),), Standing.DIFFERS, "also there: 20 b.se. (ns1)"),
        ((DEAD,), Standing.UNKNOWN, "ns3 does not answer"),
        ((), Standing.UNKNOWN, "seen at 0 servers"),
    ],
)  # fmt: skip
def test_several_servers_are_told_in_a_line(sights: tuple[Sight, ...], standing: Standing, told: str) -> None:
    finding = judge("example.se", record("MX", MX), Seen(sights=sights))
    assert (finding.standing, summary(finding)) == (standing, told)


def test_where_nobody_could_be_asked_the_reason_is_told() -> None:
    finding = judge("example.se", record("MX", MX), Seen(failure="no servers"))
    assert (finding.standing, summary(finding)) == (Standing.UNKNOWN, "no servers")


@pytest.mark.parametrize(
    ("wanted", "is_made"),
    [
        (record("TXT", f"v=DKIM1; p={KNOWN_AFTER_APPLY}"), True),
        (record("TLSA", f"3 1 1 {KNOWN_AFTER_APPLY}"), True),
        (record("TLSA", TLSA), False),
    ],
)
def test_what_apply_makes_is_not_looked_for(wanted: RecordSet, is_made: bool) -> None:
    assert is_made_by_apply(wanted) is is_made
