"""Verdicts on signatures: what passes, what does not and how it is called. RFC 6376 §6, RFC 8601 §2.7.1."""

import asyncio
import base64
import mmap
from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mailstack.mailauth.dkim.keys import SigningKey
from mailstack.mailauth.dkim.sign import sign
from mailstack.mailauth.dkim.verify import MOST_SIGNATURES, verify
from mailstack.model.instant import SECOND_MS, Instant
from mailstack.model.verdict import DkimResult, DkimVerdict
from tests.support.dkim_signer import Key, record, signed
from tests.support.memory_resolver import MemoryResolver

NOW = Instant(1_700_000_000_000)
RSA = generate_private_key(public_exponent=65537, key_size=2048)
WEAK_RSA = generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  # what is tested is its size
OTHER_RSA = generate_private_key(public_exponent=65537, key_size=2048)
ED25519 = Ed25519PrivateKey.generate()
NAME = "s._domainkey.example.com"
FORMS = [f"{header}/{body}" for header in ("simple", "relaxed") for body in ("simple", "relaxed")]

MESSAGE = (
    b"Received: from x by y\r\nFrom: Alice <alice@example.com>\r\nTo: bob@example.org,\r\n\tcarol@example.org\r\n"
    b"Subject: two   words\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\nHello  there \t \r\n\r\n.\r\nbye\r\n\r\n\r\n"
)

Tags = Mapping[str, str | None]


def checked(message: bytes | mmap.mmap, *texts: str, now: Instant = NOW) -> tuple[DkimVerdict, ...]:
    return asyncio.run(verify(MemoryResolver(txt={NAME: texts}), message, now=now))


def outcome(message: bytes, *texts: str, now: Instant = NOW) -> tuple[str, str]:
    (verdict,) = checked(message, *texts, now=now)
    return verdict.result.value, verdict.reason


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("key", [RSA, ED25519], ids=["rsa", "ed25519"])
def test_every_canonical_form_and_algorithm_passes(form: str, key: Key) -> None:
    assert outcome(signed(MESSAGE, key, {"c": form}), record(key)) == ("pass", "")


@pytest.mark.parametrize("form", FORMS)
def test_simple_forms_see_white_space_and_relaxed_ones_do_not(form: str) -> None:
    header, _, body = form.partition("/")
    message = signed(MESSAGE, RSA, {"c": form})
    spaced_header = outcome(message.replace(b"two   words", b"two words"), record(RSA))[0]
    spaced_body = outcome(message.replace(b"Hello  there", b"Hello there"), record(RSA))[0]
    expected = {"simple": "fail", "relaxed": "pass"}
    assert (expected[header], expected[body]) == (spaced_header, spaced_body)


@pytest.mark.parametrize(
    ("tags", "meaning"),
    [
        ({"c": None}, "simple/simple is the default"),
        ({"c": "relaxed"}, "the body's form is simple by default"),
        ({"c": "simple"}, "the body's form is simple by default"),
        ({"i": "@mail.example.com"}, "a subdomain in i="),
        ({"i": "alice@example.com"}, "an address in i="),
        ({"i": "@EXAMPLE.com", "d": "Example.COM"}, "case counts for nothing in domains"),
        ({"q": "dns/txt"}, "the only query method"),
        ({"q": "dns/other : dns/txt"}, "one among others"),
        ({"h": "FROM : to: Subject"}, "case and white space in h="),
        ({"h": "from:to:subject:from:x-absent:x-absent"}, "named once more than they are there"),
        ({"z": "From:alice@example.com", "foo_1": "bar"}, "tags nobody knows"),
        ({"t": "1700000000", "x": "1700000001"}, "times"),
        ({"t": str(NOW // SECOND_MS + 3_599)}, "a clock an hour fast"),
        ({"t": "1", "x": str(NOW // SECOND_MS - 3_600)}, "a clock an hour slow"),
        ({"l": "23"}, "the whole body is covered"),
    ],
)
def test_what_may_stand_in_a_signature(tags: Tags, meaning: str) -> None:
    assert outcome(signed(MESSAGE, RSA, tags), record(RSA)) == ("pass", ""), meaning


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"v": "2"}, ("neutral", "the signature is of another version than 1")),
        ({"v": None}, ("neutral", "the signature lacks v=")),
        ({"a": "rsa-sha512"}, ("neutral", "the algorithm of the signature is unknown")),
        ({"a": "rsa-sha1"}, ("policy", "signatures with SHA-1 do not count any more")),  # RFC 8301 §3.1
        ({"b": ""}, ("neutral", "the signature has no value")),
        ({"b": "@@@@"}, ("neutral", "the signature is not in base64")),
        ({"bh": "AAA"}, ("neutral", "the signature is not in base64")),
        ({"bh": None}, ("neutral", "the signature lacks bh=")),
        ({"d": "[192.0.2.1]"}, ("neutral", "the signature's domain is no domain name")),
        ({"d": "com"}, ("neutral", "the signature's domain is no domain name")),
        ({"s": "a b"}, ("neutral", "the signature's selector is no name in DNS")),
        ({"s": "x" * 64}, ("neutral", "the signature's selector is no name in DNS")),
        ({"q": "dns/other"}, ("neutral", "the key is not said to be in DNS")),
        ({"i": "@example.net"}, ("permerror", "the signature's identity is of another domain than the signature")),
        ({"i": "@notexample.com"}, ("permerror", "the signature's identity is of another domain than the signature")),
        ({"i": "alice"}, ("neutral", "the signature's identity is no address")),
        ({"h": "to:subject"}, ("permerror", "the From field is not signed")),
        ({"h": None}, ("neutral", "the signature lacks h=")),
        ({"l": "-1"}, ("neutral", "the length of the signed body is no number")),
        ({"l": "9" * 77}, ("neutral", "the length of the signed body is no number")),
        ({"l": "9" * 76}, ("fail", "the body is shorter than what was signed")),
        ({"l": "5"}, ("policy", "18 octets of the body are not signed")),
        ({"l": "0"}, ("policy", "23 octets of the body are not signed")),
        ({"t": "soon"}, ("neutral", "a time in the signature is no number")),
        ({"t": "1" * 13}, ("neutral", "a time in the signature is no number")),
        ({"t": "1700003601"}, ("permerror", "the signature is from the future")),
        ({"x": "1699996399"}, ("permerror", "the signature has expired")),
        ({"t": "1700000000", "x": "1700000000"}, ("neutral", "the signature expires before it was made")),
    ],
)
def test_what_no_signature_may_say(tags: Tags, expected: tuple[str, str]) -> None:
    assert expected == outcome(signed(MESSAGE, RSA, tags), record(RSA))


def test_an_unknown_canonical_form_is_neutral() -> None:
    message = signed(MESSAGE, RSA).replace(b"c=relaxed/relaxed", b"c=nofws")
    assert outcome(message, record(RSA)) == ("neutral", "the canonical form of the signature is unknown")


@pytest.mark.parametrize("field", [b"v=1; a", b"nothing", b";", b"", b"v=1;; a=x", b"1v=1", b"v=1; v=1", b"\xff=\xff"])
def test_a_field_that_is_no_list_of_tags_is_neutral(field: bytes) -> None:
    (verdict,) = checked(b"DKIM-Signature: " + field + b"\r\n" + MESSAGE)
    assert verdict.result is DkimResult.NEUTRAL
    assert verdict.reason


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ((), ("permerror", f"there is no key at {NAME}")),
        (("v=spf1 -all",), ("permerror", "the key record is of another version than DKIM1")),
        (("v=DKIM2; p=AAAA",), ("permerror", "the key record is of another version than DKIM1")),
        (("nothing",), ("permerror", "the key record cannot be read")),
        (("p=AAAA; p=AAAA",), ("permerror", "the key record cannot be read")),
        (("v=DKIM1; p=\udcff",), ("permerror", "the key cannot be read")),
        (("v=DKIM1; p=\U0001f600",), ("permerror", "the key record cannot be read")),
        (("v=DKIM1; k=rsa",), ("permerror", "the key record holds no key")),
        (("v=DKIM1; p=",), ("permerror", "the key has been revoked")),
        (("v=DKIM1; p=AAAA",), ("permerror", "the key cannot be read")),
        ((record(RSA, h="sha1"),), ("permerror", "the key is not for SHA-256")),
        ((record(RSA, s="tlsrpt"),), ("permerror", "the key is not for mail")),
        ((record(RSA, k="dsa"),), ("permerror", "the key is of another sort than the signature")),
        ((record(ED25519),), ("permerror", "the key is of another sort than the signature")),
        ((record(RSA, n="x" * 5_000),), ("permerror", "the key record is too long")),
        ((record(OTHER_RSA),), ("fail", "the header was changed after it was signed")),
        ((record(RSA),), ("pass", "")),
        ((record(RSA, h="sha1 : sha256", s="other : email", n="notes"),), ("pass", "")),
        ((record(RSA, s="*"),), ("pass", "")),
        ((record(RSA).replace("; k=rsa", ""),), ("pass", "")),
        ((record(RSA).replace("v=DKIM1; ", ""),), ("pass", "")),
        (("v=spf1 -all", record(OTHER_RSA), record(RSA)), ("pass", "")),
        (("a", "b", "c", "d", record(RSA)), ("permerror", "the key record cannot be read")),
    ],
)
def test_key_records(texts: tuple[str, ...], expected: tuple[str, str]) -> None:
    assert expected == outcome(signed(MESSAGE, RSA), *texts)


def test_a_key_in_its_bare_form_is_read() -> None:  # RFC 6376 §3.6.1: RSAPublicKey without SubjectPublicKeyInfo
    bare = base64.b64encode(RSA.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)).decode()
    assert outcome(signed(MESSAGE, RSA), f"v=DKIM1; p={bare}") == ("pass", "")


def test_a_key_of_1024_bits_passes_with_a_note() -> None:  # RFC 8301 §3.2
    (verdict,) = checked(signed(MESSAGE, WEAK_RSA), record(WEAK_RSA))
    assert (verdict.result.value, verdict.key_bits, verdict.reason) == ("pass", 1024, "a key of only 1024 bits")


@pytest.mark.parametrize(
    ("exponent", "counts"), [(3, True), (2**32 - 1, True), (2**32 + 1, False), (2**2047 - 1, False)]
)
def test_a_key_whose_exponent_costs_as_much_as_a_hundred_others_is_not_looked_at(exponent: int, counts: bool) -> None:
    octets = (
        RSAPublicNumbers(exponent, RSA.public_key().public_numbers().n)
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    key = f"v=DKIM1; p={base64.b64encode(octets).decode()}"
    assert outcome(signed(MESSAGE, RSA), key)[0] == ("fail" if counts else "policy")


def test_a_key_of_512_bits_does_not_count() -> None:
    # Nobody's key: libraries make none of this size any more, and its size is all that is looked at.
    short = (
        "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBANg9DSSD7yFxTOBnLKbTjM1bvZYCNcNYyxLr9rZiQmVPR9JLWSkrFcpNCSf5bW7+"
        "cHYIRkpZXx6O1d5KcTdCcS0CAwEAAQ=="
    )
    result, reason = outcome(signed(MESSAGE, RSA), f"p={short}")
    assert (result, reason) == ("policy", "the key has 512 bits; fewer than 1024 do not count")


def test_a_testing_key_is_said_to_be_one() -> None:
    (verdict,) = checked(signed(MESSAGE, RSA), record(RSA, t="y"))
    assert (verdict.is_testing, verdict.result) == (True, DkimResult.PASS)


@pytest.mark.parametrize(("identity", "result"), [("@example.com", "pass"), ("@mail.example.com", "permerror")])
def test_a_strict_key_is_not_for_subdomains(identity: str, result: str) -> None:  # RFC 6376 §3.6.1, t=s
    assert result == outcome(signed(MESSAGE, RSA, {"i": identity}), record(RSA, t="y:s"))[0]


def test_a_resolver_that_gives_up_is_a_temporary_error() -> None:
    resolver = MemoryResolver(failing={NAME})
    (verdict,) = asyncio.run(verify(resolver, signed(MESSAGE, RSA), now=NOW))
    assert ("temperror", f"DNS did not answer for the key at {NAME}") == (verdict.result.value, verdict.reason)


def test_a_verdict_says_whose_signature_it_is_of() -> None:
    message = signed(MESSAGE, RSA, {"i": "alice@mail.example.com"})
    (verdict,) = checked(message, record(RSA))
    start = message.partition(b"; b=")[2][:8].decode()
    assert verdict == DkimVerdict(
        result=DkimResult.PASS,
        domain="example.com",
        selector="s",
        identity="alice@mail.example.com",
        algorithm="rsa-sha256",
        signature_start=start,
        key_bits=2048,
    )


@pytest.mark.parametrize(
    "odd", [b"\x00", b"\x1b[31m", b"\x7f", b"\xff", b"\r\n x", "\u202e".encode(), "\u2028".encode()]
)
def test_what_a_verdict_shows_of_a_broken_signature_is_printable(odd: bytes) -> None:
    field = b"DKIM-Signature: v=1; a=x%by; d=x%b.com; s=a%bb; i=x%b@e; b=%b; bh=x\r\n".replace(b"%b", odd)
    (verdict,) = checked(field + MESSAGE)
    shown = verdict.domain + verdict.selector + verdict.identity + verdict.algorithm + verdict.signature_start
    assert shown.isprintable()
    assert " " not in shown


def test_signatures_have_their_verdicts_in_the_order_of_the_fields() -> None:
    message = signed(signed(signed(MESSAGE, RSA), ED25519, {"s": "e"}), OTHER_RSA)
    resolver = MemoryResolver(txt={NAME: [record(RSA)], "e._domainkey.example.com": [record(ED25519)]})
    verdicts = asyncio.run(verify(resolver, message, now=NOW))
    assert [(verdict.algorithm, verdict.result.value) for verdict in verdicts] == [
        ("rsa-sha256", "fail"),
        ("ed25519-sha256", "pass"),
        ("rsa-sha256", "pass"),
    ]


def test_at_most_eight_signatures_are_looked_at() -> None:
    message = MESSAGE
    for _ in range(MOST_SIGNATURES + 3):
        message = signed(message, ED25519)
    assert [verdict.result.value for verdict in checked(message, record(ED25519))] == ["pass"] * 8


def test_unsigned_mail_has_no_verdicts() -> None:
    assert checked(MESSAGE) == ()
    assert checked(b"") == ()


def test_an_added_from_field_is_never_signed() -> None:  # RFC 6376 §8.15
    message = signed(MESSAGE, RSA)
    for forged in (b"From: eve@example.net\r\n" + message, message.replace(b"To:", b"From: eve@example.net\r\nTo:")):
        assert outcome(forged, record(RSA))[0] == "fail"


def test_fields_are_taken_from_the_bottom() -> None:  # RFC 6376 §5.4.2
    twice = MESSAGE.replace(b"Subject:", b"Subject: first\r\nSubject:")
    message = signed(twice, RSA, {"h": "from:subject"})
    assert outcome(message.replace(b"Subject: first", b"Subject: other"), record(RSA))[0] == "pass"
    assert outcome(message.replace(b"two   words", b"others"), record(RSA))[0] == "fail"


@pytest.mark.parametrize("name", [b"Subject", b"X-Absent", b"Reply-To"])
def test_what_is_named_once_too_often_cannot_be_added(name: bytes) -> None:  # RFC 6376 §8.15
    message = signed(MESSAGE, RSA, {"h": "from:subject:subject:x-absent:reply-to"})
    assert outcome(name + b": eve\r\n" + message, record(RSA))[0] == "fail"


def test_a_signature_may_cover_others_and_never_itself() -> None:
    inner = signed(MESSAGE, RSA)
    message = signed(inner, RSA, {"h": "from:dkim-signature:dkim-signature"})
    assert [verdict.result.value for verdict in checked(message, record(RSA))] == ["pass", "pass"]
    changed = message.replace(b"d=example.com; s=s; h=from:to", b"d=example.com; s=s; h=from:TO")
    assert [verdict.result.value for verdict in checked(changed, record(RSA))] == ["fail", "fail"]


def test_lines_that_are_no_fields_are_passed_over() -> None:
    message = signed(MESSAGE, RSA).replace(b"To: bob", b"no colon here\r\nTo: bob")
    assert outcome(message, record(RSA)) == ("pass", "")


def test_internationalised_domains_are_asked_for_by_their_a_labels() -> None:  # RFC 8616 §4
    message = signed(MESSAGE, RSA, {"d": "grüße.example", "i": "jürgen@grüße.example"})
    resolver = MemoryResolver(txt={"s._domainkey.xn--gre-6ka8l.example": [record(RSA)]})
    (verdict,) = asyncio.run(verify(resolver, message, now=NOW))
    assert (verdict.result.value, verdict.domain) == ("pass", "xn--gre-6ka8l.example")
    assert verdict.identity == "jürgen@grüße.example"


def test_a_changed_body_needs_no_question_to_dns() -> None:
    message = signed(MESSAGE, RSA).replace(b"bye", b"buy")
    resolver = MemoryResolver(failing={NAME})
    (verdict,) = asyncio.run(verify(resolver, message, now=NOW))
    assert (verdict.result.value, verdict.reason) == ("fail", "the body was changed after it was signed")


def test_what_we_sign_we_verify() -> None:
    keys = [SigningKey(domain="example.com", selector="s", private_key=RSA)]
    assert outcome(sign(MESSAGE, keys, now=NOW) + MESSAGE, record(RSA)) == ("pass", "")
