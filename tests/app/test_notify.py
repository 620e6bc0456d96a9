"""sd_notify over a socket of our own."""

import socket
from pathlib import Path

import pytest

from mailstack.app.notify import tell_systemd, watchdog_interval_s


def test_states_are_one_datagram(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        address = f"\0mailstack-test-{tmp_path.name}"
        systemd.bind(address)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + address[1:])
        tell_systemd("READY=1", "STATUS=generation 1")
        assert systemd.recv(100) == b"READY=1\nSTATUS=generation 1"


def test_without_systemd_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    tell_systemd("READY=1")


def test_the_watchdog_is_fed_twice_as_often_as_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    assert watchdog_interval_s() == 15


@pytest.mark.parametrize(("name", "value"), [("WATCHDOG_USEC", ""), ("WATCHDOG_PID", "1")])
def test_no_watchdog_no_feeding(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    monkeypatch.setenv(name, value)
    assert watchdog_interval_s() is None
