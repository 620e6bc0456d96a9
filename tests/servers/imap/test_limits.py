"""MESSAGELIMIT: how many messages one command may name. RFC 9738."""

from pathlib import Path

import pytest

from mailstack.servers.imap.service import ImapLimits
from tests.servers.imap.conftest import message
from tests.support.imap_dialogue import imap_client
from tests.support.imap_server import running_imap


@pytest.mark.parametrize(
    "command", ["UID FETCH {} FLAGS", "STORE {} +FLAGS (a)", "COPY {} Archive", "UID MOVE {} Archive"]
)
async def test_more_messages_than_one_command_may_name(tmp_path: Path, command: str) -> None:
    async with (
        running_imap(tmp_path, limits=ImapLimits(messages=2)) as server,
        imap_client(server.port) as client,
    ):
        await client.talk("C: a LOGIN u0 pw\nS: a OK [CAPABILITY …MESSAGELIMIT=2…")
        for number in range(3):
            await client.append(message(number))
        await client.talk(f"""
            C: b SELECT INBOX
            S: ...
            S: b OK …
            C: c {command.format("1:*")}
            S: c NO [MESSAGELIMIT 2] Too many messages at once
            C: d {command.format("2:3")}
            S: ...
            S: d OK …
        """)
