"""Zones that BIND has signed and serves, and an Unbound before it that checks their signatures: DNSSEC as it is."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataset
import dns.rdatatype
import dns.zone
import pytest

from tests.support.bind import running_bind
from tests.support.leash import leashed
from tests.support.ports import free_port

START_S = 120.0


def sign(directory: Path, zone: str, text: str) -> tuple[str, str]:
    """The signed zone, and its DS record, which stands for the parent's."""
    source = directory / f"{zone}.unsigned"
    source.write_text(text)
    for flags in ((), ("-f", "KSK")):
        _run(directory, "dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", *flags, zone)
    _run(directory, "dnssec-signzone", "-q", "-S", "-o", zone, "-f", f"{zone}.signed", source.name)
    anchor = (directory / f"dsset-{zone}.").read_text().splitlines()[0]
    return (directory / f"{zone}.signed").read_text(), " ".join(anchor.split())


def forge(signed: str, zone: str, name: str, record_type: str, value: str) -> str:
    """The zone with another value under the same signature. name: without the closing dot."""
    held = dns.zone.from_text(signed, zone, relativize=False)
    where = dns.name.from_text(name)
    ttl = held.find_rdataset(where, record_type).ttl
    held.replace_rdataset(where, dns.rdataset.from_text("IN", record_type, ttl, value))
    return held.to_text(relativize=False)


@contextmanager
def validating_resolver(directory: Path, zones: Mapping[str, str], anchors: Mapping[str, str]) -> Iterator[str]:
    """Its endpoint. zones: as served, by name. anchors: DS records of those that are signed; the others are not."""
    with running_bind(directory, zones) as bind:
        port = free_port()
        config = directory / "unbound.conf"
        config.write_text(_configuration(directory, port, bind.port, zones, anchors))
        with (directory / "unbound.log").open("wb") as log:
            process = subprocess.Popen(leashed([_program("unbound"), "-d", "-c", str(config)]), stdout=log, stderr=log)
            try:
                _wait_until_answering(port, next(iter(zones)), process, directory / "unbound.log")
                yield f"127.0.0.1:{port}"
            finally:
                process.terminate()
                process.wait(timeout=START_S)


def _configuration(
    directory: Path, port: int, bind_port: int, zones: Mapping[str, str], anchors: Mapping[str, str]
) -> str:
    server = [
        "interface: 127.0.0.1",
        f"port: {port}",
        f'directory: "{directory}"',
        'chroot: ""',
        'username: ""',
        'pidfile: ""',
        "use-syslog: no",
        "do-ip6: no",
        "do-not-query-localhost: no",
        'local-zone: "test." nodefault',
        'module-config: "validator iterator"',
        *(f'trust-anchor: "{anchor}"' for anchor in anchors.values()),
        *(f'domain-insecure: "{zone}"' for zone in zones if zone not in anchors),
    ]
    stubs = "".join(f'stub-zone:\n  name: "{zone}"\n  stub-addr: 127.0.0.1@{bind_port}\n' for zone in zones)
    return "server:\n" + "".join(f"  {line}\n" for line in server) + "remote-control:\n  control-enable: no\n" + stubs


def _wait_until_answering(port: int, zone: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    question = dns.message.make_query(zone, dns.rdatatype.SOA)
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError, dns.exception.DNSException):
            if dns.query.udp(question, "127.0.0.1", port=port, timeout=1.0).rcode() == dns.rcode.NOERROR:
                return
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.05)
    raise AssertionError(f"unbound did not start:\n{log.read_text(errors='replace')[-2000:]}")


def _run(directory: Path, program: str, *arguments: str) -> None:
    done = subprocess.run(
        leashed([_program(program), *arguments]), cwd=directory, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None:
        missing = f"{name} (Debian: bind9, unbound) is not installed"
        if os.environ.get("CI"):
            pytest.fail(f"{missing}, and CI must not skip this")
        pytest.skip(missing)
    return found
