"""The transport against servers that follow the RFC, and against the many that do not."""

import asyncio
from dataclasses import replace

import pytest
from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP, Envelope, Session

from mailstack.clients.smtp.tls import TlsContexts
from mailstack.clients.smtp.transport import SmtpTransport
from mailstack.model.delivery import Deferred, Delivered, Failed, SmtpReply
from mailstack.model.handling import Handling, Notification, NotifyOn, Returned
from mailstack.model.source import Source
from mailstack.model.tls_policy import TlsUsed
from tests.support.fake_clock import FakeClock
from tests.support.memory_resolver import MemoryResolver
from tests.support.outcomes import brief
from tests.support.scripted_smtp import Peer, scripted_server
from tests.support.smtp_sender import CONTENT, PATIENT, Sender


async def test_a_pipelined_mail_goes_in_two_segments(sender: Sender) -> None:
    async def mx(peer: Peer) -> None:
        await peer.hello("PIPELINING", "SIZE 1000", "8BITMIME")
        for _ in range(4):
            await peer.hear()
        await peer.say("250 2.1.0 ok\n250 2.1.5 ok\n550 5.1.1 no\n354 go\n")
        assert await peer.hear_content() == b"From: a@us.test\r\nSubject: hi\r\n\r\n..dots\r\nbye\r\n.\r\n"
        await peer.say("250 2.0.0 queued as 1\n")
        await peer.exchange("221 bye")

    async with scripted_server(mx) as server:
        outcomes = await sender.send(server.port, "b@them.test", "c@them.test")
    tls, source = TlsUsed(policy="none"), Source("127.0.0.1", "us.test")
    assert outcomes == [
        Delivered(
            reply=SmtpReply(code=250, status="2.0.0", text="queued as 1"), host="mx.test", tls=tls, source=source
        ),
        Failed(
            reply=SmtpReply(code=550, status="5.1.1", text="no"),
            host="mx.test",
            is_of_recipient=True,
            tls=tls,
            source=source,
        ),
    ]
    assert server.heard == [
        b"EHLO us.test",
        b"MAIL FROM:<a@us.test> SIZE=%d" % len(CONTENT),
        b"RCPT TO:<b@them.test>",
        b"RCPT TO:<c@them.test>",
        b"DATA",
        b"(content)",
        b"QUIT",
    ]


async def test_without_pipelining_each_reply_is_awaited(sender: Sender) -> None:
    async def mx(peer: Peer) -> None:
        await peer.hello()
        await peer.take_mail("250 ok", "451 4.7.1 greylisted")

    async with scripted_server(mx) as server:
        outcomes = await sender.send(server.port, "b@them.test", "c@them.test")
    assert brief(outcomes) == ["Delivered 250 2.0.0", "Deferred 451 4.7.1"]
    assert not server.faults


@pytest.mark.parametrize(
    ("final", "expected"),
    [
        ("250 ok", "Delivered 250"),
        ("451 4.3.0 disk full", "Deferred 451 4.3.0"),
        ("421 4.3.2 closing", "Deferred 421 4.3.2"),
        ("554 5.7.1 spam", "Failed 554 5.7.1"),
        ("354 again?", "Deferred 354"),
    ],
)
async def test_the_reply_to_the_last_dot_decides(sender: Sender, final: str, expected: str) -> None:
    async def mx(peer: Peer) -> None:
        await peer.hello("PIPELINING")
        await peer.take_mail(final=final)

    async with scripted_server(mx) as server:
        assert brief(await sender.send(server.port)) == [expected]


@pytest.mark.parametrize("extensions", [(), ("PIPELINING",)])
async def test_a_refused_sender_is_the_outcome_of_all(sender: Sender, extensions: tuple[str, ...]) -> None:
    async def mx(peer: Peer) -> None:
        await peer.hello(*extensions)
        await peer.exchange("550 5.7.1 not you")
        if extensions:
            await peer.exchange("503 5.5.1 no", "503 5.5.1 no", "503 5.5.1 no")
        await peer.exchange("221 bye")

    async with scripted_server(mx) as server:
        outcomes = await sender.send(server.port, "b@them.test", "c@them.test")
    assert brief(outcomes) == ["Failed 550 5.7.1"] * 2
    assert server.heard[-1] == b"QUIT"


async def test_data_accepted_without_a_recipient_is_ended_by_its_dot(sender: Sender) -> None:  # RFC 2920 §3.1
    async def mx(peer: Peer) -> None:
        await peer.hello("PIPELINING")
        await peer.exchange("250 ok", "550 5.1.1 no", "354 go", "554 5.5.1 no valid recipients", "221 bye")

    async with scripted_server(mx) as server:
        assert brief(await sender.send(server.port)) == ["Failed 550 5.1.1"]
    assert server.heard[-2:] == [b".", b"QUIT"]


async def test_552_to_rcpt_is_too_many_recipients_for_now(sender: Sender) -> None:  # RFC 5321 §4.5.3.1.10
    async def mx(peer: Peer) -> None:
        await peer.hello()
        await peer.take_mail("250 ok", "552 too many")

    async with scripted_server(mx) as server:
        outcomes = await sender.send(server.port, "b@them.test", "c@them.test")
    assert brief(outcomes) == ["Delivered 250 2.0.0", "Deferred 452 4.5.3"]


async def test_a_server_without_ehlo_is_greeted_with_helo(sender: Sender) -> None:  # RFC 5321 §3.2
    async def mx(peer: Peer) -> None:
        await peer.say("220 old\n")
        await peer.exchange("502 what?", "250 hello")
        await peer.take_mail()

    async with scripted_server(mx) as server:
        assert brief(await sender.send(server.port)) == ["Delivered 250 2.0.0"]
    assert server.heard[:3] == [b"EHLO us.test", b"HELO us.test", b"MAIL FROM:<a@us.test>"]


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()])
async def test_chunks_where_the_server_takes_them(sender: Sender, extensions: tuple[str, ...]) -> None:  # RFC 3030
    async def mx(peer: Peer) -> None:
        await peer.hello("CHUNKING", *extensions)
        await peer.exchange("250 2.1.0 ok", "250 2.1.5 ok", "550 5.1.1 no")
        assert await peer.hear_chunk() == b"a\r\n.\r\nb\r\n"
        await peer.say("250 2.0.0 queued\n")
        await peer.exchange("221 bye")

    async with scripted_server(mx) as server:
        outcomes = await sender.send(server.port, "b@them.test", "c@them.test", content=b"a\n.\rb\r\n")
    assert brief(outcomes) == ["Delivered 250 2.0.0", "Failed 550 5.1.1"]
    assert server.heard[-2:] == [b"BDAT 9 LAST", b"QUIT"]


LARGE = b"x" * 70 + b"\r\n" * (1 << 20)


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()])
async def test_a_large_mail_goes_in_several_chunks(sender: Sender, extensions: tuple[str, ...]) -> None:
    got = []

    async def mx(peer: Peer) -> None:
        await peer.hello("CHUNKING", *extensions)
        await peer.exchange("250 ok", "250 ok")
        while not (peer.heard[-1].endswith(b" LAST")):
            got.append(await peer.hear_chunk())
            await peer.say(f"250 2.0.0 {len(got)}\n")
        await peer.exchange("221 bye")

    async with scripted_server(mx) as server:
        (outcome,) = await sender.send(server.port, content=LARGE)
    assert isinstance(outcome, Delivered)
    assert b"".join(got) == LARGE
    assert outcome.reply.text == str(len(got))
    assert len(got) > 4


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()])
async def test_a_refused_chunk_is_the_outcome_and_not_much_follows(sender: Sender, extensions: tuple[str, ...]) -> None:
    async def mx(peer: Peer) -> None:
        await peer.hello("CHUNKING", *extensions)
        await peer.exchange("250 ok", "250 ok")
        await peer.hear_chunk()
        await peer.say("552 5.3.4 too large\n")
        await peer.hear_out()

    async with scripted_server(mx) as server:
        assert brief(await sender.send(server.port, content=LARGE)) == ["Failed 552 5.3.4"]
    assert len([line for line in server.heard if line.startswith(b"BDAT")]) == 1


async def test_nothing_is_sent_in_chunks_when_nobody_is_left(sender: Sender) -> None:
    async def mx(peer: Peer) -> None:
        await peer.hello("CHUNKING", "PIPELINING")
        await peer.exchange("250 ok", "550 5.1.1 no", "221 bye")

    async with scripted_server(mx) as server:
        assert brief(await sender.send(server.port)) == ["Failed 550 5.1.1"]
    assert server.heard[-1] == b"QUIT"


@pytest.mark.parametrize(("closes_at", "code"), [(0, 421), (1, 451), (2, 451)])
async def test_a_connection_lost_among_chunks_may_have_left_the_mail(sender: Sender, closes_at: int, code: int) -> None:
    async def mx(peer: Peer) -> None:
        await peer.hello("CHUNKING")
        await peer.exchange("250 ok")
        await peer.hear()
        if closes_at:
            await peer.say("250 ok\n")
            await (peer.hear() if closes_at == 1 else peer.hear_chunk())

    async with scripted_server(mx) as server:
        assert brief(await sender.send(server.port)) == [f"Deferred {code} 4.4.2"]


async def test_a_binary_mail_goes_as_it_is_to_who_takes_it(sender: Sender) -> None:  # RFC 3030 §3
    content = b"A: b\r\n\r\n" + bytes(range(256)) + b"\r.\n"

    async def mx(peer: Peer) -> None:
        await peer.hello("CHUNKING", "BINARYMIME", "PIPELINING", "8BITMIME")
        await peer.exchange("250 ok", "250 ok")
        assert await peer.hear_chunk() == content
        await peer.say("250 2.0.0 queued\n")
        await peer.exchange("221 bye")

    handling = Handling(is_binary=True)
    async with scripted_server(mx) as server:
        outcomes = await sender.send(server.port, content=content, is_8bit=True, handling=handling)
    assert brief(outcomes) == ["Delivered 250 2.0.0"]
    assert server.heard[1] == b"MAIL FROM:<a@us.test> BODY=BINARYMIME"


@pytest.mark.parametrize("extensions", [("8BITMIME",), ("BINARYMIME",), ("PIPELINING",)])
async def test_a_binary_mail_is_encoded_for_who_does_not(sender: Sender, extensions: tuple[str, ...]) -> None:
    contents: list[bytes] = []

    async def mx(peer: Peer) -> None:
        await peer.hello(*extensions)
        contents.append(await peer.take_mail())

    handling = Handling(is_binary=True)
    async with scripted_server(mx) as server:
        outcomes = await sender.send(server.port, content=b"A: b\r\n\r\n\0\r\n.\n", is_8bit=True, handling=handling)
    assert brief(outcomes) == ["Delivered 250 2.0.0"]
    assert contents == [b"A: b\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\nAA0KLgo=\r\n.\r\n"]
    assert b"BODY" not in server.heard[1]


@pytest.mark.parametrize(
    ("greeting", "expected"),
    [("554 5.3.2 no mail here", "Failed 554 5.3.2"), ("421 4.3.2 busy", "Deferred 421 4.3.2")],
)
async def test_a_greeting_that_turns_away_is_the_outcome(sender: Sender, greeting: str, expected: str) -> None:
    async def mx(peer: Peer) -> None:
        await peer.say(greeting + "\n")

    async with scripted_server(mx) as server:
        outcomes = await sender.send(server.port)
    assert brief(outcomes) == [expected]
    assert outcomes[0].host == "mx.test"
    assert isinstance(outcomes[0], Deferred | Failed)
    assert outcomes[0].is_turned_away


@pytest.mark.parametrize(
    ("extensions", "options", "expected"),
    [
        (("SIZE 10",), {}, "Failed 552 5.3.4"),  # RFC 1870 §6.1
        (("SIZE 0",), {}, "Delivered 250 2.0.0"),
        ((), {"is_8bit": True}, "Delivered 250 2.0.0"),  # nothing in it is
        ((), {"is_8bit": True, "content": b"a: b\r\n\r\n\xe9\r\n"}, "Failed 554 5.6.3"),  # RFC 6152 §3
        # RFC 3030 §3: converted or returned
        ((), {"handling": Handling(is_binary=True), "content": b"a: b\r\n\r\n\0"}, "Delivered 250 2.0.0"),
        ((), {"handling": Handling(is_binary=True), "content": b"a: \0\r\n\r\nx"}, "Failed 554 5.6.3"),
        (("8BITMIME",), {"smtp_utf8": True}, "Failed 553 5.6.7"),  # RFC 6531 §3.3
        (("8BITMIME",), {"reverse_path": "ä@us.test"}, "Failed 553 5.6.7"),
        (("8BITMIME", "SMTPUTF8"), {"reverse_path": "ä@us.test"}, "Delivered 250 2.0.0"),
        ((), {"reverse_path": "a@ü.test"}, "Delivered 250 2.0.0"),
        ((), {"reverse_path": ""}, "Delivered 250 2.0.0"),
    ],
)
async def test_extensions_the_mail_needs(
    sender: Sender, extensions: tuple[str, ...], options: dict[str, object], expected: str
) -> None:
    async def mx(peer: Peer) -> None:
        await peer.hello(*extensions)
        await peer.take_mail()

    async with scripted_server(mx) as server:
        assert brief(await sender.send(server.port, **options)) == [expected]  # type: ignore[arg-type]  # a table


@pytest.mark.parametrize(
    ("extensions", "mail", "rcpt"),
    [
        (("DSN",), b" RET=FULL ENVID=Q1", b" NOTIFY=SUCCESS ORCPT=rfc822;b@them.test"),
        ((), b"", b""),
    ],
)
async def test_a_server_with_dsn_is_told_what_the_sender_wants_and_tells_it_then(
    sender: Sender, extensions: tuple[str, ...], mail: bytes, rcpt: bytes
) -> None:
    async def mx(peer: Peer) -> None:
        await peer.hello("PIPELINING", *extensions)
        await peer.take_mail()

    wished = Notification(notify_on=frozenset({NotifyOn.SUCCESS}), original_recipient="rfc822;b@them.test")
    async with scripted_server(mx) as server:
        (outcome,) = await sender.send(
            server.port, handling=Handling(returned=Returned.FULL, envelope_id="Q1"), notification=wished
        )
    assert isinstance(outcome, Delivered)
    assert outcome.will_notify == bool(extensions)
    assert server.heard[1:3] == [b"MAIL FROM:<a@us.test>" + mail, b"RCPT TO:<b@them.test>" + rcpt]


async def test_8bit_text_is_encoded_for_a_server_that_takes_none(sender: Sender) -> None:  # RFC 6152 §3
    head = b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"

    async def mx(peer: Peer) -> None:
        await peer.hello("PIPELINING", "SIZE 1000")
        expected = head + b"Content-Transfer-Encoding: quoted-printable\r\n\r\ncaf=C3=A9\r\n.\r\n"
        assert await peer.take_mail() == expected
        sizes.append(len(expected) - 3)

    sizes: list[int] = []
    content = head + b"Content-Transfer-Encoding: 8bit\r\n\r\n" + "café\r\n".encode()
    async with scripted_server(mx) as server:
        assert brief(await sender.send(server.port, content=content, is_8bit=True)) == ["Delivered 250 2.0.0"]
    assert server.heard[1] == b"MAIL FROM:<a@us.test> SIZE=%d" % sizes[0]


async def test_a_path_that_holds_a_command_fails_before_anybody_is_asked(sender: Sender) -> None:
    async with scripted_server(lambda peer: peer.hello()) as server:
        outcomes = [*await sender.send(server.port, "b@them.test\r\nRCPT TO:<c@them.test>")]
        outcomes += await sender.send(server.port, reverse_path="x>\r\nDATA\r\n<@us.test")
    assert brief(outcomes) == ["Failed 553 5.1.3", "Failed 553 5.1.7"]
    assert not server.connections


async def test_an_internationalised_recipient_does_not_hold_up_the_others(sender: Sender) -> None:  # RFC 6531 §3.3
    async def mx(peer: Peer) -> None:
        await peer.hello("PIPELINING", "8BITMIME")
        await peer.take_mail()

    async with scripted_server(mx) as server:
        outcomes = await sender.send(server.port, "jörg@them.test", "b@them.test")
    assert brief(outcomes) == ["Failed 553 5.6.7", "Delivered 250 2.0.0"]
    assert server.heard[1:3] == [b"MAIL FROM:<a@us.test>", b"RCPT TO:<b@them.test>"]


async def test_when_only_internationalised_recipients_are_left_nothing_is_begun(sender: Sender) -> None:
    async def mx(peer: Peer) -> None:
        await peer.hello("8BITMIME")
        await peer.exchange("221 bye")

    async with scripted_server(mx) as server:
        assert brief(await sender.send(server.port, "jörg@them.test")) == ["Failed 553 5.6.7"]
    assert server.heard[-1] == b"QUIT"


async def test_one_bad_path_does_not_hold_up_the_others(sender: Sender) -> None:
    async def mx(peer: Peer) -> None:
        await peer.hello("PIPELINING")
        await peer.take_mail()

    async with scripted_server(mx) as server:
        outcomes = await sender.send(server.port, "no-at", "b@them.test")
    assert brief(outcomes) == ["Failed 553 5.1.3", "Delivered 250 2.0.0"]


STEPS = ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "content", "dot"]


@pytest.mark.parametrize("extensions", [(), ("PIPELINING",)])
@pytest.mark.parametrize("closes_at", range(len(STEPS)), ids=STEPS)
async def test_a_connection_closed_at_any_step_defers(
    sender: Sender, closes_at: int, extensions: tuple[str, ...]
) -> None:
    async def mx(peer: Peer) -> None:
        if closes_at == 0:
            return
        await peer.say("220 x\n")
        if closes_at == 1:
            await peer.hear()
            return
        await peer.ehlo(*extensions)
        for step, reply in enumerate(("250 ok", "250 ok", "354 go"), start=2):
            await peer.hear()
            if closes_at == step:
                return
            await peer.say(reply + "\n")
        if closes_at == 6:
            await peer.hear_content()

    async with scripted_server(mx) as server:
        outcomes = await sender.send(server.port)
    # Before the content goes out, nothing can be left there: as after a 421, the next mail exchanger is asked at once.
    assert brief(outcomes) == ["Deferred 421 4.4.2" if closes_at < 5 else "Deferred 451 4.4.2"]
    # Only a server that took part is named.
    assert outcomes[0].host == ("" if closes_at < 2 else "mx.test")


async def test_what_was_refused_before_the_loss_stays_refused(sender: Sender) -> None:
    async def mx(peer: Peer) -> None:
        await peer.hello()
        await peer.exchange("250 ok", "550 5.1.1 no")
        await peer.hear()

    async with scripted_server(mx) as server:
        outcomes = await sender.send(server.port, "b@them.test", "c@them.test")
    assert brief(outcomes) == ["Failed 550 5.1.1", "Deferred 421 4.4.2"]


async def test_a_server_that_goes_away_at_quit_has_the_mail_all_the_same(sender: Sender) -> None:
    async def mx(peer: Peer) -> None:
        await peer.hello("PIPELINING")
        await peer.exchange("250 ok", "250 ok", "354 go")
        await peer.hear_content()
        await peer.say("250 2.0.0 ok\n")

    async with scripted_server(mx) as server:
        assert brief(await sender.send(server.port)) == ["Delivered 250 2.0.0"]


async def test_a_server_that_closes_right_after_it_took_the_mail_has_it(sender: Sender) -> None:  # RFC 5321 §3.8
    async def mx(peer: Peer) -> None:
        await peer.hello("PIPELINING")
        await peer.take_mail(final="250 2.0.0 ok\n421 4.3.2 enough")

    async with scripted_server(mx) as server:
        assert brief(await sender.send(server.port)) == ["Delivered 250 2.0.0"]


async def test_being_cancelled_at_quit_forgets_no_outcome(sender: Sender) -> None:
    at_quit = asyncio.Event()

    async def mx(peer: Peer) -> None:
        await peer.hello("PIPELINING")
        await peer.exchange("250 ok", "250 ok", "354 go")
        await peer.hear_content()
        await peer.say("250 2.0.0 ok\n")
        await peer.hear()
        at_quit.set()
        await peer.hear_out()

    async with scripted_server(mx) as server:
        sending = asyncio.create_task(sender.send(server.port))
        await at_quit.wait()
        sending.cancel()
        assert brief(await sending) == ["Delivered 250 2.0.0"]


GARBAGE = [
    b"\x00\xff" * 50 + b"\r\n",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"220-" + b"x" * 100_000,
    b"220-x\r\n" * 1_000,
    b"220 a\r\n250 b\r\n",
    b"220-a\r\n221 b\r\n",
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
async def test_garbage_for_a_greeting_defers(sender: Sender, garbage: bytes) -> None:
    async def mx(peer: Peer) -> None:
        await peer.say(garbage)
        await peer.hear_out()

    async with scripted_server(mx) as server:
        outcomes = await sender.send(server.port)
    assert brief(outcomes) == ["Deferred 451 4.5.0"]


@pytest.mark.parametrize("garbage", [b"\xff\r\n", b"250 " + b"x" * 100_000, b"250-x\r\n" * 1_000])
async def test_garbage_after_the_dot_defers(sender: Sender, garbage: bytes) -> None:
    async def mx(peer: Peer) -> None:
        await peer.hello()
        await peer.exchange("250 ok", "250 ok", "354 go")
        await peer.hear_content()
        await peer.say(garbage)
        await peer.hear_out()

    async with scripted_server(mx) as server:
        assert brief(await sender.send(server.port)) == ["Deferred 451 4.5.0"]


async def test_a_dripping_reply_ends_at_its_deadline(resolver: MemoryResolver, contexts: TlsContexts) -> None:
    async def mx(peer: Peer) -> None:
        await peer.say("220 ")
        while not peer.reader.at_eof():
            await peer.say("x")
            await asyncio.wait([asyncio.ensure_future(peer.reader.read())], timeout=0.05)

    timeouts = replace(PATIENT, greeting_s=0.4)
    slow = Sender(
        SmtpTransport(resolver, ehlo_domain="us.test", tls=contexts, token=bytes, clock=FakeClock(), timeouts=timeouts)
    )
    async with scripted_server(mx) as server, asyncio.timeout(30):
        outcomes = await slow.send(server.port)
    assert brief(outcomes) == ["Deferred 451 4.4.2"]
    assert outcomes[0].reply.text == "while waiting for a reply: timed out"


async def test_a_server_that_does_not_read_is_given_up(resolver: MemoryResolver, contexts: TlsContexts) -> None:
    done = asyncio.Event()

    async def mx(peer: Peer) -> None:
        await peer.hello()
        await peer.exchange("250 ok", "250 ok", "354 go")
        await done.wait()

    timeouts = replace(PATIENT, block_s=0.4)
    slow = Sender(
        SmtpTransport(resolver, ehlo_domain="us.test", tls=contexts, token=bytes, clock=FakeClock(), timeouts=timeouts)
    )
    async with scripted_server(mx) as server, asyncio.timeout(30):
        outcomes = await slow.send(server.port, content=b"x" * 70 + b"\r\n" * 20_000_000)
        done.set()
    assert brief(outcomes) == ["Deferred 451 4.4.2"]


async def test_all_together_has_a_deadline_too(resolver: MemoryResolver, contexts: TlsContexts) -> None:
    async def mx(peer: Peer) -> None:
        await peer.hello()
        await peer.exchange("250 ok", "550 5.1.1 no")
        await peer.hear_out()

    timeouts = replace(PATIENT, whole_s=3)
    slow = Sender(
        SmtpTransport(resolver, ehlo_domain="us.test", tls=contexts, token=bytes, clock=FakeClock(), timeouts=timeouts)
    )
    async with scripted_server(mx) as server, asyncio.timeout(30):
        outcomes = await slow.send(server.port, "b@them.test", "c@them.test")
    assert brief(outcomes) == ["Failed 550 5.1.1", "Deferred 451 4.4.2"]


async def test_hostile_text_in_a_reply_becomes_one_printable_bounded_line(sender: Sender) -> None:
    async def mx(peer: Peer) -> None:
        await peer.hello()
        await peer.exchange("250 ok")
        await peer.hear()
        await peer.say(b"".join(b"550-5.1.1 \x1b[2J\x00bcc: x\xff " + b"y" * 2000 + b"\r\n" for _ in range(9)))
        await peer.say(b"550 5.1.1 end\r\n")
        await peer.exchange("221 bye")

    async with scripted_server(mx) as server:
        outcome = (await sender.send(server.port))[0]
    assert isinstance(outcome, Failed)
    assert outcome.reply.text.isprintable()
    assert len(outcome.reply.text) == 500


async def test_no_address_and_no_dns_defer_without_a_host(sender: Sender, resolver: MemoryResolver) -> None:
    resolver.failing.add("broken.test")
    outcomes = [*await sender.send(25, host="absent.test"), *await sender.send(25, host="broken.test")]
    assert brief(outcomes) == ["Deferred 451 4.4.4", "Deferred 451 4.4.3"]
    assert [outcome.host for outcome in outcomes] == ["", ""]


async def test_the_next_address_is_tried_when_one_does_not_answer(sender: Sender, resolver: MemoryResolver) -> None:
    resolver.hosts = {"mx.test": ("::1", "127.0.0.1")}

    async def mx(peer: Peer) -> None:
        await peer.hello()
        await peer.take_mail()

    async with scripted_server(mx) as server:
        assert brief(await sender.send(server.port)) == ["Delivered 250 2.0.0"]


async def test_an_address_for_a_host_needs_no_dns(sender: Sender) -> None:
    async def mx(peer: Peer) -> None:
        await peer.hello()
        await peer.take_mail()

    async with scripted_server(mx) as server:
        assert brief(await sender.send(server.port, host="127.0.0.1")) == ["Delivered 250 2.0.0"]


class Sink:
    """aiosmtpd's own idea of what arrived."""

    def __init__(self) -> None:
        self.received: list[bytes | None] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # its name
        self.received.append(envelope.original_content)
        return "250 OK"


async def test_aiosmtpd_receives_every_byte(sender: Sender) -> None:
    sink = Sink()
    controller = UnthreadedController(sink, hostname="127.0.0.1", port=0, loop=asyncio.get_running_loop())
    server = await asyncio.get_running_loop().create_server(controller.factory, "127.0.0.1", 0)
    content = CONTENT + b"..\r\n" + b"x" * 900 + b"\r\n" + bytes(range(0x80, 0x100)) + b"\r\n"
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert brief(await sender.send(port, content=content, is_8bit=True)) == ["Delivered 250"]
    assert sink.received == [content]
