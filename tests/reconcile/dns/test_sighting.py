"""When a record counts as seen, and what is told where it does not."""

import pytest

from mailstack.reconcile.dns.live import Seen, Sight
from mailstack.reconcile.dns.sighting import Question, Sighting, observe, sighting
from tests.support.memory_dns import MemoryDns

VALUE = "v=DKIM1; k=ed25519; p=AAAA"


def here(server: str, *values: str) -> Sight:
    return Sight(server=server, values=values)


DOWN = Sight(server="ns3", failure="does not answer")


@pytest.mark.parametrize(
    ("seen", "is_seen", "told"),
    [
        (Seen(sights=(here("ns1", VALUE), here("ns2", VALUE))), True, "seen at ns1, ns2"),
        # A server that is down must not hold up a rotation for ever.
        (Seen(sights=(here("ns1", VALUE), DOWN)), True, "seen at ns1"),
        (Seen(sights=(DOWN,)), False, "ns3 does not answer"),
        (Seen(sights=(here("ns1", VALUE), here("ns2"))), False, "ns2 does not have it"),
        (Seen(sights=(here("ns1", "v=DKIM1;k=ed25519;p=AAAA;"),)), True, "seen at ns1"),
        (Seen(sights=(here("ns1", "v=DKIM1; p=BBBB"),)), False, 'ns1 has something else there: "v=DKIM1; p=BBBB"'),
        # RFC 6376 §3.6.2.2: with two records at a selector, which one a verifier takes is anybody's guess.
        (Seen(sights=(here("ns1", VALUE, "v=spf1"),)),
         False, f'ns1 has something else there: "{VALUE}" and 1 more'),
        (Seen(sights=(Sight(server="ns1", alias="other.example"),)), False, "ns1 has a CNAME to other.example there"),
        (Seen(failure="example.com has no name servers"), False, "example.com has no name servers"),
        (Seen(), False, "the zone has no servers"),
    ],
)  # fmt: skip
def test_sighting(seen: Seen, is_seen: bool, told: str) -> None:
    assert sighting(seen, VALUE) == Sighting(is_seen=is_seen, told=told)


async def test_each_question_is_asked_once() -> None:
    live = MemoryDns()
    question = Question(zone="example.org", key=("a.example.org", "TXT"))
    observed = await observe(live, (question, question))
    assert list(observed) == [question.key]
    assert live.asked == ["a.example.org TXT"]
