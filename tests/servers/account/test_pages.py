"""The account page: what it shows, what its forms do, and who may send them."""

import json
import plistlib
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from dataclasses import replace
from io import BytesIO
from mailbox import mbox
from pathlib import Path
from secrets import token_bytes
from urllib.parse import urlencode
from zipfile import ZipFile

import apsw
import httpx
import pytest
from starlette.routing import Router

from mailstack.model.client_settings import ClientSettings
from mailstack.model.errors import AuthenticationFailed, Forbidden
from mailstack.model.ids import AccountId, MailboxId, ModSeq, Uid
from mailstack.model.instant import Instant
from mailstack.model.mailbox import Mailbox, MailboxRole, MailboxStatus
from mailstack.model.principal import Ability
from mailstack.servers.account.export import names_of
from mailstack.servers.account.pages import EXPORTS_OF_ACCOUNT, MOST_EXPORTS, AccountPages
from mailstack.servers.account.service import AccountService
from mailstack.servers.http.signed_in import COOKIE
from mailstack.services.identity.login import LoginOrigin
from mailstack.services.identity.passwords import HashCost, hash_password
from mailstack.services.identity.phone_links import PhoneLinks
from mailstack.services.mailbox import emails
from mailstack.services.mailbox.append import Arrival
from tests.support.asking import BASE_URL, PEER, asked, floor_under
from tests.support.imap_server import DOMAIN, PASSWORD
from tests.support.jmap_world import JmapWorld, jmap_world
from tests.support.qr_codes import codes_in
from tests.support.stores import account_resource, apply, mailbox_with, updated

ALICE = f"u0@{DOMAIN}"
OWN = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
NOON = Instant(1_700_000_000_000)
STATUS = MailboxStatus(
    messages=0, unseen=0, deleted=0, size_bytes=0, uid_next=Uid(1), uid_validity=1, highest_mod_seq=ModSeq(1)
)
NEW = "another good one"
SETTINGS = ClientSettings(
    domain=DOMAIN,
    login_domain=DOMAIN,
    hostname="mail.example.com",
    ports={"imaps": 993, "submissions": 465},
)
Fields = Mapping[str, str | list[str]]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[JmapWorld]:
    async with jmap_world(tmp_path) as found:
        yield found


async def cookie_of(world: JmapWorld, who: str = ALICE, agent: str = "Firefox") -> str:
    logins = world.service.signed_in.web_logins
    return (await logins.open(who, PASSWORD, peer_host=PEER[0], agent=agent))[1]


def pages_of(world: JmapWorld, settings: ClientSettings | None = SETTINGS) -> AccountPages:
    store, service = world.imap.store, world.service
    return AccountPages(
        service=AccountService(
            signed_in=service.signed_in,
            conduct=service.conduct,
            state=store.state,
            app_passwords=store.app_passwords,
            phone_links=PhoneLinks(accounts=store.accounts, app_passwords=store.app_passwords, key=b"k" * 32),
            settings_of=lambda _: settings,
            sign=lambda content: b"signed:" + content,
            mail_of=service.mail_of,
            clock=service.clock,
            token=token_bytes,
        )
    )


async def ask(
    world: JmapWorld,
    path: str = "/account",
    form: Fields | bytes | None = None,
    *,
    cookie: str = "",
    headers: Mapping[str, str] = OWN,
    settings: ClientSettings | None = SETTINGS,
    method: str = "",
) -> httpx.Response:
    content = form if form is None or isinstance(form, bytes) else urlencode(form, doseq=True).encode()
    app = floor_under(Router(pages_of(world, settings).routes(), redirect_slashes=False), world.service.clock)
    sent = {**headers, "Cookie": f"{COOKIE}={cookie}"} if cookie else headers
    return await asked(app, method or ("GET" if form is None else "POST"), path, headers=sent, content=content)


async def test_nobody_sees_a_page_to_sign_in_by(world: JmapWorld) -> None:
    reply = await ask(world)
    assert reply.status_code == 401
    assert '<form id="sign-in"' in reply.text
    policy = reply.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    for path in re.findall(r'(?:href|src)="(/account/assets/[^"]+)"', reply.text):
        assert (await ask(world, path)).status_code == 200


async def test_the_page_shows_what_is_there_and_nothing_of_others(world: JmapWorld) -> None:
    await cookie_of(world, f"u1@{DOMAIN}", "Other browser")
    cookie = await cookie_of(world, agent="<script>alert(1)</script>")
    reply = await ask(world, cookie=cookie)
    assert (reply.status_code, reply.headers["cache-control"]) == (200, "no-store")
    assert ALICE in reply.text
    assert "this one" in reply.text
    assert "&lt;script&gt;alert(1)" in reply.text
    assert "<script>alert" not in reply.text
    assert "Other browser" not in reply.text


async def test_who_looks_after_the_server_gets_there(world: JmapWorld) -> None:
    cookie = await cookie_of(world)
    assert '<a href="/admin">' not in (await ask(world, cookie=cookie)).text
    given = updated(account_resource(ALICE), password=hash_password(PASSWORD, cost=HashCost.LOW))
    await apply(world.imap.store, given)  # an administrator from now on
    assert '<a href="/admin">' in (await ask(world, cookie=await cookie_of(world))).text


FORMS: list[tuple[str, Fields]] = [
    ("/account/password", {"current": PASSWORD, "new": NEW, "again": NEW}),
    ("/account/app-passwords", {"name": "Phone", "service": ["imap"]}),
    ("/account/phones", {"name": "Phone"}),
    ("/account/app-passwords/end", {"id": "k3f9x2m7"}),
    ("/account/sessions/end", {"id": "others"}),
]


@pytest.mark.parametrize(("path", "form"), FORMS, ids=[path for path, _ in FORMS])
async def test_forms_of_other_pages_and_of_nobody_do_nothing(world: JmapWorld, path: str, form: Fields) -> None:
    cookie = await cookie_of(world)
    await cookie_of(world)
    assert (await ask(world, path, form)).status_code == 401
    for headers in (
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"},
        {"Origin": "https://evil.example"},
        {},
    ):
        assert (await ask(world, path, form, cookie=cookie, headers=headers)).status_code == 403
    account_id = (await world.account()).account_id
    assert not await world.imap.store.app_passwords.of_account(account_id)
    assert len(await world.imap.store.web_sessions.of_account(account_id, now=world.service.clock())) == 2
    assert await logs_in(world, PASSWORD)


@pytest.mark.parametrize("body", [b"", b"\xff", b"a=%ff", b"a", b"&".join([b"id=1"] * 50), b"id=1&id=2"])
@pytest.mark.parametrize("path", [path for path, _ in FORMS], ids=str)
async def test_what_is_no_such_form_is_refused(world: JmapWorld, path: str, body: bytes) -> None:
    assert (await ask(world, path, body, cookie=await cookie_of(world))).status_code == 400


async def test_a_huge_form_is_not_read(world: JmapWorld) -> None:
    reply = await ask(world, "/account/sessions/end", b"id=" + b"x" * 20_000, cookie=await cookie_of(world))
    assert reply.status_code == 413


async def logs_in(world: JmapWorld, password: str, service: str = "imap") -> bool:
    origin = LoginOrigin(service=service, peer_host=PEER[0])
    try:
        await world.service.login.authenticate(ALICE, password, ability=Ability.READ, origin=origin)
    except (AuthenticationFailed, Forbidden):
        return False
    return True


async def test_a_password_is_changed_by_who_knows_it(world: JmapWorld) -> None:
    cookie = await cookie_of(world)
    reply = await ask(world, *FORMS[0], cookie=cookie)
    assert reply.status_code == 200
    assert "Your password is changed" in reply.text
    assert "Max-Age=0" in reply.headers["set-cookie"]
    assert (await ask(world, cookie=cookie)).status_code == 401
    assert not await logs_in(world, PASSWORD)
    assert await logs_in(world, NEW)


@pytest.mark.parametrize(
    ("form", "status", "fault"),
    [
        ({"current": "wrong", "new": NEW, "again": NEW}, 403, "not your password"),
        ({"current": PASSWORD, "new": NEW, "again": NEW + "x"}, 422, "the same twice"),
        ({"current": PASSWORD, "new": "short", "again": "short"}, 422, "at least 8 characters"),
        ({"current": PASSWORD, "new": "x" * 2_000, "again": "x" * 2_000}, 422, "at most 1024 octets"),
    ],
    ids=["wrong", "twice", "short", "long"],
)
async def test_a_password_is_not_changed(world: JmapWorld, form: Fields, status: int, fault: str) -> None:
    reply = await ask(world, "/account/password", form, cookie=await cookie_of(world))
    assert reply.status_code == status
    assert fault in reply.text
    assert await logs_in(world, PASSWORD)


async def test_a_password_of_the_spec_is_the_specs(world: JmapWorld) -> None:
    given = account_resource(ALICE)
    await apply(world.imap.store, updated(given, password=hash_password(PASSWORD, cost=HashCost.LOW)))
    cookie = await cookie_of(world)
    shown = await ask(world, cookie=cookie)
    assert "stands in the configuration" in shown.text
    assert 'action="/account/password"' not in shown.text
    reply = await ask(world, *FORMS[0], cookie=cookie)
    assert reply.status_code == 422
    assert await logs_in(world, PASSWORD)


async def test_an_app_password_is_shown_once_and_ended(world: JmapWorld) -> None:
    cookie = await cookie_of(world)
    reply = await ask(world, "/account/app-passwords", {"name": " <b>Phone", "service": ["imap"]}, cookie=cookie)
    assert reply.status_code == 200
    assert "&lt;b&gt;Phone" in reply.text
    (secret,) = re.findall(r"<code>(mailstack_app_[a-z0-9_]+)</code>", reply.text)
    assert await logs_in(world, secret)
    assert not await logs_in(world, secret, "managesieve")
    again = await ask(world, cookie=cookie)
    assert secret not in again.text
    (app_password_id,) = re.findall(r'app-passwords/end"><button name="id" value="([^"]+)"', again.text)
    others = await cookie_of(world, f"u1@{DOMAIN}")
    for who, ends in ((others, False), (cookie, True)):
        ended = await ask(world, "/account/app-passwords/end", {"id": app_password_id}, cookie=who)
        assert (ended.status_code, ended.headers["location"]) == (303, "/account")
        assert await logs_in(world, secret) is not ends


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"name": " ", "service": ["imap"]}, 422),
        ({"name": "x" * 101, "service": ["imap"]}, 422),
        ({"name": "Phone"}, 422),
        ({"name": "Phone", "service": ["imap", "admin"]}, 400),
        ({"service": ["imap"]}, 400),
    ],
    ids=["blank", "long", "for-nothing", "for-what", "nameless"],
)
async def test_an_app_password_that_makes_no_sense_is_not_made(world: JmapWorld, form: Fields, status: int) -> None:
    assert (await ask(world, "/account/app-passwords", form, cookie=await cookie_of(world))).status_code == status
    assert not await world.imap.store.app_passwords.of_account((await world.account()).account_id)


async def test_a_phone_is_set_up_by_a_code_that_works_once(world: JmapWorld) -> None:
    reply = await ask(world, "/account/phones", {"name": "<b>Phone"}, cookie=await cookie_of(world))
    assert (reply.status_code, reply.headers["cache-control"]) == (200, "no-store")
    assert "&lt;b&gt;Phone" in reply.text
    url, to_import = codes_in(reply.text)
    (secret,) = re.findall(r"<code>(mailstack_app_[a-z0-9_]+)</code>", reply.text)
    assert secret in json.loads(to_import)[2]
    assert secret not in url
    path = url.removeprefix(BASE_URL)
    # A phone is signed in nowhere, and what only looks whether a link is good does not use it up.
    assert (await ask(world, path, headers={}, method="HEAD")).status_code == 200
    given = await ask(world, path, headers={})
    assert given.headers["content-type"] == "application/x-apple-aspen-config"
    assert given.headers["cache-control"] == "no-store"
    account = plistlib.loads(given.content.removeprefix(b"signed:"))["PayloadContent"][0]
    assert (account["EmailAddress"], account["IncomingPassword"]) == (ALICE, secret)
    assert await logs_in(world, secret)
    assert not await logs_in(world, secret, "managesieve")
    again = await ask(world, path, headers={})
    assert again.status_code == 410
    assert secret not in again.text


async def test_links_that_nobody_made_give_nothing(world: JmapWorld) -> None:
    for query in ("", "?once=", "?once=" + "A" * 43):
        assert (await ask(world, f"/account/phone.mobileconfig{query}", headers={})).status_code == 410


async def test_there_are_no_phones_where_no_program_could_read_and_send(world: JmapWorld) -> None:
    cookie = await cookie_of(world)
    assert 'action="/account/phones"' in (await ask(world, cookie=cookie)).text
    for settings in (None, replace(SETTINGS, ports={"https": 443, "imaps": 993})):
        assert 'action="/account/phones"' not in (await ask(world, cookie=cookie, settings=settings)).text
        refused = await ask(world, "/account/phones", {"name": "Phone"}, cookie=cookie, settings=settings)
        assert refused.status_code == 404
    assert not await world.imap.store.app_passwords.of_account((await world.account()).account_id)


async def test_a_phone_without_a_name_is_none(world: JmapWorld) -> None:
    assert (await ask(world, "/account/phones", {"name": " "}, cookie=await cookie_of(world))).status_code == 422


async def test_all_mail_is_exported_and_that_of_nobody_else(world: JmapWorld, tmp_path: Path) -> None:
    for who, count in (("u0", 3), ("u1", 1)):
        account = await world.account(who)
        inbox = await mailbox_with(world.imap.store, account.account_id, MailboxRole.INBOX)
        for number in range(count):
            raw = b"Subject: %s %d\r\n\r\nFrom me\r\n" % (who.encode(), number)
            await emails.create(world.service.mail_of(account), [inbox], Arrival(raw=raw, flags=(), received_at=NOON))
    assert (await ask(world, "/account/export", headers={})).status_code == 401
    reply = await ask(world, "/account/export", cookie=await cookie_of(world))
    assert reply.headers["content-type"] == "application/zip"
    archive = ZipFile(BytesIO(reply.content))
    assert archive.testzip() is None
    assert "INBOX.mbox" in archive.namelist()
    file = tmp_path / "INBOX.mbox"
    file.write_bytes(archive.read("INBOX.mbox"))
    with closing(mbox(file)) as found:
        assert [each["Subject"] for each in found] == ["u0 0", "u0 1", "u0 2"]


async def test_one_that_cannot_be_read_does_not_keep_the_others(world: JmapWorld, tmp_path: Path) -> None:
    account = await world.account()
    inbox = await mailbox_with(world.imap.store, account.account_id, MailboxRole.INBOX)
    for number in range(3):
        arrival = Arrival(raw=b"Subject: %d\r\n\r\n" % number, flags=(), received_at=NOON)
        await emails.create(world.service.mail_of(account), [inbox], arrival)
    spoil_the_second(tmp_path, account.account_id)
    reply = await ask(world, "/account/export", cookie=await cookie_of(world))
    text = ZipFile(BytesIO(reply.content)).read("INBOX.mbox")
    assert (b"Subject: 0" in text, b"Subject: 1" in text, b"Subject: 2" in text) == (True, False, True)


def spoil_the_second(folder: Path, account_id: AccountId) -> None:
    (file,) = (found for found in folder.rglob("mail.db") if account_id in str(found))
    with closing(apsw.Connection(str(file))) as connection:
        connection.execute("UPDATE blob SET content = x'00' WHERE blob_key = 2")


def test_names_of_exported_mailboxes_stay_in_their_folder() -> None:
    tree = [(1, None, ".."), (2, 1, "a/b"), (3, None, "A:B"), (4, None, "a?b"), (5, None, " "), (6, 5, "x\\y")]
    found = [named(*each) for each in tree]
    assert [name for name, _ in names_of(found)] == [
        "_.mbox",
        "_/a_b.mbox",
        "A_B.mbox",
        "a_b (2).mbox",
        "_ (2).mbox",
        "_/x_y.mbox",
    ]


def test_names_of_exported_mailboxes_are_files_everywhere() -> None:
    names = ["con", "Com1.x", "console", "e\u0301", "\u00e9", "fdp\u202egnp", "x\x85y"]
    found = names_of([named(number, None, name) for number, name in enumerate(names, 1)])
    assert [name for name, _ in found] == [
        "_con.mbox",
        "_Com1.x.mbox",
        "console.mbox",
        "e\u0301.mbox",
        "\u00e9 (2).mbox",
        "fdp_gnp.mbox",
        "x_y.mbox",
    ]


async def test_so_many_export_at_a_time(world: JmapWorld) -> None:
    pages = pages_of(world)
    app = floor_under(Router(pages.routes(), redirect_slashes=False), world.service.clock)

    async def export(who: str) -> httpx.Response:
        cookie = await cookie_of(world, f"{who}@{DOMAIN}")
        return await asked(app, "GET", "/account/export", headers={**OWN, "Cookie": f"{COOKIE}={cookie}"})

    alice, bob = (await world.account("u0")).account_id, (await world.account("u1")).account_id
    under_way = pages.exporting
    under_way[alice] = EXPORTS_OF_ACCOUNT
    reply = await export("u0")
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "60")
    assert (await export("u1")).status_code == 200
    under_way[AccountId("others")] = MOST_EXPORTS - EXPORTS_OF_ACCOUNT
    reply = await export("u1")
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "60")
    under_way[alice] -= 1
    assert (await export("u0")).status_code == 200
    assert (under_way[alice], bob in under_way) == (EXPORTS_OF_ACCOUNT - 1, False)


def named(number: int, parent: int | None, name: str) -> Mailbox:
    return Mailbox(
        mailbox_id=MailboxId(number),
        parent_id=None if parent is None else MailboxId(parent),
        name=name,
        role=None,
        is_subscribed=True,
        status=STATUS,
    )


async def test_sessions_are_ended_one_or_all_others(world: JmapWorld) -> None:
    own, second, third = [await cookie_of(world, agent=agent) for agent in ("One", "Two", "Three")]
    stranger = await cookie_of(world, f"u1@{DOMAIN}")
    text = (await ask(world, cookie=own)).text
    (session_id,) = re.findall(r'value="([0-9a-f]+)" aria-label="End Two"', text)
    await ask(world, "/account/sessions/end", {"id": session_id}, cookie=stranger)
    assert (await ask(world, cookie=second)).status_code == 200
    await ask(world, "/account/sessions/end", {"id": session_id}, cookie=own)
    assert [(await ask(world, cookie=each)).status_code for each in (own, second, third)] == [200, 401, 200]
    await ask(world, "/account/sessions/end", {"id": "others"}, cookie=own)
    assert [(await ask(world, cookie=each)).status_code for each in (own, third, stranger)] == [200, 401, 200]
    (own_id,) = re.findall(r'value="([0-9a-f]+)" aria-label="End One"', text)
    reply = await ask(world, "/account/sessions/end", {"id": own_id}, cookie=own)
    assert "Max-Age=0" in reply.headers["set-cookie"]
    assert (await ask(world, cookie=own)).status_code == 401
