"""MTA-STS policies of other domains, fetched over HTTPS: works as ports.policy_host.PolicyHost. RFC 8461 §3.3.

Whatever the peer or the network does is an Unfetched. What the text says, and when to fetch it, is not said here.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence

import httpx

import mailstack
from mailstack.clients.by_address import MOST_ADDRESSES, asked, fault_text, printable
from mailstack.clients.smtp.connect import is_elsewhere
from mailstack.formats.mta_sts import MOST_POLICY_OCTETS
from mailstack.formats.web_url import WebUrl
from mailstack.model.errors import TryAgainLater
from mailstack.model.tls_policy import TlsFailure, Unfetched
from mailstack.ports.resolver import Resolver

HTTPS_PORT = 443
PATH = "/.well-known/mta-sts.txt"
WHOLE_S = 60.0  # RFC 8461 §3.3: the suggested timeout
CONNECT_S = 10.0
FETCHES_AT_ONCE = 50


class HttpsPolicyHost:
    """tls: verifies chain and name; for HTTPS alone, as what it offers to speak is set here. may_be_host and port:
    other ones in tests only."""

    def __init__(
        self,
        resolver: Resolver,
        *,
        tls: ssl.SSLContext,
        port: int = HTTPS_PORT,
        may_be_host: Callable[[str], bool] = is_elsewhere,
    ) -> None:
        self._resolver = resolver
        self._tls = tls
        self._port = port
        self._may_be_host = may_be_host
        self._turns = asyncio.Semaphore(FETCHES_AT_ONCE)

    async def fetch(self, domain: str) -> bytes | Unfetched:
        host = f"mta-sts.{domain}"
        try:
            async with asyncio.timeout(WHOLE_S), self._turns:
                # Whoever can write DNS chooses the host: one of this machine is never asked.
                found = [each for each in await self._resolver.addresses(host) if self._may_be_host(each)]
                return await self._first(host, found[:MOST_ADDRESSES])
        except TimeoutError:
            return _unfetched(f"{host} did not answer in time")
        except TryAgainLater as fault:
            return _unfetched(fault.detail)

    async def _first(self, host: str, addresses: Sequence[str]) -> bytes | Unfetched:
        """What the first host says that is reached."""
        last = _unfetched(f"{host} has no address that can be asked")
        for address in addresses:
            try:
                return await self._ask(host, address)
            except httpx.TransportError as fault:
                last = _of(host, fault)
                if last.failure is TlsFailure.STS_WEBPKI_INVALID:
                    break
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as fault:
                return _unfetched(f"{host}: {fault_text(fault)}")
        return last

    async def _ask(self, host: str, address: str) -> bytes | Unfetched:
        # No redirect, no cache, no coding that grows: RFC 8461 §3.3.
        url = WebUrl(scheme="https", host=host, port=self._port, target=PATH, is_address=False)
        headers = {
            "User-Agent": f"mailstack/{mailstack.__version__}",
            "Accept": "text/plain",
            "Accept-Encoding": "identity",
        }
        timeout = httpx.Timeout(WHOLE_S, connect=CONNECT_S)
        async with asked("GET", url, address, tls=self._tls, headers=headers, timeout=timeout) as response:
            return await _text(host, response)


async def _text(host: str, response: httpx.Response) -> bytes | Unfetched:
    # RFC 8461 §3.3: only 200 is good.
    if response.status_code != httpx.codes.OK:
        return _unfetched(f"{host} answered {response.status_code}")
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    # RFC 8461 §3.2: where anybody may leave pages, what they leave is seldom plain text.
    if media_type != "text/plain" or response.headers.get("content-encoding", "identity").lower() != "identity":
        return Unfetched(TlsFailure.STS_POLICY_INVALID, f"{host}: the policy is not sent as plain text")
    text = bytearray()
    async for chunk in response.aiter_raw():
        text += chunk
        if len(text) > MOST_POLICY_OCTETS:
            return Unfetched(
                TlsFailure.STS_POLICY_INVALID, f"{host}: the policy has more than {MOST_POLICY_OCTETS} octets"
            )
    return bytes(text)


def _of(host: str, fault: httpx.TransportError) -> Unfetched:
    cause: BaseException | None = fault
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            detail = f"{host}: certificate not trusted: {printable(cause.verify_message)}"
            return Unfetched(TlsFailure.STS_WEBPKI_INVALID, detail)
        cause = cause.__cause__ or cause.__context__
    if isinstance(fault, httpx.TimeoutException):
        return _unfetched(f"{host} did not answer in time")
    return _unfetched(f"{host}: {fault_text(fault)}")


def _unfetched(detail: str) -> Unfetched:
    return Unfetched(TlsFailure.STS_POLICY_FETCH_ERROR, detail)
