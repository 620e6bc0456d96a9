"""TLS policies carried out: what a server must show before it is told of any mail. RFC 7672 §2.2, §3; RFC 8461 §5."""

import hashlib
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from mailstack.model.delivery import Delivered, Failed, TlsMode
from mailstack.model.handling import Handling
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
from tests.support.certificates import Certificate, certificate
from tests.support.outcomes import brief
from tests.support.scripted_smtp import Conversation, Peer, scripted_server
from tests.support.smtp_sender import Sender

ServerTls = Callable[[str], ssl.SSLContext]
HOST = "mx.test"
ROOT = certificate(common_name="Root", is_authority=True)
LEAF = certificate(HOST, issuer=ROOT)
SELF_SIGNED = certificate("elsewhere.test", days=-1)
ELSEWHERE = certificate("elsewhere.test", issuer=ROOT)

DELIVERED = ["Delivered 250 2.0.0"]
UNTRUSTED = ["Deferred 451 4.7.5"]
WITHOUT_TLS = ["Deferred 451 4.7.10"]


def dane(usage: int, named: Certificate) -> Dane:
    return Dane(
        records=(TlsaRecord(usage, 1, 1, hashlib.sha256(named.public_key).digest()),), names=(HOST, "them.test")
    )


def sts(*, is_testing: bool) -> Sts:
    return Sts(domain="them.test", is_testing=is_testing, mx=(HOST,))


def offering(context: ssl.SSLContext) -> Conversation:
    async def mx(peer: Peer) -> None:
        await peer.hello("STARTTLS")
        await peer.start_tls(context)
        await peer.ehlo()
        await peer.take_mail()

    return mx


async def plain(peer: Peer) -> None:
    await peer.hello()
    await peer.take_mail()


async def refusing(peer: Peer) -> None:
    await peer.hello("STARTTLS")
    await peer.exchange("454 4.7.0 not now")
    await peer.take_mail()


async def broken(peer: Peer) -> None:
    await peer.hello("STARTTLS")
    await peer.hear()
    await peer.say("220 go\n")
    await peer.reader.read(100)
    await peer.say(b"\x15\x03\x01\x00\x02\x02\x28")  # alert: handshake failure


async def send(
    sender: Sender, policy: TlsPolicy, conversation: Conversation, *, least: LeastTls = LeastTls.OPPORTUNISTIC
) -> tuple[list[str], list[bytes]]:
    """What came of it, and what the server heard on its last connection."""
    async with scripted_server(conversation) as server:
        outcomes = await sender.send(server.port, tls=TlsMode.OPPORTUNISTIC, policy=policy, least=least)
    return brief(outcomes), server.connections[-1]


def context_of(path: Path, own: Certificate, *issuers: Certificate) -> ssl.SSLContext:
    file = path / "server.pem"
    file.write_bytes(own.pem + b"".join(issuer.pem for issuer in issuers))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.mark.parametrize(
    ("policy", "own", "expected"),
    [
        (dane(3, LEAF), LEAF, DELIVERED),
        (dane(3, SELF_SIGNED), SELF_SIGNED, DELIVERED),  # neither name nor date count
        (dane(3, LEAF), SELF_SIGNED, UNTRUSTED),
        (dane(2, ROOT), LEAF, DELIVERED),
        (dane(2, ROOT), ELSEWHERE, UNTRUSTED),
        (dane(2, ROOT), SELF_SIGNED, UNTRUSTED),
        (Required(is_verified=False), SELF_SIGNED, DELIVERED),
        (Required(is_verified=True), LEAF, UNTRUSTED),  # of an authority that this machine does not know
        (sts(is_testing=False), LEAF, UNTRUSTED),
        (sts(is_testing=True), SELF_SIGNED, DELIVERED),
        (OPPORTUNISTIC, SELF_SIGNED, DELIVERED),
    ],
)
async def test_the_certificate_is_seen_before_any_mail_is_spoken_of(
    sender: Sender, tmp_path: Path, policy: TlsPolicy, own: Certificate, expected: list[str]
) -> None:
    found, heard = await send(sender, policy, offering(context_of(tmp_path, own, ROOT)))
    assert found == expected
    if expected == UNTRUSTED:
        # Where the handshake is ours to break off, there is nobody to take leave of.
        assert heard == [b"EHLO us.test", b"STARTTLS"] + [b"QUIT"] * isinstance(policy, Dane)


@pytest.mark.parametrize(
    ("policy", "own", "least", "expected"),
    [
        (OPPORTUNISTIC, SELF_SIGNED, "required", DELIVERED),
        (OPPORTUNISTIC, SELF_SIGNED, "verified", UNTRUSTED),
        (Required(is_verified=False), SELF_SIGNED, "verified", UNTRUSTED),
        (sts(is_testing=True), SELF_SIGNED, "required", DELIVERED),
        (sts(is_testing=True), SELF_SIGNED, "verified", UNTRUSTED),
        (sts(is_testing=False), SELF_SIGNED, "required", UNTRUSTED),
        (dane(3, SELF_SIGNED), SELF_SIGNED, "verified", DELIVERED),  # verified by DANE
        (dane(3, LEAF), SELF_SIGNED, "required", UNTRUSTED),
    ],
)
async def test_the_strictest_of_their_policy_and_our_least_holds(
    sender: Sender, tmp_path: Path, policy: TlsPolicy, own: Certificate, least: str, expected: list[str]
) -> None:
    found, _ = await send(sender, policy, offering(context_of(tmp_path, own, ROOT)), least=LeastTls(least))
    assert found == expected


@pytest.mark.parametrize("least", [LeastTls.REQUIRED, LeastTls.VERIFIED])
@pytest.mark.parametrize("policy", [OPPORTUNISTIC, sts(is_testing=True), Required(is_verified=False), dane(3, LEAF)])
@pytest.mark.parametrize("conversation", [plain, refusing])
async def test_without_tls_nothing_passes_that_we_ask_it_for(
    sender: Sender, conversation: Conversation, policy: TlsPolicy, least: LeastTls
) -> None:
    assert (await send(sender, policy, conversation, least=least))[0] == WITHOUT_TLS


@pytest.mark.parametrize("policy", [OPPORTUNISTIC, sts(is_testing=True)])
async def test_a_failed_handshake_is_not_followed_by_plain_text_that_we_ask_tls_for(
    sender: Sender, policy: TlsPolicy
) -> None:
    async with scripted_server(broken, broken, plain) as server:
        (outcome,) = await sender.send(server.port, tls=TlsMode.OPPORTUNISTIC, policy=policy, least=LeastTls.REQUIRED)
    assert brief([outcome]) == UNTRUSTED
    assert outcome.tls == TlsUsed(policy=policy.word, least=LeastTls.REQUIRED, failure=TlsFailure.VALIDATION_FAILURE)
    assert outcome.reply.text.endswith(", but this server requires TLS")


async def test_a_certificate_for_the_host_is_what_we_ask_for(sender: Sender, server_tls: ServerTls) -> None:
    found, _ = await send(sender, OPPORTUNISTIC, offering(server_tls(HOST)), least=LeastTls.VERIFIED)
    assert found == DELIVERED


async def test_a_policy_that_is_tested_is_told_of_under_a_least_of_ours(sender: Sender, server_tls: ServerTls) -> None:
    context = server_tls("other.test")
    async with scripted_server(offering(context)) as server:
        (outcome,) = await sender.send(
            server.port, tls=TlsMode.OPPORTUNISTIC, policy=sts(is_testing=True), least=LeastTls.REQUIRED
        )
    assert isinstance(outcome, Delivered)
    assert outcome.tls is not None
    found = (outcome.tls.policy, outcome.tls.least, outcome.tls.version, outcome.tls.failure)
    assert found == ("sts-testing", LeastTls.REQUIRED, "TLSv1.3", TlsFailure.CERTIFICATE_HOST_MISMATCH)


@pytest.mark.parametrize(("name", "expected"), [(HOST, DELIVERED), ("other.test", UNTRUSTED)])
@pytest.mark.parametrize("policy", [Required(is_verified=True), sts(is_testing=False)])
async def test_a_verified_certificate_is_for_the_host(
    sender: Sender, server_tls: ServerTls, policy: TlsPolicy, name: str, expected: list[str]
) -> None:
    assert (await send(sender, policy, offering(server_tls(name))))[0] == expected


@pytest.mark.parametrize("conversation", [plain, refusing])
@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (dane(3, LEAF), WITHOUT_TLS),
        (Required(is_verified=False), WITHOUT_TLS),
        (Required(is_verified=True), WITHOUT_TLS),
        (sts(is_testing=False), WITHOUT_TLS),
        (sts(is_testing=True), DELIVERED),
        (OPPORTUNISTIC, DELIVERED),
    ],
)
async def test_what_requires_tls_never_goes_in_plain(
    sender: Sender, conversation: Conversation, policy: TlsPolicy, expected: list[str]
) -> None:
    assert (await send(sender, policy, conversation))[0] == expected


async def test_a_failed_handshake_is_not_followed_by_plain_text(sender: Sender) -> None:
    async with scripted_server(broken, plain) as server:
        outcomes = await sender.send(server.port, tls=TlsMode.OPPORTUNISTIC, policy=dane(3, LEAF))
    assert brief(outcomes) == UNTRUSTED
    assert len(server.connections) == 1


async def used(sender: Sender, policy: TlsPolicy, *conversations: Conversation) -> TlsUsed:
    async with scripted_server(*conversations) as server:
        (outcome,) = await sender.send(server.port, tls=TlsMode.OPPORTUNISTIC, policy=policy)
    assert outcome.tls is not None
    return outcome.tls


@pytest.mark.parametrize(
    ("policy", "own", "failure"),
    [
        (dane(3, LEAF), LEAF, None),
        (dane(3, LEAF), SELF_SIGNED, TlsFailure.VALIDATION_FAILURE),
        (dane(2, ROOT), ELSEWHERE, TlsFailure.CERTIFICATE_HOST_MISMATCH),
        (OPPORTUNISTIC, SELF_SIGNED, None),
    ],
)
async def test_an_outcome_tells_the_tls_that_there_was_and_what_was_amiss(
    sender: Sender, tmp_path: Path, policy: TlsPolicy, own: Certificate, failure: TlsFailure | None
) -> None:
    found = await used(sender, policy, offering(context_of(tmp_path, own, ROOT)))
    assert (found.policy, found.version, found.cipher[:4], found.failure) == (policy.word, "TLSv1.3", "TLS_", failure)


async def test_a_certificate_that_is_not_verified_is_told_by_its_fault(
    sender: Sender, authority: trustme.CA, server_tls: ServerTls, tmp_path: Path
) -> None:
    """RFC 8460 §4.3.1."""
    policy = sts(is_testing=False)
    expired = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST, not_after=datetime(2020, 1, 1, tzinfo=UTC)).configure_cert(expired)
    for context, failure in (
        (server_tls("other.test"), TlsFailure.CERTIFICATE_HOST_MISMATCH),
        (context_of(tmp_path, LEAF, ROOT), TlsFailure.CERTIFICATE_NOT_TRUSTED),
        (expired, TlsFailure.CERTIFICATE_EXPIRED),
    ):
        assert await used(sender, policy, offering(context)) == TlsUsed(policy="sts", failure=failure)


async def test_a_policy_that_is_tested_tells_what_it_would_have_stopped(
    sender: Sender, authority: trustme.CA, server_tls: ServerTls, tmp_path: Path
) -> None:
    """RFC 8461 §5: the mail goes out all the same, and over TLS."""
    expired = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST, not_after=datetime(2020, 1, 1, tzinfo=UTC)).configure_cert(expired)
    for context, failure in (
        (server_tls(HOST), None),
        (server_tls("other.test"), TlsFailure.CERTIFICATE_HOST_MISMATCH),
        (context_of(tmp_path, SELF_SIGNED), TlsFailure.CERTIFICATE_NOT_TRUSTED),
        (expired, TlsFailure.CERTIFICATE_EXPIRED),
    ):
        found = await used(sender, sts(is_testing=True), offering(context), offering(context))
        assert (found.policy, found.version, found.failure) == ("sts-testing", "TLSv1.3", failure)


async def test_a_name_that_is_not_among_the_dns_names_of_a_certificate_is_none(
    sender: Sender, authority: trustme.CA
) -> None:
    """RFC 8461 §4.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(common_name=HOST).configure_cert(context)
    found = await used(sender, sts(is_testing=False), offering(context))
    assert found == TlsUsed(policy="sts", failure=TlsFailure.CERTIFICATE_HOST_MISMATCH)


async def test_a_host_that_a_policy_does_not_name_is_told_where_it_is_tested_and_verified_where_it_is_not(
    sender: Sender, server_tls: ServerTls, tmp_path: Path
) -> None:
    policy = Sts(domain="them.test", is_testing=True, mx=("elsewhere.test",))
    found = await used(sender, policy, offering(server_tls(HOST)))
    assert (found.version, found.failure) == ("TLSv1.3", TlsFailure.VALIDATION_FAILURE)
    enforced = replace(policy, is_testing=False)
    assert (await send(sender, enforced, offering(context_of(tmp_path, SELF_SIGNED))))[0] == UNTRUSTED


async def test_a_policy_that_is_tested_stops_no_mail_to_who_cannot_speak_tls(sender: Sender) -> None:
    found = await used(sender, sts(is_testing=True), broken, broken, plain)
    assert found == TlsUsed(policy="sts-testing", failure=TlsFailure.VALIDATION_FAILURE)


@pytest.mark.parametrize("policy", [OPPORTUNISTIC, dane(3, LEAF), Required(is_verified=True), sts(is_testing=True)])
@pytest.mark.parametrize("conversation", [plain, refusing])
async def test_a_server_without_tls_is_told_whether_or_not_it_has_the_mail(
    sender: Sender, conversation: Conversation, policy: TlsPolicy
) -> None:
    without = TlsUsed(policy=policy.word, failure=TlsFailure.STARTTLS_NOT_SUPPORTED)
    assert await used(sender, policy, conversation) == without


async def test_a_handshake_that_failed_is_told_of_mail_that_went_without(sender: Sender) -> None:
    failed = TlsUsed(policy="opportunistic", failure=TlsFailure.VALIDATION_FAILURE)
    assert await used(sender, OPPORTUNISTIC, broken, plain) == failed


async def test_who_was_never_reached_or_turned_us_away_broke_no_policy(sender: Sender) -> None:
    async def closed(peer: Peer) -> None:
        await peer.say("554 5.3.2 no\n")

    assert await used(sender, dane(3, LEAF), closed) == TlsUsed(policy="dane")
    (unknown,) = await sender.send(25, host="nowhere.test", tls=TlsMode.OPPORTUNISTIC, policy=dane(3, LEAF))
    assert unknown.tls == TlsUsed(policy="dane")


async def test_relays_are_told_by_what_the_operator_demands(sender: Sender, server_tls: ServerTls) -> None:
    async with scripted_server(plain, offering(server_tls(HOST))) as server:
        (bare,) = await sender.send(server.port, tls=TlsMode.NONE)
        (verified,) = await sender.send(server.port, tls=TlsMode.STARTTLS)
    assert bare.tls == TlsUsed(policy="none")
    assert verified.tls is not None
    assert (verified.tls.policy, verified.tls.version) == ("verified", "TLSv1.3")


async def test_the_server_is_asked_for_the_name_that_has_the_records(sender: Sender, tmp_path: Path) -> None:
    context = context_of(tmp_path, LEAF)
    asked: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    policy = Dane(records=dane(3, LEAF).records, names=("base.test", "them.test"))
    assert (await send(sender, policy, offering(context)))[0] == DELIVERED
    assert asked == ["base.test"]


@pytest.mark.parametrize(
    ("extensions", "expected", "heard"),
    [
        ((), ["Failed 550 5.7.30"], b"QUIT"),
        (("REQUIRETLS",), DELIVERED, b"MAIL FROM:<a@us.test> REQUIRETLS"),
    ],
)
async def test_mail_that_requires_tls_is_for_servers_that_promise_it_too(
    sender: Sender, server_tls: ServerTls, extensions: tuple[str, ...], expected: list[str], heard: bytes
) -> None:  # RFC 8689 §4.2.1
    async def mx(peer: Peer) -> None:
        # Said before TLS, it is anybody's word.
        await peer.hello("STARTTLS", "REQUIRETLS")
        await peer.start_tls(server_tls(HOST))
        await peer.ehlo(*extensions)
        if extensions:
            await peer.take_mail()
        else:
            await peer.exchange("221 bye")

    async with scripted_server(mx) as server:
        outcomes = await sender.send(
            server.port,
            tls=TlsMode.OPPORTUNISTIC,
            policy=Required(is_verified=True),
            handling=Handling(requires_tls=True),
        )
    assert brief(outcomes) == expected
    assert server.connections[-1][3] == heard
    (outcome,) = outcomes
    assert isinstance(outcome, Delivered) or (isinstance(outcome, Failed) and outcome.is_turned_away)
