"""AUTHENTICATE and all that may come before it, as dialogues. RFC 5804 §2.1, §2.13, §2.14.1."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import structlog

from mailstack.app.clock import system_clock
from mailstack.model.conduct import BanRules
from mailstack.model.principal import Ability
from mailstack.servers.managesieve.service import ManageSieveLimits
from mailstack.services.conduct import Conduct
from tests.support.dialogue import Client, connect
from tests.support.imap_server import PASSWORD
from tests.support.managesieve_server import (
    RunningManageSieve,
    capabilities,
    log_in,
    managesieve_client,
    running_managesieve,
)
from tests.support.places import part_with_newest
from tests.support.scram import ScramTalk
from tests.support.wakes import eventually

RIGHT = "AHUwAHB3"
WRONG = "AHUwAHdyb25n"


async def test_a_greeting_says_what_there_is(server: RunningManageSieve) -> None:
    client = await connect("127.0.0.1", server.port)
    assert await capabilities(client) == [
        '"IMPLEMENTATION" "mailstack"',
        '"VERSION" "1.0"',
        '"SASL" "SCRAM-SHA-256 PLAIN LOGIN"',
        f'"SIEVE" "{" ".join(server.service.scripts.extensions)}"',
        '"MAXREDIRECTS" "8"',
        '"NOTIFY" "mailto"',
    ]
    await client.close()


def test_extensions_are_told_as_require_has_them(server: RunningManageSieve) -> None:
    assert {"fileinto", "vacation", "enotify", "comparator-i;ascii-casemap"} <= {*server.service.scripts.extensions}
    assert "" not in server.service.scripts.extensions


async def test_after_a_login_the_owner_is_told(stranger: Client) -> None:
    await stranger.play(f'C: AUTHENTICATE "PLAIN" "{RIGHT}"\nS: OK "Logged in"\nC: CAPABILITY')
    told = await capabilities(stranger)
    assert told[-2:] == ['"OWNER" "u0@peer.test"', '"UNAUTHENTICATE"']
    assert '"SASL" "SCRAM-SHA-256 PLAIN LOGIN"' in told


@pytest.mark.parametrize(
    "command",
    [
        *('HAVESPACE "a" 1', 'PUTSCRIPT "a" "keep;"', "LISTSCRIPTS", 'SETACTIVE ""', 'GETSCRIPT "a"'),
        *('DELETESCRIPT "a"', 'RENAMESCRIPT "a" "b"', 'CHECKSCRIPT "keep;"', "UNAUTHENTICATE"),
    ],
)
async def test_before_a_login_nothing_else_is_done(stranger: Client, command: str) -> None:
    await stranger.play(f'C: {command}\nS: NO "Not in this state: not authenticated"')


@pytest.mark.parametrize("command", ["STARTTLS", f'AUTHENTICATE "PLAIN" "{RIGHT}"'])
async def test_after_a_login_there_is_no_other(client: Client, command: str) -> None:
    await client.play(f'C: {command}\nS: NO "Not in this state: authenticated"')


async def test_authenticate_plain_with_and_without_initial_response(stranger: Client) -> None:
    await stranger.play(f"""
        C: AUTHENTICATE "PLAIN" "{WRONG}"
        S: NO "Authentication failed"
        C: AUTHENTICATE "PLAIN"
        S: ""
        C: "*"
        S: NO "Authentication cancelled"
        C: AUTHENTICATE "PLAIN"
        S: ""
        C: LISTSCRIPTS
        S: NO "Authentication cancelled"
        C: AUTHENTICATE "PLAIN"
        S: ""
        C: "not base64!"
        S: NO "A response is not base64"
        C: AUTHENTICATE "DIGEST-MD5"
        S: NO "No such mechanism"
        C: authenticate "plain"
        S: ""
    """)
    await stranger.send(b"{8+}\r\nAHUwAHB3\r\n")
    await stranger.play('S: OK "Logged in"')


async def test_auth_bypass_nobody_acts_for_somebody_else(stranger: Client) -> None:
    """CVE-2023-27582: admin as the identity to act for, u0's password."""
    await stranger.play("""
        C: AUTHENTICATE "PLAIN" "YWRtaW4AdTAAcHc="
        S: NO "Authentication failed"
        C: LISTSCRIPTS
        S: NO "Not in this state: not authenticated"
    """)


async def test_authenticate_login(stranger: Client) -> None:
    await stranger.play("""
        C: AUTHENTICATE "LOGIN" "dTA="
        S: NO "This mechanism takes no initial response"
        C: AUTHENTICATE "LOGIN"
        S: "VXNlcm5hbWU6"
        C: "dTA="
        S: "UGFzc3dvcmQ6"
        C: "cHc="
        S: OK "Logged in"
    """)


async def challenge(client: Client, sent: str) -> str:
    await client.send(f"{sent}\r\n".encode())
    return (await client.line()).strip('"')


@pytest.mark.parametrize("has_initial", [True, False])
async def test_the_servers_proof_comes_with_the_ok(stranger: Client, *, has_initial: bool) -> None:
    talk = ScramTalk("u0", PASSWORD)
    if has_initial:
        first = await challenge(stranger, f'AUTHENTICATE "SCRAM-SHA-256" "{talk.first()}"')
    else:
        await stranger.play('C: AUTHENTICATE "SCRAM-SHA-256"\nS: ""')
        first = await challenge(stranger, f'"{talk.first()}"')
    await stranger.send(f'"{talk.final(first)}"\r\n'.encode())
    said = await stranger.line()
    assert said.startswith('OK (SASL "')
    assert said.endswith('") "Logged in"')
    talk.finish(said.split('"')[1])
    await stranger.play('C: LISTSCRIPTS\nS: OK "LISTSCRIPTS completed"')


@pytest.mark.parametrize(("username", "password"), [("u0", "wrong"), ("nobody", PASSWORD)])
async def test_a_wrong_proof_is_answered_alike(stranger: Client, username: str, password: str) -> None:
    talk = ScramTalk(username, password)
    final = talk.final(await challenge(stranger, f'AUTHENTICATE "SCRAM-SHA-256" "{talk.first()}"'))
    await stranger.play(f'C: "{final}"\nS: NO "Authentication failed"')


async def test_the_fifth_failure_ends_the_connection(stranger: Client) -> None:
    for _ in range(4):
        await stranger.play(f'C: AUTHENTICATE "PLAIN" "{WRONG}"\nS: NO "Authentication failed"')
    await stranger.play(f'C: AUTHENTICATE "PLAIN" "{WRONG}"\nS: BYE "Too many failures"\nS: (closed)')


async def test_who_guesses_is_banned(tmp_path: Path) -> None:
    conduct = Conduct(clock=system_clock)
    conduct.rules = BanRules(after=5)
    async with running_managesieve(tmp_path, conduct=conduct) as server:
        async with managesieve_client(server.port) as client:
            await client.play(f'C: AUTHENTICATE "PLAIN" "{WRONG}"\nS: NO ...\n' * 3)
        refused = await connect("127.0.0.1", server.port)
        await refused.play('S: BYE "Too many failures from your address, come again after ...\nS: (closed)')
        await refused.close()


async def test_an_account_that_may_only_send_gets_the_same_answer(tmp_path: Path) -> None:
    async with (
        running_managesieve(tmp_path, abilities=frozenset({Ability.SUBMIT})) as server,
        managesieve_client(server.port) as client,
    ):
        await client.play(f'C: AUTHENTICATE "PLAIN" "{RIGHT}"\nS: NO "Authentication failed"')


async def test_without_privacy_no_password_is_taken(tmp_path: Path) -> None:
    async with running_managesieve(tmp_path, plaintext_is_secure=lambda _: False) as server:
        client = await connect("127.0.0.1", server.port)
        assert '"SASL" ""' in await capabilities(client)
        await client.play(f"""
            C: AUTHENTICATE "PLAIN" "{RIGHT}"
            S: NO (ENCRYPT-NEEDED) "Use STARTTLS first"
            C: AUTHENTICATE "SCRAM-SHA-256"
            S: NO (ENCRYPT-NEEDED) "Use STARTTLS first"
        """)
        await client.close()


async def test_unauthenticate_lets_somebody_else_in(tmp_path: Path) -> None:
    limits = ManageSieveLimits(connections_per_account=1)
    async with (
        running_managesieve(tmp_path, accounts=("u0", "u1"), limits=limits) as server,
        managesieve_client(server.port) as client,
        managesieve_client(server.port) as other,
    ):
        await log_in(client)
        await client.play("""
            C: PUTSCRIPT "mine" "keep;"
            S: OK ...
            C: UNAUTHENTICATE
            S: OK "UNAUTHENTICATE completed"
            C: LISTSCRIPTS
            S: NO "Not in this state: not authenticated"
        """)
        await other.play(
            f'C: AUTHENTICATE "PLAIN" "{RIGHT}"\nS: NO (TRYLATER) "Too many connections of this account...'
        )
        await log_in(client, "u1")
        await client.play('C: LISTSCRIPTS\nS: OK "LISTSCRIPTS completed"')
        await log_in(other)


async def test_an_address_has_only_so_many_connections_that_have_not_logged_in(tmp_path: Path) -> None:
    limits = ManageSieveLimits(connections_per_ip=2)
    async with running_managesieve(tmp_path, limits=limits) as server, AsyncExitStack() as held:
        first, _ = [await held.enter_async_context(managesieve_client(server.port)) for _ in range(2)]
        with structlog.testing.capture_logs() as logged:
            refused = await connect("127.0.0.1", server.port)
            await refused.play("""
                S: BYE (TRYLATER) "Too many connections from your address, try again later"
                S: (closed)
            """)
        await refused.close()
        (event,) = [line for line in logged if line["event"] == "turned away"]
        assert (event["service"], event["peer"], event["reason"]) == (
            "managesieve",
            "127.0.0.1",
            "too many connections",
        )
        await log_in(first)
        await held.enter_async_context(managesieve_client(server.port))


async def test_one_of_too_many_connections_on_all_nodes_is_told(tmp_path: Path) -> None:
    async with (
        running_managesieve(tmp_path) as server,
        managesieve_client(server.port) as oldest,
        managesieve_client(server.port) as newest,
    ):
        for client in (oldest, newest):
            await log_in(client)
        part_with_newest(server.entrance.accounts, 1)
        await newest.play("""
            S: BYE (TRYLATER) "Too many connections at once, close some before you open others"
            S: (closed)
        """)
        await oldest.play('C: NOOP\nS: OK "NOOP completed"')


@pytest.mark.parametrize(
    ("message", "event", "user"),
    [(WRONG, "login failed", "u0"), ("YWRtaW4AdTAAcHc=", "login failed", ""), (RIGHT, "logged in", "u0")],
)
async def test_a_login_is_one_line_with_the_peer(stranger: Client, message: str, event: str, user: str) -> None:
    with structlog.testing.capture_logs() as logged:
        await stranger.play(f'C: AUTHENTICATE "PLAIN" "{message}"')
        await stranger.line()
    (line,) = [line for line in logged if line["event"].startswith("log")]
    assert (line["event"], line["service"], line["peer"], line["user"]) == (event, "managesieve", "127.0.0.1", user)
    assert "wrong" not in str({key: value for key, value in line.items() if key != "reason"})


async def test_a_connection_that_ends_gives_its_place_back(server: RunningManageSieve) -> None:
    async with managesieve_client(server.port) as client:
        await client.play('C: LOGOUT\nS: OK "Logging out"\nS: (closed)')
    await eventually(lambda: not len(server.connections))
