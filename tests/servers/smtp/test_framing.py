"""Where a message ends, and what it may hold. RFC 5321 §2.3.8, §4.1.1.4, §4.5.2."""

import random
from collections.abc import Iterable
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.net.spool import IN_MEMORY_OCTETS, Spool
from mailstack.servers.smtp.framing import DataFraming
from mailstack.servers.smtp.limits import Limits
from mailstack.servers.smtp.replies import (
    BARE_CR_OR_LF,
    TEXT_LINE_TOO_LONG,
    TOO_LARGE,
    TOO_MUCH_DATA,
    FramingLost,
    Refused,
)
from tests.support.splitting import splits

LIMITS = Limits(message_bytes=100_000)


def receive(pieces: Iterable[bytes], limits: Limits = LIMITS) -> tuple[bytes, bytes, bool]:
    """The message, what followed its end, and whether it has octets above 127. Raises as the framing does."""
    with Spool() as spool:
        framing = DataFraming(limits, spool)
        source = iter(pieces)
        rest = None
        while rest is None:
            rest = framing.feed(next(source))
        rest += b"".join(source)
        content = framing.content()
        return bytes(content.raw), rest, content.is_8bit


@pytest.mark.parametrize(
    ("sent", "message", "rest"),
    [
        (b".\r\n", b"", b""),
        (b"\r\n.\r\n", b"\r\n", b""),
        (b"a\r\n.\r\n", b"a\r\n", b""),
        (b"..\r\n.\r\n", b".\r\n", b""),
        (b"...\r\n.\r\n", b"..\r\n", b""),
        (b".a\r\n.\r\n", b"a\r\n", b""),
        (b"a\r\n..\r\n.b\r\n\r\n.\r\n", b"a\r\n.\r\nb\r\n\r\n", b""),
        (b"a.\r\n.\r\n", b"a.\r\n", b""),
        (b"a\r\n.\r\nQUIT\r\n", b"a\r\n", b"QUIT\r\n"),
        (b"a\r\n.\r\n.\r\n", b"a\r\n", b".\r\n"),
        (b"a\0b\xff\r\n.\r\n", b"a\0b\xff\r\n", b""),
    ],
)
def test_the_end_is_found_and_dots_are_taken_off(sent: bytes, message: bytes, rest: bytes) -> None:
    for pieces in splits(sent):
        assert receive(pieces)[:2] == (message, rest)


LINE_ENDS = (b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n\r")
FALSE_ENDS = [
    before + b"." + after
    for before, after in product(LINE_ENDS, LINE_ENDS)
    if b"\r\n.\r\n" not in before + b"." + after
]


@pytest.mark.parametrize("false_end", FALSE_ENDS, ids=repr)
def test_smtp_smuggling_only_crlf_dot_crlf_ends_a_message(false_end: bytes) -> None:
    """CVE-2023-51764, 51765, 51766, 51747: a second message hidden behind an end that others believe in."""
    smuggled = b"MAIL FROM:<evil@evil.example>\r\n"
    sent = b"Subject: x\r\n\r\nbody" + false_end + smuggled + b"\r\n.\r\nNOOP\r\n"
    for pieces in splits(sent):
        with pytest.raises(Refused) as refusal:
            receive(pieces)
        assert refusal.value.reply == BARE_CR_OR_LF


@pytest.mark.parametrize("odd", [b"\n", b"\r", b"\r\r\n", b"\n\r\n", b"\ra", b"\na", b"\n\n", b"\r\n\n"], ids=repr)
def test_smtp_smuggling_bare_cr_or_lf_is_refused_anywhere(odd: bytes) -> None:
    for sent in (odd + b"\r\n.\r\n", b"a" + odd + b"b\r\n.\r\n", b"a\r\n" + odd + b"\r\n.\r\n"):
        for pieces in splits(sent):
            with pytest.raises(Refused) as refusal:
                receive(pieces)
            assert refusal.value.reply == BARE_CR_OR_LF


@settings(deadline=None)
@given(st.lists(st.sampled_from([b"\r", b"\n", b".", b"\r\n", b"a", b"\r\n.", b"\xc3"]), max_size=30), st.integers())
def test_smtp_smuggling_pieces_never_change_what_is_understood(tokens: list[bytes], seed: int) -> None:
    sent = b"".join(tokens) + b"\r\n.\r\n"
    whole = outcome([sent])
    assert outcome([sent[at : at + 1] for at in range(len(sent))]) == whole
    cuts = sorted(random.Random(seed).sample(range(len(sent)), k=min(3, len(sent))))
    edges = [0, *cuts, len(sent)]
    assert outcome([sent[a:b] for a, b in pairwise(edges)]) == whole
    if not isinstance(whole, str):
        assert whole[0].count(b"\r\n") == whole[0].count(b"\r") == whole[0].count(b"\n")
        stuffed = (b"\r\n" + whole[0]).replace(b"\r\n.", b"\r\n..")[2:]
        assert stuffed.count(b"\r\n.\r\n") == 0


def outcome(pieces: list[bytes]) -> tuple[bytes, bytes, bool] | str:
    try:
        return receive(pieces)
    except Refused as refusal:
        return str(refusal.reply)


def test_eight_bit_octets_are_noticed() -> None:
    assert receive([b"caf\xc3\xa9\r\n.\r\n"])[2]
    assert not receive([b"cafe\r\n.\r\n"])[2]


@pytest.mark.parametrize(
    ("sent", "is_taken"),
    [
        (b"12345678\r\n.\r\n", True),
        (b"..2345678\r\n.\r\n", True),  # RFC 1870 §5: the dot that was doubled counts once
        (b"123456789\r\n.\r\n", False),
    ],
)
def test_size_counts_the_message_without_dots_and_end(sent: bytes, is_taken: bool) -> None:
    expected = None if is_taken else str(TOO_LARGE)
    for pieces in splits(sent):
        found = outcome_within(Limits(message_bytes=10), pieces)
        assert (found if isinstance(found, str) else None) == expected


def test_a_message_too_large_is_read_to_its_end() -> None:
    with Spool() as spool:
        framing = DataFraming(Limits(message_bytes=10), spool)
        for _ in range(100):
            assert framing.feed(b"x" * 70 + b"\r\n") is None
        assert framing.feed(b".\r\nQUIT\r\n") == b"QUIT\r\n"
        assert spool.octets() == b""


def test_far_too_much_data_ends_the_connection() -> None:
    limits = Limits(message_bytes=10, surplus_bytes=1_000)
    with pytest.raises(FramingLost) as refusal:
        receive([b"x" * 70 + b"\r\n"] * 100, limits)
    assert refusal.value.reply == TOO_MUCH_DATA


@pytest.mark.parametrize("piece", [1, 7, 50, 1_000])
def test_a_line_over_the_limit_is_refused(piece: int) -> None:
    limits = Limits(text_line_bytes=50)
    good = b"x" * 48 + b"\r\n"
    bad = good * 3 + b"x" * 49 + b"\r\n" + good
    for body, is_good in ((good * 5, True), (bad, False)):
        sent = body + b".\r\n"
        found = outcome_within(limits, [sent[at : at + piece] for at in range(0, len(sent), piece)])
        assert found == (body if is_good else str(TEXT_LINE_TOO_LONG))


def outcome_within(limits: Limits, pieces: list[bytes]) -> bytes | str:
    try:
        return receive(pieces, limits)[0]
    except Refused as refusal:
        return str(refusal.reply)


def test_a_large_message_is_mapped_and_the_same() -> None:
    chance = random.Random(7)
    lines = [bytes(chance.choices(b"abc. xyz", k=chance.randrange(90))) for _ in range(20_000)]
    message = b"\r\n".join(lines) + b"\r\n"
    assert len(message) > 2 * IN_MEMORY_OCTETS
    sent = b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines) + b".\r\n"
    limits = Limits(message_bytes=10_000_000)
    assert receive([sent[at : at + 65_537] for at in range(0, len(sent), 65_537)], limits)[0] == message
