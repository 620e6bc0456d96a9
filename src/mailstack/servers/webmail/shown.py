"""One email as a document for a frame: what its sender wrote, cleaned, and nothing that runs or asks.

The page around it may look into the frame, to give it its height; nothing in the frame can look out.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from mailstack.formats.body_parts import body_lists, content_id, file_name, part_leaves
from mailstack.formats.body_value import body_value
from mailstack.formats.mime import Part, scan
from mailstack.formats.shown_html import Pictures, cleaned, text_as_html
from mailstack.formats.web_url import link_of
from mailstack.model.errors import Invalid, NotFound
from mailstack.model.ids import AccountId, MessageId
from mailstack.model.objectid import MailBlob, blob_object_id, email_id_of
from mailstack.servers.http.asked import base_url
from mailstack.servers.http.problem import NO_SUCH_PAGE, Problem, Refused
from mailstack.servers.webmail.picture_links import PictureLinks
from mailstack.servers.webmail.service import WebmailService
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.blobs import open_blob, read_whole
from mailstack.services.mailbox.sharing import mail_shared_by
from mailstack.services.pictures.authors import author_to_trust, authors_shown, show_always, show_no_more

MAX_TEXT_OCTETS = 2 * 1024 * 1024
"""Of one part. More is not read on a page."""
# allow-same-origin: so that the page around it may measure it; no script runs in it that could make use of that.
SECURITY = "; ".join(
    (
        "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox",
        "default-src 'none'",
        "img-src 'self' data:",
        "style-src 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    )
)
PICTURES = "pictures"
"""In the query, "1": show those of elsewhere."""
NOT_PROVEN = Problem(status=422, title="Nobody has proved that this mail is its author's, or it lies in Junk")
# What pictures without a Content-ID are named by.
_PART = "part-"
_STYLE = (
    "body{margin:0;padding:.7em .85em;font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}"
    "body{color:#1a1a1a;background:#fff}"
    "img{max-width:100%;height:auto}pre{white-space:pre-wrap}table{max-width:100%}"
    "blockquote{margin:0 0 0 .5em;padding-left:.75em;border-left:2px solid #bbb}"
)


async def shown_email(service: WebmailService, request: Request) -> Response:
    """Raises Refused, DomainError."""
    opened = await _open(service, request)
    author = await opened.author()
    is_always = bool(author) and author in await authors_shown(opened.own)
    document = _Document(
        raw=opened.raw,
        account_id=opened.mail.account_id,
        message_id=opened.message_id,
        viewer=opened.own.account_id,
        base_url=base_url(request),
        links=service.picture_links if is_always or request.query_params.get(PICTURES) == "1" else None,
        author=author,
        is_always=is_always,
    )
    # Of what a sender made to take long, a few hundred kilobytes are enough to be noticed by everybody else here.
    page = await asyncio.to_thread(document.write)
    headers = {
        "Content-Security-Policy": SECURITY,
        # RFC 8620 §6.2's reason: what a message says never changes. But who may read it does.
        "Cache-Control": "private, no-cache",
    }
    return HTMLResponse(page, headers=headers)


async def always_shown(service: WebmailService, request: Request) -> Response:
    """PUT: pictures of whoever wrote that email are shown without being asked for, from now on; DELETE: no more.
    Raises Refused, DomainError."""
    opened = await _open(service, request)
    author = await opened.author()
    if not author:
        raise Refused(NOT_PROVEN)
    await (show_always if request.method == "PUT" else show_no_more)(opened.own, author)
    return Response(status_code=204)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """own: of who looks. mail: in which it lies. hostname: ours."""

    own: AccountMail
    mail: AccountMail
    message_id: MessageId
    raw: bytes
    hostname: str

    async def author(self) -> str:
        """As services.pictures.authors has it."""
        return await author_to_trust(self.mail, self.message_id, self.raw, hostname=self.hostname)


async def _open(service: WebmailService, request: Request) -> _Opened:
    """Raises Refused, DomainError."""
    own = service.mail_of((await service.signed_in.require(request)).account)
    mail = await _mail(own, request.path_params["accountId"])
    number = email_id_of(mail.account_id, request.path_params["emailId"])
    if number is None:
        raise Refused(NO_SUCH_PAGE)
    message_id = MessageId(number)
    raw = await read_whole(await open_blob(mail, MailBlob(message_id)))
    return _Opened(own=own, mail=mail, message_id=message_id, raw=raw, hostname=service.hostname)


async def _mail(own: AccountMail, account_id: str) -> AccountMail:
    if account_id == own.account_id:
        return own
    try:
        return await mail_shared_by(own, AccountId(account_id))
    except NotFound:
        raise Refused(NO_SUCH_PAGE) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    """viewer: who looks. links: to pictures of elsewhere; None: they are not shown. author, is_always: for the page
    around it."""

    raw: bytes
    account_id: AccountId
    message_id: MessageId
    viewer: AccountId
    base_url: str
    links: PictureLinks | None
    author: str
    is_always: bool

    def write(self) -> str:
        root = scan(self.raw)
        leaves = list(part_leaves(root))
        numbers = {id(leaf): at for at, leaf in enumerate(leaves, 1)}
        by_cid = {content_id(leaf) or f"{_PART}{numbers[id(leaf)]}": leaf for leaf in leaves if leaf.type == b"image"}

        def of_part(cid: str) -> str | None:
            leaf = by_cid.get(cid)
            return None if leaf is None else self._address(leaf, numbers[id(leaf)])

        of_elsewhere = None if self.links is None else partial(self._of_elsewhere, self.links)
        pictures = Pictures(of_part=of_part, of_elsewhere=of_elsewhere)
        # Each by itself: what one leaves open must not take in the others.
        body = "<hr>".join(cleaned(part, pictures) for part in self._parts(body_lists(root).html, numbers))
        return (
            f'<!doctype html><html lang="und"><meta charset="utf-8"><title></title><style>{_STYLE}</style>'
            f'<body data-hidden-pictures="{pictures.hidden}" data-left-out="{pictures.left_out}"'
            f' data-author="{escape(self.author)}" data-is-always="{int(self.is_always)}">{body}'
        )

    def _parts(self, parts: Sequence[Part], numbers: Mapping[int, int]) -> Iterator[str]:
        for part in parts:
            if part.type == b"text":
                text = body_value(self.raw, part, max_octets=MAX_TEXT_OCTETS).text
                yield text if part.subtype == b"html" else text_as_html(text)
            elif part.type == b"image" and not content_id(part):
                yield f'<img src="cid:{_PART}{numbers[id(part)]}" alt="{escape(file_name(part) or "")}">'

    def _of_elsewhere(self, links: PictureLinks, url: str) -> str | None:
        try:
            return self.base_url + links.path(self.viewer, str(link_of(url)))
        except Invalid:
            return None

    def _address(self, part: Part, number: int) -> str:
        blob_id = blob_object_id(self.account_id, MailBlob(self.message_id, number))
        media_type = f"{part.type.decode('ascii', 'replace')}/{part.subtype.decode('ascii', 'replace')}"
        return f"{self.base_url}/jmap/download/{self.account_id}/{blob_id}/picture?accept={quote(media_type)}"
