"""How often the database is asked for what a client asks for: docs/scale.md names the numbers."""

import re
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from mailstack.model.delivery import NULL_PATH, Failed, OutgoingMail, Settlement, SmtpReply
from mailstack.model.instant import Instant
from mailstack.ports.bus import Bus
from mailstack.ports.store import Store
from tests.servers.imap.conftest import message
from tests.store.postgres.conftest import open_at
from tests.support.cutting_proxy import CuttingProxy
from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import running_imap
from tests.support.quota import quota

SCALE = Path(__file__).parents[3] / "docs" / "scale.md"
ROW = re.compile(r"^\| `(?P<command>[^`]+)` \| (?P<count>\d+) \|", re.MULTILINE)
NUMBERED = {
    "UID STORE 1 +FLAGS (\\Flagged)": "UID STORE {} +FLAGS (\\Flagged)",
    "UID FETCH 1 BODY.PEEK[]": "UID FETCH {} BODY.PEEK[]",
}


async def settled(proxy: CuttingProxy, client: ImapClient, command: str) -> int:
    """At the second time: the first one prepares statements and reads views."""
    for number in (1, 2):
        before = proxy.requests
        await client.send(f"a {NUMBERED.get(command, command).format(number)}\r\n".encode())
        await client.count_to("a")
    return proxy.requests - before


async def test_each_command_costs_as_many_round_trips_as_the_documentation_says(
    network: tuple[CuttingProxy, str], tmp_path: Path
) -> None:
    proxy, url = network
    stated = {row["command"]: int(row["count"]) for row in ROW.finditer(SCALE.read_text())}

    async def opened(bus: Bus) -> Store:
        return cast(Store, await open_at(url, tmp_path, bus=bus))

    async with running_imap(tmp_path, opened=opened) as imap, imap_client(imap.port) as client:
        await client.login()
        for number in range(3):
            await client.append(message(number))
        await client.talk("C: s SELECT INBOX\nS: ...\nS: s OK …")
        counted = {command: await settled(proxy, client, command) for command in stated}
    assert len(stated) >= 7
    assert counted == stated


async def test_recipients_of_one_mail_are_settled_in_as_many_round_trips_as_one(
    network: tuple[CuttingProxy, str], tmp_path: Path
) -> None:
    proxy, url = network
    store = await open_at(url, tmp_path)
    counted = []
    for count in (1, 1, 50):  # the first prepares statements
        mail = OutgoingMail(
            reverse_path="alice@example.com",
            recipients=tuple(f"r{number}@x.example" for number in range(count)),
            raw=b"Subject: hi\r\n\r\nhi\r\n",
            queued_at=Instant(1_000_000),
            is_8bit=False,
            smtp_utf8=False,
            trace_id="t",
        )
        await store.queue.enqueue([mail], next_at=Instant(1))
        items = await store.queue.lease("one", now=Instant(2), until=Instant(1_000), quota=quota(count))
        notice = replace(mail, recipients=(mail.reverse_path,), reverse_path=NULL_PATH)
        failed = Failed(reply=SmtpReply(code=550, status="5.1.1", text="nobody"), host="mx")
        settlements = [Settlement(item_id=item.item_id, outcome=failed, notices=(notice,)) for item in items]
        before = proxy.requests
        assert len(await store.queue.settle("one", settlements)) == count
        counted.append(proxy.requests - before)
    await store.close()
    assert counted[1:] == [4, 4]


@pytest.mark.parametrize("command", ["NOOP", "UID FETCH 1 FLAGS"])
async def test_news_of_another_session_are_seen_all_the_same(
    network: tuple[CuttingProxy, str], tmp_path: Path, command: str
) -> None:
    async def opened(bus: Bus) -> Store:
        return cast(Store, await open_at(network[1], tmp_path, bus=bus))

    async with (
        running_imap(tmp_path, opened=opened) as imap,
        imap_client(imap.port) as client,
        imap_client(imap.port) as other,
    ):
        for each in (client, other):
            await each.login()
        await client.append(message(1))
        await client.talk("C: s SELECT INBOX\nS: ...\nS: s OK …")
        await other.append(message(2))
        await client.talk(f"C: a {command}\nS: ...\nS: * 2 EXISTS\nS: ...\nS: a OK …")
