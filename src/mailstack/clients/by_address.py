"""HTTP by an address that was looked at: the host of a URL is somebody else's to choose, and what its name leads to may
be another a moment later. The certificate is still for the name.
"""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx

from mailstack.formats.web_url import WebUrl, bracketed

MOST_ADDRESSES = 4
"""Of a host, one after the other."""


@asynccontextmanager
async def asked(
    method: str,
    url: WebUrl,
    address: str,
    *,
    tls: ssl.SSLContext,
    headers: Mapping[str, str],
    timeout: httpx.Timeout,
    content: bytes | None = None,
) -> AsyncIterator[httpx.Response]:
    """No proxy, no redirect, no cookie, and no password of some file. tls: verifies chain and name, and offers HTTP/1.1
    alone. Raises httpx.HTTPError, httpx.InvalidURL, ValueError."""
    async with (
        httpx.AsyncClient(verify=tls, trust_env=False, timeout=timeout) as client,
        client.stream(
            method,
            f"{url.scheme}://{bracketed(address)}:{url.port}{url.target}",
            content=content,
            headers={"Host": url.authority, **headers},
            follow_redirects=False,
            extensions={"sni_hostname": url.host},
        ) as response,
    ):
        yield response


def fault_text(fault: Exception) -> str:
    """What a library says went wrong, as a line of a log may have it."""
    return printable(str(fault) or type(fault).__name__)


def printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:200])
