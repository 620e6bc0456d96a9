"""clamd's bytes, as clamd(8) has them."""

import pytest

from mailstack.wire.clamd import CHUNK_OCTETS, Clean, Failed, Infected, Reply, instream, parse_reply


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        (b"", b"zINSTREAM\0\0\0\0\0"),
        (b"mail", b"zINSTREAM\0\0\0\0\x04mail\0\0\0\0"),
        (b"x" * 1_001, b"zINSTREAM\0\0\0\x03\xe8" + b"x" * 1_000 + b"\0\0\0\0"),
        (b"\0" * 3, b"zINSTREAM\0\0\0\0\x03\0\0\0\0\0\0\0"),
    ],
)
def test_a_stream_is_chunks_with_their_length_and_one_of_none(content: bytes, sent: bytes) -> None:
    assert b"".join(instream(content, 1_000)) == sent


def test_what_is_long_goes_in_chunks_and_is_whole() -> None:
    content = bytes(range(256)) * 600
    command, *chunks, end = instream(content, 1 << 30)
    assert (command, end) == (b"zINSTREAM\0", b"\0\0\0\0")
    assert [int.from_bytes(chunk[:4], "big") for chunk in chunks] == [
        CHUNK_OCTETS,
        CHUNK_OCTETS,
        600 * 256 % CHUNK_OCTETS,
    ]
    assert all(int.from_bytes(chunk[:4], "big") == len(chunk) - 4 for chunk in chunks)
    assert b"".join(chunk[4:] for chunk in chunks) == content


@pytest.mark.parametrize(
    ("reply", "means"),
    [
        (b"stream: OK\0", Clean()),
        (b"stream: Eicar-Test-Signature FOUND\0", Infected("Eicar-Test-Signature")),
        (b"stream: Win.Test(a:1) FOUND\0", Infected("Win.Test(a:1)")),
        (b"INSTREAM size limit exceeded. ERROR\0", Failed("INSTREAM size limit exceeded. ERROR")),
        (b"UNKNOWN COMMAND\0", Failed("UNKNOWN COMMAND")),
        (b"stream: a b FOUND\0", Failed("stream: a b FOUND")),  # no name has blanks
        (b"stream:  FOUND\0", Failed("stream:  FOUND")),
        (b"stream: \xe4\r\n FOUND\0", Failed("stream: ??? FOUND")),
        (b"stream: OK\0stream: OK\0", Failed("stream: OK?stream: OK")),
        (b"\0", Failed("an empty reply")),
        (b"x" * 500 + b"\0", Failed("x" * 200)),
    ],
)
def test_what_it_says(reply: bytes, means: Reply) -> None:
    assert parse_reply(reply) == means


@pytest.mark.parametrize("reply", [b"stream: OK\0", b"stream: Eicar-Test-Signature FOUND\0"])
def test_a_reply_that_is_cut_off_anywhere_says_nothing(reply: bytes) -> None:
    for length in range(len(reply)):
        assert parse_reply(reply[:length]) == Failed("the reply is cut off")
