"""INPROGRESS: a command that takes long says so. RFC 9585."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from mailstack.servers.imap import dispatch
from mailstack.servers.imap.service import ImapLimits
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.wire.imap.commands.expunge import Expunge
from tests.support.imap_dialogue import imap_client
from tests.support.imap_server import running_imap


async def test_signs_of_life_name_the_command_and_end_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    may_end = asyncio.Event()

    async def long_expunge(_session: Session, _request: Expunge) -> Completed:
        await may_end.wait()
        return ok("EXPUNGE completed")

    row = replace(dispatch.TABLE[Expunge], run=long_expunge)
    monkeypatch.setattr(dispatch, "TABLE", {**dispatch.TABLE, Expunge: row})
    async with (
        running_imap(tmp_path, limits=ImapLimits(progress_s=0.01)) as server,
        imap_client(server.port) as client,
    ):
        await client.login()
        await client.talk("""
            C: s SELECT INBOX
            S: ...
            S: s OK …
            C: x7 EXPUNGE
            S: * OK [INPROGRESS ("x7" NIL NIL)] Still at it
            S: * OK [INPROGRESS ("x7" NIL NIL)] Still at it
        """)
        may_end.set()
        await client.talk("S: ...\nS: x7 OK EXPUNGE completed\nC: y NOOP\nS: y OK …")


async def test_no_sign_of_life_comes_amid_a_response(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    may_end = asyncio.Event()

    async def long_expunge(session: Session, _request: Expunge) -> Completed:
        session.connection.say_octets(b"* SEARCH 1")
        await session.connection.flush()
        await may_end.wait()
        session.connection.say_octets(b" 2\r\n")
        return ok("EXPUNGE completed")

    row = replace(dispatch.TABLE[Expunge], run=long_expunge)
    monkeypatch.setattr(dispatch, "TABLE", {**dispatch.TABLE, Expunge: row})
    async with (
        running_imap(tmp_path, limits=ImapLimits(progress_s=0.01)) as server,
        imap_client(server.port) as client,
    ):
        await client.login()
        await client.talk("C: s SELECT INBOX\nS: ...\nS: s OK …\nC: x EXPUNGE")
        asyncio.get_running_loop().call_later(0.05, may_end.set)
        await client.talk("S: * SEARCH 1 2\nS: x OK EXPUNGE completed")
