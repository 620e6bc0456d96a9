"""Push services over HTTP: works as ports.push_service.PushService. RFC 8030 §5, RFC 8620 §7.2.

Whoever may log in chooses the URL. Its host is connected to by an address that was looked at (services.web_targets),
no redirect is followed, and of the answer no more than its head is read.
"""

import asyncio
import base64
import hashlib
import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import httpx
import orjson
from cryptography.hazmat.primitives.asymmetric import ec

import mailstack
from mailstack.clients.by_address import MOST_ADDRESSES, asked, fault_text
from mailstack.formats.aes128gcm import MOST_OCTETS, SALT_OCTETS, encrypt
from mailstack.formats.vapid import authorization
from mailstack.formats.web_url import WebUrl, parse_web_url
from mailstack.model.errors import Invalid, TryAgainLater
from mailstack.model.ids import AccountId
from mailstack.model.instant import DAY_MS, SECOND_MS, Clock, Instant
from mailstack.model.push import PushAnswer, PushFate, PushSubscription
from mailstack.model.states import AccountStates, States
from mailstack.ports.resolver import Resolver
from mailstack.services.web_targets import WebTargets
from mailstack.wire.jmap.push_verification import push_verification
from mailstack.wire.jmap.state_change import state_change

WHOLE_S = 15.0
CONNECT_S = 5.0
LONGEST_TTL_S = DAY_MS // SECOND_MS
"""How long a push service keeps what a device that is off has not fetched: after that, programs look by themselves."""
TOPIC_LETTERS = 32
_SECONDS = re.compile(r"[0-9]{1,9}")
_GONE = frozenset({404, 410})  # RFC 8030 §7.3
_BUSY = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class PushIdentity:
    """Who pushes. subject: a URI of who answers for it. RFC 8292 §2.1."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    subject: str


class HttpPushService:
    """tls: verifies chain and name, and offers HTTP/1.1 alone. token: random octets."""

    def __init__(
        self,
        resolver: Resolver,
        targets: WebTargets,
        identity: PushIdentity,
        *,
        tls: ssl.SSLContext,
        clock: Clock,
        token: Callable[[int], bytes],
    ) -> None:
        self._resolver = resolver
        self._targets = targets
        self._identity = identity
        self._tls = tls
        self._clock = clock
        self._token = token

    async def verify(self, subscription: PushSubscription) -> PushAnswer:
        told = push_verification(subscription.push_id, subscription.code)
        return await self._post(subscription, orjson.dumps(told), {})

    async def tell(self, subscription: PushSubscription, changed: AccountStates) -> PushAnswer:
        answer = PushAnswer(fate=PushFate.TAKEN)
        for part in _parts(changed):
            # RFC 8030 §5.4: what a device has not fetched yet gives way to what tells newer states of the same.
            headers = {"Topic": _topic(part)}
            answer = await self._post(subscription, orjson.dumps(state_change(part)), headers)
            if answer.fate is not PushFate.TAKEN:
                break
        return answer

    async def _post(self, subscription: PushSubscription, body: bytes, headers: dict[str, str]) -> PushAnswer:
        try:
            url = parse_web_url(subscription.url)
            headers |= {
                "User-Agent": f"mailstack/{mailstack.__version__}",
                "Content-Type": "application/json",
                "TTL": str(_ttl_s(subscription, self._clock())),
                "Urgency": "normal",
                # RFC 9749 §4: on each of them.
                "Authorization": authorization(
                    self._identity.key,
                    origin=url.origin,
                    subject=self._identity.subject,
                    now_s=self._clock() // SECOND_MS,
                ),
            }
            if subscription.keys is not None:
                sender = ec.generate_private_key(ec.SECP256R1())
                body = encrypt(body, subscription.keys, salt=self._token(SALT_OCTETS), sender=sender)
                headers["Content-Encoding"] = "aes128gcm"
            async with asyncio.timeout(WHOLE_S):
                return await self._first(url, await self._addresses(url), body, headers)
        except TimeoutError:
            return _later("no answer in time")
        except TryAgainLater as fault:
            return _later(fault.detail)
        except Invalid as fault:
            return PushAnswer(fate=PushFate.REFUSED, detail=fault.detail)

    async def _addresses(self, url: WebUrl) -> Sequence[str]:
        found = [url.host] if url.is_address else await self._resolver.addresses(url.host)
        permitted = [each for each in found if self._targets.may_be_asked(each, url)]
        if found and not permitted:
            raise Invalid("its host has no address that may be asked: server.push_to says which others may be")
        return permitted[:MOST_ADDRESSES]

    async def _first(self, url: WebUrl, addresses: Sequence[str], body: bytes, headers: dict[str, str]) -> PushAnswer:
        """What the first host says that is reached."""
        last = _later("its host has no address")
        for address in addresses:
            try:
                return await self._ask(url, address, body, headers)
            except (httpx.ConnectError, httpx.ConnectTimeout) as fault:
                last = _later(fault_text(fault))
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as fault:
                return _later(fault_text(fault))
        return last

    async def _ask(self, url: WebUrl, address: str, body: bytes, headers: dict[str, str]) -> PushAnswer:
        timeout = httpx.Timeout(WHOLE_S, connect=CONNECT_S)
        async with asked(
            "POST", url, address, tls=self._tls, headers=headers, timeout=timeout, content=body
        ) as response:
            return answer_of(response.status_code, response.headers.get("retry-after", ""))


def answer_of(status: int, retry_after: str) -> PushAnswer:
    detail = f"answered {status}"
    if 200 <= status < 300:
        return PushAnswer(fate=PushFate.TAKEN)
    if status in _GONE:
        return PushAnswer(fate=PushFate.GONE, detail=detail)
    if status in _BUSY or status >= 500:
        # RFC 9110 §10.2.3: in seconds; a date is as good as nothing, for our own rule comes close.
        seconds = float(retry_after) if _SECONDS.fullmatch(retry_after) else None
        return PushAnswer(fate=PushFate.LATER, retry_after_s=seconds, detail=detail)
    return PushAnswer(fate=PushFate.REFUSED, detail=detail)


def _parts(changed: AccountStates) -> Iterator[AccountStates]:
    """What a push service takes at once."""
    part: dict[AccountId, States] = {}
    for account_id, states in changed.items():
        longer = {**part, account_id: states}
        if part and len(orjson.dumps(state_change(longer))) > MOST_OCTETS:
            yield part
            longer = {account_id: states}
        part = longer
    if part:
        yield part


def _ttl_s(subscription: PushSubscription, now: Instant) -> int:
    return max(min((subscription.expires_at - now) // SECOND_MS, LONGEST_TTL_S), 0)


def _topic(changed: AccountStates) -> str:
    named = sorted(f"{account_id}/{type_}" for account_id, states in changed.items() for type_ in states)
    digest = hashlib.sha256(" ".join(named).encode()).digest()
    # RFC 8030 §5.4: at most 32 letters of URL-safe base64.
    return base64.urlsafe_b64encode(digest)[:TOPIC_LETTERS].decode()


def _later(detail: str) -> PushAnswer:
    return PushAnswer(fate=PushFate.LATER, detail=detail)
