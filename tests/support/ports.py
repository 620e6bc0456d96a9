"""Free loopback ports for servers of tests, that nobody else takes before they are bound.

Not those that Linux gives out by itself, from 32768 on: between the look and the bind one of them becomes somebody's
connection. Processes of tests know each other's by sockets whose names are in no file system.
"""

import os
import socket

PORTS = range(3_000, 10_000)
"""Below those of sandboxes."""
_claims: dict[str, socket.socket] = {}


def free_port() -> int:
    """Another one each time, for TCP and UDP."""
    start = os.getpid() * 97 % len(PORTS)  # processes that begin together do not look at the same ones
    ports: list[int] = [*PORTS[start:], *PORTS[:start]]
    for port in ports:
        name = f"port-{port}"
        if name not in _claims and is_free(port) and claimed(name):
            return port
    raise RuntimeError("no free ports")


def claimed(name: str) -> bool:
    """Whether it is this process's, from now on and for its life."""
    if name in _claims:
        return True
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0mailstack-tests-{name}")
    except OSError:
        claim.close()
        return False
    _claims[name] = claim
    return True


def is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as probe:
            if kind is socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
