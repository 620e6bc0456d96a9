"""Which pages a generation has, under which names."""

import plistlib
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import trustme

from mailstack.app.blueprint import Blueprint
from mailstack.app.build import Adapters, RunSettings, open_adapters
from mailstack.app.generation import Surroundings, build_services
from mailstack.app.messages import Job
from mailstack.app.store_address import StoreAddress
from mailstack.model.ids import Generation
from mailstack.model.resource import (
    Body,
    CertificateBody,
    DomainBody,
    Kind,
    ListenerBody,
    MtaStsBody,
    Resource,
    ServerBody,
    fields_of,
)
from mailstack.servers.http.service import HttpRole, HttpService
from mailstack.services.spam.models import LearnedModels
from mailstack.spam.model import Model, empty
from tests.support.http_wire import answered
from tests.support.login_delays import no_delays

HOSTNAME = "mail.example.com"
NAMES = (HOSTNAME, "mta-sts.example.com", "smtp.example.org", "*.example.net")
POLICY_PATH = "/.well-known/mta-sts.txt"
LISTENERS = {"http": (":80",), "https": (":8443", ":443")}


@pytest.fixture
async def adapters(tmp_path: Path) -> AsyncIterator[Adapters]:
    opened = await open_adapters(settings(tmp_path))
    yield opened
    await opened.close()


def settings(storage: Path) -> RunSettings:
    return RunSettings(
        storage=StoreAddress(folder=storage), job=Job(spec=""), trust_loopback=False, hold_outbound=False
    )


def web(adapters: Adapters, storage: Path, listeners: Mapping[str, tuple[str, ...]] = LISTENERS) -> HttpService:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    around = Surroundings(
        models=LearnedModels(adapters.store.spam_tables, lambda: Model(empty(0))),
        adapters=adapters,
        settings=settings(storage),
        tls=tls,
        end_point=lambda _: None,
        delays=no_delays(),
        before=None,
    )
    return build_services(blueprint(listeners), around).http


def blueprint(listeners: Mapping[str, tuple[str, ...]]) -> Blueprint:
    issued = trustme.CA().issue_cert(*NAMES)
    chain = issued.cert_chain_pems[0].bytes().decode()
    bodies: list[tuple[Kind, str, Body]] = [
        (Kind.SERVER, "server", server_body()),
        (Kind.CERTIFICATE, HOSTNAME, CertificateBody(issuer="files", names=NAMES, certificate=chain, not_after="")),
        (Kind.DOMAIN, "example.com", domain_body(MtaStsBody(mode="enforce", max_age_s=86_400))),
        (Kind.DOMAIN, "example.org", replace(domain_body(None), autoconfig=True)),
        *((Kind.LISTENER, name, ListenerBody(endpoints=endpoints)) for name, endpoints in listeners.items()),
    ]
    return Blueprint(
        generation=Generation(3),
        postmaster=None,
        secret_key=b"k" * 32,
        resources=tuple(Resource(kind=kind, name=name, fields=fields_of(body)) for kind, name, body in bodies),
        secrets={Kind.CERTIFICATE: {HOSTNAME: {"key": issued.private_key_pem.bytes().decode()}}},
    )


def server_body() -> ServerBody:
    return ServerBody(
        hostname=HOSTNAME,
        addresses=(),
        workers=1,
        message_size_bytes=1 << 20,
        recipients=10,
        connections_per_ip=5,
        connections_per_account=7,
    )


def domain_body(policy: MtaStsBody | None) -> DomainBody:
    return DomainBody(
        catch_all=None, subaddress_separators="", alias_of=None, dkim_algorithms=("ed25519",), mta_sts=policy
    )


async def asked(service: HttpService, host: str, path: str, role: HttpRole = HttpRole.SECURE) -> bytes:
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    return await answered(lambda: service, [request], role)


@pytest.mark.parametrize(
    ("host", "status"),
    [(HOSTNAME, 404), ("smtp.example.org", 404), ("x.example.net", 421), ("example.com", 421), ("10.0.0.1", 421)],
)
async def test_the_machine_answers_for_its_name_and_for_those_of_its_certificates(
    adapters: Adapters, tmp_path: Path, host: str, status: int
) -> None:
    assert (await asked(web(adapters, tmp_path), host, "/nowhere")).startswith(f"HTTP/1.1 {status} ".encode())


async def test_figures_are_where_a_listener_is_for_them(adapters: Adapters, tmp_path: Path) -> None:
    without = web(adapters, tmp_path)
    assert (await asked(without, HOSTNAME, "/metrics", HttpRole.METRICS)).startswith(b"HTTP/1.1 404 ")
    service = web(adapters, tmp_path, {**LISTENERS, "metrics": ("127.0.0.1:9090",)})
    transport = httpx.ASGITransport(service.pages(HttpRole.METRICS))  # without turns to count: the disk is asked too
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:9090") as client:
        assert "mailstack_generation 3.0" in (await client.get("/metrics")).text
    for role in (HttpRole.PLAIN, HttpRole.SECURE):
        assert b"mailstack_generation" not in await asked(service, HOSTNAME, "/metrics", role)


async def test_a_domain_with_a_policy_has_it_under_its_policy_host(adapters: Adapters, tmp_path: Path) -> None:
    service = web(adapters, tmp_path)
    reply = await asked(service, "mta-sts.example.com", POLICY_PATH)
    assert reply.endswith(b"version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmax_age: 86400\r\n")
    assert (await asked(service, "mta-sts.example.org", POLICY_PATH)).startswith(b"HTTP/1.1 421 ")
    assert (await asked(service, HOSTNAME, POLICY_PATH)).startswith(b"HTTP/1.1 404 ")


async def test_a_domain_that_wants_it_has_its_settings_under_names_of_its_own(
    adapters: Adapters, tmp_path: Path
) -> None:
    service = web(adapters, tmp_path)
    path = "/mail/config-v1.1.xml"
    assert b"<domain>example.org</domain>" in await asked(service, "autoconfig.example.org", path)
    assert (await asked(service, "autoconfig.example.com", path)).startswith(b"HTTP/1.1 421 ")
    assert (await asked(service, "autoconfig.example.org", "/mail")).startswith(b"HTTP/1.1 404 ")
    # Those of every domain are under the machine's name.
    found = await asked(service, HOSTNAME, path + "?emailaddress=a@example.com")
    assert b"<domain>example.com</domain>" in found
    assert b"<hostname>mail.example.com</hostname>" not in found  # no listeners for mail
    moved = await asked(service, "autodiscover.example.org", "/autodiscover/autodiscover.xml", HttpRole.PLAIN)
    assert b"location: https://autodiscover.example.org/autodiscover/autodiscover.xml\r\n" in moved


async def test_a_profile_is_signed_with_the_hosts_certificate(adapters: Adapters, tmp_path: Path) -> None:
    listeners = {**LISTENERS, "imaps": (":993",), "submissions": (":465",)}
    service = web(adapters, tmp_path, listeners)
    reply = await asked(service, HOSTNAME, "/profile.mobileconfig?emailaddress=a@example.com")
    content = reply.partition(b"\r\n\r\n")[2]
    assert b"com.apple.mail.managed" in content
    with pytest.raises(plistlib.InvalidFileException):
        plistlib.loads(content)


@pytest.mark.parametrize(
    ("listeners", "location"),
    [
        (LISTENERS, b"https://mail.example.com/x\r\n"),
        ({"http": (":80",), "https": ("[::1]:8443",)}, b"https://mail.example.com:8443/x\r\n"),
    ],
)
async def test_the_way_to_https_names_its_lowest_port(
    adapters: Adapters, tmp_path: Path, listeners: Mapping[str, tuple[str, ...]], location: bytes
) -> None:
    reply = await asked(web(adapters, tmp_path, listeners), HOSTNAME, "/x", HttpRole.PLAIN)
    assert reply.startswith(b"HTTP/1.1 308 ")
    assert b"location: " + location in reply


async def test_without_https_http_has_probes_and_proofs_alone(adapters: Adapters, tmp_path: Path) -> None:
    service = web(adapters, tmp_path, {"http": (":80",)})
    assert (await asked(service, HOSTNAME, "/x", HttpRole.PLAIN)).startswith(b"HTTP/1.1 404 ")
    assert (await asked(service, HOSTNAME, "/readyz", HttpRole.PLAIN)).startswith(b"HTTP/1.1 200 ")
