"""What a plan says of records that people publish."""

from mailstack.reconcile.dns.live import NotAsked, Seen
from mailstack.reconcile.dns.record_set import RecordSet
from mailstack.reconcile.dns.survey import Survey, plan_warnings, survey
from mailstack.reconcile.dns.zones import PlacedRecord
from mailstack.reconcile.plan import KNOWN_AFTER_APPLY, PlanWarning
from tests.support.memory_dns import MemoryDns
from tests.support.specs import spec_value

SPEC = spec_value({"server": {"hostname": "mail.example.se"}, "domains": {"example.se": {}}}).spec
MX = RecordSet(name="example.se", type="MX", values=("10 mail.example.se.",))
SPF = RecordSet(name="example.se", type="TXT", values=("v=spf1 -all",))
KEY = RecordSet(name="s._domainkey.example.se", type="TXT", values=(f"v=DKIM1; p={KNOWN_AFTER_APPLY}",))
RECORDS = tuple(PlacedRecord(zone="example.se", record=record) for record in (MX, SPF, KEY))


async def warnings(live_dns: MemoryDns) -> list[tuple[str, str]]:
    found = plan_warnings(await survey(SPEC, live_dns, RECORDS, {}))
    return [(warning.subject, warning.text) for warning in found]


async def test_what_is_live_is_no_warning() -> None:
    live_dns = MemoryDns(servers={"ns1": {MX.key: MX.values, SPF.key: SPF.values}})
    assert await warnings(live_dns) == []
    assert live_dns.asked == ["example.se MX", "example.se TXT"]


async def test_a_zone_that_lacks_much_is_one_warning() -> None:
    assert await warnings(MemoryDns()) == [
        ("dns_zone example.se", "to be published by hand, and not everywhere yet: example.se MX, example.se TXT")
    ]


async def test_a_value_that_harms_is_a_warning_of_its_own() -> None:
    held = {MX.key: MX.values, SPF.key: (*SPF.values, "v=spf1 +all")}
    assert await warnings(MemoryDns(servers={"ns1": held})) == [
        ("dns_record example.se TXT", "also there: v=spf1 +all (ns1)")
    ]


async def test_without_dns_a_plan_says_that_nobody_could_be_asked() -> None:
    assert await warnings(MemoryDns(failure="DNS does not answer")) == [
        (
            "dns",
            "could not be asked about records to publish by hand, in dns_zone example.se: DNS does not answer;"
            " `mailstack dns check` waits longer",
        )
    ]


async def test_zones_that_nobody_answers_for_are_one_line_and_the_others_keep_theirs() -> None:
    class PartlyDead(MemoryDns):
        async def seen(self, zone: str, name: str, record_type: str) -> Seen:
            if zone.startswith("dead"):
                return Seen(failure=f"DNS does not answer ({zone} NS: LifetimeTimeout)")
            return await MemoryDns.seen(self, zone, name, record_type)

    zones = ("dead1.se", "dead2.se", "example.se", "")
    records = [
        PlacedRecord(zone=zone, record=RecordSet(name=zone or "n.dead.se", type="A", values=("192.0.2.1",)))
        for zone in zones
    ]
    found = plan_warnings(await survey(SPEC, PartlyDead(), records, {}))
    assert [(warning.subject, warning.text) for warning in found] == [
        ("dns_zone example.se", "to be published by hand, and not everywhere yet: example.se A"),
        ("dns", "to be published by hand, and not everywhere yet: n.dead.se A"),
        (
            "dns",
            "could not be asked about records to publish by hand, in dns_zone dead1.se, dns_zone dead2.se: DNS does not"
            " answer; `mailstack dns check` waits longer",
        ),
    ]


async def test_what_else_could_not_be_asked_is_one_line_too() -> None:
    server = {"hostname": "mail.example.se", "addresses": ["8.8.8.8", "9.9.9.9"]}
    spec = spec_value({"server": server, "domains": {"example.se": {}}}).spec
    found = plan_warnings(await survey(spec, MemoryDns(failure="DNS does not answer (x PTR: Timeout)"), [], {}))
    assert [(warning.subject, warning.text) for warning in found] == [
        ("dns", "could not be asked about address 8.8.8.8, address 9.9.9.9: DNS does not answer")
    ]


async def test_where_dns_is_left_out_nothing_is_said() -> None:
    assert await survey(SPEC, NotAsked(), RECORDS, {}) == Survey()


async def test_more_records_than_a_reader_wants_are_counted() -> None:
    many = [
        PlacedRecord(zone="", record=RecordSet(name=f"n{number}.se", type="A", values=("192.0.2.1",)))
        for number in range(30)
    ]
    (warning,) = plan_warnings(await survey(SPEC, MemoryDns(), many, {}))
    assert warning == PlanWarning(subject="dns", text=warning.text)
    assert warning.text.endswith("n19.se A and 10 more")
