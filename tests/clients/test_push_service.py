"""Messages to push services: what they hold, who is asked, and what the answers mean. RFC 8030 §5, RFC 8620 §7.2."""

import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_bytes

import orjson
import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mailstack.clients import push_service
from mailstack.clients.push_service import HttpPushService, PushIdentity, answer_of
from mailstack.clients.smtp.tls import verified_context
from mailstack.formats.vapid import key_of, public_text
from mailstack.model.ids import AccountId
from mailstack.model.instant import DAY_MS, HOUR_MS, Instant
from mailstack.model.networks import Networks, networks_of
from mailstack.model.push import PushAnswer, PushFate, PushKeys, PushSubscription
from mailstack.model.states import StateType
from mailstack.services.web_targets import WebTargets
from tests.support.memory_resolver import MemoryResolver
from tests.support.push import decrypted, push_subscription
from tests.support.push_server import PushServer, answer, push_server

ALICE = AccountId("a" * 16)
NOW = Instant(1_000_000)
HOST = "push.example.com"
CHANGED = {ALICE: {StateType.EMAIL: "7", StateType.MAILBOX: "8"}}
IDENTITY = PushIdentity(key=key_of(bytes(32)), subject="mailto:postmaster@mail.example.com")
LOOPBACK = networks_of(("127.0.0.0/8", "::1"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    server: PushServer
    service: HttpPushService

    async def tell(self, url: str = "", *, keys: PushKeys | None = None) -> PushAnswer:
        return await self.service.tell(subscription(url or self.server.url(), keys=keys), CHANGED)


def subscription(url: str, *, keys: PushKeys | None = None, lasts_ms: int = HOUR_MS) -> PushSubscription:
    found = push_subscription(ALICE, "p1", expires_at=Instant(NOW + lasts_ms))
    return replace(found, url=url, keys=keys)


@asynccontextmanager
async def scene(
    *hosts: str, also: Networks = LOOPBACK, tls: ssl.SSLContext | None = None, ca_file: str | None = None
) -> AsyncIterator[Scene]:
    targets = WebTargets(also=also, has_internet=True, own=frozenset(), is_own=lambda _: False)
    async with push_server(tls) as server:
        service = HttpPushService(
            MemoryResolver(hosts={HOST: hosts}, failing={"away.example"}),
            targets,
            IDENTITY,
            tls=verified_context(ca_file=ca_file),
            clock=lambda: NOW,
            token=token_bytes,
        )
        yield Scene(server=server, service=service)


async def test_the_code_is_told_to_who_is_to_show_it() -> None:
    async with scene() as at:
        url = at.server.url("/push/?device=X8980fc&client=12c6d086")
        assert await at.service.verify(subscription(url)) == PushAnswer(fate=PushFate.TAKEN)
        (pushed,) = at.server.pushed
    assert pushed.line == "POST /push/?device=X8980fc&client=12c6d086 HTTP/1.1"
    assert pushed.json == {
        "@type": "PushVerification",
        "pushSubscriptionId": "p1",
        "verificationCode": "da1f097b11ca17f06424e30bf02bfa67",
    }
    assert pushed.headers["content-type"] == "application/json"
    assert pushed.headers["ttl"] == "3600"
    assert pushed.headers["host"] == f"127.0.0.1:{at.server.port}"
    assert "topic" not in pushed.headers


async def test_changes_are_told() -> None:
    async with scene() as at:
        assert (await at.tell()).fate is PushFate.TAKEN
        (pushed,) = at.server.pushed
    assert pushed.json == {"@type": "StateChange", "changed": {ALICE: {"Email": "7", "Mailbox": "8"}}}
    assert pushed.headers["urgency"] == "normal"


async def test_each_push_says_who_pushes() -> None:
    async with scene() as at:
        await at.service.verify(subscription(at.server.url()))
        await at.tell()
        fields = [pushed.headers["authorization"] for pushed in at.server.pushed]
    assert len(fields) == 2
    for found in fields:
        scheme, _, key = found.partition(", k=")
        assert scheme.startswith("vapid t=")
        assert key == public_text(IDENTITY.key)
        claims = orjson.loads(base64.urlsafe_b64decode(scheme.split(".")[1] + "=="))
        assert claims["aud"] == f"http://127.0.0.1:{at.server.port}"
        assert claims["sub"] == IDENTITY.subject


async def test_newer_states_of_the_same_have_the_same_topic() -> None:
    newer = {ALICE: {StateType.EMAIL: "9", StateType.MAILBOX: "9"}}
    other = {ALICE: {StateType.EMAIL: "9"}}
    async with scene() as at:
        for changed in (CHANGED, newer, other):
            await at.service.tell(subscription(at.server.url()), changed)
        first, second, third = (pushed.headers["topic"] for pushed in at.server.pushed)
    assert first == second != third
    assert len(first) == 32
    base64.urlsafe_b64decode(first)


async def test_a_push_service_keeps_it_no_longer_than_the_subscription_lasts_and_at_most_a_day() -> None:
    async with scene() as at:
        for lasts_ms in (1_500, 3 * DAY_MS):
            found = subscription(at.server.url(), lasts_ms=lasts_ms)
            await at.service.tell(found, CHANGED)
        assert [pushed.headers["ttl"] for pushed in at.server.pushed] == ["1", "86400"]


async def test_what_has_keys_is_for_their_holder_alone() -> None:
    receiver = ec.generate_private_key(ec.SECP256R1())
    point = receiver.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    auth = token_bytes(16)
    async with scene() as at:
        for _ in range(2):
            assert (await at.tell(keys=PushKeys(p256dh=point, auth=auth))).fate is PushFate.TAKEN
        first, second = at.server.pushed
    assert first.headers["content-encoding"] == "aes128gcm"
    assert orjson.loads(decrypted(first.body, receiver, auth))["changed"] == {ALICE: {"Email": "7", "Mailbox": "8"}}
    assert first.body[:16] != second.body[:16], "a salt is never used twice"
    assert first.body[21:86] != second.body[21:86], "nor is a key"


async def test_what_is_too_long_is_told_in_parts() -> None:
    changed = {AccountId(f"{number:016}"): dict.fromkeys(StateType, "123456789") for number in range(50)}
    async with scene() as at:
        assert (await at.service.tell(subscription(at.server.url()), changed)).fate is PushFate.TAKEN
        parts = [pushed.json["changed"] for pushed in at.server.pushed]
        assert max(len(pushed.body) for pushed in at.server.pushed) <= 3993
    assert len(parts) > 1
    assert [account_id for part in parts for account_id in part] == [*changed]


@pytest.mark.parametrize(
    ("status", "retry_after", "expected"),
    [
        (200, "", PushAnswer(fate=PushFate.TAKEN)),
        (201, "", PushAnswer(fate=PushFate.TAKEN)),
        (202, "60", PushAnswer(fate=PushFate.TAKEN)),
        (301, "", PushAnswer(fate=PushFate.REFUSED, detail="answered 301")),
        (400, "", PushAnswer(fate=PushFate.REFUSED, detail="answered 400")),
        (401, "", PushAnswer(fate=PushFate.REFUSED, detail="answered 401")),
        (404, "", PushAnswer(fate=PushFate.GONE, detail="answered 404")),
        (410, "", PushAnswer(fate=PushFate.GONE, detail="answered 410")),
        (413, "", PushAnswer(fate=PushFate.REFUSED, detail="answered 413")),
        (429, "", PushAnswer(fate=PushFate.LATER, detail="answered 429")),
        (429, "120", PushAnswer(fate=PushFate.LATER, retry_after_s=120.0, detail="answered 429")),
        (429, "-1", PushAnswer(fate=PushFate.LATER, detail="answered 429")),
        (429, "inf", PushAnswer(fate=PushFate.LATER, detail="answered 429")),
        (503, "Fri, 31 Dec 1999 23:59:59 GMT", PushAnswer(fate=PushFate.LATER, detail="answered 503")),
        (599, "", PushAnswer(fate=PushFate.LATER, detail="answered 599")),
    ],
)
def test_what_an_answer_means(status: int, retry_after: str, expected: PushAnswer) -> None:
    assert answer_of(status, retry_after) == expected


async def test_a_redirect_is_not_followed() -> None:
    async with scene() as at:
        at.server.answers.append(answer(307, f"Location: {at.server.url('/elsewhere')}"))
        assert await at.tell() == PushAnswer(fate=PushFate.REFUSED, detail="answered 307")
        assert len(at.server.pushed) == 1


async def test_an_endless_answer_is_not_read() -> None:
    head = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with scene() as at:
        at.server.answers.append(head + b"4000\r\n" + b"x" * 0x4000)
        assert (await at.tell()).fate is PushFate.TAKEN


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"220 mail.example.com ESMTP\r\n", id="not HTTP"),
        pytest.param(b"HTTP/1.1 201 Created\r\nX: " + b"y" * 200_000 + b"\r\n\r\n", id="endless head"),
    ],
)
async def test_what_is_no_answer_is_tried_again(said: bytes) -> None:
    async with scene() as at:
        at.server.answers.append(said)
        assert (await at.tell()).fate is PushFate.LATER
        assert len(at.server.pushed) == 1


async def test_who_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_service, "WHOLE_S", 0.2)
    async with scene() as at:
        at.server.stays = True
        assert (await at.tell()).fate is PushFate.LATER


@pytest.mark.parametrize(
    "hosts",
    [
        ("127.0.0.1",),
        ("::1",),
        ("::ffff:127.0.0.1",),
        ("10.0.0.1", "169.254.169.254"),
        ("0.0.0.0",),
    ],
)
async def test_a_name_that_leads_to_what_is_near_is_asked_for_nothing(hosts: tuple[str, ...]) -> None:
    async with scene(*hosts, also=networks_of(())) as at:
        found = await at.tell(at.server.url(host=HOST, scheme="https"))
        assert found.fate is PushFate.REFUSED
        assert "server.push_to" in found.detail
        assert not at.server.pushed


async def test_without_tls_nobody_is_asked_whom_the_spec_does_not_name() -> None:
    async with scene("8.8.8.8") as at:
        assert (await at.tell(at.server.url(host=HOST))).fate is PushFate.REFUSED


@pytest.mark.parametrize("url", ["https://2130706433/", "https://0x7f.1/", "https://user@127.0.0.1/", "file:///x"])
async def test_what_is_no_url_is_refused(url: str) -> None:
    async with scene() as at:
        assert (await at.tell(url)).fate is PushFate.REFUSED


async def test_dns_that_is_down_and_names_that_are_not_there_are_tried_again() -> None:
    async with scene() as at:
        assert await at.tell("https://away.example/") == PushAnswer(
            fate=PushFate.LATER, detail="DNS: away.example timed out"
        )
        assert (await at.tell("https://nobody.example/")).fate is PushFate.LATER


async def test_addresses_are_tried_in_turn() -> None:
    async with scene("::1", "127.0.0.1") as at:  # it listens on the second alone
        assert (await at.tell(at.server.url(host=HOST))).fate is PushFate.TAKEN


async def test_a_certificate_is_for_the_name(tmp_path: Path) -> None:
    authority = trustme.CA()
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    for name, fate in ((HOST, PushFate.TAKEN), ("other.example.com", PushFate.LATER)):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        async with scene("127.0.0.1", tls=context, ca_file=str(ca_file)) as at:
            assert (await at.tell(at.server.url(host=HOST, scheme="https"))).fate is fate
            assert at.server.named == [HOST]
            assert len(at.server.pushed) == (fate is PushFate.TAKEN)
