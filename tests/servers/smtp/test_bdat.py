"""BDAT over a real connection: what arrives, and that no octet of a chunk is ever a command. RFC 3030 §2, §3."""

import random

import pytest

from tests.support.dialogue import Client
from tests.support.smtp_world import ALICE, SmtpWorld, serving

OPEN = """
    S: 220 mail.example.com ESMTP
    C: EHLO client.example
    S: 250-...
    S: 250 ENHANCEDSTATUSCODES
"""
BEGIN = """
    C: MAIL FROM:<x@y.example>
    S: 250 2.1.0 Sender OK
    C: RCPT TO:<alice@example.com>
    S: 250 2.1.5 Recipient OK
"""


async def opened(world: SmtpWorld, *, begin: str = BEGIN) -> Client:
    client = await world.connect()
    await client.play(OPEN + begin)
    return client


def body_of(stored: bytes) -> bytes:
    """Without the trace fields, which end with the date of Received."""
    return stored.partition(b" +0000\r\n")[2]


async def test_chunks_become_one_message_byte_for_byte(world: SmtpWorld) -> None:
    async with serving(world):
        client = await opened(world)
        await client.send(b"BDAT 20\r\nSubject: hello\r\n\r\n.\r")
        await client.play("S: 250 2.0.0 20 octets received")
        await client.send(b"bdat 13 last\r\n\n.\r\n.\r\ncaf\xe9\r\n")
        await client.play("S: 250 2.0.0 OK ...\nC: NOOP\nS: 250 2.0.0 OK")
        await client.close()
    assert list(map(body_of, world.inbox(ALICE))) == [b"Subject: hello\r\n\r\n.\r\n.\r\n.\r\ncaf\xe9\r\n"]


@pytest.mark.parametrize("seed", range(4))
async def test_a_conversation_cut_at_random_is_the_same_conversation(world: SmtpWorld, seed: int) -> None:
    said = (
        b"MAIL FROM:<x@y.example>\r\nRCPT TO:<alice@example.com>\r\nBDAT 9\r\nA: b\r\n\r\nQ"
        b"BDAT 0\r\nBDAT 5 LAST\r\nUIT\r\n"
        b"MAIL FROM:<x@y.example>\r\nRCPT TO:<alice@example.com>\r\nBDAT 2\r\nx\rBDAT 1\r\n\nBDAT 0 LAST\r\nQUIT\r\n"
    )
    random_ = random.Random(seed)
    step = 1 if seed == 0 else 9
    async with serving(world):
        client = await opened(world, begin="")
        at = 0
        while at < len(said):
            size = random_.randint(1, step)
            await client.send(said[at : at + size])
            at += size
        for code in ("250", "250", "250", "250", "250", "250", "250", "250", "250", "250", "221"):
            assert (await client.line())[:3] == code
        await client.expect_end()
        await client.close()
    assert list(map(body_of, world.inbox(ALICE))) == [b"A: b\r\n\r\nQUIT\r\n", b"x\r\n"]


@pytest.mark.parametrize(
    "argument",
    ["", "x", "-1", "+5", "5 LASTING", "5 LAST LAST", "0x10", "5.0", "1" * 21, "٥", "LAST", "5LAST", "5  LAST"],
)
async def test_a_chunk_without_a_size_ends_the_connection(world: SmtpWorld, argument: str) -> None:
    async with serving(world):
        client = await opened(world)
        await client.play(f"C: BDAT {argument}\nC: QUIT\nS: 501 5.5.4 ...\nS: (closed)")
        await client.close()


@pytest.mark.parametrize("size", ["70000000", "18446744073709551617", "99999999999999999999"])
async def test_a_chunk_of_absurd_size_ends_the_connection(world: SmtpWorld, size: str) -> None:
    world.limit(message_bytes=1_000, surplus_bytes=60_000_000)
    async with serving(world):
        client = await opened(world)
        await client.play(f"C: BDAT {size} LAST\nC: QUIT\nS: 421 4.3.4 ...\nS: (closed)")
        await client.close()


@pytest.mark.parametrize(
    "line",
    [
        b"BDAT 5\rLAST\r\n",
        b"BDAT 5\0\r\n",
        b"BDAT 5\n",
        b"BDAT " + b"0" * 3_000 + b"\r\n",
        b"BDAT" + b" " * 20_000 + b"\r\n",
    ],
    ids=["bare CR", "NUL", "bare LF", "long", "very long"],
)
async def test_a_chunk_of_a_broken_line_ends_the_connection(world: SmtpWorld, line: bytes) -> None:
    async with serving(world):
        client = await opened(world)
        await client.send(line + b"RSET\r\n")
        assert (await client.line())[:1] == "5"
        await client.expect_end()
        await client.close()


async def test_a_chunk_of_a_refused_transaction_is_read_and_dropped(world: SmtpWorld) -> None:
    async with serving(world):
        client = await opened(world, begin="")
        await client.play(r"""
            C| BDAT 6 LAST\r\nNOOP\r\n
            S: 503 5.5.1 Bad sequence of commands
            C: MAIL FROM:<x@y.example>
            S: 250 2.1.0 Sender OK
            C: RCPT TO:<nobody@example.com>
            S: 550 5.1.1 No such recipient here
            C| BDAT 6\r\nNOOP\r\nBDAT 6 LAST\r\nQUIT\r\n
            S: 554 5.5.1 No valid recipients
            S: 554 5.5.1 No valid recipients
            C: RSET
            S: 250 2.0.0 OK
            C: HELO client.example
            S: 250 mail.example.com
            C: MAIL FROM:<x@y.example>
            S: 250 2.1.0 Sender OK
            C: RCPT TO:<alice@example.com>
            S: 250 2.1.5 Recipient OK
            C| BDAT 6 LAST\r\nQUIT\r\n
            S: 503 5.5.1 Bad sequence of commands
        """)
        await client.close()
    assert world.inbox(ALICE) == []


async def test_data_and_chunks_do_not_mix(world: SmtpWorld) -> None:
    async with serving(world):
        client = await opened(world)
        await client.play(r"""
            C| BDAT 3\r\na\r\n
            S: 250 2.0.0 3 octets received
            C: DATA
            S: 503 5.5.1 Bad sequence of commands
            C: RCPT TO:<bob@example.com>
            S: 503 5.5.1 Bad sequence of commands
            C: MAIL FROM:<x@y.example>
            S: 503 5.5.1 Bad sequence of commands
            C: RSET
            S: 250 2.0.0 OK
            C| BDAT 0 LAST\r\n
            S: 503 5.5.1 Bad sequence of commands
        """)
        await client.play(BEGIN)
        await client.play("C: DATA\nS: 354 ...\nC: b\nC: .\nS: 250 2.0.0 OK ...")
        await client.close()
    assert list(map(body_of, world.inbox(ALICE))) == [b"b\r\n"]


async def test_the_size_counts_over_all_chunks_and_each_further_one_hears_of_it(world: SmtpWorld) -> None:
    world.limit(message_bytes=10)
    async with serving(world):
        client = await opened(world)
        await client.play(r"""
            C| BDAT 8\r\naaaaaa\r\n
            S: 250 2.0.0 8 octets received
            C| BDAT 8\r\naaaaaa\r\nBDAT 0\r\nBDAT 8 LAST\r\naaaaaa\r\n
            S: 552 5.3.4 Message too large
            S: 552 5.3.4 Message too large
            S: 552 5.3.4 Message too large
        """)
        await client.play(BEGIN)
        await client.close()
    assert world.inbox(ALICE) == []


@pytest.mark.parametrize("octets", [b"a\nb\r\n", b"a\rb\r\n", b"a\r\n\r", b"\r\n.\n\r\n"], ids=repr)
async def test_smtp_smuggling_bare_cr_and_lf_in_chunks_are_refused(world: SmtpWorld, octets: bytes) -> None:
    async with serving(world):
        client = await opened(world)
        await client.send(b"BDAT %d LAST\r\n%b" % (len(octets), octets))
        await client.play("S: 550 5.6.11 ...\nC: NOOP\nS: 250 2.0.0 OK")
        await client.close()
    assert world.inbox(ALICE) == []


async def test_binary_mail_is_stored_as_it_is(world: SmtpWorld) -> None:
    message = b"Content-Transfer-Encoding: binary\r\n\r\n\0\n\r\xff\r\r\n" + b"x" * 2_000_000
    world.limit(message_bytes=3_000_000)
    async with serving(world):
        client = await opened(world, begin="C: MAIL FROM:<x@y.example> BODY=BINARYMIME\nS: 250 2.1.0 Sender OK")
        await client.play("C: RCPT TO:<alice@example.com>\nS: 250 2.1.5 Recipient OK")
        await client.play("C: DATA\nS: 503 5.5.1 Bad sequence of commands")
        await client.send(b"BDAT %d LAST\r\n%b" % (len(message), message))
        await client.play("S: 250 2.0.0 OK ...")
        await client.close()
    assert list(map(body_of, world.inbox(ALICE))) == [message]


async def test_binary_mail_still_has_a_header_of_lines(world: SmtpWorld) -> None:
    async with serving(world):
        client = await opened(world, begin="C: MAIL FROM:<x@y.example> BODY=BINARYMIME\nS: 250 2.1.0 Sender OK")
        await client.play("C: RCPT TO:<alice@example.com>\nS: 250 2.1.5 Recipient OK")
        await client.send(b"BDAT 14 LAST\r\nA: b\nC: d\r\n\r\nx")
        await client.play("S: 550 5.6.11 ...")
        await client.close()


BINARY = b"MIME-Version: 1.0\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\n\r\xff"
SEALED = (
    b"MIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\r\n--b\r\n\r\nx\r\n--b--\r\n"
)


async def test_binary_mail_that_leaves_is_encoded(world: SmtpWorld) -> None:
    async with serving(world):
        client = await opened(world, begin="C: MAIL FROM:<x@y.example> BODY=BINARYMIME\nS: 250 2.1.0 Sender OK")
        await client.play("C: RCPT TO:<away@example.com>\nS: 250 2.1.5 Recipient OK")
        await client.send(b"BDAT %d LAST\r\n%b" % (len(BINARY), BINARY))
        await client.play("S: 250 2.0.0 OK ...")
        await client.close()
    (mail,) = world.queue.mails
    assert not mail.handling.is_binary
    assert not mail.is_8bit
    assert bytes(mail.raw).endswith(b"Content-Transfer-Encoding: base64\r\n\r\nAAoN/w==")


async def test_binary_mail_that_no_encoding_may_touch_does_not_leave(world: SmtpWorld) -> None:
    async with serving(world):
        client = await opened(world, begin="C: MAIL FROM:<x@y.example> BODY=BINARYMIME\nS: 250 2.1.0 Sender OK")
        await client.play("C: RCPT TO:<away@example.com>\nS: 250 2.1.5 Recipient OK")
        await client.send(b"BDAT %d LAST\r\n%b" % (len(SEALED), SEALED))
        await client.play("S: 554 5.6.3 Message would leave this server, and its binary parts cannot be encoded...")
        await client.close()
    assert world.queue.mails == []


async def test_a_fault_of_ours_within_a_chunk_is_no_command(world: SmtpWorld) -> None:
    world.limit(text_line_bytes="no number")  # type: ignore[arg-type]
    async with serving(world):
        client = await opened(world)
        await client.send(b"BDAT 20\r\nMAIL FROM:<a@b.example>\r\nQUIT\r\n")
        await client.play("S: 451 4.3.0 Local error, try again later\nS: (closed)")
        await client.close()
