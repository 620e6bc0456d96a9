"""The page, its files, and mail as documents."""

import gzip
import re
from collections.abc import AsyncIterator
from pathlib import Path
from posixpath import dirname, join, normpath

import pytest

from mailstack.model.mailbox import MailboxRole
from mailstack.servers.webmail.assets import MAIN, load_assets, load_page
from mailstack.servers.webmail.shown import MAX_TEXT_OCTETS
from tests.support.asking import BASE_URL
from tests.support.jmap_calls import share
from tests.support.jmap_world import JmapWorld, jmap_world
from tests.support.stores import mailbox_with
from tests.support.webmail_pages import ask, shown_path

MOST_SCRIPT_OCTETS = 150_000
"""Of all scripts, compressed: what a first visit costs."""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[JmapWorld]:
    async with jmap_world(tmp_path) as found:
        yield found


async def test_the_page_and_all_that_it_names(world: JmapWorld) -> None:
    page = await ask(world, "/mail", who=None)
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-cache")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    named = re.findall(r'(?:href|src)="([^"]+)"', page.text)
    named.remove("/jmap/session")
    assert len(named) > 30
    for path in named:
        reply = await ask(world, path, who=None)
        assert (reply.status_code, reply.headers["cache-control"]) == (200, "public, immutable, max-age=31536000")
        assert reply.headers["x-content-type-options"] == "nosniff"
    home = await ask(world, "/", who=None)
    assert (home.status_code, home.headers["location"]) == (302, "/mail")


def test_every_module_that_is_imported_is_there() -> None:
    files = load_assets().files
    for path, asset in files.items():
        if path.endswith(".js"):
            for name in re.findall(r'from "([^"]+)"', asset.content.decode()):
                assert normpath(join(dirname(path), name)) in files, f"{path} imports {name}"


def test_the_page_names_every_module_that_is_needed_at_once() -> None:
    files = load_assets().files
    named = re.findall(r'<link rel="modulepreload" href="/mail/assets/\w+/([^"]+)">', load_page().content.decode())
    assert len(named) == len({*named})
    # Settings alone are loaded when they are wanted, but for the module that loads them.
    wanted = {path for path in files if path.endswith(".js") and not path.startswith("ui/settings/")}
    assert {*named, MAIN} <= wanted
    for path in (*named, MAIN):
        for name in re.findall(r'from "([^"]+)"', files[path].content.decode()):
            assert normpath(join(dirname(path), name)) in named


async def test_the_worker_is_asked_for_each_time(world: JmapWorld) -> None:
    worker = await ask(world, "/mail/worker.js", who=None)
    assert (worker.status_code, worker.headers["cache-control"]) == (200, "no-cache")
    assert worker.headers["content-type"] == "text/javascript; charset=utf-8"
    assert worker.headers["service-worker-allowed"] == "/mail"


def test_scripts_are_few() -> None:
    scripts = [each for path, each in load_assets().files.items() if path.endswith(".js")]
    assert sum(len(each.compressed) for each in scripts) < MOST_SCRIPT_OCTETS


@pytest.mark.parametrize("path", ["nothing.js", "../pages.py", "..%2Fpages.py", "vendor/", "", "index.html"])
async def test_nothing_else_is_a_file(world: JmapWorld, path: str) -> None:
    assert (await ask(world, f"/mail/assets/{load_assets().version}/{path}", who=None)).status_code == 404
    assert (await ask(world, "/mail/assets/0/main.js", who=None)).status_code == 404


async def test_files_are_compressed_for_who_wants_that(world: JmapWorld) -> None:
    path = f"/mail/assets/{load_assets().version}/main.js"
    plain = await ask(world, path, who=None, headers={"Accept-Encoding": "identity"})
    packed = await ask(world, path, who=None, headers={"Accept-Encoding": "gzip"})
    assert (plain.content, packed.headers["content-encoding"]) == (packed.content, "gzip")
    assert gzip.decompress(load_assets().files["main.js"].compressed) == plain.content


async def test_mail_is_cleaned_and_closed_in(world: JmapWorld) -> None:
    raw = b"Content-Type: text/html\r\n\r\n<p onclick=x()>Hello<script>x()</script><img src=http://e/x.gif>"
    reply = await ask(world, await shown_path(world, raw))
    assert "Hello" in reply.text
    assert "x()" not in reply.text
    assert 'data-hidden-pictures="1"' in reply.text
    policy = reply.headers["content-security-policy"].split("; ")
    assert policy[:2] == ["sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox", "default-src 'none'"]
    assert "frame-ancestors 'self'" in policy
    assert not any(each.startswith("script-src") for each in policy)


async def test_pictures_of_the_message_itself(world: JmapWorld) -> None:
    raw = (
        b"Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n"
        b"<img src='cid:a@x'><img src='cid:other'>\r\n--b\r\n"
        b"Content-Type: image/png\r\nContent-ID: <a@x>\r\n\r\nP\r\n--b--\r\n"
    )
    path = await shown_path(world, raw)
    account_id = (await world.account()).account_id
    text = (await ask(world, path)).text
    assert f'<img src="{BASE_URL}/jmap/download/{account_id}/P{account_id}-1-2/picture?accept=image/png"' in text
    assert text.count("<img src=") == 1


@pytest.mark.parametrize(("octets", "is_shown"), [(100_000, True), (MAX_TEXT_OCTETS, False)])
async def test_a_picture_in_the_text_itself_is_no_larger_than_text_may_be(
    world: JmapWorld, octets: int, *, is_shown: bool
) -> None:
    dot = b"A" * octets
    raw = b"Content-Type: text/html\r\n\r\nHello <img src='data:image/png;base64," + dot + b"'> there\r\n"
    text = (await ask(world, await shown_path(world, raw))).text
    assert "Hello" in text
    assert ('src="data:image/png' in text) is is_shown
    assert len(text) < octets + 2_000


async def test_plain_text_and_pictures_beside_it(world: JmapWorld) -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n1 < 2, see https://x.example/.\r\n"
        b"--b\r\nContent-Type: image/png; name=p.png\r\n\r\nP\r\n--b--\r\n"
    )
    text = (await ask(world, await shown_path(world, raw))).text
    assert '1 &lt; 2, see <a href="https://x.example/"' in text
    assert 'alt="p.png"' in text


async def test_only_who_may_read_it(world: JmapWorld) -> None:
    path = await shown_path(world, b"Subject: x\r\n\r\nsecret")
    assert [(await ask(world, path, who=who)).status_code for who in ("u0", "u1", None)] == [200, 404, 401]
    await share(
        world, await mailbox_with(world.imap.store, (await world.account()).account_id, MailboxRole.INBOX), "lr"
    )
    assert (await ask(world, path, who="u1")).status_code == 200
    assert (await ask(world, f"{path}9", who="u0")).status_code == 404
    from_elsewhere = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert (await ask(world, path, headers=from_elsewhere)).status_code == 403
