"""Which addresses this machine has now: they come and go with interfaces, and floating ones move to another."""

import ipaddress
import socket

ANY_PORT = 9


def is_own(address: str) -> bool:
    """address: of an interface here, or routed to this machine whole (a "local" route of Linux)."""
    family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
            # Sends nothing. What the system binds without having it (ip_nonlocal_bind) has no route from there.
            probe.connect((address, ANY_PORT))
        except OSError:
            return False
    return True
