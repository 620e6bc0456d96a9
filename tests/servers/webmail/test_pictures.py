"""Pictures of elsewhere: hidden until somebody asks, by way of us and for that person alone, and always for those whom
one wants to see."""

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest

from mailstack.model.mailbox import MailboxRole
from mailstack.model.picture import Picture
from mailstack.servers.webmail.picture_links import PictureLinks
from tests.support.asking import BASE_URL
from tests.support.jmap_calls import share
from tests.support.jmap_world import JmapWorld, jmap_world
from tests.support.proven_mail import came
from tests.support.stores import mailbox_with
from tests.support.webmail_pages import KEY, MemoryPictureHost, ask, shown_path

URL = "https://shop.example/a.png?x=1&y=%20z"
MAIL = (
    b"From: News <news@shop.example>\r\nContent-Type: text/html\r\n\r\n"
    b"<img src='https://shop.example/a.png?x=1&amp;y= z' alt=Shoes>"
    b"<img src=https://shop.example/dot.gif width=1 height=1>"
    b"<img src='https://127.1/b.png' alt=None>"
)
PROVEN = came(MAIL, domain="shop.example")
ELSEWHERE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[JmapWorld]:
    async with jmap_world(tmp_path) as found:
        yield found


def sources(page: str) -> list[str]:
    return [unescape(each) for each in re.findall(r'<img[^>]* src="([^"]+)"', page)]


def said(page: str) -> dict[str, str]:
    return dict(re.findall(r'data-([a-z-]+)="([^"]*)"', page))


async def picture_path(world: JmapWorld, path: str, who: str = "u0") -> str:
    (source,) = sources((await ask(world, f"{path}?pictures=1", who=who)).text)
    return source.removeprefix(BASE_URL)


async def test_they_are_shown_to_who_asks_and_by_way_of_us(world: JmapWorld) -> None:
    path = await shown_path(world, MAIL)
    hiding = (await ask(world, path)).text
    assert sources(hiding) == []
    assert said(hiding) == {"hidden-pictures": "2", "left-out": "1", "author": "", "is-always": "0"}
    showing = (await ask(world, f"{path}?pictures=1")).text
    assert said(showing) == {"hidden-pictures": "0", "left-out": "1", "author": "", "is-always": "0"}
    account_id = (await world.account()).account_id
    # What leads nowhere is not asked for, nor is what nobody sees.
    assert sources(showing) == [BASE_URL + PictureLinks(key=KEY).path(account_id, URL)]
    assert 'alt="Shoes"' in showing


async def test_a_picture_is_a_picture_and_nothing_more(world: JmapWorld) -> None:
    path = await picture_path(world, await shown_path(world, MAIL))
    host = MemoryPictureHost(pictures={URL: Picture(media_type="image/webp", content=b"RIFF")})
    reply = await ask(world, path, host=host)
    assert (reply.status_code, reply.content, host.asked) == (200, b"RIFF", [URL])
    assert reply.headers["content-type"] == "image/webp"
    assert reply.headers["content-security-policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
    assert reply.headers["content-disposition"] == "inline"
    assert reply.headers["cache-control"] == "private, max-age=86400"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["cross-origin-resource-policy"] == "same-origin"
    missing = await ask(world, path)
    assert (missing.status_code, missing.headers["cache-control"]) == (404, "no-store")
    assert len(missing.content) < 200


async def test_only_what_we_have_made_is_fetched_and_for_whom_we_have_made_it(world: JmapWorld) -> None:
    path = await picture_path(world, await shown_path(world, MAIL))
    proof = path.split("?")[0].rpartition("/")[2]
    host = MemoryPictureHost()
    forged = [
        path.replace("x%3D1", "x%3D2"),
        path.replace(proof, proof[:-1] + ("a" if proof[-1] != "a" else "b")),
        path.replace(proof, "ü"),
        path.split("?")[0],
        f"{path.split('?')[0]}?url=",
        "/mail/picture/?url=https%3A%2F%2Fx.example%2F",
    ]
    assert [(await ask(world, each, host=host)).status_code for each in forged] == [404] * len(forged)
    assert (await ask(world, path, who="u1", host=host)).status_code == 404
    assert (await ask(world, path, who=None, host=host)).status_code == 401
    assert (await ask(world, path, host=host, headers=ELSEWHERE)).status_code == 403
    assert host.asked == []


async def test_of_shared_mail_each_reader_has_addresses_of_their_own(world: JmapWorld) -> None:
    path = await shown_path(world, MAIL)
    inbox = await mailbox_with(world.imap.store, (await world.account()).account_id, MailboxRole.INBOX)
    await share(world, inbox, "lr")
    of_each = [await picture_path(world, path, who) for who in ("u0", "u1")]
    assert of_each[0] != of_each[1]
    host = MemoryPictureHost()
    assert (await ask(world, of_each[1], who="u1", host=host)).status_code == 404
    assert host.asked == [URL]


async def test_always_for_whom_it_is_wanted(world: JmapWorld) -> None:
    path, other = await shown_path(world, PROVEN), await shown_path(world, PROVEN)
    page = (await ask(world, path)).text
    assert said(page) == {"hidden-pictures": "2", "left-out": "1", "author": "news@shop.example", "is-always": "0"}
    assert (await ask(world, f"{path}/always", method="PUT")).status_code == 204
    for each in (path, other):
        page = (await ask(world, each)).text
        assert said(page) == {"hidden-pictures": "0", "left-out": "1", "author": "news@shop.example", "is-always": "1"}
        assert len(sources(page)) == 1
    assert (await ask(world, f"{other}/always", method="DELETE")).status_code == 204
    assert said((await ask(world, path)).text)["is-always"] == "0"


async def test_never_for_whom_nobody_has_proven_and_never_in_junk(world: JmapWorld) -> None:
    proven = await shown_path(world, PROVEN)
    assert (await ask(world, f"{proven}/always", method="PUT")).status_code == 204
    unproven = await shown_path(world, MAIL)
    forged = await shown_path(world, came(MAIL, domain="shop.example", dmarc="fail"))
    junk = await shown_path(world, PROVEN, role=MailboxRole.JUNK)
    for path in (unproven, forged, junk):
        page = (await ask(world, path)).text
        assert (sources(page), said(page)["author"], said(page)["is-always"]) == ([], "", "0")
        assert (await ask(world, f"{path}/always", method="PUT")).status_code == 422
        # Whoever asks sees them all the same.
        assert len(sources((await ask(world, f"{path}?pictures=1")).text)) == 1


async def test_always_is_each_readers_own_word_on_mail_they_may_read(world: JmapWorld) -> None:
    path = await shown_path(world, PROVEN)
    assert [(await ask(world, f"{path}/always", method="PUT", who=who)).status_code for who in ("u1", None)] == [
        404,
        401,
    ]
    inbox = await mailbox_with(world.imap.store, (await world.account()).account_id, MailboxRole.INBOX)
    await share(world, inbox, "lr")
    assert (await ask(world, f"{path}/always", method="PUT", who="u1")).status_code == 204
    assert [said((await ask(world, path, who=who)).text)["is-always"] for who in ("u0", "u1")] == ["0", "1"]


async def test_another_site_changes_nothing(world: JmapWorld) -> None:
    path = await shown_path(world, PROVEN)
    for headers in (ELSEWHERE, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "same-site"}):
        assert (await ask(world, f"{path}/always", method="PUT", headers=headers)).status_code == 403
    assert said((await ask(world, path)).text)["is-always"] == "0"
