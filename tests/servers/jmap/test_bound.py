"""What all calls of a request go through is bounded together: their answers are in memory until the last is there."""

from types import ModuleType
from typing import Any

import pytest

from mailstack.model.errors import TooLarge
from mailstack.servers.jmap import blob_reading, email_parse, method
from mailstack.servers.jmap.bound import Bound
from mailstack.wire.jmap.session import BLOB, CORE, MAIL, UPLOAD_PATH
from tests.support.jmap_world import JmapWorld

MESSAGE = b"Subject: a\r\n\r\n" + b"x" * 500


def test_the_first_may_be_of_any_size() -> None:
    bound = Bound(10, of="call")
    bound.take(0)
    bound.take(20)
    bound.take(0)
    with pytest.raises(TooLarge, match="one call goes through at most 10 octets"):
        bound.take(1)


async def blob_of(world: JmapWorld, content: bytes = MESSAGE) -> tuple[str, str]:
    account_id = (await world.account()).account_id
    reply = await world.ask("POST", UPLOAD_PATH.replace("{accountId}", account_id), content=content)
    return account_id, reply.json()["blobId"]


@pytest.mark.parametrize(
    ("name", "ids", "more"),
    [
        ("Email/get", "ids", {"properties": ["bodyValues"], "fetchAllBodyValues": True}),
        ("Email/parse", "blobIds", {"fetchAllBodyValues": True}),
        ("Blob/get", "ids", {}),
    ],
)
async def test_calls_of_one_request_together(
    world: JmapWorld, monkeypatch: pytest.MonkeyPatch, name: str, ids: str, more: dict[str, Any]
) -> None:
    monkeypatch.setattr(method, "MOST_HELD_OCTETS", 1_000)
    using = (CORE, MAIL, BLOB)
    account_id, blob_id = await blob_of(world)
    place = {"accountId": account_id, "create": {"m": {"name": "a"}}}
    email = {"accountId": account_id, "emails": {"e": {"blobId": blob_id, "mailboxIds": {"#m": True}}}}
    made = await world.api(["Mailbox/set", place, "0"], ["Email/import", email, "1"], using=using)
    known = made[1][1]["created"]["e"]["id"] if name == "Email/get" else blob_id
    call = [name, {"accountId": account_id, ids: [known], **more}, "c"]
    first, second = await world.api(call, call, using=using)
    assert first[0] == name
    assert second[1]["type"] == "requestTooLarge"
    # Another request begins anew.
    assert (await world.api(call, using=using))[0][0] == name


INNER = b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: c\r\n\r\nd\r\n"


@pytest.mark.parametrize(
    ("name", "ids", "bounded"), [("Email/parse", "blobIds", email_parse), ("Blob/get", "ids", blob_reading)]
)
async def test_messages_in_which_parts_are_looked_for(
    world: JmapWorld, monkeypatch: pytest.MonkeyPatch, name: str, ids: str, bounded: ModuleType
) -> None:
    """However small the parts are."""
    monkeypatch.setattr(bounded, "MOST_OCTETS", 1_000)
    text = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"x" * 500 + b"\r\n" + 2 * INNER + b"--b--\r\n"
    account_id, blob_id = await blob_of(world, text)
    parts = [f"{blob_id}-{number}" for number in (1, 2)]
    for asked, answered in ((parts[:1], name), (parts[1:], name), (parts, "error")):
        call = [name, {"accountId": account_id, ids: asked}, "c"]
        assert (await world.api(call, using=(CORE, MAIL, BLOB)))[0][0] == answered


async def test_what_is_not_read_is_not_counted(world: JmapWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(method, "MOST_HELD_OCTETS", 1_000)
    account_id, blob_id = await blob_of(world)
    sizes = ["Blob/get", {"accountId": account_id, "ids": [blob_id], "properties": ["size", "digest:sha"]}, "c"]
    assert [each[0] for each in await world.api(*[sizes] * 4, using=(CORE, BLOB))] == ["Blob/get"] * 4
