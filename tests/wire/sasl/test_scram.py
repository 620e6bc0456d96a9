"""SCRAM-SHA-256 and -PLUS: the RFC's own exchange, both ends against each other, and everything that must fail."""

from base64 import b64decode, b64encode

import pytest

from mailstack.model.errors import AuthenticationFailed, Invalid
from mailstack.model.scram import MIN_ITERATIONS, ScramVerifier, derive_verifier
from mailstack.wire.sasl.scram import Scram
from mailstack.wire.sasl.scram_client import ScramClient
from mailstack.wire.sasl.steps import Broken, Challenge, Disproved, NeedsVerifier, Proved, Step

PASSWORD = "pencil"
HASH = bytes(range(32))
VERIFIER = derive_verifier(PASSWORD.encode(), salt=b"a salt of theirs", iterations=MIN_ITERATIONS)


def server(*, end_point: bytes | None = None, is_plus: bool = False, nonce: str = "3rfcNHYJY1ZVvWVs7j") -> Scram:
    return Scram(nonce=nonce, end_point=end_point, is_plus=is_plus)


def challenged(exchange: Scram, first: bytes, verifier: ScramVerifier = VERIFIER) -> bytes:
    step = exchange.begin(first)
    assert isinstance(step, NeedsVerifier)
    answer = step.answer(verifier)
    assert isinstance(answer, Challenge)
    return answer.data


def test_rfc_7677_section_3() -> None:
    nonce = "rOprNGfwEbeRWgbNEkqO"
    client = ScramClient("user", PASSWORD, nonce=nonce, end_point=None)
    exchange = server(nonce="%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")
    salt = b"\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0\x4b\x14\x12\x36\xfa\x81"
    kept = derive_verifier(PASSWORD.encode(), salt=salt, iterations=4096)
    assert client.first() == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    server_first = challenged(exchange, client.first(), kept)
    both = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    assert server_first == f"r={both},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096".encode()
    client_final = client.final(server_first)
    assert client_final == f"c=biws,r={both},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=".encode()
    final = Challenge(data=b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    assert exchange.respond(client_final) == Proved(username="user", final=final)
    client.finish(final.data)


@pytest.mark.parametrize("name", ["user", "a,b=c", "=2C", "ä@example.com"])
@pytest.mark.parametrize(
    ("offered", "is_plus", "knows_binding"),
    [(None, False, False), (None, False, True), (HASH, False, False), (HASH, True, False)],
)
def test_both_ends_agree(name: str, *, offered: bytes | None, is_plus: bool, knows_binding: bool) -> None:
    bound = offered if is_plus else None
    client = ScramClient(name, PASSWORD, nonce="client", end_point=bound, knows_binding=knows_binding)
    exchange = server(end_point=offered, is_plus=is_plus)
    assert exchange.begin(None) == Challenge(data=b"")
    step = exchange.respond(client.final(challenged(exchange, client.first())))
    assert isinstance(step, Proved)
    assert step.username == name
    client.finish(step.final.data)


def outcome(client: ScramClient, exchange: Scram, verifier: ScramVerifier = VERIFIER) -> Step:
    return exchange.respond(client.final(challenged(exchange, client.first(), verifier)))


def test_a_wrong_password_is_disproved() -> None:
    client = ScramClient("user", "pencils", nonce="c", end_point=None)
    assert outcome(client, server()) == Disproved(username="user")


def test_channel_binding_to_another_certificate_breaks_the_exchange() -> None:
    client = ScramClient("user", PASSWORD, nonce="c", end_point=bytes(32))
    step = outcome(client, server(end_point=HASH, is_plus=True))
    assert step == Broken(reason="SCRAM with another channel binding")


def test_a_header_that_is_bound_again_must_be_the_one_that_was_sent() -> None:
    exchange = server()
    challenge = challenged(exchange, b"n,,n=user,r=c")
    final = ScramClient("user", PASSWORD, nonce="c", end_point=None, knows_binding=True).final(challenge)
    assert exchange.respond(final) == Broken(reason="SCRAM with another channel binding")


@pytest.mark.parametrize(
    ("first", "end_point", "is_plus", "reason"),
    [
        (b"y,,n=user,r=c", HASH, False, "SCRAM whose offer of channel binding was taken away: a downgrade"),
        (b"p=tls-server-end-point,,n=user,r=c", HASH, False, "SCRAM with a channel binding that was not chosen"),
        (b"p=tls-server-end-point,,n=user,r=c", None, False, "SCRAM with a channel binding that was not chosen"),
        (b"n,,n=user,r=c", HASH, True, "SCRAM-PLUS without a channel binding that is known"),
        (b"y,,n=user,r=c", HASH, True, "SCRAM-PLUS without a channel binding that is known"),
        (b"p=tls-unique,,n=user,r=c", HASH, True, "SCRAM-PLUS without a channel binding that is known"),
    ],
)
def test_downgrade_a_header_must_fit_what_was_offered_and_chosen(
    first: bytes, end_point: bytes | None, *, is_plus: bool, reason: str
) -> None:
    assert server(end_point=end_point, is_plus=is_plus).begin(first) == Broken(reason=reason)


def test_auth_bypass_another_identity_is_refused() -> None:
    """CVE-2023-27582."""
    assert server().begin(b"n,a=admin,n=user,r=c") == Broken(reason="SCRAM for another identity")


def test_ones_own_identity_may_be_named() -> None:
    step = server().begin(b"n,a=User=2Cx,n=user=2Cx,r=c")
    assert isinstance(step, NeedsVerifier)
    assert step.username == "user,x"


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"n",
        b"n,",
        b"n,,",
        b"n,,n=user",
        b"n,,r=c,n=user",
        b"n,,n=,r=c",
        b"n,,n=user,r=",
        b"n,,n=user,r=\xc3\xa4",
        b"n,,n=user,r=a b",
        b"n,,n=user,r=" + b"x" * 300,
        b"n,,n=us=er,r=c",
        b"n,,n=user=2c,r=c",
        b"n,,n=user\0,r=c",
        b"n,,m=x,n=user,r=c",
        b"n,,n=user,r=c,m=x",
        b"n,,n=user,r=c,x",
        b"n,,n=user,r=c,",
        b"n,b=user,n=user,r=c",
        b"n,a=,n=user,r=c",
        b"n=x,,n=user,r=c",
        b"N,,n=user,r=c",
        b"z,,n=user,r=c",
        b"p,,n=user,r=c",
        b"p=,,n=user,r=c",
        b"p=tls unique,,n=user,r=c",
        b"n,,n=\xff,r=c",
        b"n,,n=" + b"u" * 2000 + b",r=c",
        b"n,,n=user,r=c,x=" + b"y" * 5000,
    ],
)
def test_a_first_message_that_is_none_breaks_the_exchange(first: bytes) -> None:
    assert isinstance(server().begin(first), Broken)


def test_extensions_that_nobody_knows_are_ignored() -> None:
    assert isinstance(server().begin(b"n,,n=user,r=c,x=y,z=1=2"), NeedsVerifier)


@pytest.mark.parametrize(
    "final",
    [
        b"",
        b"c=biws,r=NONCE",
        b"c=biws,r=NONCE,p=",
        b"c=biws,r=NONCE,p=AAAA",
        b"c=biws,r=NONCE,p=*",
        b"c=biws,r=NONCEx,p=AAAA",
        b"c=biws,r=c,p=AAAA",
        b"r=NONCE,c=biws,p=AAAA",
        b"c=biws,r=NONCE,m=x,p=AAAA",
        b"c=biw,r=NONCE,p=AAAA",
        b"c=,r=NONCE,p=AAAA",
        b"p=AAAA",
        b"\xff",
    ],
)
def test_a_final_message_that_is_none_proves_nothing(final: bytes) -> None:
    exchange = server()
    challenged(exchange, b"n,,n=user,r=c")
    assert isinstance(exchange.respond(final.replace(b"NONCE", b"c3rfcNHYJY1ZVvWVs7j")), Broken | Disproved)


def test_a_proof_with_more_behind_it_proves_nothing() -> None:
    exchange = server()
    client = ScramClient("user", PASSWORD, nonce="c", end_point=None)
    without, _, proof = client.final(challenged(exchange, client.first())).rpartition(b"p=")
    longer = b64encode(b64decode(proof) + b"\0")
    assert exchange.respond(without + b"p=" + longer) == Disproved(username="user")


@pytest.mark.parametrize(
    "server_first",
    [
        b"r=other,s=c2FsdA==,i=4096",
        b"r=c,s=c2FsdA==,i=4096",
        b"r=cs,s=c2FsdA==,i=4095",
        b"r=cs,s=c2FsdA==,i=1000001",
        b"r=cs,s=c2FsdA==,i=04096",
        b"r=cs,s=c2FsdA=,i=4096",
        b"r=cs,s=c2FsdA==",
        b"m=x,r=cs,s=c2FsdA==,i=4096",
        b"",
    ],
)
def test_the_client_takes_no_challenge_that_breaks_a_rule(server_first: bytes) -> None:
    with pytest.raises(Invalid):
        ScramClient("user", PASSWORD, nonce="c", end_point=None).final(server_first)


@pytest.mark.parametrize("server_final", [b"", b"v=", b"v=AAAA", b"e=other-error"])
def test_the_client_believes_no_server_without_a_proof(server_final: bytes) -> None:
    client = ScramClient("user", PASSWORD, nonce="c", end_point=None)
    with pytest.raises(AuthenticationFailed):
        client.finish(server_final)
    client.final(challenged(server(), client.first()))
    with pytest.raises(AuthenticationFailed):
        client.finish(server_final)
