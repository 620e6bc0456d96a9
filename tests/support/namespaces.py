"""Loopback interfaces of their own, for nodes that listen on the same ports of one machine: network namespaces.

Only descriptors hold them, so nothing is left behind, however a test ends. Needs root.
"""

import ctypes
import fcntl
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from typing import TypeVar

import pytest

from mailstack.net.own_address import is_own
from tests.support.sandbox import wait_for

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
SIOCSIFADDR = 0x8916
IFF_UP = 1
_LOOPBACK_INDEX = 1

Result = TypeVar("Result")
_libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def run(self, work: Callable[[], Result]) -> Result:
        """In a thread inside: sockets that it opens belong there for good."""
        return _in_thread(lambda: _inside(self._descriptor, work))

    def inside(self, command: Sequence[str]) -> list[str]:
        return ["nsenter", f"--net=/proc/{os.getpid()}/fd/{self._descriptor}", "--", *command]

    def add_address(self, address: str) -> None:
        """One of those of a machine that others reach. Of IPv4, with its whole network."""
        if ":" in address:
            added = struct.pack("16sIi", ip_address(address).packed, 128, _LOOPBACK_INDEX)
            self.run(lambda: _control(SIOCSIFADDR, added, socket.AF_INET6))
            # Linux finishes it beside us.
            wait_for(lambda: self.run(lambda: is_own(address)), what=f"{address} is there")
            return
        number = int(ip_address(address)) & 255
        name = f"lo:{number}".encode()
        where = struct.pack("16sH2x4s8x", name, socket.AF_INET, ip_address(address).packed)
        self.run(lambda: _control(SIOCSIFADDR, where))

    def listener(self, port: int, host: str = "127.0.0.1") -> socket.socket:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return self.run(lambda: socket.create_server((host, port), family=family))

    def connect(self, port: int, *, timeout_s: float, host: str = "127.0.0.1", source: str = "") -> socket.socket:
        """source: an address to come from, "" for any."""
        came_from = (source, 0) if source else None
        return self.run(lambda: socket.create_connection((host, port), timeout_s, came_from))


@contextmanager
def new_namespace() -> Iterator[Namespace]:
    """With its loopback interface up and no other."""
    descriptor = _in_thread(_make)
    try:
        yield Namespace(descriptor)
    finally:
        os.close(descriptor)


def need_namespaces() -> None:
    """Missing rights: an error in CI, else a skip."""
    if os.geteuid() == 0:
        return
    if os.environ.get("CI"):
        pytest.fail("network namespaces need root, and CI must not skip this")
    pytest.skip("network namespaces need root")


def _make() -> int:
    _checked(_libc.unshare(CLONE_NEWNET))
    _control(SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _control(request: int, argument: bytes, family: int = socket.AF_INET) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, request, argument)


def _inside(descriptor: int, work: Callable[[], Result]) -> Result:
    _checked(_libc.setns(descriptor, CLONE_NEWNET))
    return work()


def _checked(answer: int) -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _in_thread(work: Callable[[], Result]) -> Result:
    """A namespace is a thread's own, and ends with this one."""
    results: list[Result] = []
    faults: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as fault:  # noqa: BLE001 - it is raised where the work was asked for
            faults.append(fault)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if faults:
        raise faults[0]
    return results[0]
