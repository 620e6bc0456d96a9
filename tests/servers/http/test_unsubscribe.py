"""The link to leave a list, over a real connection. RFC 8058 §3.2."""

import pytest

from mailstack.net.connections import Connections
from mailstack.services.lists.tokens import unsubscribe_token
from tests.support.http_world import HttpWorld, Reply, serving
from tests.support.mailing_lists import SECRET, make_list

TEAM, BOB = "team@example.com", "bob@elsewhere.example"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
ONE_CLICK = b"List-Unsubscribe=One-Click"
PARTS = (
    b"Content-Type: multipart/form-data; boundary=b\r\n",
    b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
)


def world() -> HttpWorld:
    found = HttpWorld()
    found.accounts.owners[TEAM] = make_list(TEAM, BOB, name="<Team & Co>")
    return found


async def asked(world: HttpWorld, token: str, method: str = "GET", body: bytes = b"", headers: bytes = b"") -> Reply:
    world.connections = Connections()
    async with serving(world) as served:
        client = await served.connect()
        head = f"{method} /lists/unsubscribe?token={token} HTTP/1.1\r\nHost: mail.example.com\r\n".encode()
        return await client.ask(head + headers + b"Content-Length: %d\r\n\r\n" % len(body) + body)


def link() -> str:
    return unsubscribe_token(SECRET, TEAM, BOB)


async def test_a_look_shows_a_button_and_changes_nothing() -> None:
    served = world()
    reply = await asked(served, link())
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"<button>" in reply.body
    assert b"&lt;Team &amp; Co&gt;" in reply.body
    assert BOB.encode() in reply.body
    assert await served.unsubscribed.members(TEAM) == {}


async def test_whoever_looks_with_a_broken_link_reads_what_to_do() -> None:
    reply = await asked(world(), link()[:-1])
    assert (reply.status, reply.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert b"write to its owner" in reply.body


@pytest.mark.parametrize(("headers", "body"), [(FORM, ONE_CLICK), PARTS])
async def test_a_click_lets_go_whoever_the_link_names(headers: bytes, body: bytes) -> None:
    served = world()
    reply = await asked(served, link(), "POST", body, headers)
    assert reply.status == 200
    assert b"gets no more mail" in reply.body
    assert list(await served.unsubscribed.members(TEAM)) == [BOB]
    assert (await asked(served, link(), "POST", body, headers)).status == 200


@pytest.mark.parametrize(
    ("token", "body", "status"),
    [
        (link()[:-1], ONE_CLICK, 404),
        ("A" * 40, ONE_CLICK, 404),
        ("", ONE_CLICK, 404),
        (unsubscribe_token(b"another", TEAM, BOB), ONE_CLICK, 404),
        (unsubscribe_token(SECRET, "gone@example.com", BOB), ONE_CLICK, 404),
        (link(), b"", 400),
        (link(), b"List-Unsubscribe=No", 400),
        (link(), b"x" * 20_000, 413),
    ],
)
async def test_what_is_no_click_of_ours_changes_nothing(token: str, body: bytes, status: int) -> None:
    served = world()
    assert (await asked(served, token, "POST", body, FORM)).status == status
    assert await served.unsubscribed.members(TEAM) == {}
    assert await served.unsubscribed.members("gone@example.com") == {}
