"""How mail programs find the server of an address: SRV records. RFC 2782, RFC 6186, RFC 8314 §5.1,
RFC 5804 §1.8.

Not the names that some programs ask for settings by HTTPS (autoconfig, autodiscover): nothing is served there yet.
"""

import ipaddress
from collections.abc import Iterator, Sequence

from mailstack.reconcile.dns.record_set import RecordSet
from mailstack.spec.sections.server import Listeners

# RFC 6186 §3.4: of two services for one purpose, the lower priority is preferred; RFC 8314 §3: that is TLS at once.
SERVICES = (
    *(("submissions", "submissions", 0), ("submission", "submission", 10)),
    *(("imaps", "imaps", 0), ("imap", "imap", 10)),
    *(("pop3s", "pop3s", 0), ("pop3", "pop3", 0)),
    ("sieve", "managesieve", 0),
)
"""As the record has it, as the listeners have it, and the priority."""
# RFC 2782: a target of "." says that the service is decidedly not there.
NOT_THERE = "0 0 0 ."


def discovery_records(name: str, hostname: str, listeners: Listeners) -> Iterator[RecordSet]:
    is_tried_out = not any(_is_reachable(endpoint) for endpoint in listeners.smtp)
    for service, listener, priority in SERVICES:
        endpoints: Sequence[str] = getattr(listeners, listener, ())
        ports = [_port(endpoint) for endpoint in endpoints if is_tried_out or _is_reachable(endpoint)]
        value = f"{priority} 1 {ports[0]} {hostname}." if ports else NOT_THERE
        yield RecordSet(name=f"_{service}._tcp.{name}", type="SRV", values=(value,))


def _is_reachable(endpoint: str) -> bool:
    """From other machines. A server that takes no mail from them is being tried out, and nobody reads its DNS."""
    host = endpoint.rpartition(":")[0].strip("[]")
    return not host or not ipaddress.ip_address(host).is_loopback


def _port(endpoint: str) -> int:
    return int(endpoint.rpartition(":")[2])
