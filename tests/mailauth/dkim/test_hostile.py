"""Signatures and headers made to cost time or memory: what is done for them is counted, and bounded.

The bound: a header of up to 1 MB and 10,000 fields is read once for each of at most eight signatures, a body is hashed
once for each canonical form. What is larger is not verified, and no question to DNS is asked for it.
"""

import asyncio
import mmap
import tempfile
import time
import tracemalloc
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mailstack.mailauth.dkim import signed as signed_module
from mailstack.mailauth.dkim.canonical import relaxed_body, relaxed_header
from mailstack.mailauth.dkim.verify import MOST_SIGNATURES, verify
from mailstack.model.instant import Instant
from mailstack.model.message import RawMessage
from mailstack.model.verdict import DkimVerdict
from tests.support.dkim_signer import record, signed
from tests.support.memory_resolver import MemoryResolver

NOW = Instant(1_700_000_000_000)
KEY = Ed25519PrivateKey.generate()
NAME = "s._domainkey.example.com"
MESSAGE = b"From: a@example.com\r\nSubject: x\r\n\r\ntext\r\n"
TOO_LARGE = ("permerror", "the header is too large to be checked")
MOST_SECONDS = 5  # what is quadratic takes hours, and this machine may be busy


def verdicts(message: RawMessage) -> list[DkimVerdict]:
    begun = time.process_time()
    found = asyncio.run(verify(MemoryResolver(txt={NAME: [record(KEY)]}), message, now=NOW))
    assert time.process_time() - begun < MOST_SECONDS
    return list(found)


def outcomes(message: RawMessage) -> list[tuple[str, str]]:
    return [(found.result.value, found.reason) for found in verdicts(message)]


def test_a_signature_with_a_thousand_tags_verifies() -> None:
    assert outcomes(signed(MESSAGE, KEY, {f"tag{number}": "value" for number in range(1_000)})) == [("pass", "")]


@pytest.mark.parametrize("tag", [b"t%d=x;", b"x%d=;", b"a%d=b=c=;"])
def test_signatures_full_of_tags_are_read_in_linear_time(tag: bytes) -> None:
    field = b"DKIM-Signature: " + b"".join(tag % number for number in range(60_000)) + b"\r\n"
    assert outcomes(field + MESSAGE) == [("neutral", "the signature lacks v=, a=, b=, bh=, d=, h=, s=")]


@pytest.mark.parametrize("white_space", [b" " * 400_000, b"\r\n " * 130_000, b"\t\r\n " * 100_000])
def test_white_space_in_a_signature_costs_nothing(white_space: bytes) -> None:
    """dkimpy's expression for b= is quadratic in it."""
    message = signed(MESSAGE, KEY)
    field, _, rest = message.partition(b"\r\n")
    assert outcomes(field.replace(b"; b=", b"; b=" + white_space) + b"\r\n" + rest) == [("pass", "")]


def test_a_signature_that_names_a_hundred_thousand_fields_is_read_in_linear_time() -> None:
    names = ":".join(["from", *(f"x{number}" for number in range(50_000)), *["subject"] * 50_000])
    assert outcomes(signed(MESSAGE, KEY, {"h": names})) == [("pass", "")]


def test_a_signature_that_names_itself_and_its_kind_without_end_is_read_in_linear_time() -> None:
    """Each name, were all fields of the kind looked through for it, would cost 4,000 of them."""
    message = b"DKIM-Signature: x\r\n" * 4_000 + MESSAGE
    whole = signed(message, KEY, {"h": ":".join(["from", *["dkim-signature"] * 40_000])})
    assert outcomes(whole)[0] == ("pass", "")


def test_a_header_line_of_a_megabyte_verifies_or_is_too_large() -> None:
    for octets, expected in ((900_000, ("pass", "")), (1_100_000, TOO_LARGE)):
        line = b"Subject: " + b"x " * (octets // 2)
        assert [expected] == outcomes(signed(MESSAGE.replace(b"Subject: x", line), KEY))


@pytest.mark.parametrize("field", [b"X: y\r\n", b"From: a@example.com\r\n", b"DKIM-Signature: v=1\r\n"])
def test_a_hundred_thousand_fields_are_too_large(field: bytes) -> None:
    message = signed(MESSAGE, KEY)
    assert outcomes(message.replace(b"\r\n\r\n", b"\r\n" + field * 100_000 + b"\r\n", 1)) == [TOO_LARGE]


def test_a_hundred_thousand_lines_that_are_no_fields_are_passed_over() -> None:
    message = signed(MESSAGE, KEY)
    assert outcomes(message.replace(b"\r\n\r\n", b"\r\n" + b"x\r\n" * 100_000 + b"\r\n", 1)) == [("pass", "")]


def test_nothing_hides_behind_the_limits() -> None:
    """A From past the last field that is looked at: some reader may show it, so the mail is not verified."""
    far = b"X: y\r\n" * 12_000 + b"From: eve@example.net\r\n"
    assert outcomes(signed(MESSAGE, KEY).replace(b"\r\n\r\n", b"\r\n" + far + b"\r\n", 1)) == [TOO_LARGE]


def test_fields_are_read_once_for_each_of_eight_signatures(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = b"".join(b"X: %d\r\n" % number for number in range(2_000))
    message = fields + MESSAGE
    one = signed(message, KEY, {"h": ":".join(["from", *["x"] * 5_000])})
    field = one[: len(one) - len(message)]
    read: list[bytes] = []

    def counted(name: bytes, value: bytes) -> tuple[bytes, bytes]:
        read.append(name)
        return relaxed_header(name, value)

    monkeypatch.setattr(signed_module, "relaxed_header", counted)
    assert [result for result, _ in outcomes(field * 12 + message)] == ["pass"] * MOST_SIGNATURES
    # All X, From and the signature's own.
    assert len(read) == MOST_SIGNATURES * 2_002


def test_a_body_is_hashed_once_for_all_signatures(monkeypatch: pytest.MonkeyPatch) -> None:
    message = signed(MESSAGE, KEY)
    field = message[: len(message) - len(MESSAGE)]
    walked: list[int] = []

    def counted(raw: RawMessage, start: int = 0) -> Iterator[bytes]:
        walked.append(start)
        return relaxed_body(raw, start)

    monkeypatch.setattr(signed_module, "relaxed_body", counted)
    assert [result for result, _ in outcomes(field * MOST_SIGNATURES + MESSAGE)] == ["pass"] * MOST_SIGNATURES
    assert len(walked) == 1


@pytest.mark.parametrize("odd", [b"\x00", b"\xff\xfe", b"\r", b"\x1b[2J", b"\x80" * 2_000])
def test_odd_octets_in_header_and_body_are_signed_like_others(odd: bytes) -> None:
    message = MESSAGE.replace(b"Subject: x", b"Subject: x" + odd + b"y").replace(b"text", b"te" + odd + b"xt")
    assert outcomes(signed(message, KEY)) == [("pass", "")]
    assert [result for result, _ in outcomes(signed(message, KEY).replace(b"te" + odd, b"te"))] == ["fail"]


def test_a_large_mapped_message_never_stands_in_memory() -> None:
    message = signed(MESSAGE + b"line of  text \r\n" * 500_000, KEY)
    with tempfile.TemporaryFile() as file:
        file.write(message)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            tracemalloc.start()
            try:
                assert [found.result.value for found in verdicts(mapped)] == ["pass"]
                assert tracemalloc.get_traced_memory()[1] < 3_000_000 < len(message) / 2
            finally:
                tracemalloc.stop()
