"""Where a mail program of somebody of a domain goes: host, ports, name to log in with. For SRV records and for all the
documents that programs ask for.

Of a domain, never of an account: whoever asks learns nothing of who is there.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mailstack.model.address import Address

SETTINGS_HOSTS = ("autoconfig", "autodiscover", "ua-auto-config")
"""Before the domain's name: where programs ask for the settings of a domain's accounts."""
HTTPS_PORT = 443
SERVICES = ("submissions", "submission", "imaps", "imap", "managesieve", "https")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailPort:
    """begins_in_tls: else by STARTTLS."""

    port: int
    begins_in_tls: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """ports: by listener; without those that other machines cannot reach. login_domain: of the names that are logged in
    with, another one for a domain alias."""

    domain: str
    login_domain: str
    hostname: str
    ports: Mapping[str, int]

    @property
    def base_url(self) -> str | None:
        """Of the web side, without a closing slash; None where there is none."""
        port = self.ports.get("https")
        if port is None:
            return None
        return f"https://{self.hostname}" + ("" if port == HTTPS_PORT else f":{port}")

    @property
    def imap(self) -> MailPort | None:
        return self._mail_port("imaps", "imap")

    @property
    def submission(self) -> MailPort | None:
        return self._mail_port("submissions", "submission")

    def login_of(self, address: Address) -> str:
        return f"{address.local_part}@{self.login_domain}"

    def _mail_port(self, in_tls: str, by_starttls: str) -> MailPort | None:
        # RFC 8314 §3: TLS from the first byte is what clients are to prefer.
        if in_tls in self.ports:
            return MailPort(port=self.ports[in_tls], begins_in_tls=True)
        if by_starttls in self.ports:
            return MailPort(port=self.ports[by_starttls], begins_in_tls=False)
        return None


def settings_hosts(domain: str) -> tuple[str, ...]:
    return tuple(f"{label}.{domain}" for label in SETTINGS_HOSTS)


def reachable_ports(listeners: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Of the services for mail programs. listeners: endpoints by service. A server that takes no mail from other
    machines is being tried out: its ports are all those that it has."""
    is_tried_out = not any(_is_reachable(endpoint) for endpoint in listeners.get("smtp", ()))
    found: dict[str, int] = {}
    for service in SERVICES:
        endpoints = listeners.get(service, ())
        ports = [_port(endpoint) for endpoint in endpoints if is_tried_out or _is_reachable(endpoint)]
        if ports:
            found[service] = ports[0]
    return found


def _is_reachable(endpoint: str) -> bool:
    host = endpoint.rpartition(":")[0].strip("[]")
    return not host or not ipaddress.ip_address(host).is_loopback


def _port(endpoint: str) -> int:
    return int(endpoint.rpartition(":")[2])
