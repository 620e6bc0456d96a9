"""One email as a document for a frame: what its sender wrote, cleaned, and nothing that runs or asks.

The page around it may look into the frame, to give it its height; nothing in the frame can look out.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from mailstack.formats.body_parts import body_lists, content_id, file_name, part_leaves
from mailstack.formats.body_value import body_value
from mailstack.formats.mime import Part, scan
from mailstack.formats.shown_html import Pictures, cleaned, text_as_html
from mailstack.model.errors import NotFound
from mailstack.model.ids import AccountId, MessageId
from mailstack.model.objectid import MailBlob, blob_object_id, email_id_of
from mailstack.servers.http.asked import base_url
from mailstack.servers.http.problem import NO_SUCH_PAGE, Refused
from mailstack.servers.webmail.service import WebmailService
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.blobs import open_blob, read_whole
from mailstack.services.mailbox.bodies import WHOLE_OCTETS
from mailstack.services.mailbox.sharing import mail_shared_by

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
    web_login = await service.signed_in.require(request)
    own = service.mail_of(web_login.account)
    mail = await _mail(own, request.path_params["accountId"])
    number = email_id_of(mail.account_id, request.path_params["emailId"])
    if number is None:
        raise Refused(NO_SUCH_PAGE)
    raw = await read_whole(await open_blob(mail, MailBlob(MessageId(number))))
    document = _Document(raw=raw, account_id=mail.account_id, message_id=MessageId(number), base_url=base_url(request))
    page = document.write() if len(raw) <= WHOLE_OCTETS else await asyncio.to_thread(document.write)
    headers = {
        "Content-Security-Policy": SECURITY,
        # RFC 8620 §6.2's reason: what a message says never changes. But who may read it does.
        "Cache-Control": "private, no-cache",
    }
    return HTMLResponse(page, headers=headers)


async def _mail(own: AccountMail, account_id: str) -> AccountMail:
    if account_id == own.account_id:
        return own
    try:
        return await mail_shared_by(own, AccountId(account_id))
    except NotFound:
        raise Refused(NO_SUCH_PAGE) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    raw: bytes
    account_id: AccountId
    message_id: MessageId
    base_url: str

    def write(self) -> str:
        root = scan(self.raw)
        leaves = list(part_leaves(root))
        numbers = {id(leaf): at for at, leaf in enumerate(leaves, 1)}
        by_cid = {content_id(leaf) or f"{_PART}{numbers[id(leaf)]}": leaf for leaf in leaves if leaf.type == b"image"}

        def of_part(cid: str) -> str | None:
            leaf = by_cid.get(cid)
            return None if leaf is None else self._address(leaf, numbers[id(leaf)])

        pictures = Pictures(of_part=of_part, of_elsewhere=None)
        shown = "<hr>".join(self._parts(body_lists(root).html, numbers))
        body = cleaned(shown, pictures)
        return (
            f'<!doctype html><html lang="und"><meta charset="utf-8"><title></title><style>{_STYLE}</style>'
            f'<body data-hidden-pictures="{pictures.hidden}">{body}'
        )

    def _parts(self, parts: Sequence[Part], numbers: Mapping[int, int]) -> Iterator[str]:
        for part in parts:
            if part.type == b"text":
                text = body_value(self.raw, part, max_octets=MAX_TEXT_OCTETS).text
                yield text if part.subtype == b"html" else text_as_html(text)
            elif part.type == b"image" and not content_id(part):
                yield f'<img src="cid:{_PART}{numbers[id(part)]}" alt="{escape(file_name(part) or "")}">'

    def _address(self, part: Part, number: int) -> str:
        blob_id = blob_object_id(self.account_id, MailBlob(self.message_id, number))
        media_type = f"{part.type.decode('ascii', 'replace')}/{part.subtype.decode('ascii', 'replace')}"
        return f"{self.base_url}/jmap/download/{self.account_id}/{blob_id}/picture?accept={quote(media_type)}"
