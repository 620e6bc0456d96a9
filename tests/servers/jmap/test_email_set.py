"""Email/set on a real store: drafts made, keywords and mailboxes changed, emails destroyed."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from mailstack.model.mailbox import MailboxRole
from mailstack.model.objectid import mailbox_object_id
from mailstack.servers.jmap.dispatch import responses_to
from mailstack.wire.jmap.limits import JmapLimits
from mailstack.wire.jmap.request import Invocation
from mailstack.wire.jmap.session import MAIL
from tests.support.jmap_world import JmapWorld
from tests.support.stores import mailbox_with


class Mail:
    def __init__(self, world: JmapWorld, account_id: str, inbox: str, drafts: str) -> None:
        self.world = world
        self.account_id = account_id
        self.inbox = inbox
        self.drafts = drafts

    async def ask(self, method: str, **arguments: Any) -> Any:
        call = await self.world.call(using=frozenset({MAIL}))
        given = {"accountId": self.account_id, **arguments}
        ((_, found, _),) = await responses_to([Invocation(name=method, arguments=given, call_id="0")], call)
        return found

    async def draft(self, **properties: Any) -> str:
        found = await self.ask("Email/set", create={"k": {"mailboxIds": {self.drafts: True}, **properties}})
        made: str = found["created"]["k"]["id"]
        return made

    async def email(self, email_id: str, *properties: str) -> Any:
        (found,) = (await self.ask("Email/get", ids=[email_id], properties=[*properties]))["list"]
        return {name: value for name, value in found.items() if name != "id"}


@pytest.fixture
async def mail(world: JmapWorld) -> Mail:
    account_id = (await world.account()).account_id
    found = [
        mailbox_object_id(account_id, await mailbox_with(world.imap.store, account_id, role))
        for role in (MailboxRole.INBOX, MailboxRole.DRAFTS)
    ]
    return Mail(world, account_id, *found)


async def test_a_draft_is_made(mail: Mail) -> None:
    found = await mail.ask(
        "Email/set",
        create={
            "k192": {
                "mailboxIds": {mail.drafts: True, mail.inbox: True},
                "keywords": {"$seen": True, "$draft": True},
                "from": [{"name": "Joe Bloggs", "email": "joe@example.com"}],
                "subject": "World domination",
                "receivedAt": "2018-07-10T01:03:11Z",
                "bodyStructure": {"type": "text/plain", "partId": "bd48", "header:Content-Language": "en"},
                "bodyValues": {"bd48": {"value": "I have the most brilliant plan.", "isTruncated": False}},
            }
        },
    )
    made = found["created"]["k192"]
    assert set(made) == {"id", "blobId", "threadId", "size"}
    assert found["notCreated"] is None
    assert int(found["newState"]) > int(found["oldState"])
    email = await mail.email(
        made["id"], "subject", "from", "keywords", "mailboxIds", "receivedAt", "messageId", "preview", "size"
    )
    (message_id,) = email.pop("messageId")
    assert message_id.endswith("@" + (await mail.world.account()).login.rpartition("@")[2])
    assert email == {
        "subject": "World domination",
        "from": [{"name": "Joe Bloggs", "email": "joe@example.com"}],
        "keywords": {"$draft": True, "$seen": True},
        "mailboxIds": {mail.drafts: True, mail.inbox: True},
        "receivedAt": "2018-07-10T01:03:11Z",
        "preview": "I have the most brilliant plan.",
        "size": made["size"],
    }


async def test_parts_of_other_emails_are_attached(mail: Mail) -> None:
    first = await mail.draft(textBody=[{"partId": "1"}], bodyValues={"1": {"value": "Hello"}})
    whole = first.replace("M", "B", 1)
    part = first.replace("M", "P", 1) + "-1"
    second = await mail.draft(
        attachments=[
            {"blobId": part, "type": "text/plain", "name": "a.txt"},
            {"blobId": whole, "type": "message/rfc822"},
        ]
    )
    text, message = (await mail.email(second, "attachments"))["attachments"]
    assert (text["name"], text["size"]) == ("a.txt", 5)
    parsed = await mail.ask(
        "Email/parse", blobIds=[message["blobId"]], properties=["bodyValues"], fetchAllBodyValues=True
    )
    assert parsed["parsed"][message["blobId"]]["bodyValues"]["1"]["value"] == "Hello"


async def upload(mail: Mail, content: bytes) -> str:
    reply = await mail.world.ask("POST", f"/jmap/upload/{mail.account_id}", content=content)
    blob_id: str = reply.json()["blobId"]
    return blob_id


async def test_uploads_are_attached(mail: Mail) -> None:
    blob_id = await upload(mail, b"%PDF")
    made = await mail.draft(attachments=[{"blobId": blob_id, "type": "application/pdf"}])
    (pdf,) = (await mail.email(made, "attachments"))["attachments"]
    assert (pdf["type"], pdf["size"]) == ("application/pdf", 4)


async def test_an_upload_is_parsed_and_what_is_in_it(mail: Mail) -> None:
    inner = b"Subject: inner\r\n\r\nHello"
    raw = b"Subject: outer\r\nContent-Type: message/rfc822\r\n\r\n" + inner
    found = await mail.ask(
        "Email/parse",
        blobIds=[await upload(mail, raw), await upload(mail, b"\r\n")],
        properties=["attachments", "blobId"],
    )
    ((blob_id, outer),) = found["parsed"].items()
    assert len(found["notParsable"]) == 1
    assert outer["blobId"] == blob_id
    (part,) = outer["attachments"]
    assert part["blobId"] == f"{blob_id}-1"
    again = await mail.ask("Email/parse", blobIds=[part["blobId"], f"{blob_id}-2"], properties=["subject"])
    assert again["parsed"] == {part["blobId"]: {"subject": "inner"}}
    assert again["notFound"] == [f"{blob_id}-2"]
    reply = await mail.world.ask("GET", f"/jmap/download/{mail.account_id}/{part['blobId']}/x.eml")
    assert reply.content == inner


async def test_what_cannot_be_made(mail: Mail) -> None:
    inside = {"mailboxIds": {mail.drafts: True}}
    found = await mail.ask(
        "Email/set",
        create={
            "a": {},
            "b": {"mailboxIds": {"F1": True}},
            "c": {"mailboxIds": {mail.drafts[:-1] + "999": True}},
            "d": {**inside, "attachments": [{"blobId": "U1"}]},
            "e": {**inside, "subject": 1},
            "f": {**inside, "keywords": {f"k{at}": True for at in range(100)}},
            "g": inside,
        },
    )
    assert list(found["created"]) == ["g"]
    faults = {key: (fault["type"], fault.get("properties")) for key, fault in found["notCreated"].items()}
    assert faults == {
        "a": ("invalidProperties", ["mailboxIds"]),
        "b": ("invalidProperties", ["mailboxIds"]),
        "c": ("invalidProperties", ["mailboxIds"]),
        "d": ("blobNotFound", None),
        "e": ("invalidProperties", ["subject"]),
        "f": ("tooManyKeywords", None),
    }
    assert found["notCreated"]["d"]["notFound"] == ["U1"]


async def test_keywords_are_changed_one_by_one_and_as_a_whole(mail: Mail) -> None:
    email_id = await mail.draft(keywords={"$draft": True, "$junk": True})
    found = await mail.ask(
        "Email/set", update={email_id: {"keywords/$draft": None, "keywords/$SEEN": True, "keywords/$Junk": None}}
    )
    assert found["updated"] == {email_id: None}
    assert (await mail.email(email_id, "keywords"))["keywords"] == {"$seen": True}
    await mail.ask("Email/set", update={email_id: {"keywords": {"work": True}}})
    assert (await mail.email(email_id, "keywords"))["keywords"] == {"work": True}
    await mail.ask("Email/set", update={email_id: {"keywords": None}})
    assert (await mail.email(email_id, "keywords"))["keywords"] == {}


async def test_keywords_that_become_too_many(mail: Mail) -> None:
    email_id = await mail.draft(keywords={f"a{number}": True for number in range(60)})
    for count, faults in ((5, {email_id: {"type": "tooManyKeywords"}}), (4, None)):
        patch = {f"keywords/b{number}": True for number in range(count)}
        assert (await mail.ask("Email/set", update={email_id: patch}))["notUpdated"] == faults


async def test_an_email_is_moved(mail: Mail) -> None:
    email_id = await mail.draft()
    await mail.ask("Email/set", update={email_id: {f"mailboxIds/{mail.inbox}": True}})
    assert (await mail.email(email_id, "mailboxIds"))["mailboxIds"] == {mail.inbox: True, mail.drafts: True}
    await mail.ask("Email/set", update={email_id: {f"mailboxIds/{mail.drafts}": None}})
    assert (await mail.email(email_id, "mailboxIds"))["mailboxIds"] == {mail.inbox: True}
    await mail.ask("Email/set", update={email_id: {"mailboxIds": {mail.drafts: True}}})
    assert (await mail.email(email_id, "mailboxIds"))["mailboxIds"] == {mail.drafts: True}


async def test_what_cannot_be_changed(mail: Mail) -> None:
    email_id = await mail.draft()
    missing = email_id[:-1] + "999"
    for patch, type_ in (
        ({"subject": "x"}, "invalidProperties"),
        ({"mailboxIds": {}}, "invalidProperties"),
        ({f"mailboxIds/{mail.drafts}": None}, "invalidProperties"),
        ({"mailboxIds/F1": True}, "invalidProperties"),
        ({"keywords/a b": True}, "invalidProperties"),
        ({"keywords/a": False}, "invalidPatch"),
        ({"keywords/a/b": True}, "invalidPatch"),
        ({"keywords": {}, "keywords/a": True}, "invalidPatch"),
    ):
        found = await mail.ask("Email/set", update={email_id: patch})
        assert (found["updated"], found["notUpdated"][email_id]["type"]) == (None, type_), patch
    found = await mail.ask("Email/set", update={missing: {}, "M1": {}})
    assert [fault["type"] for fault in found["notUpdated"].values()] == ["notFound", "notFound"]


async def test_emails_are_destroyed(mail: Mail) -> None:
    email_id, missing = await mail.draft(), "M1"
    found = await mail.ask("Email/set", update={email_id: {"keywords": {}}}, destroy=[email_id, missing])
    assert found["notUpdated"][email_id]["type"] == "willDestroy"
    assert found["destroyed"] == [email_id]
    assert found["notDestroyed"] == {missing: {"type": "notFound"}}
    assert (await mail.ask("Email/get", ids=[email_id]))["notFound"] == [email_id]


async def test_what_was_made_can_be_meant_at_once(mail: Mail) -> None:
    found = await mail.ask(
        "Email/set",
        create={"k": {"mailboxIds": {mail.drafts: True}}},
        update={"#k": {"keywords/$seen": True}},
    )
    assert list(found["updated"]) == [found["created"]["k"]["id"]]


async def test_a_state_that_is_over(mail: Mail) -> None:
    found = await mail.ask("Email/set", create={"k": {"mailboxIds": {mail.drafts: True}}})
    late = await mail.ask("Email/set", ifInState=found["oldState"], destroy=["M1"])
    assert late["type"] == "stateMismatch"
    assert "newState" in await mail.ask("Email/set", ifInState=found["newState"])


async def test_too_much_at_once(mail: Mail) -> None:
    found = await mail.ask("Email/set", destroy=[f"M{at}" for at in range(2_000)])
    assert found["type"] == "requestTooLarge"


@pytest.mark.parametrize("kind", ["create", "update", "destroy", "import"])
async def test_of_two_who_know_the_same_state_one_is_too_late(mail: Mail, kind: str) -> None:
    email_ids = [await mail.draft(), await mail.draft()]
    state = (await mail.ask("Email/get", ids=[]))["state"]
    placed: dict[str, Any] = {"mailboxIds": {mail.drafts: True}}
    blob_id = email_ids[0].replace("M", "B", 1)

    async def write(number: int) -> Any:
        match kind:
            case "create":
                return await mail.ask("Email/set", ifInState=state, create={"k": placed})
            case "update":
                update = {email_ids[number]: {"keywords/$seen": True}}
                return await mail.ask("Email/set", ifInState=state, update=update)
            case "destroy":
                return await mail.ask("Email/set", ifInState=state, destroy=[email_ids[number]])
            case _:
                return await mail.ask("Email/import", ifInState=state, emails={"k": {"blobId": blob_id, **placed}})

    answers = await asyncio.gather(write(0), write(1))
    assert sorted(answer.get("type", "done") for answer in answers) == ["done", "stateMismatch"]


async def test_a_state_is_held_over_all_that_one_call_writes(mail: Mail) -> None:
    first, second = await mail.draft(), await mail.draft()
    state = (await mail.ask("Email/get", ids=[]))["state"]
    placed: dict[str, Any] = {"mailboxIds": {mail.drafts: True}}
    found = await mail.ask(
        "Email/set",
        ifInState=state,
        create={"a": placed, "b": placed, "wrong": {}},
        update={first: {"keywords/$seen": True}},
        destroy=[second],
    )
    assert (list(found["created"]), list(found["updated"]), found["destroyed"]) == (["a", "b"], [first], [second])
    assert (list(found["notCreated"]), found["notUpdated"], found["notDestroyed"]) == (["wrong"], None, None)


async def test_what_is_attached_has_its_limit_and_so_has_the_whole(mail: Mail) -> None:
    limits = JmapLimits(message_octets=100_000)
    mail.world = replace(mail.world, service=replace(mail.world.service, limits=limits))
    placed: dict[str, Any] = {"mailboxIds": {mail.drafts: True}}
    half = await upload(mail, b"x" * (limits.attachments_octets // 2))
    more = await upload(mail, b"x" * (limits.attachments_octets // 2 + 2))

    def attached(*blob_ids: str) -> dict[str, Any]:
        return {**placed, "attachments": [{"blobId": each, "type": "application/x-a"} for each in blob_ids]}

    text = {"textBody": [{"partId": "1"}], "bodyValues": {"1": {"value": "word " * 20_000}}}
    created = {"a": attached(half, half), "b": attached(half, more), "c": {**placed, **text}}
    found = await mail.ask("Email/set", create=created)
    assert list(found["created"]) == ["a"]
    assert {key: fault["type"] for key, fault in found["notCreated"].items()} == {"b": "tooLarge", "c": "tooLarge"}
    assert "maxSizeAttachmentsPerEmail" in found["notCreated"]["b"]["description"]
