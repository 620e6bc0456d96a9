"""States, malformed commands, deadlines and goodbyes."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from mailstack.model.errors import DomainError
from mailstack.servers.imap.errors import RESPONSES, completed_with
from mailstack.servers.imap.service import ImapLimits
from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import RunningImap, running_imap
from tests.support.running import DEADLINE_S


async def test_before_login_only_a_few_commands_fit(stranger: ImapClient) -> None:
    await stranger.talk("""
        C: a NOOP
        S: a OK NOOP completed
        C: b ID NIL
        S: * ID ("name" "mailstack")
        S: b OK ID completed
        C: c SELECT INBOX
        S: c BAD Not in this state: not authenticated
        C: d LIST "" *
        S: d BAD Not in this state: not authenticated
        C: e FETCH 1 FLAGS
        S: e BAD Not in this state: not authenticated
        C: f IDLE
        S: f BAD Not in this state: not authenticated
        C: g LOGOUT
        S: * BYE Logging out
        S: g OK LOGOUT completed
    """)
    await stranger.expect_end()


async def test_without_a_mailbox_no_message_command_fits(client: ImapClient) -> None:
    for command in ("FETCH 1 FLAGS", "STORE 1 FLAGS ()", "SEARCH ALL", "EXPUNGE", "CLOSE", "UNSELECT", "CHECK"):
        await client.talk(f"C: a {command}\nS: a BAD Not in this state: authenticated")


async def test_small_answers(client: ImapClient) -> None:
    await client.talk("""
        C: a NAMESPACE
        S: * NAMESPACE (("" "/")) (("Other Users/" "/")) NIL
        S: a OK …
        C: b ENABLE CONDSTORE
        S: * ENABLED CONDSTORE
        S: b OK …
        C: c CAPABILITY
        S: * CAPABILITY IMAP4rev1 …
        S: c OK …
    """)


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"\r\n", "* BAD …"),
        (b"* NOOP\r\n", "* BAD …"),
        (b"a(b NOOP\r\n", "* BAD …"),
        (b"a\r\n", "* BAD …"),
        (b"a XYZZY\r\n", "a BAD Unknown command"),
        (b"a NO\x00OP\r\n", "a BAD …"),
        (b"a SEARCH ((ALL)\r\n", "a BAD …"),
        (b"a FETCH 1 (FLAGS\r\n", "a BAD …"),
        (b"a FETCH 0 FLAGS\r\n", "a BAD …"),
        (b'a SELECT "INBOX\r\n', "a BAD …"),
        (b"a STORE 1 FLAGS (\\Bogus)\r\n", "a BAD …"),
        (b"a APPEND INBOX {99999999999}\r\n", "a NO [TOOBIG] …"),
        (b"a LOGIN x {100000}\r\n", "a BAD Literal too long"),
        (b"a SEARCH " + b"(" * 1_000 + b"\r\n", "a BAD Nested too deep"),
    ],
)
async def test_a_malformed_command_leaves_the_connection_usable(
    client: ImapClient, command: bytes, answer: str
) -> None:
    await client.send(command)
    await client.expect(answer)
    await client.talk("C: z NOOP\nS: z OK NOOP completed")


@pytest.mark.parametrize("octets", [b"a NOOP\n", b"x" * 70_000, b"a X {9999999999999+}\r\n"])
async def test_when_framing_is_lost_the_server_says_goodbye(client: ImapClient, octets: bytes) -> None:
    await client.send(octets)
    await client.expect("* BYE …")
    await client.expect_end()


async def test_strangers_get_less_memory(stranger: ImapClient) -> None:
    """CVE-2025-61600: growth before login."""
    await stranger.send(b"a LOGIN x " + b"y" * 40_000)
    await stranger.expect("* BYE Line too long")


async def test_too_many_faults_end_the_connection(tmp_path: Path) -> None:
    limits = ImapLimits(faults=2)
    async with running_imap(tmp_path, limits=limits) as server, imap_client(server.port) as client:
        await client.talk("""
            C: a FOO
            S: a BAD …
            C: a FOO
            S: a BAD …
            C: a NOOP
            S: a OK …
            C: a FOO
            S: a BAD …
            C: a FOO
            S: a BAD …
            C: a FOO
            S: a BAD …
            S: * BYE Too many faults
        """)
        await client.expect_end()


async def test_who_does_not_log_in_is_sent_away(tmp_path: Path) -> None:
    async with running_imap(tmp_path, limits=ImapLimits(login_s=0.1)) as server:
        assert (await all_said(server, b"")).endswith(b"* BYE Too long without a login\r\n")


async def test_who_says_nothing_is_sent_away(tmp_path: Path) -> None:
    async with running_imap(tmp_path, limits=ImapLimits(idle_s=0.1)) as server:
        said = await all_said(server, b"a LOGIN u0 pw\r\n")
        assert said.endswith(b"* BYE Too long without a command\r\n")


async def all_said(server: RunningImap, command: bytes) -> bytes:
    """Until it ends the connection; on a busy machine that may be before it has greeted."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(command)
    async with asyncio.timeout(DEADLINE_S):
        said = await reader.read()
    writer.close()
    return said


async def test_a_server_that_ends_says_goodbye(server: RunningImap, client: ImapClient) -> None:
    aborted = await server.connections.drain(grace_s=5)

    assert aborted == 0
    await client.expect("* BYE Server is shutting down")
    await client.expect_end()


async def test_a_server_that_ends_says_goodbye_to_who_idles(server: RunningImap, inbox: ImapClient) -> None:
    await inbox.talk("C: a IDLE\nS: + idling")

    assert await server.connections.drain(grace_s=5) == 0
    await inbox.expect("* BYE Server is shutting down")


async def test_a_connection_that_is_lost_is_forgotten(server: RunningImap) -> None:
    with contextlib.suppress(AssertionError):
        async with imap_client(server.port) as client:
            await client.send(b"a APPEND INBOX {100}\r\n")

    async with asyncio.timeout(DEADLINE_S):
        while len(server.connections):  # noqa: ASYNC110 - nothing tells when a set is empty
            await asyncio.sleep(0.01)


async def test_pipelined_commands_are_answered_in_order(inbox: ImapClient) -> None:
    await inbox.send(b"a NOOP\r\nb UID FETCH 1 FLAGS\r\nc STORE 1 +FLAGS.SILENT (x)\r\nd FETCH 1 FLAGS\r\ne NOOP\r\n")
    await inbox.talk("""
        S: a OK NOOP completed
        S: * 1 FETCH (UID 1 FLAGS ())
        S: b OK FETCH completed
        S: c OK STORE completed
        S: * FLAGS (… x)
        S: * 1 FETCH (FLAGS (x))
        S: d OK FETCH completed
        S: e OK NOOP completed
    """)


def test_every_domain_error_has_a_response() -> None:
    assert {kind for kind in _subclasses(DomainError) if kind.__module__.startswith("mailstack.")} <= RESPONSES.keys()


@pytest.mark.parametrize("kind", RESPONSES)
def test_the_detail_of_an_error_stays_inside(kind: type[DomainError]) -> None:
    assert "secret" not in completed_with(kind("secret")).text


def _subclasses(kind: type[DomainError]) -> set[type[DomainError]]:
    return {found for child in kind.__subclasses__() for found in (child, *_subclasses(child))}


async def test_an_id_as_long_as_it_may_be_fits_before_login(stranger: ImapClient) -> None:
    """RFC 2971 §3.3: 30 fields of 30 octets with 1,024 each."""
    fields = " ".join(f'"{number:030}" "{number:01024}"' for number in range(30))

    await stranger.talk(f"C: a ID ({fields})\nS: * ID …\nS: a OK …")
