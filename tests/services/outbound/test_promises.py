"""What senders ask of TLS on the way: REQUIRETLS and `TLS-Required: No`. RFC 8689 §3, §4.2.1."""

from dataclasses import replace

import pytest

from mailstack.formats.dsn import Action, Notice, without_header, write_notice
from mailstack.model.delivery import NULL_PATH, Failed, HopProtocol, NextHop, Outcome, TlsMode
from mailstack.model.handling import PLAIN, Handling
from mailstack.model.instant import Instant
from mailstack.model.tls_policy import (
    OPPORTUNISTIC,
    Dane,
    Required,
    Sts,
    TlsaRecord,
    TlsFailure,
    TlsPolicy,
    TlsUsed,
)
from mailstack.ports.resolver import Answer, MailExchanger
from mailstack.services.outbound.destination import ToDomain, ToRelay
from mailstack.services.outbound.promises import TlsWish, strict_policy, tls_wish
from mailstack.services.outbound.route import Relay
from tests.support.memory_transport import answer
from tests.support.outbound_world import OutboundWorld, attempted
from tests.support.outcomes import brief

REQUIRETLS = Handling(requires_tls=True)
MX1, MX2 = "mx1.them.test", "mx2.them.test"
EE = TlsaRecord(3, 1, 1, bytes(32))
DANE = Dane(records=(EE,), names=(MX1, "them.test"))
STS = Sts(domain="them.test", is_testing=False, mx=(MX1,))
VERIFIED = Required(is_verified=True)
TO_THEM = ToDomain("them.test")
DELIVERED = ["Delivered 250 2.0.0"]
OPTIONAL = b"TLS-Required: No\r\n\r\nx"
NOTICE = write_notice(
    Notice(
        action=Action.FAILED,
        reporting_host="mx.elsewhere.test",
        to="b@them.test",
        arrived_at=Instant(0),
        written_at=Instant(0),
        recipients=(),
        header=b"Subject: hi\r\n\r\n",
    ),
    token="0123456789abcdef",
)
SHORT_NOTICE = without_header(NOTICE)


@pytest.mark.parametrize(
    ("handling", "header", "expected"),
    [
        (PLAIN, b"", TlsWish.UNSAID),
        (PLAIN, b"TLS-Required: No\r\n", TlsWish.OPTIONAL),
        (PLAIN, b"tls-required:\r\n NO \r\n", TlsWish.OPTIONAL),
        (PLAIN, b"TLS-Required: Yes\r\n", TlsWish.UNSAID),
        (PLAIN, b"TLS-Required: No\r\nTLS-Required: No\r\n", TlsWish.UNSAID),
        (PLAIN, b"X-TLS-Required: No\r\n", TlsWish.UNSAID),
        (PLAIN, b"A: b\r\n\r\nTLS-Required: No\r\n", TlsWish.UNSAID),
        (REQUIRETLS, b"", TlsWish.REQUIRED),
        (REQUIRETLS, b"TLS-Required: No\r\n", TlsWish.REQUIRED),
    ],
)
def test_what_a_mail_asks_for(handling: Handling, header: bytes, expected: TlsWish) -> None:
    assert tls_wish(handling, header + b"\r\nbody\r\n", reverse_path="alice@example.com") is expected


@pytest.mark.parametrize(
    ("handling", "header", "expected"),
    [
        (REQUIRETLS, b"TLS-Required: No\r\n", TlsWish.PREFERRED),
        (PLAIN, b"TLS-Required: No\r\n", TlsWish.OPTIONAL),
        (PLAIN, b"", TlsWish.UNSAID),
    ],
)
def test_what_a_notice_asks_for(handling: Handling, header: bytes, expected: TlsWish) -> None:  # RFC 8689 §5
    assert tls_wish(handling, header + b"\r\nbody\r\n", reverse_path="") is expected


def exchangers(*, is_secure: bool, has_mx: bool = True) -> Answer[MailExchanger]:
    values = (MailExchanger(preference=10, host=MX1),) if has_mx else ()
    return Answer(values=values, is_secure=is_secure, name="them.test")


@pytest.mark.parametrize(
    ("found", "of", "expected"),
    [
        (DANE, exchangers(is_secure=True), DANE),
        (STS, exchangers(is_secure=False), STS),
        (replace(STS, is_testing=True), exchangers(is_secure=False), STS),
        (STS, exchangers(is_secure=True), STS),
        (replace(STS, is_testing=True), exchangers(is_secure=True), VERIFIED),  # what is tested stops no mail
        (Required(is_verified=False), exchangers(is_secure=True), VERIFIED),
        (OPPORTUNISTIC, exchangers(is_secure=True), VERIFIED),
        (OPPORTUNISTIC, exchangers(is_secure=False, has_mx=False), VERIFIED),
        (OPPORTUNISTIC, None, VERIFIED),
    ],
)
def test_a_policy_becomes_strict(found: TlsPolicy, of: Answer[MailExchanger] | None, expected: TlsPolicy) -> None:
    assert strict_policy(found, "them.test", of) == expected


def test_names_that_nobody_vouches_for_will_not_do() -> None:
    refused = strict_policy(OPPORTUNISTIC, "them.test", exchangers(is_secure=False))
    assert isinstance(refused, Failed)
    assert str(refused.reply) == (
        "550 5.7.10 the sender requires TLS: neither DNSSEC nor MTA-STS vouches for the mail servers of them.test"
    )


async def send(
    world: OutboundWorld, way: ToDomain | ToRelay, *, handling: Handling = REQUIRETLS, content: bytes = b"\r\nx"
) -> tuple[list[str], list[tuple[str, TlsPolicy]]]:
    """What came of it, and who was handed it under which policy."""
    item = replace(await world.queued("b@them.test"), handling=handling)
    answers = [answer async for part in attempted(world.service(), way, [item], content) for answer in part]
    handed = [(each.hop.host, each.hop.policy) for each in world.transport.handed]
    return brief([outcome for _, outcome in answers]), handed


async def test_it_goes_nowhere_by_names_that_can_be_forged(world: OutboundWorld) -> None:
    assert await send(world, TO_THEM) == (["Failed 550 5.7.10"], [])


async def test_dnssec_vouches_for_names_and_authorities_for_certificates(world: OutboundWorld) -> None:
    world.resolver.secure.add("them.test")
    assert await send(world, TO_THEM) == (DELIVERED, [(MX1, VERIFIED)])


async def test_another_host_may_offer_what_the_first_does_not(world: OutboundWorld) -> None:
    world.resolver.secure.add("them.test")
    world.transport.answers[MX1] = answer(550, "5.7.30", is_turned_away=True)
    assert await send(world, TO_THEM) == (DELIVERED, [(MX1, VERIFIED), (MX2, VERIFIED)])
    world.transport.answers[MX2] = world.transport.answers[MX1]
    assert (await send(world, TO_THEM))[0] == ["Failed 550 5.7.30"]


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (TlsFailure.CERTIFICATE_EXPIRED, "Failed 550 5.7.10"),
        (TlsFailure.DNSSEC_INVALID, "Deferred 451 4.7.5"),
        (None, "Deferred 451 4.7.5"),
    ],
)
async def test_what_fails_for_tls_fails_at_once(
    world: OutboundWorld, failure: TlsFailure | None, expected: str
) -> None:
    world.resolver.secure.add("them.test")
    unprotected = answer(451, "4.7.5", host="")
    tls = TlsUsed(policy="verified", failure=failure)
    for host in (MX1, MX2):
        world.transport.answers[host] = lambda asked, to: replace(unprotected(asked, to), tls=tls)
    assert (await send(world, TO_THEM))[0] == [expected]
    assert (await send(world, TO_THEM, handling=PLAIN))[0] == ["Deferred 451 4.7.5"]


@pytest.mark.parametrize(
    ("tls", "expected"),
    [
        (TlsMode.NONE, "Failed 550 5.7.10"),
        (TlsMode.OPPORTUNISTIC, "Failed 550 5.7.10"),
        (TlsMode.STARTTLS, "Delivered 250 2.0.0"),
        (TlsMode.IMPLICIT, "Delivered 250 2.0.0"),
    ],
)
async def test_a_relay_must_be_verified(world: OutboundWorld, tls: TlsMode, expected: str) -> None:
    way = ToRelay(Relay(name="ses", hop=NextHop(host="relay.test", port=587, tls=tls)))
    assert (await send(world, way))[0] == [expected]
    assert (await send(world, way, handling=PLAIN))[0] == DELIVERED


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "Delivered 250 2.0.0"),
        ("::1", "Delivered 250 2.0.0"),
        ("localhost", "Delivered 250 2.0.0"),
        ("imap.lan.test", "Failed 550 5.7.10"),
    ],
)
async def test_a_mailbox_server_on_this_machine_needs_none(world: OutboundWorld, host: str, expected: str) -> None:
    hop = NextHop(host=host, port=24, tls=TlsMode.NONE, protocol=HopProtocol.LMTP)
    assert (await send(world, ToRelay(Relay(name="inside", hop=hop))))[0] == [expected]
    onward = replace(hop, protocol=HopProtocol.SMTP)  # which sends it on
    assert (await send(world, ToRelay(Relay(name="filter", hop=onward))))[0] == ["Failed 550 5.7.10"]


async def send_notice(
    world: OutboundWorld, way: ToDomain | ToRelay = TO_THEM
) -> tuple[list[str], list[tuple[str, bool, bytes]]]:
    """What came of it, and who was handed it, with REQUIRETLS or without, and which content."""
    item = replace(await world.queued("b@them.test"), handling=REQUIRETLS, reverse_path=NULL_PATH)
    answers = [answer async for part in attempted(world.service(), way, [item], NOTICE) for answer in part]
    handed = [(each.hop.host, each.envelope.handling.requires_tls, each.content) for each in world.transport.handed]
    return brief([outcome for _, outcome in answers]), handed


async def test_a_notice_is_protected_as_the_mail_was(world: OutboundWorld) -> None:  # RFC 8689 §5
    world.resolver.secure.add("them.test")
    assert await send_notice(world) == (DELIVERED, [(MX1, True, NOTICE)])


async def test_a_notice_that_can_not_be_protected_is_sent_and_shows_no_header(world: OutboundWorld) -> None:
    assert SHORT_NOTICE != NOTICE
    assert await send_notice(world) == (DELIVERED, [(MX1, False, SHORT_NOTICE)])
    world.transport.handed.clear()
    way = ToRelay(Relay(name="ses", hop=NextHop(host="relay.test", port=587, tls=TlsMode.NONE)))
    assert await send_notice(world, way) == (DELIVERED, [("relay.test", False, SHORT_NOTICE)])


async def test_all_hosts_are_asked_to_protect_a_notice_before_any_gets_it_unprotected(world: OutboundWorld) -> None:
    world.resolver.secure.add("them.test")
    lacking = answer(550, "5.7.30", is_turned_away=True)
    gone = answer(451, "4.4.1", host="")
    asked: list[str] = []

    def first(host: str, recipient: str) -> Outcome:
        asked.append(host)
        return (lacking if asked == [MX1] else answer(250, "2.0.0"))(host, recipient)

    world.transport.answers |= {MX1: first, MX2: gone}
    outcomes, handed = await send_notice(world)
    assert outcomes == DELIVERED
    assert handed == [(MX1, True, NOTICE), (MX2, True, NOTICE), (MX1, False, SHORT_NOTICE)]


async def test_a_notice_waits_where_no_tls_would_help(world: OutboundWorld) -> None:
    world.resolver.secure.add("them.test")
    tls = TlsUsed(policy="verified")
    for host in (MX1, MX2):
        world.transport.answers[host] = lambda asked, to: replace(answer(451, "4.4.1", host="")(asked, to), tls=tls)
    outcomes, handed = await send_notice(world)
    assert outcomes == ["Deferred 451 4.4.1"]
    assert [host for host, _, _ in handed] == [MX1, MX2]


async def test_what_need_not_have_tls_follows_policies_as_far_as_they_lead(world: OutboundWorld) -> None:
    world.resolver.secure |= {"them.test", MX1, f"_25._tcp.{MX1}"}
    world.resolver.tlsa = {f"_25._tcp.{MX1}": (EE,)}
    assert await send(world, TO_THEM, handling=PLAIN, content=OPTIONAL) == (DELIVERED, [(MX1, DANE)])


async def test_what_need_not_have_tls_is_not_held_up_by_policies(world: OutboundWorld) -> None:  # RFC 8689 §4.2.2
    world.resolver.secure |= {"them.test", MX1, f"_25._tcp.{MX1}"}
    world.resolver.tlsa = {f"_25._tcp.{MX1}": (EE,)}
    tls = TlsUsed(policy="dane", failure=TlsFailure.VALIDATION_FAILURE)
    gone = answer(451, "4.7.5", host="")
    asked: list[str] = []

    def first(host: str, recipient: str) -> Outcome:
        asked.append(host)
        return replace(gone(host, recipient), tls=tls) if asked == [MX1] else answer(250, "2.0.0")(host, recipient)

    world.transport.answers |= {MX1: first, MX2: gone}
    outcomes, handed = await send(world, TO_THEM, handling=PLAIN, content=OPTIONAL)
    assert (outcomes, handed) == (DELIVERED, [(MX1, DANE), (MX2, OPPORTUNISTIC), (MX1, OPPORTUNISTIC)])
    asked.clear()
    world.transport.handed.clear()
    # RFC 8689 §4.1: REQUIRETLS has the last word.
    assert (await send(world, TO_THEM, content=OPTIONAL))[1] == [(MX1, DANE), (MX2, VERIFIED)]


@pytest.mark.parametrize(("prefix", "expected"), [("_25._tcp.", "Deferred 451 4.7.5"), ("", "Deferred 451 4.4.3")])
async def test_what_need_not_have_tls_is_not_held_up_by_policies_that_cannot_be_had(
    world: OutboundWorld, prefix: str, expected: str
) -> None:
    world.resolver.secure |= {"them.test", MX1, MX2}
    world.resolver.failing |= {f"{prefix}{MX1}", f"{prefix}{MX2}"}
    assert await send(world, TO_THEM, handling=PLAIN) == ([expected], [])
    assert await send(world, TO_THEM, handling=PLAIN, content=OPTIONAL) == (DELIVERED, [(MX1, OPPORTUNISTIC)])


async def test_what_need_not_have_tls_has_what_the_operator_asks_of_a_relay(world: OutboundWorld) -> None:
    tls = TlsUsed(policy="verified", failure=TlsFailure.CERTIFICATE_EXPIRED)
    world.transport.answers["relay.test"] = lambda asked, to: replace(answer(451, "4.7.5", host="")(asked, to), tls=tls)
    way = ToRelay(Relay(name="ses", hop=NextHop(host="relay.test", port=587, tls=TlsMode.STARTTLS)))
    outcomes, handed = await send(world, way, handling=PLAIN, content=OPTIONAL)
    assert (outcomes, len(handed)) == (["Deferred 451 4.7.5"], 1)
