"""INPROGRESS: a command that takes long says so. RFC 9585."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import pytest

from mailstack.servers.conversation import PeerGone
from mailstack.servers.imap import dispatch
from mailstack.servers.imap.service import ImapLimits
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.wire.imap.commands.expunge import Expunge
from mailstack.wire.imap.commands.search import Search
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


async def test_counts_are_told_and_a_command_that_nobody_waits_for_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def long_search(session: Session, _request: Search) -> Completed:
        done = 0
        try:
            while True:
                done += 1
                session.report(done, None if done == 1 else 1_000_000)
                await asyncio.sleep(0.01)
        except PeerGone:
            ended.set_result(done)
            raise

    row = replace(dispatch.TABLE[Search], run=long_search)
    monkeypatch.setattr(dispatch, "TABLE", {**dispatch.TABLE, Search: row})
    async with running_imap(tmp_path, limits=ImapLimits(progress_s=0.05)) as server:
        async with imap_client(server.port) as client:
            await client.login()
            await client.talk("C: s SELECT INBOX\nS: ...\nS: s OK …\nC: x SEARCH ALL")
            said = await client.line()
            assert re.fullmatch(r"\* OK \[INPROGRESS \(\"x\" [1-9]\d* 1000000\)\] Still at it", said), said
        assert await asyncio.wait_for(ended, 10) > 1
