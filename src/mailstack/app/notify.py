"""What systemd wants to hear from a `Type=notify` service; silence anywhere else. sd_notify(3)."""

import asyncio
import os
import socket
import time
from contextlib import suppress


def tell_systemd(*states: str) -> None:
    """states: assignments such as READY=1. Never fails: a lost notice is systemd's to notice."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]  # sd_notify(3): the abstract namespace
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notices:
        notices.sendto("\n".join(states).encode(), address)


def watchdog_interval_s() -> float | None:
    """How often WATCHDOG=1 is due: half of what systemd allows, None when it does not watch. sd_watchdog_enabled(3)."""
    allowed = os.environ.get("WATCHDOG_USEC", "")
    watched = os.environ.get("WATCHDOG_PID", str(os.getpid()))
    if not allowed.isdecimal() or watched != str(os.getpid()):
        return None
    return int(allowed) / 2_000_000


def tell_reloading() -> None:
    """sd_notify(3): a reload is known by its time, until the next READY=1."""
    tell_systemd("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


async def feed_watchdog() -> None:
    interval_s = watchdog_interval_s()
    while interval_s is not None:
        tell_systemd("WATCHDOG=1")
        await asyncio.sleep(interval_s)
