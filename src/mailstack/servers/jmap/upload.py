"""Octets that a client sends, to be named in a method call afterwards. RFC 8620 §6.1."""

from typing import Any

from starlette.requests import Request

from mailstack.net.spool import Spool
from mailstack.servers.http.problem import CONTENT_TOO_LARGE, NO_SUCH_PAGE, Problem, Refused
from mailstack.servers.jmap.announced import announced_octets
from mailstack.servers.jmap.blob_named import upload_id
from mailstack.servers.jmap.method import Call
from mailstack.wire.jmap.faults import MethodFault
from mailstack.wire.jmap.request import ProblemType

UNKNOWN_TYPE = "application/octet-stream"


async def upload(call: Call, request: Request) -> dict[str, Any]:
    """What is answered. Raises Refused, RequestProblem, DomainError."""
    service, account_id = call.service, request.path_params["accountId"]
    try:
        await call.mail(account_id)
    except MethodFault:
        raise Refused(NO_SUCH_PAGE) from None
    with service.upload_turns.turn(call.login.account_id, limit=service.limits.concurrent_upload), Spool() as spool:
        await _receive(request, spool, service.limits.upload_octets)
        found = await uploaded(call, spool, request.headers.get("content-type", UNKNOWN_TYPE))
    return {"accountId": account_id, **found}


async def uploaded(call: Call, spool: Spool, type_: str) -> dict[str, Any]:
    """What was written into the spool, for who asks, and what is answered of it. Raises DomainError."""
    service = call.service
    blob_id = await service.uploads.put(
        call.login.account_id, spool.octets(), now=service.clock(), limit_bytes=service.limits.uploads_octets
    )
    return {"blobId": upload_id(blob_id), "type": type_, "size": spool.size_octets}


async def _receive(request: Request, spool: Spool, limit: int) -> None:
    too_large = Problem(
        status=CONTENT_TOO_LARGE.status,
        title=CONTENT_TOO_LARGE.title,
        detail=f"maxSizeUpload is {limit}",
        type=ProblemType.LIMIT.value,
        more={"limit": "maxSizeUpload"},
    )
    if announced_octets(request) > limit:
        raise Refused(too_large)
    async for piece in request.stream():
        if spool.size_octets + len(piece) > limit:
            raise Refused(too_large)
        spool.write(piece)
