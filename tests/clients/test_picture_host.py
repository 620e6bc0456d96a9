"""Pictures of elsewhere: who is asked and what is told them, and that nothing but pictures comes back."""

import gzip
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from mailstack.clients import picture_host
from mailstack.clients.picture_host import MOST_OCTETS, MOST_REDIRECTS, HttpPictureHost
from mailstack.clients.smtp.tls import verified_context
from mailstack.model.networks import LOOPBACK, NOWHERE, Networks, networks_of
from mailstack.model.picture import NoPicture, Picture
from mailstack.services.web_targets import WebTargets
from tests.support.memory_resolver import MemoryResolver
from tests.support.picture_server import PNG, Page, PictureServer, moved, of, picture_server

HOST = "pictures.example"
GIF = b"GIF89a" + bytes(40)
JPEG = b"\xff\xd8\xff\xe0" + bytes(40)
WEBP = b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(40)
AVIF = b"\x00\x00\x00\x1cftypavif" + bytes(40)
ALLOWED, SECRET = "127.0.0.9", "127.0.0.1"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>x()</script></svg>'


TLS = verified_context()


class Rebinding(MemoryResolver):
    """Says ALLOWED of every name when it is asked first, and SECRET from then on."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = [ALLOWED]

    async def addresses(self, host: str) -> tuple[str, ...]:  # noqa: ARG002  the same for every name
        return (self.answers.pop() if self.answers else SECRET,)


@pytest.fixture
def server() -> Iterator[PictureServer]:
    with picture_server() as found:
        yield found


def host_with(
    *addresses: str,
    also: Networks = LOOPBACK,
    has_internet: bool = True,
    resolver: MemoryResolver | None = None,
    ca_file: Path | None = None,
) -> HttpPictureHost:
    return HttpPictureHost(
        resolver or MemoryResolver(hosts={HOST: addresses}, failing={"away.example"}),
        WebTargets(
            also=also,
            has_internet=has_internet,
            own=frozenset(),
            is_own=lambda _: False,
            in_plain=True,
            ports=frozenset({80, 443}),
        ),
        tls=TLS if ca_file is None else verified_context(ca_file=str(ca_file)),
    )


async def reason(host: HttpPictureHost, url: str) -> str:
    found = await host.fetch(url)
    assert isinstance(found, NoPicture)
    return found.reason


async def test_a_host_learns_nothing_of_who_looks(server: PictureServer) -> None:
    assert await host_with().fetch(server.url("/a%20b.png?x=1")) == Picture(media_type="image/png", content=PNG)
    (asked,) = server.asked
    assert asked.path == "/a%20b.png?x=1"
    assert asked.headers == {
        "host": f"127.0.0.1:{server.port}",
        "user-agent": "Mozilla/5.0 (compatible; mailstack)",
        "accept": "image/avif,image/webp,image/png,image/jpeg,image/gif",
        "accept-encoding": "identity",
        "connection": "keep-alive",
    }


async def test_no_cookie_comes_back(server: PictureServer) -> None:
    server.pages["/to"] = Page(status=302, headers={"Location": "/a.png", "Set-Cookie": "reader=7"})
    host = host_with()
    for _ in range(2):
        assert isinstance(await host.fetch(server.url("/to")), Picture)
    assert [each for each in server.asked if "cookie" in each.headers or "referer" in each.headers] == []


async def test_over_tls_the_certificate_is_for_the_name(tmp_path: Path) -> None:
    authority, ca_file = trustme.CA(), tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    with picture_server(context) as server:
        host = host_with("127.0.0.1", ca_file=ca_file)
        assert isinstance(await host.fetch(server.url(host=HOST, scheme="https")), Picture)
        assert "certificate" in await reason(host, server.url(scheme="https"))
        assert "certificate" in await reason(host_with("127.0.0.1"), server.url(host=HOST, scheme="https"))
    assert [each.headers["host"] for each in server.asked] == [f"{HOST}:{server.port}"]


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(PNG, "image/png"), (GIF, "image/gif"), (JPEG, "image/jpeg"), (WEBP, "image/webp"), (AVIF, "image/avif")],
)
@pytest.mark.parametrize("said", ["image/png", "text/html", "image/svg+xml"])
async def test_what_it_is_the_octets_say(server: PictureServer, content: bytes, media_type: str, said: str) -> None:
    server.pages["/a"] = of(content, said)
    assert await host_with().fetch(server.url("/a")) == Picture(media_type=media_type, content=content)


@pytest.mark.parametrize(
    "page",
    [
        of(SVG, "image/svg+xml"),
        of(SVG),
        of(b"<!doctype html><script>x()</script>"),
        of(b"\n\n" + PNG),
        of(b""),
        of(PNG[:7]),
        of(b"BM" + bytes(60)),
        of(gzip.compress(PNG)),
        Page(
            content=lambda: [gzip.compress(PNG + bytes(20_000_000))],
            headers={"Content-Encoding": "gzip", "Content-Type": "image/png"},
        ),
        Page(status=404),
        Page(status=204, content=list),
        Page(status=206),
        Page(status=500),
        Page(status=304, content=list),
        Page(content=lambda: [PNG[:40]], headers={"Content-Length": str(len(PNG))}),
        Page(status=302, headers={}),
    ],
)
async def test_what_is_no_picture_is_none(server: PictureServer, page: Page) -> None:
    server.pages["/a"] = page
    assert await reason(host_with(), server.url("/a"))


async def test_a_large_one_is_cut_off(server: PictureServer) -> None:
    server.pages["/fits"] = of(PNG + bytes(MOST_OCTETS - len(PNG)))
    server.pages["/large"] = of(PNG + bytes(MOST_OCTETS - len(PNG) + 1))
    server.pages["/endless"] = Page(content=server.endless)
    assert isinstance(await host_with().fetch(server.url("/fits")), Picture)
    for path in ("/large", "/endless"):
        assert await reason(host_with(), server.url(path)) == f"more than {MOST_OCTETS} octets"


async def test_a_slow_one_is_not_waited_for(server: PictureServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_host, "WHOLE_S", 0.3)
    server.pages["/drip"] = Page(content=server.drip)
    assert await reason(host_with(), server.url("/drip")) == "no answer in time"


ONLY_ALLOWED = networks_of((ALLOWED,))
NEAR = (
    "127.0.0.1",
    "[::1]",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::7f00:1]",
    "[fe80::1]",
    "[fd00::1]",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "127.1",
    "0177.0.0.1",
    "localhost",
)


@pytest.mark.parametrize("near", NEAR)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_what_only_this_server_reaches_is_not_asked(near: str, scheme: str) -> None:
    host = HttpPictureHost(
        MemoryResolver(hosts={"localhost": ("127.0.0.1", "::1")}),
        WebTargets(also=NOWHERE, has_internet=True, own=frozenset(), is_own=lambda _: False, in_plain=True),
        tls=TLS,
    )
    with picture_server() as server:
        assert await reason(host, f"{scheme}://{near}:{server.port}/a.png")
        assert await reason(host, f"{scheme}://{near}/a.png")
    assert server.asked == []


@pytest.mark.parametrize("near", NEAR)
async def test_nor_by_a_redirect(server: PictureServer, near: str) -> None:
    resolver = MemoryResolver(hosts={HOST: (ALLOWED,), "localhost": (SECRET, "::1")})
    with picture_server(host=ALLOWED) as first:
        first.pages["/to"] = moved(f"http://{near}:{server.port}/a.png")
        assert await reason(host_with(also=ONLY_ALLOWED, resolver=resolver), first.url("/to", host=HOST))
        assert first.paths == ["/to"]
    assert server.asked == []


async def test_a_name_is_looked_up_once_and_what_it_led_to_is_asked(server: PictureServer) -> None:
    with picture_server(host=ALLOWED, port=server.port) as first:
        host = host_with(also=ONLY_ALLOWED, resolver=Rebinding())
        assert isinstance(await host.fetch(first.url(host=HOST)), Picture)
        assert "no address that may be asked" in await reason(host, first.url(host=HOST))
        first.pages["/to"] = moved(f"http://{HOST}:{server.port}/a.png")
        again = host_with(also=ONLY_ALLOWED, resolver=Rebinding())
        assert "no address that may be asked" in await reason(again, first.url("/to", host=HOST))
        assert first.paths == ["/a.png", "/to"]
    assert server.asked == []


async def test_of_a_names_addresses_only_those_that_may_be(server: PictureServer) -> None:
    host = host_with("10.0.0.1", "169.254.169.254", "127.0.0.1")
    assert isinstance(await host.fetch(server.url(host=HOST)), Picture)


async def test_redirects_are_followed_so_far(server: PictureServer) -> None:
    for at, status in enumerate((301, 302, 303, 307, 308)):
        server.pages[f"/{at}"] = moved(f"/{at + 1}", status)
    assert isinstance(await host_with().fetch(server.url("/2")), Picture)
    assert await reason(host_with(), server.url("/1")) == f"more than {MOST_REDIRECTS} redirects"


@pytest.mark.parametrize(
    "to",
    ["file:///etc/passwd", "ftp://x.example/a", "data:image/png;base64,AAAA", "gopher://x/", "//:0/", "http://u:p@x/"],
)
async def test_a_redirect_leads_to_pages_alone(server: PictureServer, to: str) -> None:
    server.pages["/to"] = moved(to)
    assert await reason(host_with(), server.url("/to"))
    assert server.paths == ["/to"]


async def test_what_a_sandbox_and_dns_say_of_it(server: PictureServer) -> None:
    only_here = host_with("8.8.8.8", has_internet=False)
    assert await reason(only_here, f"https://{HOST}/a.png") == (
        f"{HOST} has no address that may be asked: only hosts on this machine"
    )
    assert isinstance(await only_here.fetch(server.url()), Picture)
    assert "over its usual ports" in await reason(host_with("8.8.8.8"), f"http://{HOST}:25/a.png")
    assert "timed out" in await reason(host_with(), "https://away.example/a.png")
    assert await reason(host_with(), "https://nowhere.example/a.png") == "nowhere.example has no address"


async def test_a_host_that_is_not_there_is_told(server: PictureServer) -> None:
    host = host_with("127.0.0.1")
    with picture_server() as other:
        pass
    assert await reason(host, other.url(host=HOST))
    assert server.asked == []
