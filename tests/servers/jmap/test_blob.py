"""Blob/upload, /get, /lookup and /copy; the examples of RFC 9404 are in tests/conformance."""

import base64
import hashlib
from dataclasses import replace
from typing import Any

import pytest

from mailstack.formats.digest import digest_message
from mailstack.model.ids import BlobId, EmailId, MessageId, ThreadId
from mailstack.model.instant import HOUR_MS, Instant
from mailstack.model.mailbox import MailboxRole
from mailstack.model.objectid import (
    MailBlob,
    blob_object_id,
    email_object_id,
    mailbox_object_id,
    thread_object_id,
)
from mailstack.servers.jmap import blob_reading
from mailstack.servers.jmap.blob_copy import METHOD as COPY
from mailstack.servers.jmap.blob_get import METHOD as GET
from mailstack.servers.jmap.blob_lookup import METHOD as LOOKUP
from mailstack.servers.jmap.blob_upload import METHOD as UPLOAD
from mailstack.servers.jmap.method import Call
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault
from mailstack.wire.jmap.session import BLOB, MAIL
from tests.support.jmap_calls import ask, fault_of, put, share
from tests.support.jmap_world import JmapWorld
from tests.support.stores import mailbox_with, new_message

LARGE = bytes(range(256)) * 3_000
PROBLEM = {"isEncodingProblem": True}
EIGHT_BIT = "Grüße".encode()


async def upload(world: JmapWorld, content: bytes, who: str = "u0") -> str:
    data = [{"data:asBase64": base64.b64encode(content).decode()}]
    answer = await ask(world, UPLOAD, who, create={"k": {"data": data}})
    return str(answer["created"]["k"]["id"])


async def got(world: JmapWorld, blob_id: str, who: str = "u0", **arguments: Any) -> dict[str, Any]:
    answer = await ask(world, GET, who, ids=[blob_id], **arguments)
    assert answer["notFound"] == []
    (found,) = answer["list"]
    assert found.pop("id") == blob_id
    return dict(found)


async def received(world: JmapWorld, raw: bytes) -> str:
    """The blob id of an email in the inbox."""
    (message_id,) = await put(world, MailboxRole.INBOX, replace(new_message(), raw=raw, digest=digest_message(raw)))
    return blob_object_id((await world.account()).account_id, MailBlob(message_id))


@pytest.mark.parametrize("content", [b"", b"x", EIGHT_BIT, LARGE], ids=len)
async def test_what_is_uploaded_is_what_the_endpoint_has(world: JmapWorld, content: bytes) -> None:
    account = await world.account()
    data = [{"data:asBase64": base64.b64encode(content).decode()}]
    answer = await ask(world, UPLOAD, create={"k": {"data": data, "type": "image/png"}, "l": {"data": data}})
    made = answer["created"]
    facts = {"accountId": account.account_id, "blobId": made["k"]["id"], "size": len(content)}
    assert made["k"] == {"id": made["k"]["id"], **facts, "type": "image/png"}
    assert made["l"] == {"id": made["k"]["id"], **facts, "type": "application/octet-stream"}
    assert answer["notCreated"] is None
    reply = await world.ask("GET", f"/jmap/download/{account.account_id}/{made['k']['id']}/x")
    assert reply.content == content
    sent = await world.ask("POST", f"/jmap/upload/{account.account_id}", content=content)
    assert sent.json()["blobId"] == made["k"]["id"]


async def test_sources_are_put_one_behind_the_other(world: JmapWorld) -> None:
    large, call = await upload(world, LARGE), await world.call()
    call.created["b"] = await upload(world, b"0123456789")
    data = [
        {"data:asText": "é", "blobId": None, "offset": None},
        {"blobId": "#b", "offset": 8},
        {"blobId": "#b", "length": 0},
        {"blobId": "#b", "offset": 10, "length": None},
        {"blobId": "#b", "offset": 3, "length": 2, "data:asText": None},
        {"data:asBase64": "AP8="},
        {"blobId": large, "offset": 700_000},
    ]
    given = {"accountId": call.login.account_id, "create": {"k": {"data": data}, "none": {"data": []}}}
    answer = await UPLOAD.run(call, Arguments(given))
    assert call.created["k"] == answer["created"]["k"]["id"]
    assert answer["created"]["none"]["size"] == 0
    found = await got(world, call.created["k"])
    assert base64.b64decode(found["data:asBase64"]) == "é8934".encode() + b"\x00\xff" + LARGE[700_000:]


@pytest.mark.parametrize(
    "source",
    [
        "text",
        {},
        {"data:asText": None},
        {"data:asText": "a", "data:asBase64": "YQ=="},
        {"data:asText": 1},
        {"data:asText": "a", "offset": 0},
        {"data:asBase64": "YQ"},
        {"data:asBase64": "YQ==YQ=="},
        {"data:asBase64": "Y Q="},
        {"data:asBase64": "=YQ="},
        {"data:asBase64": "Y-_="},
        {"data:asBase64": "é"},
        {"blobId": "not an id"},
        {"blobId": 1},
        {"blobId": "BLOB", "offset": -1},
        {"blobId": "BLOB", "offset": True},
        {"blobId": "BLOB", "length": 1.5},
        {"blobId": "BLOB", "offset": 6},
        {"blobId": "BLOB", "offset": 5, "length": 1},
        {"blobId": "BLOB", "length": 6},
        {"blobId": "BLOB", "more": 1},
    ],
    ids=str,
)
async def test_what_is_wrong_in_a_source_is_never_guessed_at(world: JmapWorld, source: Any) -> None:
    blob_id = await upload(world, b"01234")
    if isinstance(source, dict) and source.get("blobId") == "BLOB":
        source = {**source, "blobId": blob_id}
    create = {"k": {"data": [{"data:asText": "a"}, source]}, "good": {"data": []}}
    answer = await ask(world, UPLOAD, create=create)
    fault = answer["notCreated"]["k"]
    assert (fault["type"], fault["properties"]) == ("invalidProperties", ["data"])
    assert [*answer["created"]] == ["good"]


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({}, {"type": "invalidProperties", "properties": ["data"]}),
        ({"data": {}}, {"type": "invalidProperties", "properties": ["data"]}),
        ({"data": [{"data:asText": ""}] * 101}, {"type": "invalidProperties", "properties": ["data"]}),
        ({"data": [], "type": 1}, {"type": "invalidProperties", "properties": ["type"]}),
        ({"data": [], "type": "a/b\r\nX: y"}, {"type": "invalidProperties", "properties": ["type"]}),
        ({"data": [], "size": 0}, {"type": "invalidProperties", "properties": ["size"]}),
        ({"data": [{"blobId": "nothing"}]}, {"type": "blobNotFound", "notFound": ["nothing"]}),
        ({"data": [{"blobId": "#none"}]}, {"type": "blobNotFound", "notFound": ["#none"]}),
        ({"data": [{"data:asText": "x" * 1_001}]}, {"type": "tooLarge"}),
        ({"data": [{"data:asText": "x" * 500}] * 3}, {"type": "tooLarge"}),
    ],
    ids=[
        "no data",
        "no array",
        "sources",
        "type",
        "type of two lines",
        "size",
        "no blob",
        "no reference",
        "one",
        "all",
    ],
)
async def test_what_is_not_uploaded(world: JmapWorld, given: dict[str, Any], fault: dict[str, Any]) -> None:
    limits = replace(world.service.limits, upload_octets=1_000)
    small = replace(world, service=replace(world.service, limits=limits))
    answer = await ask(small, UPLOAD, create={"k": given})
    found = answer["notCreated"]["k"]
    assert answer["created"] is None
    assert {key: found[key] for key in fault} == fault


async def test_uploads_of_an_account_are_bounded(world: JmapWorld) -> None:
    limits = replace(world.service.limits, uploads_octets=1_000)
    small = replace(world, service=replace(world.service, limits=limits))
    create = {str(number): {"data": [{"data:asText": str(number) * 400}]} for number in range(3)}
    answer = await ask(small, UPLOAD, create=create)
    assert {key: fault["type"] for key, fault in answer["notCreated"].items()} == {"2": "overQuota"}


@pytest.mark.parametrize(
    ("content", "arguments", "expected"),
    [
        (b"hello", {}, {"data:asText": "hello", "size": 5}),
        (b"", {}, {"data:asText": "", "size": 0}),
        (b"a\x00b", {}, {"data:asText": "a\x00b", "size": 3}),
        (EIGHT_BIT, {"length": 2}, {"data:asText": "Gr", "size": 7}),
        (
            EIGHT_BIT,
            {"length": 3},
            {"data:asText": None, "isEncodingProblem": True, "data:asBase64": "R3LD", "size": 7},
        ),
        (b"hello", {"properties": []}, {}),
        (b"hello", {"properties": ["id", "size"], "offset": 9}, {"size": 5, "isTruncated": True}),
        (b"hello", {"offset": 5}, {"data:asText": "", "size": 5}),
        (b"hello", {"offset": 5, "length": 0}, {"data:asText": "", "size": 5}),
        (b"hello", {"offset": 6}, {"data:asText": "", "size": 5, "isTruncated": True}),
        (b"hello", {"offset": 2, "length": 9}, {"data:asText": "llo", "size": 5, "isTruncated": True}),
        (b"hello", {"offset": None, "length": None, "properties": None}, {"data:asText": "hello", "size": 5}),
        (b"\xff", {"properties": ["data:asText"]}, {"data:asText": None, **PROBLEM}),
        (b"\xff", {"properties": ["data:asBase64"]}, {"data:asBase64": "/w=="}),
        (
            b"hi",
            {"properties": ["data", "data:asBase64", "data:asText"]},
            {"data:asText": "hi", "data:asBase64": "aGk="},
        ),
    ],
    ids=str,
)
async def test_what_is_got_of_it(
    world: JmapWorld, content: bytes, arguments: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert await got(world, await upload(world, content), **arguments) == expected


async def test_digests_are_of_the_range(world: JmapWorld) -> None:
    wanted = ["digest:sha", "digest:sha-256"]
    found = await got(world, await upload(world, LARGE), properties=wanted, offset=10, length=600_000)
    octets = LARGE[10:600_010]
    assert {name: base64.b64decode(value) for name, value in found.items()} == {
        "digest:sha": hashlib.sha1(octets).digest(),
        "digest:sha-256": hashlib.sha256(octets).digest(),
    }


async def test_of_messages_and_their_parts(world: JmapWorld) -> None:
    raw = b"Subject: A\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n"
    whole = await received(world, raw)
    assert await got(world, whole) == {"data:asText": raw.decode(), "size": len(raw)}
    part = f"P{whole[1:]}-1"
    assert await got(world, part, offset=1, length=3) == {"data:asText": "ell", "size": 5}


@pytest.mark.parametrize(
    "arguments",
    [
        {"ids": ["x"], "properties": ["digest:md5"]},
        {"ids": ["x"], "properties": ["type"]},
        {"ids": ["x"], "offset": -1},
        {"ids": ["x"], "length": "1"},
        {"ids": "x"},
        {"ids": ["x"], "more": 1},
    ],
    ids=str,
)
async def test_what_is_not_asked_so(world: JmapWorld, arguments: dict[str, Any]) -> None:
    assert await fault_of(world, GET, **arguments) == "invalidArguments"


async def test_blobs_that_nobody_has(world: JmapWorld) -> None:
    mine = await upload(world, b"mine")
    answer = await ask(world, GET, ids=[mine, "nothing", "#none", f"U{'0' * 64}"])
    assert [each["id"] for each in answer["list"]] == [mine]
    assert answer["notFound"] == ["nothing", "#none", f"U{'0' * 64}"]
    assert (await ask(world, GET, "u1", ids=[mine]))["notFound"] == [mine]
    assert await fault_of(world, GET, ids=None) == "requestTooLarge"
    assert await fault_of(world, GET, ids=[f"x{number}" for number in range(1_001)]) == "requestTooLarge"


async def test_one_call_reads_so_much(world: JmapWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blob_reading, "MOST_OCTETS", 1_000)
    ids = [await upload(world, character * 600) for character in (b"a", b"b")]
    parts = [await received(world, b"Subject: A\r\n\r\n" + each * 1_200) for each in (b"a", b"b")]
    # One alone is read, whatever its size.
    assert (await got(world, f"P{parts[0][1:]}-1"))["size"] == 1_200
    assert await fault_of(world, GET, ids=ids) == "requestTooLarge"
    assert len((await ask(world, GET, ids=ids, length=500))["list"]) == 2
    assert len((await ask(world, GET, ids=ids, properties=["size"]))["list"]) == 2
    # Parts are decoded, however little is wanted of them.
    wanted = [f"P{each[1:]}-1" for each in parts]
    assert await fault_of(world, GET, ids=wanted, properties=["size"]) == "requestTooLarge"
    create = {
        "one": {"data": [{"blobId": wanted[0], "length": 1}] * 90},
        "two": {"data": [{"blobId": wanted[0], "length": 900}]},
        "three": {"data": [{"blobId": wanted[0], "length": 11}]},
        "four": {"data": [{"blobId": wanted[1], "length": 1}]},
    }
    answer = await ask(world, UPLOAD, create=create)
    assert {key: made["size"] for key, made in answer["created"].items()} == {"one": 90, "two": 900}
    assert {key: fault["type"] for key, fault in answer["notCreated"].items()} == {
        "three": "tooLarge",
        "four": "tooLarge",
    }


async def looked_up(world: JmapWorld, blob_ids: list[str], who: str = "u0", **arguments: Any) -> Any:
    call = await world.call(who, using=frozenset({BLOB, MAIL}))
    owner = await world.account("u0")
    wanted = {"typeNames": ["Mailbox", "Thread", "Email"], **arguments}
    answer = await LOOKUP.run(call, Arguments({"accountId": owner.account_id, "ids": blob_ids, **wanted}))
    assert answer["notFound"] == []
    return {each["id"]: each["matchedIds"] for each in answer["list"]}


NOTHING: dict[str, list[str]] = {"Mailbox": [], "Thread": [], "Email": []}


async def test_what_refers_to_a_blob(world: JmapWorld) -> None:
    account_id, whole = (await world.account()).account_id, await received(world, b"Subject: A\r\n\r\nhello")
    message_id = MessageId(int(whole.rpartition("-")[2]))
    inbox = await mailbox_with(world.imap.store, account_id, MailboxRole.INBOX)
    matched = {
        "Mailbox": [mailbox_object_id(account_id, inbox)],
        "Thread": [thread_object_id(account_id, ThreadId(message_id))],
        "Email": [email_object_id(account_id, EmailId(message_id))],
    }
    part, missing, uploaded = f"P{whole[1:]}-1", f"P{whole[1:]}-2", await upload(world, b"x")
    asked = [whole, part, missing, uploaded, "nothing", whole]
    found = await looked_up(world, asked)
    assert found == {whole: matched, part: matched, missing: NOTHING, uploaded: NOTHING, "nothing": NOTHING}
    assert await looked_up(world, [whole], typeNames=["Email"]) == {whole: {"Email": matched["Email"]}}
    assert await looked_up(world, [whole], typeNames=[]) == {whole: {}}


async def test_what_may_not_be_seen_refers_to_nothing(world: JmapWorld) -> None:
    store, account_id = world.imap.store, (await world.account()).account_id
    sent = await mailbox_with(store, account_id, MailboxRole.SENT)
    whole = await received(world, b"Subject: A\r\n\r\nhello")
    await share(world, sent, "lr")
    assert await looked_up(world, [whole, f"P{whole[1:]}-1"], "u1") == {whole: NOTHING, f"P{whole[1:]}-1": NOTHING}
    await share(world, await mailbox_with(store, account_id, MailboxRole.INBOX), "lr")
    assert (await looked_up(world, [whole], "u1"))[whole]["Email"] != []


@pytest.mark.parametrize(
    ("using", "types", "fault"),
    [
        ([BLOB, MAIL], ["Email", "Identity"], "unknownDataType"),
        ([BLOB], ["Email"], "unknownDataType"),
        ([BLOB, MAIL], ["email"], "unknownDataType"),
        ([BLOB, MAIL], None, "invalidArguments"),
        ([BLOB, MAIL], [1], "invalidArguments"),
    ],
    ids=str,
)
async def test_types_that_are_not_looked_in(world: JmapWorld, using: list[str], types: Any, fault: str) -> None:
    call = await world.call(using=frozenset(using))
    with pytest.raises(MethodFault) as refused:
        await LOOKUP.run(call, Arguments({"accountId": call.login.account_id, "ids": [], "typeNames": types}))
    assert refused.value.type == fault


class Copying:
    """u0 shares the inbox with u1, who copies from there."""

    def __init__(self, call: Call, source: str) -> None:
        self._call = call
        self._source = source

    async def copy(self, *blob_ids: str, **arguments: Any) -> Any:
        given = {"fromAccountId": self._source, "accountId": self._call.login.account_id, "blobIds": [*blob_ids]}
        return await COPY.run(self._call, Arguments({**given, **arguments}))

    async def fault(self, **arguments: Any) -> str:
        with pytest.raises(MethodFault) as refused:
            await self.copy(**arguments)
        return refused.value.type.value


@pytest.fixture
async def copying(world: JmapWorld) -> Copying:
    source = (await world.account()).account_id
    await share(world, await mailbox_with(world.imap.store, source, MailboxRole.INBOX), "lr")
    return Copying(await world.call("u1"), source)


async def test_blobs_are_copied(world: JmapWorld, copying: Copying) -> None:
    raw = b"Subject: A\r\n\r\nhello"
    whole, own = await received(world, raw), await upload(world, LARGE, "u1")
    part, theirs = f"P{whole[1:]}-1", await upload(world, b"theirs")
    answer = await copying.copy(whole, part, own, theirs, "nothing", whole)
    assert {key: fault["type"] for key, fault in answer["notCopied"].items()} == {
        theirs: "blobNotFound",
        "nothing": "blobNotFound",
    }
    copied = answer["copied"]
    assert copied[own] == own
    assert (await got(world, copied[whole], "u1"))["data:asText"] == raw.decode()
    assert (await got(world, copied[part], "u1"))["data:asText"] == "hello"
    assert (await copying.copy(whole))["notCopied"] is None
    assert (await copying.copy("nothing"))["copied"] is None


async def test_a_copy_of_an_upload_lasts_as_long_as_a_new_one(world: JmapWorld, copying: Copying) -> None:
    uploads, own, call = world.imap.store.uploads, await upload(world, b"x", "u1"), await world.call("u1")
    now = world.service.clock()
    later = replace(call, service=replace(world.service, clock=lambda: Instant(now + 20 * HOUR_MS)))
    assert (await Copying(later, (await world.account()).account_id).copy(own))["copied"] == {own: own}
    blob_id = BlobId(own.removeprefix("U"))
    assert await uploads.sizes(call.login.account_id, [blob_id], now=Instant(now + 40 * HOUR_MS)) == {blob_id: 1}


async def test_where_nothing_is_copied(world: JmapWorld, copying: Copying) -> None:
    own = (await world.account("u1")).account_id
    assert await copying.fault(fromAccountId=own) == "invalidArguments"
    assert await copying.fault(fromAccountId="0" * 16) == "fromAccountNotFound"
    assert await copying.fault(accountId="0" * 16) == "accountNotFound"
    assert await copying.fault(blobIds=None) == "invalidArguments"
    assert await copying.fault(blobIds=[f"x{number}" for number in range(1_001)]) == "requestTooLarge"
