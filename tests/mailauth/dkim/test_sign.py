"""Signatures as other people's verifier sees them: dkimpy as it is, nothing plugged in."""

import mmap
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dkim
from mailstack.mailauth.dkim import keys
from mailstack.mailauth.dkim.sign import sign
from mailstack.model.errors import Invalid
from mailstack.model.instant import Instant
from tests.support.dkim_check import check
from tests.support.opendkim import opendkims

NOW = Instant(1_700_000_000_000)
DOMAIN = "example.com"
LONG_DOMAIN = ".".join(["a" * 60, "b" * 60, "c" * 60, "example"])

PAIRS = {algorithm: keys.generate(algorithm) for algorithm in keys.ALGORITHMS}
RECORDS = {selector: keys.record(selector, pair.public_key).encode() for selector, pair in PAIRS.items()}

MESSAGE = (
    b"From: Alice <alice@example.com>\r\nTo: bob@example.org,\r\n\tcarol@example.org\r\nSubject: two   words\r\n"
    b"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.com>\r\nX-Other: not signed\r\n\r\n"
    b"Hello  there \t \r\n\r\n.\r\nbye\r\n\r\n\r\n"
)


def signing_keys(domain: str = DOMAIN) -> list[keys.SigningKey]:
    return [keys.load(domain=domain, selector=name, private_pem=pair.private_pem) for name, pair in PAIRS.items()]


def dns(name: bytes, timeout: int = 5) -> bytes:
    return RECORDS[name.decode().partition(".")[0]]


def verdicts(message: bytes) -> list[bool]:
    return [verifies(dkim.DKIM(message), index) for index in range(len(PAIRS))]


def verifies(verifier: dkim.DKIM, index: int) -> bool:
    try:
        return bool(verifier.verify(idx=index, dnsfunc=dns))
    except dkim.ValidationError:
        return False


@pytest.mark.parametrize(
    "message",
    [
        MESSAGE,
        MESSAGE.replace(b"\r\n\r\nHello", b"\r\nList-Id: <l.example.com>\r\nReferences: <a@b>\r\n <c@d>\r\n\r\nHello"),
        b"From: a@example.com\r\n\r\n",
        b"From: a@example.com\r\n\r\n\r\n\r\n",
        b"FROM:a@example.com\r\nSubject:\r\n\r\nx\r\n",
        b"From: a@example.com\r\nSubject: only a header",
        b"From: a@example.com\r\n\r\nno line end",
        b"From: a@example.com\r\n\r\n \t\r\n \r\n",
        b"From:\t a@example.com\r\nSubject:  \t x \t\r\n\ty\t \r\n\r\nx\r\n",
        b"Subject: 1\r\nFrom: a@example.com\r\nsubject: 2\r\nReferences: <a@b>\r\nSUBJECT: 3\r\n\r\nx\r\n",
        b"From: a@example.com\r\nSubject: " + b"x" * 900 + b"\r\n\r\n" + b"y" * 5000 + b"\r\n",
        b"From: a@example.com\r\nSubject: \xff\xfe \x00\r\n\r\n\x00\xff\r\n",
        "From: ä@example.com\r\nSubject: grüße\r\n\r\nö\r\n".encode(),
    ],
)
def test_both_signatures_verify(message: bytes) -> None:
    signed = sign(message, signing_keys(), now=NOW) + message
    assert verdicts(signed) == [True, True]
    assert check(signed, RECORDS) == ["pass", "pass"]


def test_a_long_domain_is_not_folded() -> None:
    signed = sign(MESSAGE, signing_keys(LONG_DOMAIN), now=NOW) + MESSAGE
    assert f"d={LONG_DOMAIN};".encode() in signed
    assert verdicts(signed) == [True, True]


@pytest.mark.parametrize(
    "tamper",
    [
        lambda m: m.replace(b"bye", b"buy"),
        lambda m: m.replace(b"bob@", b"eve@"),
        lambda m: m.replace(b"Subject: two", b"Subject: tow"),
        lambda m: m.replace(b"X-Other:", b"From: eve@example.net\r\nX-Other:"),  # RFC 6376 §8.15
        lambda m: b"From: eve@example.net\r\n" + m,
    ],
)
def test_a_changed_message_fails(tamper: Callable[[bytes], bytes]) -> None:
    assert verdicts(tamper(sign(MESSAGE, signing_keys(), now=NOW) + MESSAGE)) == [False, False]


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.replace(b"X-Other: not signed\r\n", b""),
        lambda m: m.replace(b"two   words", b"two \t words"),
        lambda m: b"Received: from a by b; now\r\n" + m,
        lambda m: m + b"\r\n\r\n",
    ],
)
def test_what_relays_do_on_the_way_does_no_harm(change: Callable[[bytes], bytes]) -> None:
    assert verdicts(change(sign(MESSAGE, signing_keys(), now=NOW) + MESSAGE)) == [True, True]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    body=st.lists(st.sampled_from([b"\r\n", b" ", b"\t", b"word", b"  ", b".", b"=\r\n", b"\xe4"]), max_size=60),
    subject=st.text(st.characters(categories=["L", "N", "Zs"]), max_size=200),
)
def test_any_message_verifies(body: list[bytes], subject: str) -> None:
    message = b"From: a@example.com\r\nSubject: " + subject.encode() + b"\r\n\r\n" + b"".join(body) + b"\r\n"
    signed = sign(message, signing_keys(), now=NOW) + message
    assert verdicts(signed) == [True, True]
    assert check(signed, RECORDS) == ["pass", "pass"]


@pytest.mark.parametrize("name", [b"From", b"To", b"Cc", b"Subject", b"Reply-To", b"Content-Type", b"MIME-Version"])
def test_nothing_that_is_shown_can_be_added(name: bytes) -> None:  # RFC 6376 §8.15
    signed = sign(MESSAGE, signing_keys(), now=NOW) + MESSAGE
    for changed in (name + b": eve\r\n" + signed, signed.replace(b"X-Other:", name + b": eve\r\nX-Other:")):
        assert verdicts(changed) == [False, False]
        assert check(changed, RECORDS) == ["signature", "signature"]


@pytest.mark.parametrize("name", [b"List-Unsubscribe", b"List-Unsubscribe-Post"])
@pytest.mark.parametrize("there", [b"List-Unsubscribe", b"List-Unsubscribe-Post"])
def test_nobody_leads_a_reader_to_another_button(name: bytes, there: bytes) -> None:  # RFC 8058 §4
    message = there + b": <https://example.com/leave>\r\n" + MESSAGE
    signed = sign(message, signing_keys(), now=NOW) + message
    assert verdicts(signed) == [True, True]
    assert verdicts(name + b": <https://eve.example>\r\n" + signed) == [False, False]


def test_a_list_may_put_its_fields_on_what_is_no_list_mail() -> None:
    signed = sign(MESSAGE, signing_keys(), now=NOW) + MESSAGE
    assert verdicts(b"List-Unsubscribe: <https://list.example>\r\nSender: l@list.example\r\n" + signed) == [True, True]


def test_a_signature_may_expire() -> None:
    expiring = [replace(key, life_s=7 * 86_400) for key in signing_keys()]
    signed = sign(MESSAGE, expiring, now=NOW) + MESSAGE
    assert signed.replace(b"\r\n ", b" ").count(b"t=1700000000; x=1700604800;") == 2
    assert check(signed, RECORDS) == ["pass", "pass"]
    assert verdicts(signed) == [False, False]  # dkimpy looks at the clock, and that was in 2023


def test_opendkim_passes_both(tmp_path: Path) -> None:
    records = {f"{selector}._domainkey.{DOMAIN}": text.decode() for selector, text in RECORDS.items()}
    lasting = [replace(key, life_s=100 * 365 * 86_400) for key in signing_keys()]
    messages = [sign(MESSAGE, [key], now=NOW) + MESSAGE for key in (*signing_keys(), *lasting)]
    expired = [sign(MESSAGE, [replace(key, life_s=86_400)], now=NOW) + MESSAGE for key in signing_keys()]
    changed = [message.replace(b"two   words", b"other words") for message in messages]
    added = [b"Reply-To: eve@example.net\r\n" + message for message in messages]
    assert opendkims(tmp_path, [*messages, *expired, *changed, *added], records) == [True] * 4 + [False] * 10


def test_the_field_says_what_was_done() -> None:
    fields = sign(MESSAGE, signing_keys(), now=NOW).replace(b"\r\n ", b" ")
    for expected in (
        b"v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=rsa2048; t=1700000000;",
        b"a=ed25519-sha256",
    ):
        assert expected in fields
    assert b"h=from: to: subject: date: message-id: from: to: cc: subject: date: message-id: reply-to:" in fields


def test_lines_are_at_most_78_columns_and_end_in_no_space() -> None:
    lines = sign(MESSAGE, signing_keys(), now=NOW).split(b"\r\n")
    assert max(map(len, lines)) <= 78
    assert not [line for line in lines if line.endswith(b" ")]


def test_a_message_without_from_is_refused() -> None:
    with pytest.raises(Invalid):
        sign(b"Subject: x\r\n\r\nbody\r\n", signing_keys(), now=NOW)


def test_a_mapped_file_signs_like_its_bytes() -> None:
    message = MESSAGE + b"line of  text \r\n" * 50_000
    with tempfile.TemporaryFile() as file:
        file.write(message)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            ed25519 = signing_keys()[1:]  # RSA of PKCS 1 is deterministic too; one of them is enough
            assert sign(mapped, ed25519, now=NOW) == sign(message, ed25519, now=NOW)


def test_a_hostile_body_is_signed_in_linear_time() -> None:
    message = MESSAGE + b" " * 1_000_000 + b"x\r\n"
    begun = time.process_time()
    sign(message, signing_keys(), now=NOW)
    assert time.process_time() - begun < 3
