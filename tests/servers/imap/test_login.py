"""LOGIN and AUTHENTICATE, as dialogues."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import structlog

from mailstack.model.principal import Ability
from mailstack.servers.imap.service import ImapLimits
from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import running_imap
from tests.support.places import part_with_newest
from tests.support.wakes import eventually


async def test_login_tells_the_new_capabilities(stranger: ImapClient) -> None:
    await stranger.talk("""
        C: a LOGIN u0@peer.test pw
        S: a OK [CAPABILITY IMAP4rev1 …] Logged in
        C: b LOGIN u0 pw
        S: b BAD Not in this state: authenticated
    """)


async def test_a_wrong_password_and_an_unknown_account_get_the_same_answer(stranger: ImapClient) -> None:
    await stranger.talk("""
        C: a LOGIN u0 wrong
        S: a NO [AUTHENTICATIONFAILED] Authentication failed
        C: b LOGIN nobody wrong
        S: b NO [AUTHENTICATIONFAILED] Authentication failed
        C: c LOGIN u0 pw
        S: c OK …
    """)


async def test_the_fifth_failure_ends_the_connection(stranger: ImapClient) -> None:
    for _ in range(4):
        await stranger.talk("C: a LOGIN u0 wrong\nS: a NO …")
    await stranger.talk("C: a LOGIN u0 wrong\nS: * BYE Too many failures\nS: a NO …")
    await stranger.expect_end()


async def test_authenticate_plain_with_and_without_initial_response(stranger: ImapClient) -> None:
    await stranger.talk("""
        C: a AUTHENTICATE PLAIN AHUwAHdyb25n
        S: a NO [AUTHENTICATIONFAILED]…
        C: b AUTHENTICATE PLAIN
        S: +
        C: *
        S: b BAD …
        C: c AUTHENTICATE PLAIN
        S: +
        C: not base64!
        S: c BAD …
        C: d AUTHENTICATE XOAUTH
        S: d NO [CANNOT]…
        C: e AUTHENTICATE PLAIN YWRtaW4AdTAAcHc=
        S: e NO [AUTHENTICATIONFAILED]…
        C: f AUTHENTICATE PLAIN
        S: +
        C: AHUwAHB3
        S: f OK [CAPABILITY …
    """)


async def test_authenticate_login(stranger: ImapClient) -> None:
    await stranger.talk("""
        C: a AUTHENTICATE LOGIN
        S: + VXNlcm5hbWU6
        C: dTA=
        S: + UGFzc3dvcmQ6
        C: cHc=
        S: a OK …
    """)


async def test_an_address_has_only_so_many_connections_that_have_not_logged_in(tmp_path: Path) -> None:
    async with running_imap(tmp_path, limits=ImapLimits(connections_per_ip=2)) as server, AsyncExitStack() as held:
        first, _ = [await held.enter_async_context(imap_client(server.port)) for _ in range(2)]
        with structlog.testing.capture_logs() as logged:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            refused = ImapClient(reader, writer)
            await refused.talk("S: * BYE [LIMIT] Too many connections from your address, try again later")
            await refused.expect_end()
        refused.close()
        (event,) = [line for line in logged if line["event"] == "turned away"]
        assert (event["service"], event["peer"], event["reason"]) == ("imap", "127.0.0.1", "too many connections")
        await first.login()
        await held.enter_async_context(imap_client(server.port))


async def test_an_account_has_only_so_many_connections(tmp_path: Path) -> None:
    limits = ImapLimits(connections_per_account=1)
    async with (
        running_imap(tmp_path, accounts=("u0", "u1"), limits=limits) as server,
        imap_client(server.port) as first,
        imap_client(server.port) as second,
    ):
        await first.login("u0")
        for _ in range(6):  # nobody guesses here: the connection goes on
            await second.talk("C: a LOGIN u0 pw\nS: a NO [LIMIT] Too many connections of this account, …")
        await second.login("u1")
        await first.talk("C: b UNAUTHENTICATE\nS: b OK …\nC: c LOGIN u0 pw\nS: c OK …\nC: d LOGOUT\nS: * BYE …")
        await first.talk("S: d OK …")
        await first.expect_end()
        await eventually(lambda: len(server.connections) == 1)
        async with imap_client(server.port) as third:
            await third.login("u0")


async def test_one_of_too_many_connections_on_all_nodes_is_told_once_its_command_is_answered(tmp_path: Path) -> None:
    async with (
        running_imap(tmp_path) as server,
        imap_client(server.port) as oldest,
        imap_client(server.port) as silent,
        imap_client(server.port) as idle,
    ):
        for client in (oldest, silent, idle):
            await client.login()
        await idle.talk("C: a IDLE\nS: + idling")
        part_with_newest(server.entrance.accounts, 2)
        for client in (silent, idle):
            await client.talk("S: * BYE [LIMIT] Too many connections at once, close some before you open others")
            await client.expect_end()
        await oldest.talk("C: a NOOP\nS: a OK …")


async def test_an_account_that_may_only_send_gets_the_same_answer(tmp_path: Path) -> None:
    async with (
        running_imap(tmp_path, abilities=frozenset({Ability.SUBMIT})) as server,
        imap_client(server.port) as client,
    ):
        await client.talk("C: a LOGIN u0 pw\nS: a NO [AUTHENTICATIONFAILED] Authentication failed")


async def test_without_privacy_no_password_is_taken(tmp_path: Path) -> None:
    async with (
        running_imap(tmp_path, plaintext_is_secure=lambda _: False) as server,
        imap_client(server.port) as client,
    ):
        await client.talk("""
            C: a CAPABILITY
            S: * CAPABILITY … LOGINDISABLED
            S: a OK …
            C: b LOGIN u0 pw
            S: b NO [PRIVACYREQUIRED]…
            C: c AUTHENTICATE PLAIN AHUwAHB3
            S: c NO [PRIVACYREQUIRED]…
        """)


@pytest.mark.parametrize(
    ("command", "event", "user"),
    [
        ("LOGIN u0 guessed", "login failed", "u0"),
        ("AUTHENTICATE PLAIN AHUwAHdyb25n", "login failed", "u0"),
        ("AUTHENTICATE PLAIN YWRtaW4AdTAAcHc=", "login failed", ""),
        ("LOGIN u0 pw", "logged in", "u0"),
    ],
)
async def test_a_login_is_one_line_with_the_peer(stranger: ImapClient, command: str, event: str, user: str) -> None:
    with structlog.testing.capture_logs() as logged:
        await stranger.talk(f"C: a {command}\nS: a …")
    (line,) = [line for line in logged if line["event"].startswith("log")]
    assert (line["event"], line["service"], line["peer"], line["user"]) == (event, "imap", "127.0.0.1", user)
    assert "guessed" not in str(logged)
