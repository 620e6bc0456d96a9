"""Email/import of messages that were uploaded, or are attached to others."""

from dataclasses import replace
from typing import Any

import pytest

from mailstack.model.mailbox import MailboxRole
from mailstack.model.objectid import mailbox_object_id
from mailstack.servers.jmap.blob_named import upload_id
from mailstack.servers.jmap.email_get import METHOD as GET
from mailstack.servers.jmap.email_import import METHOD as IMPORT
from mailstack.wire.jmap.limits import JmapLimits
from tests.support.jmap_calls import ask, fault_of, share
from tests.support.jmap_world import JmapWorld
from tests.support.stores import mailbox_with

_RAW = b"Received: by a.example; Mon, 13 Oct 2013 16:12:00 +0200\r\nFrom: ann@x.example\r\nSubject: Hi\r\n\r\nText\r\n"


class Importing:
    def __init__(self, world: JmapWorld, inbox: str) -> None:
        self.world, self.inbox = world, inbox

    async def upload(self, raw: bytes, who: str = "u0") -> str:
        service, owner = self.world.service, (await self.world.account(who)).account_id
        return upload_id(await service.uploads.put(owner, raw, now=service.clock(), limit_bytes=10_000_000))

    async def one(self, raw: bytes = _RAW, **more: Any) -> Any:
        given = {"blobId": await self.upload(raw), "mailboxIds": {self.inbox: True}, **more}
        return await ask(self.world, IMPORT, emails={"k": given})

    async def fault(self, raw: bytes = _RAW, **more: Any) -> Any:
        found = await self.one(raw, **more)
        assert (found["created"], found["oldState"]) == (None, found["newState"])
        return found["notCreated"]["k"]


@pytest.fixture
async def importing(world: JmapWorld) -> Importing:
    account_id = (await world.account()).account_id
    inbox = await mailbox_with(world.imap.store, account_id, MailboxRole.INBOX)
    return Importing(world, mailbox_object_id(account_id, inbox))


async def test_an_upload_becomes_an_email(importing: Importing) -> None:
    found = await importing.one(keywords={"$seen": True}, receivedAt="2020-01-02T03:04:05Z")
    made = found["created"]["k"]
    assert (set(made), made["size"]) == ({"id", "blobId", "threadId", "size"}, len(_RAW))
    assert (found["notCreated"], found["oldState"] != found["newState"]) == (None, True)
    wanted = ["keywords", "mailboxIds", "receivedAt", "subject"]
    (email,) = (await ask(importing.world, GET, ids=[made["id"]], properties=wanted))["list"]
    assert email == {
        "id": made["id"],
        "keywords": {"$seen": True},
        "mailboxIds": {importing.inbox: True},
        "receivedAt": "2020-01-02T03:04:05Z",
        "subject": "Hi",
    }


async def test_the_last_server_says_when_it_came(importing: Importing) -> None:
    made = (await importing.one())["created"]["k"]
    (email,) = (await ask(importing.world, GET, ids=[made["id"]], properties=["keywords", "receivedAt"]))["list"]
    assert email == {"id": made["id"], "keywords": {}, "receivedAt": "2013-10-13T14:12:00Z"}


async def test_what_is_there_is_there_twice(importing: Importing) -> None:
    made = (await importing.one())["created"]["k"]
    again = await ask(
        importing.world, IMPORT, emails={"l": {"blobId": made["blobId"], "mailboxIds": {importing.inbox: True}}}
    )
    assert again["created"]["l"]["id"] != made["id"]


@pytest.mark.parametrize(
    ("raw", "more", "type_", "properties"),
    [
        (b"", {}, "invalidEmail", None),
        (b"\r\nno header\r\n", {}, "invalidEmail", None),
        (b"Subject: x\r\n\r\n\0", {}, "invalidEmail", None),
        (_RAW, {"blobId": "B1"}, "invalidProperties", ["blobId"]),
        (_RAW, {"blobId": "U1"}, "invalidProperties", ["blobId"]),
        (_RAW, {"mailboxIds": {"F1": True}}, "invalidProperties", ["mailboxIds"]),
        (_RAW, {"mailboxIds": {}}, "invalidProperties", ["mailboxIds"]),
        (_RAW, {"keywords": {"a b": True}}, "invalidProperties", ["keywords"]),
        (_RAW, {"colour": 1}, "invalidProperties", ["colour"]),
    ],
)
async def test_not_imported(
    importing: Importing, raw: bytes, more: dict[str, Any], type_: str, properties: list[str] | None
) -> None:
    fault = await importing.fault(raw, **more)
    assert (fault["type"], fault.get("properties")) == (type_, properties)


async def test_a_message_is_no_larger_than_over_smtp(importing: Importing) -> None:
    world = importing.world
    service = replace(world.service, limits=JmapLimits(message_octets=len(_RAW) - 1))
    fault = await Importing(replace(world, service=service), importing.inbox).fault()
    assert fault["type"] == "tooLarge"


async def test_a_mailbox_that_is_gone(importing: Importing) -> None:
    gone = importing.inbox.rpartition("-")[0] + "-99"
    fault = await importing.fault(mailboxIds={importing.inbox: True, gone: True})
    assert (fault["type"], fault["properties"]) == ("invalidProperties", ["mailboxIds"])


@pytest.mark.parametrize(
    ("arguments", "type_"),
    [
        ({}, "invalidArguments"),
        ({"emails": {}, "ifInState": "x"}, "stateMismatch"),
        ({"emails": {f"k{at}": {} for at in range(1_001)}}, "requestTooLarge"),
        ({"emails": {}, "colour": 1}, "invalidArguments"),
    ],
)
async def test_refused(world: JmapWorld, arguments: dict[str, Any], type_: str) -> None:
    assert await fault_of(world, IMPORT, **arguments) == type_


@pytest.mark.parametrize(("rights", "type_"), [("lr", "forbidden"), ("lri", "")])
async def test_into_anothers_mailbox(importing: Importing, rights: str, type_: str) -> None:
    world = importing.world
    owner = await world.account("u0")
    await share(world, await mailbox_with(world.imap.store, owner.account_id, MailboxRole.INBOX), rights)
    given = {"blobId": await importing.upload(_RAW, "u1"), "mailboxIds": {importing.inbox: True}}
    found = await ask(world, IMPORT, "u1", of="u0", emails={"k": given})
    assert (found["notCreated"] or {}).get("k", {}).get("type", "") == type_
