"""Webmail's pages, asked without a socket by somebody who is signed in."""

from dataclasses import dataclass, field

import httpx
from starlette.routing import Router

from mailstack.model.ids import EmailId
from mailstack.model.instant import Instant
from mailstack.model.mailbox import MailboxRole
from mailstack.model.objectid import email_object_id
from mailstack.model.picture import NoPicture, Picture
from mailstack.ports.picture_host import PictureHost
from mailstack.servers.http.signed_in import COOKIE
from mailstack.servers.webmail.pages import WebmailPages
from mailstack.servers.webmail.picture_links import PictureLinks
from mailstack.servers.webmail.service import WebmailService
from mailstack.services.mailbox import emails
from mailstack.services.mailbox.append import Arrival
from mailstack.services.pictures.fetching import PictureFetching
from tests.support.asking import PEER, asked, floor_under
from tests.support.imap_server import DOMAIN, PASSWORD
from tests.support.jmap_world import JmapWorld
from tests.support.proven_mail import HOSTNAME
from tests.support.stores import mailbox_with

KEY = b"k" * 32


@dataclass
class MemoryPictureHost:
    """Works as ports.picture_host.PictureHost. pictures: by URL. asked: URLs."""

    pictures: dict[str, Picture] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def fetch(self, url: str) -> Picture | NoPicture:
        self.asked.append(url)
        return self.pictures.get(url, NoPicture(reason="there is none"))


async def ask(
    world: JmapWorld,
    path: str,
    *,
    method: str = "GET",
    who: str | None = "u0",
    host: PictureHost | None = None,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    """who: signed in; None: nobody. headers: what a browser says of where it was asked from."""
    sent = {"Sec-Fetch-Site": "same-origin"} if headers is None else {**headers}
    if who is not None:
        logins = world.service.signed_in.web_logins
        _, cookie = await logins.open(f"{who}@{DOMAIN}", PASSWORD, peer_host=PEER[0], agent="")
        sent["Cookie"] = f"{COOKIE}={cookie}"
    service = WebmailService(
        signed_in=world.service.signed_in,
        mail_of=world.service.mail_of,
        hostname=HOSTNAME,
        pictures=PictureFetching(host or MemoryPictureHost()),
        picture_links=PictureLinks(key=KEY),
    )
    router = Router(WebmailPages(service=service).routes(), redirect_slashes=False)
    return await asked(floor_under(router, world.service.clock), method, path, headers=sent)


async def shown_path(world: JmapWorld, raw: bytes, *, role: MailboxRole = MailboxRole.INBOX) -> str:
    """Of a new message of u0."""
    account = await world.account()
    account_id, arrival = account.account_id, Arrival(raw=raw, flags=(), received_at=Instant(0))
    mailbox_id = await mailbox_with(world.imap.store, account_id, role)
    message_id = (await emails.create(world.service.mail_of(account), [mailbox_id], arrival)).message_id
    return f"/mail/shown/{account_id}/{email_object_id(account_id, EmailId(message_id))}"
