"""Blobs over HTTP: whole messages and parts, in ranges, and for whom they are there."""

import base64
from dataclasses import replace

import pytest

from mailstack.model.ids import AccountId, MailboxId, MessageId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.objectid import MailBlob, blob_object_id
from mailstack.model.rights import Grant, parse_rights
from mailstack.services.mailbox.append import Arrival, append
from tests.support.imap_server import DOMAIN
from tests.support.jmap_world import JmapWorld
from tests.support.stores import mailbox_with

TEXT = "ünïcode\r\n".encode()
IMAGE = bytes(range(256)) * 2_000
RAW = (
    b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"=C3=BCn=C3=AFcode\r\n\r\n--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + base64.encodebytes(IMAGE).replace(b"\n", b"\r\n")
    + b"\r\n--b--\r\n"
)
PARTS = {1: TEXT, 2: IMAGE}
FOREVER = "private, immutable, max-age=31536000"


async def message_in(world: JmapWorld, name: str, role: MailboxRole) -> tuple[AccountId, MailboxId, MessageId]:
    account = await world.account(name)
    mailbox_id = await mailbox_with(world.imap.store, account.account_id, role)
    arrival = Arrival(raw=RAW, flags=(), received_at=world.service.clock())
    await append(world.service.mail_of(account), mailbox_id, [arrival])
    [placement] = await world.imap.store.messages.placements(account.account_id, mailbox_id)
    return account.account_id, mailbox_id, placement.message_id


def path_of(account_id: AccountId, blob: MailBlob, name: str = "x", accept: str = "text/plain") -> str:
    return f"/jmap/download/{account_id}/{blob_object_id(account_id, blob)}/{name}?accept={accept}"


async def test_a_whole_message(world: JmapWorld) -> None:
    account_id, _, message_id = await message_in(world, "u0", MailboxRole.INBOX)
    reply = await world.ask("GET", path_of(account_id, MailBlob(message_id), "a%2Fb.eml", "message/rfc822"))
    assert (reply.status_code, reply.content) == (200, RAW)
    assert reply.headers["content-type"] == "message/rfc822"
    assert reply.headers["content-length"] == str(len(RAW))
    assert reply.headers["cache-control"] == FOREVER
    assert reply.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("my%20file.txt", 'filename="my file.txt"'),
        ("a%2Fb.txt", "filename=\"a_b.txt\"; filename*=UTF-8''a%2Fb.txt"),
        ("%C3%BC%22;.txt", "filename=\"___.txt\"; filename*=UTF-8''%C3%BC%22%3B.txt"),
        ("ab%5C%25", "filename=\"ab__\"; filename*=UTF-8''ab%5C%25"),
        ("", 'filename=""'),
    ],
)
async def test_names(world: JmapWorld, name: str, shown: str) -> None:
    account_id, _, message_id = await message_in(world, "u0", MailboxRole.INBOX)
    reply = await world.ask("GET", path_of(account_id, MailBlob(message_id), name))
    assert reply.headers["content-disposition"] == f"attachment; {shown}"


@pytest.mark.parametrize("leaf", PARTS)
async def test_parts_are_decoded(world: JmapWorld, leaf: int) -> None:
    account_id, _, message_id = await message_in(world, "u0", MailboxRole.INBOX)
    reply = await world.ask("GET", path_of(account_id, MailBlob(message_id, leaf)))
    assert reply.content.removesuffix(b"\r\n") == PARTS[leaf].removesuffix(b"\r\n")


@pytest.mark.parametrize(
    ("accept", "shown"),
    [
        ("text/html;%20charset=utf-8", "text/html; charset=utf-8"),
        ("", "application/octet-stream"),
        ("text", "application/octet-stream"),
        ("text/plain%0D%0AX:%20y", "application/octet-stream"),
        ("text/pl%C3%A4in", "application/octet-stream"),
    ],
)
async def test_the_type_is_the_clients(world: JmapWorld, accept: str, shown: str) -> None:
    account_id, _, message_id = await message_in(world, "u0", MailboxRole.INBOX)
    reply = await world.ask("GET", path_of(account_id, MailBlob(message_id), accept=accept))
    assert reply.headers["content-type"] == shown


@pytest.mark.parametrize(
    ("destination", "status"),
    [
        *((each, 200) for each in ("document", "empty", "image", "audio", "video")),
        *((each, 403) for each in ("script", "style", "worker", "serviceworker", "sharedworker", "iframe", "object")),
        *((each, 403) for each in ("embed", "frame", "font", "manifest", "track", "xslt", "audioworklet", "")),
    ],
)
async def test_mail_is_no_script_of_a_page_of_ours(world: JmapWorld, destination: str, status: int) -> None:
    account_id, _, message_id = await message_in(world, "u0", MailboxRole.INBOX)
    path = path_of(account_id, MailBlob(message_id), accept="text/javascript")
    reply = await world.ask("GET", path, headers={"Sec-Fetch-Dest": destination})
    assert reply.status_code == status
    if status == 200:
        assert reply.headers["content-security-policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
        assert reply.headers["content-disposition"].startswith("attachment;")


@pytest.mark.parametrize("leaf", [None, 2])
async def test_ranges(world: JmapWorld, leaf: int | None) -> None:
    account_id, _, message_id = await message_in(world, "u0", MailboxRole.INBOX)
    path = path_of(account_id, MailBlob(message_id, leaf))
    whole = (await world.ask("GET", path)).content
    reply = await world.ask("GET", path, headers={"Range": "bytes=10-300000"})
    assert (reply.status_code, reply.content) == (206, whole[10:300_001])
    assert reply.headers["content-range"] == f"bytes 10-300000/{len(whole)}"
    same = await world.ask("GET", path, headers={"Range": "bytes=-1", "If-Range": reply.headers["etag"]})
    assert (same.status_code, same.content) == (206, whole[-1:])
    other = await world.ask("GET", path, headers={"Range": "bytes=0-1", "If-Range": '"other"'})
    assert (other.status_code, other.content) == (200, whole)
    beyond = await world.ask("GET", path, headers={"Range": f"bytes={len(whole)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(whole)}")


async def test_what_is_not_there(world: JmapWorld) -> None:
    account_id, _, message_id = await message_in(world, "u0", MailboxRole.INBOX)
    other = (await world.account("u1")).account_id
    missing = [
        path_of(account_id, MailBlob(MessageId(message_id + 1))),
        *(path_of(account_id, MailBlob(message_id, leaf)) for leaf in (0, 3)),
        f"/jmap/download/{account_id}/x/x",
        f"/jmap/download/{account_id}/{blob_object_id(other, MailBlob(message_id))}/x",
        path_of(other, MailBlob(message_id)),
        path_of(AccountId("nobody"), MailBlob(message_id)),
    ]
    assert [(await world.ask("GET", path)).status_code for path in missing] == [404] * len(missing)


async def test_strangers_get_nothing(world: JmapWorld) -> None:
    account_id, _, message_id = await message_in(world, "u0", MailboxRole.INBOX)
    reply = await world.ask("GET", path_of(account_id, MailBlob(message_id)), password="wrong")
    assert reply.status_code == 401


@pytest.mark.parametrize(("rights", "status"), [("lr", 200), ("l", 404), ("lrsw", 200), ("", 404)])
async def test_what_others_share_is_there_as_far_as_it_may_be_read(world: JmapWorld, rights: str, status: int) -> None:
    account_id, mailbox_id, message_id = await message_in(world, "u0", MailboxRole.SENT)
    _, _, unshared = await message_in(world, "u0", MailboxRole.DRAFTS)
    viewer = await world.account("u1")
    grant = Grant(identifier=viewer.login, account_id=viewer.account_id, rights=parse_rights(rights))
    await world.imap.store.sharing.change(account_id, mailbox_id, grant)
    for blob in (MailBlob(message_id), MailBlob(message_id, 1)):
        reply = await world.ask("GET", path_of(account_id, blob), login=f"u1@{DOMAIN}")
        assert reply.status_code == status
        hidden = replace(blob, message_id=unshared)
        assert (await world.ask("GET", path_of(account_id, hidden), login=f"u1@{DOMAIN}")).status_code == 404
