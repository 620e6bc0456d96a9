"""Listening sockets: bound once by the supervisor, shared by its workers, kept across generations.

All of a spec's endpoints are bound or none, so a port that is taken leaves nothing half-started.
"""

import errno
import pwd
import re
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mailstack.app import unix_sockets
from mailstack.app.faults import CannotServe, PortBusy
from mailstack.net.listen import BACKLOG

ENDPOINT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^:\[\]]*):(?P<port>\d{1,5})")
EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104  an endpoint without a host means just that


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Endpoint:
    """service: a name of spec's listeners. host: an address, 0.0.0.0 or :: for all of a family. path: of a unix socket
    instead; access: who may connect to it, which can change while it is open."""

    service: str
    host: str = ""
    port: int = 0
    path: str = ""
    access: str = field(default="", compare=False)

    def __str__(self) -> str:
        if self.path:
            return self.path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


Bound = Mapping[Endpoint, socket.socket]


def endpoints_of(listeners: Mapping[str, Sequence[str]]) -> tuple[Endpoint, ...]:
    """listeners: service to endpoint texts, as ListenerBody has them. Raises CannotServe."""
    found = {endpoint for service, texts in listeners.items() for text in texts for endpoint in _parse(service, text)}
    return tuple(sorted(found))


def https_port(listeners: Mapping[str, Sequence[str]]) -> int | None:
    """Where the machine is asked from outside, as far as anybody here knows; None where it is not."""
    return min((endpoint.port for endpoint in endpoints_of({"https": listeners.get("https", ())})), default=None)


def bind(wanted: Iterable[Endpoint], held: Bound) -> dict[Endpoint, socket.socket]:
    """New sockets for the endpoints that `held` lacks; all or none. Raises PortBusy, CannotServe."""
    opened: dict[Endpoint, socket.socket] = {}
    known = {endpoint: endpoint for endpoint in held}
    try:
        for endpoint in wanted:
            if endpoint in held:
                if endpoint.access != known[endpoint].access:
                    unix_sockets.permit(endpoint.path, endpoint.access)
            elif endpoint.path:
                opened[endpoint] = unix_sockets.bind(
                    f"{endpoint.service} on {endpoint}", endpoint.path, endpoint.access
                )
            else:
                found = _bind_one(endpoint)
                if found is not None:
                    opened[endpoint] = found
    except BaseException:
        give_up(opened)
        raise
    return opened


def give_up(bound: Bound) -> None:
    """By whoever bound them: what stands for them in the file system goes too."""
    for endpoint in bound:
        if endpoint.path:
            unix_sockets.remove(endpoint.path)
    close_all(bound)


def own_sockets(bound: Bound, user: pwd.struct_passwd) -> None:
    """Before root is given up."""
    for endpoint in bound:
        if endpoint.path:
            unix_sockets.belong_to(endpoint.path, endpoint.access, user)


def close_all(bound: Bound) -> None:
    """By whoever has copies."""
    for listener in bound.values():
        listener.close()


def _parse(service: str, text: str) -> list[Endpoint]:
    if text.startswith("/"):
        path, _, access = text.partition(" ")
        return [Endpoint(service=service, path=path, access=access)]
    match = ENDPOINT.fullmatch(text)
    if match is None or not 0 < int(match["port"]) < 65536:
        raise CannotServe(f"listeners.{service}: {text!r} is no host:port")
    host = match["host"].strip("[]")
    hosts = (host,) if host and host != "*" else EVERY_ADDRESS
    return [Endpoint(service=service, host=each, port=int(match["port"])) for each in hosts]


def _bind_one(endpoint: Endpoint) -> socket.socket | None:
    """None where every address was asked for and this machine has no such family."""
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    try:
        listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    except OSError as fault:
        if fault.errno == errno.EAFNOSUPPORT and endpoint.host in EVERY_ADDRESS:
            return None
        raise
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((endpoint.host, endpoint.port))
        listener.listen(BACKLOG)
    except OSError as fault:
        listener.close()
        if fault.errno == errno.EADDRNOTAVAIL and endpoint.host in EVERY_ADDRESS:
            return None
        raise _plain(endpoint, fault) from fault
    return listener


def _plain(endpoint: Endpoint, fault: OSError) -> Exception:
    name = f"{endpoint.service} on {endpoint}"
    match fault.errno:
        case errno.EADDRINUSE:
            return PortBusy(f"{name}: the port is in use by another program")
        case errno.EACCES | errno.EPERM:
            return CannotServe(f"{name}: ports below 1024 need root or CAP_NET_BIND_SERVICE")
        case errno.EADDRNOTAVAIL:
            return CannotServe(f"{name}: this machine has no such address")
        case _:
            return CannotServe(f"{name}: {fault.strerror or fault}")
