"""Whatever is in the arguments of whichever method, the answer is one of the RFC's: no bug is met, nothing fails."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pytest

from mailstack.model.mailbox import MailboxRole
from mailstack.servers.jmap.session import CAPABILITIES
from mailstack.wire.jmap.session import API_PATH, UPLOAD_PATH
from tests.support.jmap_calls import put, share
from tests.support.jmap_junk import Junk
from tests.support.jmap_world import JmapWorld
from tests.support.stores import mailbox_with, new_message

MESSAGE = (
    b"From: u0@peer.test\r\nTo: A <b@peer.test>\r\nSubject: =?utf-8?q?=C3=A9?= a\r\nX: y\r\nContent-Type:"
    b" multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nX: y\r\n\r\nz\r\n"
    b"--b--\r\n"
)
UPLOADED = (MESSAGE, b'require "fileinto"; keep;', b"\xff\0", b"")
REQUESTS, CALLS = 60, 12


async def known_of(world: JmapWorld) -> Mapping[str, Sequence[str]]:
    account_id, other = (await world.account()).account_id, (await world.account("u1")).account_id
    await put(world, MailboxRole.ARCHIVE, new_message(), who="u1")
    shared = await mailbox_with(world.imap.store, other, MailboxRole.ARCHIVE)
    await share(world, shared, "lrswi", owner="u1", viewer="u0")
    uploads = [
        (await world.ask("POST", UPLOAD_PATH.replace("{accountId}", account_id), content=each)).json()["blobId"]
        for each in UPLOADED
    ]
    mailboxes = {"accountId": account_id, "create": {"k0": {"name": "a"}, "k1": {"name": "b", "parentId": "#k0"}}}
    emails = [{"blobId": uploads[0], "mailboxIds": {place: True}} for place in ("#k0", "#k0", "#k1")]
    making: list[list[Any]] = [
        ["Mailbox/set", mailboxes, "m"],
        ["Email/import", {"accountId": account_id, "emails": {f"e{at}": each for at, each in enumerate(emails)}}, "e"],
    ]
    named = [[f"{each}/get", {"accountId": account_id, "ids": None}, each] for each in ("Mailbox", "Email", "Identity")]
    answers = await world.api(*making, *named, using=sorted(CAPABILITIES))
    found = {name: answer["list"] for name, answer, _ in answers[len(making) :]}
    return {
        "account": [account_id],
        "other": [other, account_id, "singleton"],
        "mailbox": [each["id"] for each in found["Mailbox/get"]],
        "email": [each["id"] for each in found["Email/get"]],
        "thread": [each["threadId"] for each in found["Email/get"]],
        "blob": [*uploads, f"{uploads[0]}-1", f"{uploads[0]}-2-1", *(each["blobId"] for each in found["Email/get"])],
        "identity": [each["id"] for each in found["Identity/get"]],
    }


@pytest.mark.parametrize("seed", range(4))
async def test_no_arguments_meet_a_bug(world: JmapWorld, seed: int) -> None:
    junk = Junk(seed, await known_of(world))
    for _ in range(REQUESTS):
        content = orjson.dumps({"using": sorted(CAPABILITIES), "methodCalls": junk.calls(CALLS)})
        reply = await world.ask("POST", API_PATH, content=content)
        assert reply.status_code == 200, (reply.text, content)
        for name, answer, call_id in reply.json()["methodResponses"]:
            assert "serverFail" not in orjson.dumps([name, answer]).decode(), (content, answer, call_id)


async def test_no_nul_meets_a_bug(world: JmapWorld) -> None:
    """RFC 8259 §7: a string of JSON may hold it, and so may an address; no text of PostgreSQL does."""
    known = await known_of(world)
    account_id = known["account"][0]
    push = {"deviceClientId": "\0", "url": "https://127.0.0.1/x", "types": ["\0"]}
    calls: list[list[Any]] = [
        ["PushSubscription/set", {"create": {"a": push, "b": push | {"deviceClientId": "a"}}}, "0"],
        ["PushSubscription/get", {"ids": None}, "1"],
        *(
            ["Email/query", {"accountId": account_id, "filter": {name: value}}, name]
            for name, value in (("text", "\0"), ("body", "a\0b"), ("from", "'a \0'"), ("header", ["X", "\0"]))
        ),
        ["SearchSnippet/get", {"accountId": account_id, "filter": {"text": "\0"}, "emailIds": known["email"]}, "s"],
        ["EmailSubmission/query", {"accountId": account_id, "filter": {"undoStatus": "\0"}}, "u"],
        ["Identity/set", {"accountId": account_id, "create": {"a": {"email": "u0@peer.test", "name": "\0"}}}, "i"],
        ["Email/changes", {"accountId": account_id, "sinceState": "\0"}, "c"],
    ]
    for name, answer, call_id in await world.api(*calls, using=sorted(CAPABILITIES)):
        assert "serverFail" not in orjson.dumps(answer).decode(), (name, answer, call_id)
    for path in (
        "/jmap/download/%00/B1/x",
        f"/jmap/download/{account_id}/%00/x",
        f"/jmap/download/{account_id}/U%00/x",
    ):
        assert (await world.ask("GET", path)).status_code == 404
    assert (await world.ask("POST", "/jmap/upload/%00", content=b"x")).status_code == 404
