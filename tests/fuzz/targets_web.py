"""What strangers send to the web server before anybody knows them: targets of requests
(mailstack.servers.http.target) and the first message of a TLS handshake (mailstack.net.client_hello)."""

from mailstack.net.client_hello import offered_protocols
from mailstack.servers.http.target import BadTarget, read_target
from tests.fuzz.target import Target

CLIENT_HELLO = bytes.fromhex(
    "010000650303" + "00" * 32 + "00" + "00021301" + "0100" + "003a"
    "0000001500130000106d61696c2e6578616d706c652e636f6d"  # server_name mail.example.com
    "0010000d000b0a61636d652d746c732f31"  # ALPN acme-tls/1
    "002b0003020304" + "000a00040002001d"
)


def targets(data: bytes) -> None:
    """A host and a path that cannot end a line, leave their folder or change the host; or none."""
    target, _, host = data.partition(b"\n")
    try:
        found = read_target(b"GET", target, [host], "1.1")
    except BadTarget:
        return
    assert found.origin.startswith(b"/")
    assert found.origin.isascii()
    assert not {octet for octet in found.origin if octet <= 0x20}
    assert not {"..", "."}.intersection(found.origin.decode().partition("?")[0].split("/"))
    assert found.host == found.host.lower()
    assert "/" not in found.host
    again = read_target(b"GET", found.origin, [f"[{found.host}]".encode() if ":" in found.host else host], "1.1")
    assert again.origin == found.origin


def client_hello(data: bytes) -> None:
    """Some protocols, and each of them stands there."""
    assert all(protocol in data for protocol in offered_protocols(data))


TARGETS = [
    Target(
        "web targets",
        targets,
        (
            b"/a/b?c=d\nmail.example.com",
            b"http://mail.example.com:80/a%20b\nx",
            b"/%2e%2e/x\nm.example",
            b"/\n[::1]:443",
        ),
    ),
    Target("client hello", client_hello, (CLIENT_HELLO,)),
]
