"""JSON as an answer, compressed where that is worth it and wanted. RFC 8620 §3.4, RFC 9110 §8.4.1.3, §12.5.3."""

import asyncio
import gzip
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from mailstack.servers.http.compression import takes_gzip

# A packet is sent whole, whatever little is in it.
MIN_OCTETS = 1400
LARGE_OCTETS = 256 * 1024
"""What is larger is written in a thread."""
# More would cost several times the time of all else, for a tenth less.
_LEVEL = 1


async def json_answer(request: Request, value: Any) -> Response:  # noqa: ANN401  # JSON of whatever shape
    content = orjson.dumps(value)
    headers = {"Vary": "Accept-Encoding"}
    if len(content) >= MIN_OCTETS and takes_gzip(request):
        headers["Content-Encoding"] = "gzip"
        content = await _compressed(content)
    return Response(content, headers=headers, media_type="application/json")


async def _compressed(content: bytes) -> bytes:
    if len(content) > LARGE_OCTETS:
        return await asyncio.to_thread(gzip.compress, content, _LEVEL, mtime=0)
    return gzip.compress(content, _LEVEL, mtime=0)
