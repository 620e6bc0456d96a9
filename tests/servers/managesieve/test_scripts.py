"""What people do with their scripts, as dialogues. RFC 5804 §2.5-§2.12."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from mailstack.model.ids import AccountId
from mailstack.model.principal import Account
from mailstack.model.resource import Kind, Resource, ScriptBody, fields_of
from mailstack.model.script import ScriptQuota
from mailstack.ports.store import Store
from mailstack.services.scripts import SCRIPT_LIMITS, AccountScripts
from mailstack.sieve.extensions import EXTENSIONS
from tests.support.dialogue import Client
from tests.support.managesieve_server import RunningManageSieve, log_in, managesieve_client, running_managesieve
from tests.support.splitting import splits
from tests.support.stores import apply, created

TINY = replace(SCRIPT_LIMITS, script_octets=60)


def literal(content: bytes) -> bytes:
    return b"{%d+}\r\n%b" % (len(content), content)


async def account_of(store: Store, login: str = "u0@peer.test") -> AccountId:
    account = await store.accounts.find(login)
    assert isinstance(account, Account)
    return account.account_id


def files_below(folder: Path) -> set[Path]:
    return {file for file in folder.rglob("*") if file.is_file()}


async def test_a_life(client: Client) -> None:
    await client.play(r"""
        C: LISTSCRIPTS
        S: OK "LISTSCRIPTS completed"
        C: HAVESPACE "summer" 435
        S: OK "There is space"
        C| PUTSCRIPT "summer" {31+}\r\n# comment\r\nredirect "a@b.test";\r\n
        S: OK "PUTSCRIPT completed"
        C: PUTSCRIPT "winter" "discard;"
        S: OK "PUTSCRIPT completed"
        C: LISTSCRIPTS
        S: "summer"
        S: "winter"
        S: OK "LISTSCRIPTS completed"
        C: SETACTIVE "summer"
        S: OK "SETACTIVE completed"
        C: LISTSCRIPTS
        S: "summer" ACTIVE
        S: "winter"
        S: OK "LISTSCRIPTS completed"
        C: SETACTIVE "winter"
        S: OK "SETACTIVE completed"
        C: RENAMESCRIPT "winter" "cold"
        S: OK "RENAMESCRIPT completed"
        C: LISTSCRIPTS
        S: "cold" ACTIVE
        S: "summer"
        S: OK "LISTSCRIPTS completed"
        C: GETSCRIPT "summer"
        S: {31}
        S: # comment
        S: redirect "a@b.test";
        S: OK "GETSCRIPT completed"
        C: DELETESCRIPT "cold"
        S: NO (ACTIVE) "The script is active; make another one active first, or none"
        C: SETACTIVE ""
        S: OK "SETACTIVE completed"
        C: SETACTIVE ""
        S: OK "SETACTIVE completed"
        C: DELETESCRIPT "cold"
        S: OK "DELETESCRIPT completed"
        C: LISTSCRIPTS
        S: "summer"
        S: OK "LISTSCRIPTS completed"
    """)


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ('SETACTIVE "none"', 'NO (NONEXISTENT) "There is no script of that name"'),
        ('GETSCRIPT "none"', 'NO (NONEXISTENT) "There is no script of that name"'),
        ('DELETESCRIPT "none"', 'NO (NONEXISTENT) "There is no script of that name"'),
        ('RENAMESCRIPT "none" "b"', 'NO (NONEXISTENT) "There is no script of that name"'),
        ('RENAMESCRIPT "a" "b"', 'NO (ALREADYEXISTS) "There is a script of that name already"'),
        ('PUTSCRIPT "a" ""', 'NO "A script is not empty; ...'),
        ('PUTSCRIPT "a\tb" "keep;"', 'NO "A script is not empty; its name has at most 512 octets and no control ...'),
        ('HAVESPACE "a" 61', 'NO (QUOTA/MAXSIZE) "The script is too large"'),
        ('HAVESPACE "a" 59', 'OK "There is space"'),
        ('HAVESPACE "c" 5', 'NO (QUOTA/MAXSCRIPTS) "There are too many scripts; remove some"'),
        ('PUTSCRIPT "c" "keep;"', 'NO (QUOTA/MAXSCRIPTS) "There are too many scripts; remove some"'),
        ('PUTSCRIPT "a" "' + "#" * 61 + '"', 'NO (QUOTA/MAXSIZE) "The script is too large"'),
        ('PUTSCRIPT "a" "' + "#" * 60 + '"', 'NO (QUOTA) "All scripts together would be too large; remove some"'),
        ('CHECKSCRIPT "keep;"', 'OK "The script is good"'),
        ('CHECKSCRIPT "' + "#" * 60 + '"', 'OK "The script is good"'),  # §2.12: no quota is looked at
        ('CHECKSCRIPT "kep;"', 'NO "line 1, column 1: ...'),
        ('CHECKSCRIPT ""', 'NO "A script is not empty; ...'),
        ("CHECKSCRIPT", 'NO "Expected a space"'),
        ('NOOP "a" "b"', 'NO "Unexpected text after the command"'),
        ("XYZZY", 'NO "Unknown command"'),
        ("", 'NO "Expected a command"'),
        ("NOOP", 'OK "NOOP completed"'),
        ('noop "STARTTLS-SYNC-42"', 'OK (TAG "STARTTLS-SYNC-42") "NOOP completed"'),
        ('NOOP "caf\\"e"', "OK (TAG {5}"),
    ],
)
async def test_answers(tmp_path: Path, command: str, answer: str) -> None:
    quota = ScriptQuota(scripts=2, octets=64)
    async with running_managesieve(
        tmp_path,
        scripts=lambda store: AccountScripts(store.scripts, store.accounts, EXTENSIONS, quota=quota, limits=TINY),
    ) as server:
        account_id = await account_of(server.store)
        for name in "ab":
            await server.store.scripts.put(account_id, name, b"keep;", quota=quota)
        async with managesieve_client(server.port) as client:
            await log_in(client)
            await client.play(f"C: {command}" if command else "C:")
            await client.play(f"S: {answer}")
        assert await server.store.scripts.read(account_id, "a") == b"keep;"


async def test_a_script_that_is_announced_too_large_is_read_past(client: Client) -> None:
    content = b"NOOP\r\n" * 11_000
    await client.send(b'PUTSCRIPT "a" ' + literal(content) + b"\r\nNOOP\r\n")
    await client.play("""
        S: NO (QUOTA/MAXSIZE) "Script too large (at most 65536 octets)"
        S: OK "NOOP completed"
    """)


async def test_all_that_is_wrong_with_a_script_is_told_and_nothing_is_kept(client: Client) -> None:
    await client.send(b'PUTSCRIPT "a" ' + literal(b"#comment\r\nInvalidSieveCommand;\r\nkep;\r\n") + b"\r\n")
    size = await client.line()
    first, second = await client.line(), await client.line()

    assert size == f"NO {{{len(first) + 2 + len(second)}}}"
    assert first.startswith("line 2, column 1: ")
    assert second.startswith("line 3, column 1: ")
    await client.play('C: LISTSCRIPTS\nS: OK "LISTSCRIPTS completed"')


async def test_no_octet_of_a_script_is_told_as_it_is(client: Client) -> None:
    """What is wrong is shown in terminals."""
    word = b"x\x1b[2J" + b"y" * 10_000
    await client.send(b"CHECKSCRIPT " + literal(b'require "' + word + b'";') + b"\r\n")
    said = ""
    await client.send(b'NOOP "end"\r\n')
    while '(TAG "end")' not in said:
        said += await client.line()

    assert said.startswith("NO ")
    assert "\x1b" not in said
    assert len(said) < 1_000


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd",
        "/etc/passwd",
        "..",
        ".",
        "a/b.sieve",
        "%00",
        "a' OR 'a'='a",
        "%",
        "ärger mit München",
        "\N{GRINNING FACE}" * 128,  # §1.6: as long as one must be able to be
    ],
)
async def test_path_traversal_a_name_is_a_name(
    server: RunningManageSieve, client: Client, tmp_path: Path, name: str
) -> None:
    """CVE-2021-40525, CVE-2022-22931."""
    before = files_below(tmp_path)
    await client.send(b"PUTSCRIPT " + literal(name.encode()) + b' "keep;"\r\n')
    await client.play('S: OK "PUTSCRIPT completed"')
    await client.send(b"SETACTIVE " + literal(name.encode()) + b"\r\n")
    await client.play(f"""
        S: OK "SETACTIVE completed"
        C: GETSCRIPT "{name}"
        S: {{5}}
        S: keep;
        S: OK "GETSCRIPT completed"
        C: LISTSCRIPTS
        S: "{name}" ACTIVE
        S: OK "LISTSCRIPTS completed"
    """)

    assert files_below(tmp_path) == before
    assert (await server.store.scripts.running(await account_of(server.store))).active == b"keep;"


async def test_a_name_that_needs_it_is_listed_as_a_literal(client: Client) -> None:
    await client.play(r"""
        C: PUTSCRIPT "clever\"script" "keep;"
        S: OK "PUTSCRIPT completed"
        C: LISTSCRIPTS
        S: {13}
        S: clever"script
        S: OK "LISTSCRIPTS completed"
    """)


async def test_one_account_never_sees_what_another_keeps(tmp_path: Path) -> None:
    async with (
        running_managesieve(tmp_path, accounts=("u0", "u1")) as server,
        managesieve_client(server.port) as mine,
        managesieve_client(server.port) as theirs,
    ):
        await log_in(mine, "u0")
        await log_in(theirs, "u1")
        await mine.play('C: PUTSCRIPT "a" "keep;"\nS: OK ...\nC: SETACTIVE "a"\nS: OK ...')
        await theirs.play("""
            C: LISTSCRIPTS
            S: OK "LISTSCRIPTS completed"
            C: GETSCRIPT "a"
            S: NO (NONEXISTENT) ...
            C: DELETESCRIPT "a"
            S: NO (NONEXISTENT) ...
            C: SETACTIVE ""
            S: OK "SETACTIVE completed"
        """)
        await mine.play('C: LISTSCRIPTS\nS: "a" ACTIVE\nS: OK ...')


async def test_at_every_moment_one_script_is_active(server: RunningManageSieve, client: Client) -> None:
    """Whoever delivers meanwhile finds one of them, never none."""
    account_id = await account_of(server.store)
    await client.play('C: PUTSCRIPT "a" "keep;"\nS: OK ...\nC: PUTSCRIPT "b" "stop;"\nS: OK ...')
    await client.play('C: SETACTIVE "a"\nS: OK ...')
    seen: set[bytes | None] = set()

    async def deliver() -> None:
        while len(seen) < 3:
            seen.add((await server.store.scripts.running(account_id)).active)
            await asyncio.sleep(0)  # a turn for the others

    delivering = asyncio.create_task(deliver())
    async with managesieve_client(server.port) as other:
        await log_in(other)
        for _ in range(20):
            await client.send(b'SETACTIVE "b"\r\n')
            await other.send(b'SETACTIVE "a"\r\n')
            await client.play("S: OK ...")
            await other.play("S: OK ...")
    delivering.cancel()

    assert seen == {b"keep;", b"stop;"}


async def test_a_put_over_the_active_script_leaves_it_active(server: RunningManageSieve, client: Client) -> None:
    await client.play("""
        C: PUTSCRIPT "a" "keep;"
        S: OK "PUTSCRIPT completed"
        C: SETACTIVE "a"
        S: OK "SETACTIVE completed"
        C: PUTSCRIPT "a" "stop;"
        S: OK "PUTSCRIPT completed"
        C: PUTSCRIPT "a" "nonsense;"
        S: NO "line 1, column 1: ...
        C: LISTSCRIPTS
        S: "a" ACTIVE
        S: OK "LISTSCRIPTS completed"
    """)
    assert (await server.store.scripts.running(await account_of(server.store))).active == b"stop;"


async def test_a_script_that_includes_what_is_not_there_is_kept_with_a_warning(client: Client) -> None:
    """RFC 6609 §3.2: it may come later. RFC 5804 §1.3: WARNINGS."""
    script = b"""require "include";
include "parts";
include :optional "more";
include :global "house";
"""
    first = "line 2, column 1: there is no script 'parts' yet, and without it this one fails"
    second = "line 4, column 1: there is no global script 'house' yet, and without it this one fails"
    hint = " (include :optional does not need it)"
    size = len(first) + len(second) + 2 * len(hint) + 2
    for command, last in ((b"CHECKSCRIPT ", ""), (b'PUTSCRIPT "a" ', '"a"')):
        await client.send(command + literal(script) + b"\r\n")
        await client.play(f"""
            S: OK (WARNINGS) {{{size}}}
            S: {first}{hint}
            S: {second}{hint}
            C: LISTSCRIPTS
            {f"S: {last}" if last else ""}
            S: OK "LISTSCRIPTS completed"
        """)
    await client.play('C: PUTSCRIPT "parts" "keep;"\nS: OK "PUTSCRIPT completed"')
    await client.send(b"CHECKSCRIPT " + literal(script) + b"\r\n")
    await client.play(f'S: OK (WARNINGS) "{second}{hint}"')


async def test_a_script_of_the_server_is_there_to_be_included(tmp_path: Path) -> None:
    def scripts(store: Store) -> AccountScripts:
        return AccountScripts(store.scripts, store.accounts, EXTENSIONS, global_names={"house"})

    async with running_managesieve(tmp_path, scripts=scripts) as server, managesieve_client(server.port) as client:
        await log_in(client)
        await client.send(b"CHECKSCRIPT " + literal(b'require "include"; include :global "house";') + b"\r\n")
        await client.play('S: OK "The script is good"')


async def test_what_the_spec_manages_is_shown_and_refused_in_words(server: RunningManageSieve, client: Client) -> None:
    fields = fields_of(ScriptBody(content="keep;", origin="file"))
    await apply(server.store, created(Resource(kind=Kind.SCRIPT, name="u0@peer.test", fields=fields)))
    refusal = "The filter of this account is set by the server's administrators and cannot be changed here"
    await client.play(f"""
        C: LISTSCRIPTS
        S: "mailstack" ACTIVE
        S: OK "LISTSCRIPTS completed"
        C: GETSCRIPT "mailstack"
        S: {{5}}
        S: keep;
        S: OK "GETSCRIPT completed"
        C: CHECKSCRIPT "discard;"
        S: OK "The script is good"
        C: HAVESPACE "mine" 10
        S: NO "{refusal}"
        C: PUTSCRIPT "mine" "discard;"
        S: NO "{refusal}"
        C: SETACTIVE ""
        S: NO "{refusal}"
        C: DELETESCRIPT "mailstack"
        S: NO "{refusal}"
    """)


async def test_what_is_done_is_logged_once_each(client: Client) -> None:
    with structlog.testing.capture_logs() as logged:
        await client.play("""
            C: PUTSCRIPT "a" "keep;"
            S: OK ...
            C: SETACTIVE "a"
            S: OK ...
            C: RENAMESCRIPT "a" "b"
            S: OK ...
            C: SETACTIVE ""
            S: OK ...
            C: DELETESCRIPT "b"
            S: OK ...
            C: DELETESCRIPT "b"
            S: NO ...
        """)
    told = [(line["event"], line.get("script"), line.get("octets") or line.get("to")) for line in logged]
    assert told == [
        ("script kept", "a", 5),
        ("script activated", "a", None),
        ("script renamed", "a", "b"),
        ("no script active", "", None),
        ("script removed", "b", None),
        ("refused", None, None),
    ]
    assert {line["account"] for line in logged[:-1]} == {"u0@peer.test"}


DIALOGUE = rb"""noop "x"
CAPABILITY
HAVESPACE {1+}
a 10
PUTSCRIPT "a" {5+}
keep;
putscript {1+}
b {5+}
stop;
CHECKSCRIPT {5+}
keep;
SETACTIVE "a"
LISTSCRIPTS
GETSCRIPT {1+}
b
RENAMESCRIPT "b" {1+}
c
DELETESCRIPT "c"
SETACTIVE ""
DELETESCRIPT "a"
bogus
UNAUTHENTICATE
AUTHENTICATE "PLAIN"
"AHUwAHB3"
LISTSCRIPTS
LOGOUT
""".replace(b"\n", b"\r\n")


async def test_commands_are_the_same_however_they_are_cut(server: RunningManageSieve) -> None:
    """Each segment by itself: the server reads one before the next is sent."""
    answers = set()
    for pieces in splits(DIALOGUE, random_cuts=6):
        async with managesieve_client(server.port) as client:
            await log_in(client)
            for piece in pieces:
                await client.send(piece)
                await asyncio.sleep(0)  # a turn for the others
            answers.add((await client.reader.read()).decode())

    (answer,) = answers
    assert answer.count("OK") == 17
    assert [line for line in answer.splitlines() if line.startswith("NO")] == ['NO "Unknown command"']
    assert answer.endswith('OK "Logging out"\r\n')
