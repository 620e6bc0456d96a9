"""One blob over HTTP, whole or a range of it. RFC 8620 §6.2, RFC 9110 §14.2."""

import re
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from mailstack.servers.http.problem import NO_SUCH_PAGE, Problem, Refused
from mailstack.servers.http.ranges import Unsatisfiable, range_of
from mailstack.servers.jmap.blob_named import open_named
from mailstack.servers.jmap.method import Call
from mailstack.services.mailbox.blobs import Blob
from mailstack.wire.jmap.faults import MethodFault

# RFC 9110 §8.3.1: media-type, as simple as clients write it.
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]{1,127}/[\w!#$&^.+-]{1,127}(?:[ \t]*;[ \t]*[\w-]+=[\w.+-]+)*", re.ASCII)
# RFC 6266 Appendix D: neither quotes nor percent signs, which programs read in ways of their own.
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 !#$&()+,.=@\[\]^_`{}~-]")
_UNKNOWN_TYPE = "application/octet-stream"
# Fetch Metadata (W3C), Sec-Fetch-Dest: what a browser may ask a blob for. No script, style or worker of our pages is
# one, whatever type the client says it has.
_DESTINATIONS = frozenset({"audio", "document", "empty", "image", "video"})
NOT_FOR_PAGES = Problem(status=403, title="Mail is no part of a page")
# RFC 8620 §6.2: what a blob holds never changes, and it is its owner's alone.
_FOREVER = "private, immutable, max-age=31536000"


async def download(call: Call, request: Request) -> Response:
    """Raises Refused, DomainError."""
    if request.headers.get("sec-fetch-dest", "empty") not in _DESTINATIONS:
        raise Refused(NOT_FOR_PAGES)
    account_id, blob_id = request.path_params["accountId"], request.path_params["blobId"]
    blob = await _blob(call, account_id, blob_id)
    tag = f'"{blob_id}"'
    status, headers = 200, _headers(request, tag)
    start, stop = 0, blob.size_octets
    wanted = _range(request, blob.size_octets, tag)
    if wanted is not None:
        status, (start, stop) = 206, wanted
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{blob.size_octets}"
    headers["Content-Length"] = str(stop - start)
    return StreamingResponse(blob.pieces(start, stop), status_code=status, headers=headers)


async def _blob(call: Call, account_id: str, blob_id: str) -> Blob:
    try:
        mail = await call.mail(account_id)
    except MethodFault:
        raise Refused(NO_SUCH_PAGE) from None
    return await open_named(call, mail, blob_id)


def _range(request: Request, size: int, tag: str) -> tuple[int, int] | None:
    # RFC 9110 §13.1.5: of another state than the client has, the whole.
    if request.headers.get("if-range", tag) != tag:
        return None
    try:
        return range_of(request.headers.get("range", ""), size)
    except Unsatisfiable:
        headers = {"Content-Range": f"bytes */{size}"}
        raise Refused(Problem(status=416, title="There are no such octets", headers=headers)) from None


def _headers(request: Request, tag: str) -> dict[str, str]:
    accepted = request.query_params.get("accept", "")
    return {
        "Content-Type": accepted if _MEDIA_TYPE.fullmatch(accepted) else _UNKNOWN_TYPE,
        # Never shown in a page of ours, whatever type the client says it has.
        "Content-Disposition": f"attachment; {_file_name(request.path_params['name'])}",
        "Cache-Control": _FOREVER,
        # Where a browser shows it all the same, it is nobody's page.
        "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        "Accept-Ranges": "bytes",
        "ETag": tag,
    }


def _file_name(name: str) -> str:
    """RFC 6266 §4.3: for all programs what is plain of it, for those that read RFC 8187 the whole."""
    plain = _NOT_PLAIN.sub("_", name)
    whole = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'filename="{plain}"{whole}'
