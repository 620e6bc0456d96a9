"""How long all questions of a plan wait together."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from mailstack.reconcile.dns.authoritative import AuthoritativeDns, LiveLimits
from mailstack.reconcile.dns.live import LiveDns, Seen, Sight
from mailstack.reconcile.dns.patient import LATE, PatientDns
from mailstack.reconcile.dns.record_set import RecordSet
from mailstack.reconcile.dns.sighting import Question, observe
from mailstack.reconcile.dns.survey import plan_warnings, survey
from mailstack.reconcile.dns.zones import PlacedRecord
from tests.support.dns_server import dns_server
from tests.support.specs import spec_value
from tests.support.virtual_time import run_in_virtual_time

FOREVER_S = 1e6


@dataclass
class SlowDns:
    """Works as LiveDns: names are answered after so many seconds, all others never."""

    after_s: Mapping[str, float] = field(default_factory=dict)
    failure: str = ""

    async def seen(self, zone: str, name: str, record_type: str) -> Seen:  # noqa: ARG002  the protocol's
        return Seen(sights=(await self.resolved(name, record_type),))

    async def resolved(self, name: str, record_type: str) -> Sight:  # noqa: ARG002  the protocol's
        await asyncio.sleep(self.after_s.get(name, FOREVER_S))
        return Sight(server="ns1", failure=self.failure)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """answered: those of the questions that were, in order. took_s: all together."""

    answered: list[str]
    took_s: float


async def asked(live_dns: LiveDns, *names: str) -> Outcome:
    """All at once."""
    begin = asyncio.get_running_loop().time()
    found = await asyncio.gather(*(live_dns.seen("", name, "MX") for name in names))
    answered = [name for name, seen in zip(names, found, strict=True) if seen.failure != LATE]
    return Outcome(answered=answered, took_s=asyncio.get_running_loop().time() - begin)


NAMES = [f"n{number}.se" for number in range(200)]


def test_dns_that_never_answers_is_given_up_with_all_questions_at_once() -> None:
    outcome = run_in_virtual_time(asked(PatientDns(SlowDns()), *NAMES))
    assert outcome == Outcome(answered=[], took_s=5.0)


def test_what_is_asked_after_that_does_not_wait_again() -> None:
    async def scene() -> tuple[Outcome, Sight]:
        live_dns = PatientDns(SlowDns())
        await asked(live_dns, "first.se")
        return await asked(live_dns, *NAMES), await live_dns.resolved("se", "NS")

    outcome, sight = run_in_virtual_time(scene())
    assert outcome == Outcome(answered=[], took_s=0.0)
    assert sight.failure == LATE


def test_an_answer_buys_time_for_the_others() -> None:
    slow = SlowDns(after_s={"a.se": 4, "b.se": 8, "late.se": 14})
    outcome = run_in_virtual_time(asked(PatientDns(slow), "a.se", "b.se", "late.se"))
    assert outcome == Outcome(answered=["a.se", "b.se"], took_s=13.0)


def test_there_is_an_end_though_answers_come() -> None:
    slow = SlowDns(after_s={name: number + 0.5 for number, name in enumerate(NAMES)})
    outcome = run_in_virtual_time(asked(PatientDns(slow), *NAMES))
    assert outcome == Outcome(answered=NAMES[:20], took_s=20.0)


def test_servers_that_only_fail_buy_no_time() -> None:
    failing = SlowDns(after_s={"a.se": 4, "b.se": 6}, failure="answers SERVFAIL")
    outcome = run_in_virtual_time(asked(PatientDns(failing), "a.se", "b.se"))
    assert outcome == Outcome(answered=["a.se"], took_s=5.0)


def test_time_in_which_nobody_waits_is_not_counted_and_all_other_is() -> None:
    async def scene() -> Outcome:
        live_dns = PatientDns(SlowDns(after_s={"a.se": 1, "b.se": 4}, failure="answers SERVFAIL"))
        await asked(live_dns, "a.se")
        await asyncio.sleep(60)  # a provider is read meanwhile
        return await asked(live_dns, "b.se", "never.se")

    assert run_in_virtual_time(scene()) == Outcome(answered=[], took_s=4.0)


async def test_a_resolver_that_never_answers_is_one_line_of_the_plan_that_names_the_zones() -> None:
    zones = ("one.lan", "two.lan")
    spec = spec_value({"server": {"hostname": "mail.one.lan"}, "domains": {zone: {} for zone in zones}}).spec
    records = [
        PlacedRecord(zone=zone, record=RecordSet(name=f"n{number}.{zone}", type="MX", values=("10 mail.one.lan.",)))
        for zone in zones
        for number in range(50)
    ]
    async with dns_server({}) as server:
        server.silent |= set(zones)
        limits = LiveLimits(server_timeout_s=FOREVER_S, deadline_s=FOREVER_S, resolver_deadline_s=FOREVER_S)
        asked = AuthoritativeDns(resolvers=(server.endpoint,), limits=limits)
        live_dns: LiveDns = PatientDns(asked, quiet_s=0.05, most_s=FOREVER_S)
        await observe(live_dns, [Question(zone="one.lan", key=("s._domainkey.one.lan", "TXT"))])
        found = plan_warnings(await survey(spec, live_dns, records, {}))
    assert [(warning.subject, warning.text) for warning in found] == [
        (
            "dns",
            "could not be asked about records to publish by hand, in dns_zone one.lan, dns_zone two.lan: did not answer"
            " in time; `mailstack dns check` waits longer",
        )
    ]


async def test_a_question_that_begins_when_time_is_over_keeps_none_of_the_others_waiting() -> None:
    loop, faults = asyncio.get_running_loop(), list[object]()
    loop.set_exception_handler(lambda _, context: faults.append(context["message"]))

    class BusyDns(SlowDns):
        async def resolved(self, name: str, record_type: str) -> Sight:
            if name != "busy.se":
                try:
                    return await super().resolved(name, record_type)
                finally:
                    await asyncio.sleep(0)  # as whatever closes a socket on its way out
            await asyncio.sleep(0.01)
            while loop.time() < begin + 0.2:  # the loop is busy until time is over
                pass
            return Sight(server="ns1")

    async def one_after_the_other() -> None:
        await live_dns.resolved("busy.se", "MX")
        await live_dns.resolved("late.se", "MX")

    begin, live_dns = loop.time(), PatientDns(BusyDns(), quiet_s=FOREVER_S, most_s=0.1)
    async with asyncio.timeout(60):
        await asyncio.gather(one_after_the_other(), *(live_dns.resolved(name, "MX") for name in NAMES))
    assert faults == []
