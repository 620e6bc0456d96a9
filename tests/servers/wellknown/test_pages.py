"""Settings by HTTP: which host has which domain's, and what strangers learn of accounts."""

import plistlib
from xml.etree import ElementTree

import httpx
import pytest
from starlette.routing import Router

from mailstack.formats.autodiscover import MOST_REQUEST_OCTETS, OUTLOOK, REQUEST, RESPONSE
from mailstack.formats.pacc import write_pacc
from mailstack.model.client_settings import ClientSettings
from mailstack.servers.wellknown.pages import AUTOCONFIG_PATHS, AUTODISCOVER_PATHS, PROFILE_PATH, WellKnownPages
from mailstack.servers.wellknown.service import WellKnownService
from tests.support.asking import asked, floor_under
from tests.support.fake_clock import FakeClock

PORTS = {"submissions": 465, "imaps": 993, "https": 443}
DOMAINS = {
    name: ClientSettings(domain=name, login_domain="example.com", hostname="mail.example.com", ports=PORTS)
    for name in ("example.com", "example.org")
}
PACC = "/.well-known/user-agent-configuration.json"
JSON = "/autodiscover/autodiscover.json"


async def ask(
    host: str, path: str, method: str = "GET", content: bytes | None = None, *, is_signed: bool = False
) -> httpx.Response:
    clock = FakeClock()
    service = WellKnownService(
        settings_of=DOMAINS.get,
        sign=(lambda given: b"signed:" + given) if is_signed else None,
        contact="postmaster@example.com",
        clock=clock,
    )
    router = Router(WellKnownPages(service=service).routes(), redirect_slashes=False)
    return await asked(floor_under(router, clock), method, path, base_url=f"https://{host}", content=content)


@pytest.mark.parametrize("path", AUTOCONFIG_PATHS)
@pytest.mark.parametrize(
    ("host", "query", "domain"),
    [
        ("autoconfig.example.com", "", "example.com"),
        ("autoconfig.example.org", "?emailaddress=alice@example.org", "example.org"),
        ("mail.example.com", "?emailaddress=alice%40Example.ORG", "example.org"),
        ("example.com", "", "example.com"),
        ("mail.example.com", "", None),
        ("autoconfig.example.net", "", None),
        ("mail.example.com", "?emailaddress=alice@example.net", None),
    ],
)
async def test_autoconfig_is_that_of_the_address_or_of_the_host(
    path: str, host: str, query: str, domain: str | None
) -> None:
    reply = await ask(host, path + query)
    if domain is None:
        assert reply.status_code == 404
        return
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert ElementTree.fromstring(reply.content).findtext("emailProvider/domain") == domain


@pytest.mark.parametrize("query", ["?emailaddress=alice", "?emailaddress=@", "?emailaddress=a%00b@example.com"])
async def test_what_is_no_address_is_a_bad_request(query: str) -> None:
    for path in (AUTOCONFIG_PATHS[0], PROFILE_PATH):
        assert (await ask("mail.example.com", path + query)).status_code == 400


def question(address: str, schema: str = OUTLOOK) -> bytes:
    return (
        f'<Autodiscover xmlns="{REQUEST}"><Request><EMailAddress>{address}</EMailAddress>'
        f"<AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request></Autodiscover>"
    ).encode()


@pytest.mark.parametrize("path", AUTODISCOVER_PATHS)
async def test_autodiscover_answers_what_is_posted(path: str) -> None:
    reply = await ask("autodiscover.example.com", path, "POST", question("alice@example.com"))
    assert reply.status_code == 200
    login = ElementTree.fromstring(reply.content).findtext(f".//{{{OUTLOOK}}}LoginName")
    assert login == "alice@example.com"
    assert (await ask("autodiscover.example.com", path)).status_code == 405


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<", "600"),
        (question("alice"), "600"),
        (question("alice@example.net"), "500"),
        (question("alice@example.com", "http://schemas.microsoft.com/exchange/autodiscover/mobilesync"), "601"),
    ],
    ids=["no-xml", "no-address", "no-domain", "mobilesync"],
)
async def test_faults_of_autodiscover_have_a_code(body: bytes, code: str) -> None:
    reply = await ask("mail.example.com", AUTODISCOVER_PATHS[0], "POST", body)
    assert reply.status_code == 200
    assert ElementTree.fromstring(reply.content).findtext(f".//{{{RESPONSE}}}ErrorCode") == code


async def test_a_huge_question_is_not_read() -> None:
    body = question("a@example.com") + b" " * MOST_REQUEST_OCTETS
    assert (await ask("mail.example.com", AUTODISCOVER_PATHS[0], "POST", body)).status_code == 413


@pytest.mark.parametrize(
    "path",
    [f"{JSON}?Email=a@example.com&Protocol=AutodiscoverV1", f"{JSON}/v1.0/a@example.com?protocol=autodiscoverv1"],
    ids=["query", "path"],
)
async def test_autodiscover_by_json_says_where_the_other_is(path: str) -> None:
    reply = await ask("autodiscover.example.com", path)
    url = "https://autodiscover.example.com/autodiscover/autodiscover.xml"
    assert reply.json() == {"Protocol": "AutodiscoverV1", "Url": url}


async def test_autodiscover_by_json_has_no_other_protocol() -> None:
    reply = await ask("autodiscover.example.com", f"{JSON}?Email=a@example.com&Protocol=ActiveSync")
    assert (reply.status_code, reply.json()["ErrorCode"]) == (400, "InvalidProtocol")


async def test_pacc_is_under_its_own_host_alone() -> None:
    reply = await ask("ua-auto-config.example.org", PACC)
    assert (reply.headers["content-type"], reply.content) == ("application/json", write_pacc(DOMAINS["example.org"]))
    assert (await ask("mail.example.com", PACC)).status_code == 404
    assert (await ask("ua-auto-config.example.net", PACC)).status_code == 404


async def test_a_profile_is_signed_where_a_device_would_trust_it() -> None:
    path = f"{PROFILE_PATH}?emailaddress=alice@example.com"
    reply = await ask("mail.example.com", path)
    assert reply.headers["content-type"] == "application/x-apple-aspen-config"
    assert reply.headers["content-disposition"] == 'attachment; filename="example.com.mobileconfig"'
    assert plistlib.loads(reply.content)["PayloadContent"][0]["EmailAddress"] == "alice@example.com"
    assert (await ask("mail.example.com", path, is_signed=True)).content == b"signed:" + reply.content


async def test_security_txt_says_whom_to_write_to_and_until_when() -> None:
    reply = await ask("mail.example.com", "/.well-known/security.txt")
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    contact, expires = reply.text.splitlines()
    assert contact == "Contact: mailto:postmaster@example.com"
    assert expires.startswith("Expires: ")
    assert expires.endswith("Z")


@pytest.mark.parametrize("path", ["/.well-known/caldav", "/.well-known/carddav"])
async def test_there_are_no_calendars_yet(path: str) -> None:
    assert (await ask("mail.example.com", path)).status_code == 404
