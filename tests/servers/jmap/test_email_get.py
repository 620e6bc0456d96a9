"""Email/get on a real store, and blobs through Email/parse."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
import pytest
from structlog.testing import capture_logs

from mailstack.formats.digest import digest_message
from mailstack.model.instant import Instant
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import NewMessage
from mailstack.model.rights import RightsOperation, parse_rights
from mailstack.servers.jmap.dispatch import responses_to
from mailstack.services.mailbox.sharing import set_rights
from mailstack.wire.jmap.limits import JmapLimits
from mailstack.wire.jmap.request import Invocation
from mailstack.wire.jmap.session import MAIL
from tests.support.imap_server import DOMAIN
from tests.support.jmap_world import JmapWorld
from tests.support.stores import mailbox_with, new_message

_INNER = b"Subject: inner\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\nInside\r\n--i--\r\n"
_RAW = (
    b"From: Ann <ann@x.example>\r\nSubject: Hello\r\nMessage-ID: <1@x.example>\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nText of it\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + _INNER + b"\r\n--b--\r\n"
)


class Mail:
    """u0's inbox with one message, asked by anybody."""

    def __init__(self, world: JmapWorld, account_id: str, email_id: str) -> None:
        self.world = world
        self.account_id = account_id
        self.email_id = email_id

    async def ask(self, method: str, name: str = "u0", **arguments: Any) -> Any:
        call = await self.world.call(name, using=frozenset({MAIL}))
        given = {"accountId": self.account_id, **arguments}
        ((_, found, _),) = await responses_to([Invocation(name=method, arguments=given, call_id="0")], call)
        return found


@pytest.fixture
async def mail(world: JmapWorld) -> Mail:
    own = world.service.mail_of(await world.account())
    (inbox,) = [each for each in await own.mailboxes.list(own.account_id) if each.name.upper() == "INBOX"]
    message = NewMessage(
        raw=_RAW,
        received_at=Instant(1_381_673_520_000),
        digest=digest_message(_RAW),
        keywords=frozenset({"\\Seen", "$Junk"}),
    )
    (appended,) = await own.messages.append(own.account_id, inbox.mailbox_id, [message])
    return Mail(world, own.account_id, f"M{own.account_id}-{appended.message_id}")


async def test_all_that_the_store_says(mail: Mail) -> None:
    found = await mail.ask("Email/get", ids=[mail.email_id, "M1", mail.email_id[:-1] + "99"])
    number = mail.email_id.rpartition("-")[2]
    (email,) = found["list"]
    assert (found["accountId"], found["notFound"]) == (mail.account_id, ["M1", mail.email_id[:-1] + "99"])
    assert int(found["state"]) > 0
    assert email["id"] == mail.email_id
    assert email["blobId"] == f"B{mail.account_id}-{number}"
    assert email["threadId"].startswith(f"T{mail.account_id}-")
    assert email["keywords"] == {"$junk": True, "$seen": True}
    assert list(email["mailboxIds"].values()) == [True]
    assert (email["size"], email["receivedAt"]) == (len(_RAW), "2013-10-13T14:12:00Z")
    assert (email["subject"], email["preview"]) == ("Hello", "Text of it")
    assert [part["blobId"] for part in email["attachments"]] == [f"P{mail.account_id}-{number}-2"]
    assert email["bodyValues"] == {}


async def test_the_id_is_always_there(mail: Mail) -> None:
    assert (await mail.ask("Email/get", ids=[mail.email_id], properties=[]))["list"] == [{"id": mail.email_id}]
    found = await mail.ask("Email/get", ids=[mail.email_id], properties=["receivedAt"])
    assert found["list"] == [{"id": mail.email_id, "receivedAt": "2013-10-13T14:12:00Z"}]


async def test_an_email_is_listed_once(mail: Mail) -> None:
    found = await mail.ask("Email/get", ids=[mail.email_id, mail.email_id], properties=["id"])
    assert len(found["list"]) == 1


@pytest.mark.parametrize(
    ("arguments", "type_"),
    [
        ({"ids": ["M1"] + [f"M{at}" for at in range(2_000)]}, "requestTooLarge"),
        ({"ids": [], "properties": ["header:From:asDate"]}, "invalidArguments"),
        ({"ids": [], "colour": 1}, "invalidArguments"),
        ({"ids": "M1"}, "invalidArguments"),
    ],
)
async def test_refused(mail: Mail, arguments: dict[str, Any], type_: str) -> None:
    assert (await mail.ask("Email/get", **arguments))["type"] == type_


async def test_others_read_what_is_shared_with_them(mail: Mail) -> None:
    wanted = {"ids": [mail.email_id], "properties": ["subject"]}
    blob = mail.email_id.replace("M", "B", 1)
    assert (await mail.ask("Email/get", "u1", **wanted))["type"] == "accountNotFound"
    own = mail.world.service.mail_of(await mail.world.account())
    for rights, is_seen in (("lr", True), ("l", False)):
        await set_rights(own, "INBOX", f"u1@{DOMAIN}", parse_rights(rights), operation=RightsOperation.SET)
        found = await mail.ask("Email/get", "u1", **wanted)
        assert [email["subject"] for email in found["list"]] == (["Hello"] if is_seen else [])
        parsed = await mail.ask("Email/parse", "u1", blobIds=[blob])
        assert (parsed["notFound"] is None) == is_seen


async def test_a_message_is_parsed_and_what_is_attached_to_it(mail: Mail) -> None:
    whole, part = mail.email_id.replace("M", "B", 1), mail.email_id.replace("M", "P", 1)
    ids = [whole, f"{part}-2", f"{part}-1", f"{part}-9", f"{part}-2-1", "U1", f"{part}-2-9"]
    found = await mail.ask("Email/parse", blobIds=ids, properties=["subject", "id", "blobId", "size", "textBody"])
    assert found["notParsable"] == [f"{part}-1", f"{part}-2-1"]
    assert found["notFound"] == [f"{part}-9", "U1", f"{part}-2-9"]
    assert list(found["parsed"]) == [whole, f"{part}-2"]
    inner = found["parsed"][f"{part}-2"]
    assert (inner["subject"], inner["id"], inner["blobId"]) == ("inner", None, f"{part}-2")
    assert inner["size"] == len(_INNER)
    # What is in it can be asked for in turn.
    assert [each["blobId"] for each in inner["textBody"]] == [f"{part}-2-1"]


async def test_what_nobody_parses(mail: Mail) -> None:
    assert (await mail.ask("Email/parse"))["type"] == "invalidArguments"
    assert (await mail.ask("Email/parse", blobIds=["B1"]))["parsed"] is None
    assert (await mail.ask("Email/parse", blobIds=[f"B{at}" for at in range(2_000)]))["type"] == "requestTooLarge"


def damage(folder: Path, statement: str) -> None:
    (file,) = folder.rglob("mail.db")
    with apsw.Connection(str(file)) as connection:
        connection.execute(statement)
    connection.close()


async def append(mail: Mail, count: int) -> list[str]:
    own = mail.world.service.mail_of(await mail.world.account())
    mailbox_id = await mailbox_with(mail.world.imap.store, own.account_id, MailboxRole.ARCHIVE)
    messages = [new_message(number) for number in range(count)]
    appended = await own.messages.append(own.account_id, mailbox_id, messages)
    return [f"M{own.account_id}-{each.message_id}" for each in appended]


async def test_all_that_there_are_as_long_as_they_are_few(mail: Mail) -> None:
    there = {mail.email_id, *await append(mail, 2)}
    found = await mail.ask("Email/get", ids=None, properties=["id"])
    assert ({each["id"] for each in found["list"]}, found["notFound"]) == (there, [])
    for most, type_ in ((3, None), (2, "requestTooLarge"), (1, "requestTooLarge")):
        few = replace(mail.world.service, limits=JmapLimits(objects_in_get=most))
        world = replace(mail.world, service=few)
        found = await Mail(world, mail.account_id, mail.email_id).ask("Email/get", ids=None)
        assert found.get("type") == type_


@pytest.mark.parametrize(
    ("statement", "properties"),
    [
        ("UPDATE blob SET content = x'00' WHERE blob_key = 2", ["bodyStructure"]),
        ("UPDATE blob SET forms = x'00' WHERE blob_key = 2", ["subject"]),
    ],
)
async def test_a_damaged_one_keeps_no_other_from_its_reader(
    mail: Mail, tmp_path: Path, statement: str, properties: list[str]
) -> None:
    damaged, intact = await append(mail, 2)
    damage(tmp_path, statement)
    asked = [mail.email_id, damaged, intact]
    with capture_logs() as logs:
        found = await mail.ask("Email/get", ids=asked, properties=properties)
    assert ([each["id"] for each in found["list"]], found["notFound"]) == ([mail.email_id, intact], [damaged])
    (told,) = [entry for entry in logs if entry["event"] == "message_damaged"]
    assert (told["account"], told["message"]) == (mail.account_id, int(damaged.rpartition("-")[2]))
    # What the store itself says of it is not in what is damaged.
    found = await mail.ask("Email/get", ids=asked, properties=["mailboxIds", "keywords", "size"])
    assert [each["id"] for each in found["list"]] == asked
