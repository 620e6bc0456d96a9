"""Pictures over HTTP: works as ports.picture_host.PictureHost.

Whoever writes a mail chooses the URL. It is asked by addresses that were looked at (services.web_targets), anew for
each redirect; nothing is told but that somebody here looks, and of the answer only a picture is taken.
"""

import asyncio
import ssl
from collections.abc import Sequence
from urllib.parse import urljoin

import httpx

from mailstack.clients.by_address import MOST_ADDRESSES, asked, fault_text
from mailstack.formats.raster import HEAD_OCTETS, raster_type
from mailstack.formats.web_url import WebUrl, link_of, parse_web_url
from mailstack.model.errors import Invalid, TryAgainLater
from mailstack.model.picture import NoPicture, Picture
from mailstack.ports.resolver import Resolver
from mailstack.services.web_targets import WebTargets

WHOLE_S = 10.0
"""A browser has six connections to us, and waits for pictures with each."""
CONNECT_S = 4.0
MOST_OCTETS = 5 * 1024 * 1024
MOST_REDIRECTS = 3
# No version, and what hosts answer that know browsers alone. No Referer and no cookie: who looks, they learn from none.
HEADERS = {
    "User-Agent": "Mozilla/5.0 (compatible; mailstack)",
    "Accept": "image/avif,image/webp,image/png,image/jpeg,image/gif",
    "Accept-Encoding": "identity",
}
_MOVED = frozenset({301, 302, 303, 307, 308})


class HttpPictureHost:
    """tls: as of clients.by_address."""

    def __init__(self, resolver: Resolver, targets: WebTargets, *, tls: ssl.SSLContext) -> None:
        self._resolver = resolver
        self._targets = targets
        self._tls = tls

    async def fetch(self, url: str) -> Picture | NoPicture:
        try:
            async with asyncio.timeout(WHOLE_S):
                return await self._follow(parse_web_url(url))
        except TimeoutError:
            return NoPicture(reason="no answer in time")
        except (Invalid, TryAgainLater) as fault:
            return NoPicture(reason=fault.detail)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as fault:
            return NoPicture(reason=fault_text(fault))

    async def _follow(self, url: WebUrl) -> Picture | NoPicture:
        for _ in range(MOST_REDIRECTS + 1):
            found = await self._first(url, await self._addresses(url))
            if isinstance(found, Picture | NoPicture):
                return found
            url = found
        return NoPicture(reason=f"more than {MOST_REDIRECTS} redirects")

    async def _addresses(self, url: WebUrl) -> Sequence[str]:
        found = [url.host] if url.is_address else await self._resolver.addresses(url.host)
        permitted = [each for each in found if self._targets.may_be_asked(each, url)]
        if found and not permitted:
            where = "on the Internet, over its usual ports" if self._targets.has_internet else "on this machine"
            raise Invalid(f"{url.authority} has no address that may be asked: only hosts {where}")
        return permitted[:MOST_ADDRESSES]

    async def _first(self, url: WebUrl, addresses: Sequence[str]) -> Picture | NoPicture | WebUrl:
        """What the first host says that is reached; a WebUrl: where it is instead."""
        last = NoPicture(reason=f"{url.host} has no address")
        for address in addresses:
            try:
                return await self._ask(url, address)
            except (httpx.ConnectError, httpx.ConnectTimeout) as fault:
                last = NoPicture(reason=fault_text(fault))
        return last

    async def _ask(self, url: WebUrl, address: str) -> Picture | NoPicture | WebUrl:
        timeout = httpx.Timeout(WHOLE_S, connect=CONNECT_S)
        async with asked("GET", url, address, tls=self._tls, headers=HEADERS, timeout=timeout) as response:
            if response.status_code in _MOVED:
                return link_of(urljoin(str(url), response.headers.get("location", "")))
            if response.status_code != httpx.codes.OK:
                return NoPicture(reason=f"answered {response.status_code}")
            return await _picture(response)


async def _picture(response: httpx.Response) -> Picture | NoPicture:
    """As the octets come: whatever coding they are said to be in, a picture in it is none."""
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) >= HEAD_OCTETS and not raster_type(bytes(content[:HEAD_OCTETS])):
            break
        if len(content) > MOST_OCTETS:
            return NoPicture(reason=f"more than {MOST_OCTETS} octets")
    media_type = raster_type(bytes(content[:HEAD_OCTETS]))
    if not media_type:
        return NoPicture(reason="no picture of a kind that is shown")
    return Picture(media_type=media_type, content=bytes(content))
