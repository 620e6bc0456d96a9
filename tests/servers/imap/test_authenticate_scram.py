"""AUTHENTICATE SCRAM-SHA-256 as IMAP carries it. RFC 9051 §6.2.2, RFC 4959, RFC 5802."""

from pathlib import Path

import pytest

from mailstack.model.principal import Ability
from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import PASSWORD, running_imap
from tests.support.scram import ScramTalk


async def challenge(client: ImapClient, sent: str) -> str:
    await client.send(f"{sent}\r\n".encode())
    said = await client.line()
    assert said.startswith("+ "), said
    return said.removeprefix("+ ")


@pytest.mark.parametrize("username", ["u0@peer.test", "U0"])
async def test_a_proof_logs_in_and_the_server_proves_itself(stranger: ImapClient, username: str) -> None:
    await stranger.talk("""
        C: a CAPABILITY
        S: * CAPABILITY …AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN
        S: a OK …
    """)
    talk = ScramTalk(username, PASSWORD)
    first = await challenge(stranger, f"b AUTHENTICATE SCRAM-SHA-256 {talk.first()}")
    talk.finish(await challenge(stranger, talk.final(first)))
    await stranger.talk("C:\nS: b OK [CAPABILITY …] Logged in\nC: c NOOP\nS: c OK …")


async def test_without_an_initial_response_the_client_is_asked(stranger: ImapClient) -> None:
    talk = ScramTalk("u0", PASSWORD)
    await stranger.talk("C: a AUTHENTICATE SCRAM-SHA-256\nS: +")
    talk.finish(await challenge(stranger, talk.final(await challenge(stranger, talk.first()))))
    await stranger.talk("C:\nS: a OK …")


@pytest.mark.parametrize(("username", "password"), [("u0", "wrong"), ("nobody", PASSWORD)])
async def test_a_wrong_proof_is_answered_alike(stranger: ImapClient, username: str, password: str) -> None:
    talk = ScramTalk(username, password)
    final = talk.final(await challenge(stranger, f"a AUTHENTICATE SCRAM-SHA-256 {talk.first()}"))
    await stranger.talk(f"C: {final}\nS: a NO [AUTHENTICATIONFAILED] Authentication failed")


async def test_an_account_that_may_only_send_gets_the_same_answer(tmp_path: Path) -> None:
    async with (
        running_imap(tmp_path, abilities=frozenset({Ability.SUBMIT})) as server,
        imap_client(server.port) as client,
    ):
        talk = ScramTalk("u0", PASSWORD)
        final = talk.final(await challenge(client, f"a AUTHENTICATE SCRAM-SHA-256 {talk.first()}"))
        await client.talk(f"C: {final}\nS: a NO [AUTHENTICATIONFAILED] Authentication failed")


async def test_who_does_not_accept_the_servers_proof_is_not_logged_in(stranger: ImapClient) -> None:
    talk = ScramTalk("u0", PASSWORD)
    first = await challenge(stranger, f"a AUTHENTICATE SCRAM-SHA-256 {talk.first()}")
    talk.finish(await challenge(stranger, talk.final(first)))
    await stranger.talk("C: *\nS: a BAD …\nC: b SELECT INBOX\nS: b BAD Not in this state: not authenticated")


async def test_plus_is_offered_where_nothing_hides_the_certificate_only(stranger: ImapClient) -> None:
    await stranger.talk("C: a AUTHENTICATE SCRAM-SHA-256-PLUS\nS: a NO [CANNOT]…")
