"""What a request says of itself: where it was sent, and who sent it."""

import re

from starlette.requests import Request

from mailstack.servers.http.floor import HOST

_PORT = re.compile(r":[0-9]+\Z")


def base_url(request: Request) -> str:
    """Scheme and authority as they were asked for: the host is one of ours, and the port is that which the client
    sees."""
    host = request.scope["state"][HOST]
    port = _PORT.search(request.headers.get("host", ""))
    return f"{request.scope['scheme']}://{f'[{host}]' if ':' in host else host}{port[0] if port else ''}"


def peer_host(request: Request) -> str:
    return request.client.host if request.client else ""
