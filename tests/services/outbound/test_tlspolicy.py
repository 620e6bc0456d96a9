"""Which TLS policy a mail gets on its way, and what becomes of it when none can be known. RFC 7672 §2.1, §2.2;
RFC 8461 §2, §5."""

import pytest

from mailstack.model.delivery import Deferred
from mailstack.model.tls_policy import (
    OPPORTUNISTIC,
    Dane,
    LeastTls,
    Required,
    Sts,
    TlsaRecord,
    TlsFailure,
    TlsPolicy,
    TlsUsed,
)
from mailstack.services.outbound.destination import ToDomain
from tests.support.outbound_world import OutboundWorld, attempted
from tests.support.outcomes import brief

EE = TlsaRecord(3, 1, 1, bytes(32))
PKIX = TlsaRecord(1, 1, 1, bytes(32))
MX1, MX2 = "mx1.them.test", "mx2.them.test"


def sign(world: OutboundWorld, *hosts: str, record: TlsaRecord = EE) -> None:
    """The domain, and hosts with a record each."""
    world.resolver.secure |= {"them.test", *hosts, *(f"_25._tcp.{host}" for host in hosts)}
    world.resolver.tlsa = {f"_25._tcp.{host}": (record,) for host in hosts}


async def send(world: OutboundWorld, domain: str = "them.test") -> tuple[list[str], list[tuple[str, TlsPolicy]]]:
    """What came of it, and who was handed it under which policy."""
    sent = [await world.queued(f"b@{domain}")]
    answers = [answer async for part in attempted(world.service(), ToDomain(domain), sent, b"x") for answer in part]
    return brief([outcome for _, outcome in answers]), [
        (handed.hop.host, handed.hop.policy) for handed in world.transport.handed
    ]


async def test_without_dnssec_it_is_opportunistic(world: OutboundWorld) -> None:
    assert await send(world) == (["Delivered 250 2.0.0"], [(MX1, OPPORTUNISTIC)])


@pytest.mark.parametrize(
    ("record", "policy"),
    [(EE, Dane(records=(EE,), names=(MX1, "them.test"))), (PKIX, Required(is_verified=False))],
)
async def test_records_that_dnssec_vouches_for_are_policy(
    world: OutboundWorld, record: TlsaRecord, policy: TlsPolicy
) -> None:
    sign(world, MX1, record=record)
    assert await send(world) == (["Delivered 250 2.0.0"], [(MX1, policy)])


async def test_an_address_has_no_records(world: OutboundWorld) -> None:
    assert (await send(world, "[192.0.2.1]"))[1] == [("192.0.2.1", OPPORTUNISTIC)]


async def test_a_host_whose_records_are_forged_gets_nothing_and_the_next_one_does(world: OutboundWorld) -> None:
    sign(world, MX1, MX2)
    world.resolver.failing.add(f"_25._tcp.{MX1}")
    assert await send(world) == (["Delivered 250 2.0.0"], [(MX2, Dane(records=(EE,), names=(MX2, "them.test")))])


async def test_mail_waits_while_all_hosts_records_are_forged(world: OutboundWorld) -> None:
    sign(world, MX1, MX2)
    world.resolver.failing |= {f"_25._tcp.{host}" for host in (MX1, MX2)}
    assert await send(world) == (["Deferred 451 4.7.5"], [])


@pytest.mark.parametrize("content", [b"x", b"TLS-Required: No\r\n\r\nx"])
async def test_what_we_ask_for_goes_along_whatever_the_mail_says(world: OutboundWorld, content: bytes) -> None:
    """RFC 8689 §3: it is their policies that the header field waives."""
    way = ToDomain("them.test", LeastTls.VERIFIED)
    item = await world.queued("b@them.test")
    assert [part async for part in attempted(world.service(), way, [item], content)]
    assert [handed.hop.least for handed in world.transport.handed] == [LeastTls.VERIFIED]


def publish(world: OutboundWorld, mode: str, mx: str) -> None:
    world.resolver.txt = {"_mta-sts.them.test": ("v=STSv1; id=1",)}
    text = f"version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: 604800\n"
    world.policy_host.texts["them.test"] = text.encode()


def sts(mx: str, *, is_testing: bool = False) -> Sts:
    return Sts(domain="them.test", is_testing=is_testing, mx=(mx,))


@pytest.mark.parametrize(
    ("mode", "mx", "expected"),
    [
        ("enforce", "*.them.test", (MX1, sts("*.them.test"))),
        ("enforce", MX2, (MX2, sts(MX2))),  # the better one is none of theirs, and is passed over
        ("testing", MX2, (MX1, sts(MX2, is_testing=True))),
        ("none", MX2, (MX1, OPPORTUNISTIC)),
    ],
)
async def test_mta_sts_says_which_hosts_may_have_it(
    world: OutboundWorld, mode: str, mx: str, expected: tuple[str, TlsPolicy]
) -> None:
    publish(world, mode, mx)
    assert await send(world) == (["Delivered 250 2.0.0"], [expected])


async def test_mail_waits_where_no_host_is_allowed_and_its_outcome_says_why(world: OutboundWorld) -> None:
    publish(world, "enforce", "elsewhere.test")
    assert await send(world) == (["Deferred 451 4.7.0"], [])
    (item,) = await world.queue.items()
    way = ToDomain("them.test", LeastTls.REQUIRED)
    (parts,) = [part async for part in attempted(world.service(), way, [item], b"x")]
    (outcome,) = [outcome for _, outcome in parts]
    assert isinstance(outcome, Deferred)
    assert outcome.reply.text == "mx2.them.test is not in the MTA-STS policy of them.test"
    assert outcome.tls == TlsUsed(policy="sts", least=LeastTls.REQUIRED, failure=TlsFailure.VALIDATION_FAILURE)


@pytest.mark.parametrize(
    ("record", "mode", "expected"),
    [
        (EE, "enforce", Dane(records=(EE,), names=(MX1, "them.test"))),
        (PKIX, "enforce", sts("*.them.test")),
        (PKIX, "testing", Required(is_verified=False)),
    ],
)
async def test_dane_comes_before_mta_sts(
    world: OutboundWorld, record: TlsaRecord, mode: str, expected: TlsPolicy
) -> None:
    sign(world, MX1, record=record)
    publish(world, mode, "*.them.test")
    assert await send(world) == (["Delivered 250 2.0.0"], [(MX1, expected)])


async def test_a_host_with_records_need_not_be_in_the_policy(world: OutboundWorld) -> None:
    sign(world, MX1)
    publish(world, "enforce", MX2)
    assert (await send(world))[1] == [(MX1, Dane(records=(EE,), names=(MX1, "them.test")))]
    assert not world.policy_host.asked
