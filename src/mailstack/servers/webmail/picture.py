"""Pictures of elsewhere by way of us, for who reads the mail that names them: who sent it learns that somebody here
looked, and when, and neither who nor with what or from where.
"""

import structlog
from starlette.requests import Request
from starlette.responses import Response

from mailstack.formats.web_url import parse_web_url
from mailstack.model.errors import Invalid
from mailstack.model.picture import NoPicture
from mailstack.servers.http.problem import NO_SUCH_PAGE, Refused
from mailstack.servers.webmail.picture_links import URL
from mailstack.servers.webmail.service import WebmailService

HEADERS = {
    # Should somebody open it as a page, it is a picture all the same, and has no place to do anything from.
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Content-Disposition": "inline",
    "Cache-Control": "private, max-age=86400",
}

log = structlog.get_logger()


async def picture(service: WebmailService, request: Request) -> Response:
    """Raises Refused."""
    viewer = (await service.signed_in.require(request)).account
    url = request.query_params.get(URL, "")
    if not service.picture_links.is_ours(viewer.account_id, url, request.path_params["proof"]):
        raise Refused(NO_SUCH_PAGE)
    found = await service.pictures.fetch(viewer.account_id, url)
    if isinstance(found, NoPicture):
        log.info("picture not had", account=viewer.login, host=_host(url), reason=found.reason)
        raise Refused(NO_SUCH_PAGE)
    return Response(found.content, media_type=found.media_type, headers=HEADERS)


def _host(url: str) -> str:
    """All that a log needs: what stands behind it tells one reader from another."""
    try:
        return parse_web_url(url).host
    except Invalid:
        return ""
