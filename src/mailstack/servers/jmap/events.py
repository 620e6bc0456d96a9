"""Where clients listen for changes of state. RFC 8620 §7.3."""

from starlette.requests import Request
from starlette.responses import Response

from mailstack.model.principal import Account
from mailstack.model.states import AccountStates
from mailstack.servers.http.line import LineResponse
from mailstack.servers.http.target import HTTP_1_0
from mailstack.servers.jmap.event_stream import EventStream
from mailstack.servers.jmap.service import JmapService
from mailstack.servers.jmap.staying import staying
from mailstack.wire.jmap.event_stream import read_events_wanted
from mailstack.wire.jmap.state_change import read_known

# A proxy that gathers what it passes on would keep events back; nginx is asked not to by the last one.
_HEADERS = {"Content-Type": "text/event-stream", "Connection": "close", "X-Accel-Buffering": "no"}
_CHUNKED = {"Transfer-Encoding": "chunked"}


async def events(service: JmapService, login: Account, request: Request) -> Response:
    """Raises RequestProblem, DomainError; the answer may be refused yet: there may be too many."""
    wanted = read_events_wanted(request.query_params)
    if request.method == "HEAD":
        return Response(headers=_HEADERS)
    is_chunked = request.scope["http_version"] != HTTP_1_0
    stream = EventStream(login, service.accounts, wanted, is_chunked=is_chunked)
    stream.hear_from(await service.feed.listen(login.account_id, wanted.types, stream.tell, since=_last_known(request)))
    guest = await staying(stream, service, request)
    return LineResponse(guest, headers=_HEADERS | (_CHUNKED if is_chunked else {}))


def _last_known(request: Request) -> AccountStates | None:
    """None: who comes for the first time knows what it has just asked for. Of what we cannot read, nothing is known."""
    text = request.headers.get("last-event-id", "")
    return (read_known(text) or {}) if text else None
