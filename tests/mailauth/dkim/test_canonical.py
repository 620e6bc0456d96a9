"""Canonical forms: RFC 6376's examples, dkimpy's answers on ordinary bodies, and linear time."""

import time
from collections.abc import Callable, Iterator

import pytest
from dkim.canonicalization import Relaxed, Simple
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.mailauth.dkim import canonical
from mailstack.mailauth.dkim.canonical import relaxed_body, relaxed_header, simple_body

Canonicalizer = Callable[[bytes], Iterator[bytes]]

LINES = st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"\r\n\r\n", b"a", b"b c", b"d  e", b"\x80"]), max_size=40)


@pytest.mark.parametrize(
    ("body", "relaxed", "simple"),
    [
        (b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n", b" C \r\nD \t E\r\n"),  # RFC 6376 §3.4.5, examples 1 and 2
        (b"", b"", b"\r\n"),  # §3.4.4, §3.4.3
        (b"\r\n\r\n", b"", b"\r\n"),
        (b" \t\r\n \r\n", b"", b" \t\r\n \r\n"),
        (b"no end", b"no end\r\n", b"no end\r\n"),
        (b"\r\n\r\na\r\n", b"\r\n\r\na\r\n", b"\r\n\r\na\r\n"),
        (b"a\r\n\r\n\r\nb\r\n", b"a\r\n\r\n\r\nb\r\n", b"a\r\n\r\n\r\nb\r\n"),
        (b"a\n\r\n\r\n", b"a\n\r\n", b"a\n\r\n"),
        (b"a\r\r\n\r\n", b"a\r\r\n", b"a\r\r\n"),
    ],
)
def test_bodies(body: bytes, relaxed: bytes, simple: bytes) -> None:
    assert relaxed == b"".join(relaxed_body(body))
    assert simple == b"".join(simple_body(body))


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ((b"A", b" X\r\n"), (b"a", b"X\r\n")),  # RFC 6376 §3.4.5
        ((b"B ", b" Y\t\r\n\tZ  \r\n"), (b"b", b"Y Z\r\n")),
        ((b"SUBJect", b" a  b\t c\r\n"), (b"subject", b"a b c\r\n")),
        ((b"Empty", b"\r\n"), (b"empty", b"\r\n")),
    ],
)
def test_header_fields(field: tuple[bytes, bytes], expected: tuple[bytes, bytes]) -> None:
    assert expected == relaxed_header(*field)


@pytest.mark.parametrize(("ours", "theirs"), [(relaxed_body, Relaxed), (simple_body, Simple)])
@settings(max_examples=300, deadline=None, derandomize=True)
@given(parts=LINES)
def test_bodies_are_what_dkimpy_makes_of_them(ours: Canonicalizer, theirs: type, parts: list[bytes]) -> None:
    body = b"".join(parts) + b"\r\n"
    assert b"".join(ours(body)) == theirs.canonicalize_body(body)  # type: ignore[attr-defined]  # dkimpy has no types


@pytest.mark.parametrize("canonicalize", [relaxed_body, simple_body])
@settings(max_examples=300, deadline=None, derandomize=True)
@given(parts=LINES, piece=st.integers(min_value=1, max_value=12))
def test_the_size_of_pieces_changes_nothing(canonicalize: Canonicalizer, parts: list[bytes], piece: int) -> None:
    body = b"".join(parts)
    whole = b"".join(canonicalize(body))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canonical, "PIECE_BYTES", piece)
        assert whole == b"".join(canonicalize(body))


@pytest.mark.parametrize("body", [b" " * 2_000_000 + b"x\r\n", b"\r\n" * 1_000_000, b"\t \r\n" * 500_000])
@pytest.mark.parametrize("canonicalize", [relaxed_body, simple_body])
def test_hostile_bodies_take_linear_time(canonicalize: Canonicalizer, body: bytes) -> None:
    """dkimpy needs 16 s for 80 KB of spaces, and grows with their square: this would take hours."""
    begun = time.process_time()
    for _ in canonicalize(body):
        pass
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("canonicalize", [relaxed_body, simple_body])
def test_memory_empty_lines_that_turn_out_to_count_come_in_pieces(canonicalize: Canonicalizer) -> None:
    pieces = [len(piece) for piece in canonicalize(b"\r\n" * 2_000_000 + b"x\r\n")]
    assert (sum(pieces), max(pieces)) == (4_000_003, 2 * canonical.PIECE_BYTES)
