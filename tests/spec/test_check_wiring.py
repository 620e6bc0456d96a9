"""Listeners, certificates, zones, relays and routes; messages are in the golden faults."""

import pytest

from mailstack.spec.check import check
from mailstack.spec.document import Document
from mailstack.spec.yaml_text import compose

HEAD = "server: {hostname: mail.example.com}\ndomains: {example.com: , sub.example.net: }\n"


def paths(text: str) -> list[str]:
    return [fault.path for fault in check(Document(compose(text.encode(), "a.yaml")))]


@pytest.mark.parametrize(
    ("listeners", "found"),
    [
        ("{}", []),
        ('{smtp: [":587"], submission: []}', []),
        ('{smtp: [":587"]}', ["server.listeners.smtp[0]"]),
        ('{imaps: [":25"]}', ["server.listeners.imaps[0]"]),
        ('{smtp: ["192.0.2.1:25", "192.0.2.2:25", "[2001:db8::1]:25"]}', []),
        ('{smtp: ["0.0.0.0:25", "[::]:25"]}', []),
        ('{smtp: ["0.0.0.0:25", "192.0.2.1:25"]}', ["server.listeners.smtp[1]"]),
        ('{smtp: ["[2001:db8::1]:25", "[::]:25"]}', ["server.listeners.smtp[1]"]),
        ('{smtp: ["192.0.2.1:25", ":25"]}', ["server.listeners.smtp[1]"]),
        ('{smtp: ["[2001:db8::1]:25", "[2001:DB8:0::1]:25"]}', ["server.listeners.smtp[1]"]),
    ],
)
def test_endpoints(listeners: str, found: list[str]) -> None:
    assert paths(f"server: {{listeners: {listeners}}}\ndomains: {{example.com: }}") == found


@pytest.mark.parametrize(
    ("zones", "found"),
    [
        ("{}", []),
        ("{example.com: {provider: manual}, example.net: {provider: manual}}", []),
        ("{com: {provider: manual}, sub.example.net: {provider: manual}}", ["domains[example.com]"]),
        ("{example.com: {provider: manual}, ample.net: {provider: manual}}", ["domains[sub.example.net]"]),
        ("{example.com: {provider: p}, example.net: {provider: q}}", ["dns.zones[example.net].provider"]),
    ],
)
def test_zones(zones: str, found: list[str]) -> None:
    assert paths(f"{HEAD}dns: {{providers: {{p: {{class: a.B}}}}, zones: {zones}}}") == found


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ("token: env/TOKEN, host: 192.0.2.1, timeout: 5, key_name: x", []),
        ("token: abc", ["dns.providers.p.token"]),
        ("API-KEY: abc, apikey: abc", ["dns.providers.p.API-KEY", "dns.providers.p.apikey"]),
        ("api_key: 5, nested: {password: x, list: [{client_secret: y}]}",
         ["dns.providers.p.api_key", "dns.providers.p.nested.password",
          "dns.providers.p.nested.list[0].client_secret"]),
        ("token: null", []),
        ("host: env/a-b", ["dns.providers.p.host"]),
    ],
)  # fmt: skip
def test_secrets_of_providers(settings: str, found: list[str]) -> None:
    assert paths(f"{HEAD}dns: {{providers: {{p: {{class: a.B, {settings}}}}}}}") == found


@pytest.mark.parametrize(
    ("relay", "found"),
    [
        ("host: relay.example", []),
        ("host: relay.example, username: u, password: env/P", []),
        ("host: relay.example, username: u", ["relays.r.username"]),
        ("host: relay.example, username: u, password: null", ["relays.r.username"]),
        ("host: relay.example, tls: none, username: u, password: env/P", ["relays.r.tls"]),
        ("host: localhost, tls: none, username: u, password: env/P", []),
        ("host: relay.example, protocol: lmtp, username: u, password: env/P", ["relays.r.tls"]),
        ("protocol: lmtp, socket: /run/lmtp", []),
        ("protocol: lmtp, socket: /run/lmtp, username: u, password: env/P", []),
        ("protocol: lmtp", ["relays.r"]),
        ("host: relay.example, protocol: lmtp, port: 25", ["relays.r.port"]),
        ("socket: /run/lmtp", ["relays.r.socket"]),
        ("protocol: lmtp, socket: /run/lmtp, host: a.example, port: 24", ["relays.r.host", "relays.r.port"]),
        ("protocol: lmtp, socket: /run/lmtp, tls: starttls", ["relays.r.tls"]),
        ("host: relay.example, protocol: lmtp, tls: starttls, username: u, password: env/P", []),
        ("host: 127.0.0.53, tls: none, username: u, password: env/P", []),
        ("host: 127.evil.example, tls: none, username: u, password: env/P", ["relays.r.tls"]),
    ],
)
def test_relays(relay: str, found: list[str]) -> None:
    assert paths(f"{HEAD}relays: {{r: {{{relay}}}}}") == found


@pytest.mark.parametrize(
    ("routes", "found"),
    [
        ("[{to: a.example, via: direct}, {to: '*.a.example', via: r}, {via: r}]", []),
        ("[{via: r}, {to: a.example, via: direct}]", ["routes[1]"]),
        ("[{to: '*', via: r}, {via: direct}]", ["routes[1]"]),
        ("[{to: a.example, via: R}]", ["routes[0].via"]),
        ("[{from: a.example, via: r}, {to: a.example, via: r}, {from: b.example, via: r}, {via: direct}]", []),
        ("[{from: a.example, via: r}, {from: x@a.example, via: direct}]", ["routes[1]"]),
        ("[{from: a.example, via: r}, {from: x@a.example, to: b.example, via: direct}]", ["routes[1]"]),
        ("[{from: x@a.example, via: r}, {from: X@A.Example, via: direct}, {from: a.example, via: r}]", ["routes[1]"]),
        ("[{from: a.example, to: b.example, via: r}, {from: x@a.example, to: '*', via: direct}]", []),
        ("[{to: b.example, via: r}, {from: a.example, to: b.example, via: direct}]", ["routes[1]"]),
        ("[{from: 5, via: r}, {from: a b, via: r}, {from: x@, via: r}, {via: r}]", []),
        ("[{via: direct, warmup: {start: 2026-12-01, meanwhile: r}}]", []),
        ("[{via: r, warmup: {start: 2026-12-01, meanwhile: r}}]", ["routes[0].warmup"]),
        ("[{via: direct, warmup: {start: 2026-12-01, meanwhile: q}}]", ["routes[0].warmup.meanwhile"]),
        ("[{via: direct, warmup: {start: 2026-12-01, meanwhile: direct}}]", ["routes[0].warmup.meanwhile"]),
        ("[{to: x, via: r, warmup: 5}, {via: direct, warmup: {}}]", []),
        ("[5, {via: []}, {}]", ["routes[2]"]),
        ("{via: r}", []),
    ],
)
def test_routes(routes: str, found: list[str]) -> None:
    assert paths(f"{HEAD}relays: {{r: {{host: x}}}}\nroutes: {routes}") == found


@pytest.mark.parametrize(
    ("tls", "found"),
    [
        ("{}", []),
        ("{issuer: self-signed}", []),
        ("{issuer: files, files: [{certificate: a, key: file/b}]}", []),
        ("{issuer: files, files: []}", ["tls.issuer"]),
        ("{files: [{certificate: a, key: file/b}]}", ["tls.files"]),
    ],
)
def test_tls(tls: str, found: list[str]) -> None:
    assert paths(f"{HEAD}tls: {tls}") == found
