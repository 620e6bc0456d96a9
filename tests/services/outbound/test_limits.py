"""What is one destination, and how much of it there is."""

import pytest

from mailstack.model.delivery import NextHop, SmtpReply, TlsMode
from mailstack.model.rate import Rate
from mailstack.ports.resolver import Answer, MailExchanger
from mailstack.services.outbound.destination import ToDomain, ToRelay
from mailstack.services.outbound.limits import Entry, Group, Limits, LimitTable, Place
from mailstack.services.outbound.mx import Hosts
from mailstack.services.outbound.route import Relay

SLOW = Limits(concurrency=1, rate=Rate(20, "m"))
OTHER = Limits(concurrency=2)
REST = Limits(concurrency=5, rate=Rate(600, "m"))
TABLE = LimitTable(
    entries=(Entry("*.google.com", SLOW), Entry("*.slow.test", OTHER), Entry("*.ses.test", SLOW)), rest=REST
)


def hosts(*names: str) -> Hosts:
    """Each preferred to those behind it."""
    found = [MailExchanger(preference=10 * at, host=name) for at, name in enumerate(names, start=1)]
    return Hosts(names, Answer(values=tuple(found), is_secure=False, name=""))


@pytest.mark.parametrize(
    ("domain", "found", "group", "limits"),
    [
        ("them.test", hosts("mx2.them.test", "mx1.them.test"), ("mx1.them.test", "mx2.them.test"), REST),
        (
            "them.test",
            Hosts(("them.test",), Answer(values=(), is_secure=False, name="them.test")),
            ("them.test",),
            REST,
        ),
        ("them.test", SmtpReply(code=451, status="4.4.3", text="no DNS"), ("them.test",), REST),
        ("firm.test", hosts("aspmx.l.google.com", "alt1.l.google.com"), ("*.google.com",), SLOW),
        ("other.test", hosts("ASPMX2.l.google.com"), ("*.google.com",), SLOW),
        # What anybody may write into their own zone.
        ("evil.test", hosts("mx.l.google.com", "evil.test"), ("evil.test", "mx.l.google.com"), SLOW),
        ("evil.test", hosts("evil.test", "mx.l.google.com"), ("evil.test", "mx.l.google.com"), REST),
        ("a.slow.test", hosts("mx.any.test"), ("*.slow.test",), OTHER),
        ("a.slow.test", SmtpReply(code=451, status="4.4.3", text="no DNS"), ("*.slow.test",), OTHER),
        ("a.slow.test", hosts("mx.l.google.com"), ("*.google.com",), SLOW),  # the first entry that fits
    ],
)
def test_destinations(domain: str, found: Hosts | SmtpReply, group: Group, limits: Limits) -> None:
    assert TABLE.place(ToDomain(domain), found) == Place(group, limits)


def test_a_relay_is_a_destination_of_its_own_by_its_host() -> None:
    for host, limits in (("eu.ses.test", SLOW), ("relay.test", REST)):
        relay = Relay(name="r", hop=NextHop(host=host, port=587, tls=TlsMode.STARTTLS), mark="m")
        assert TABLE.place(ToRelay(relay), Hosts((host,))) == Place((host, "587", "m"), limits, "m")


def test_what_a_backup_took_for_its_primary_has_no_rate_unless_one_is_named() -> None:
    found = hosts("mx.ours.test")
    assert TABLE.place(ToDomain("ours.test", is_ours=True), found).limits == Limits(concurrency=5)
    assert TABLE.place(ToDomain("ours.slow.test", is_ours=True), found).limits == OTHER
