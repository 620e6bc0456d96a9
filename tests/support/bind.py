"""A real BIND 9 on a loopback port, with zones that take RFC 2136 updates and AXFR under a TSIG key."""

import base64
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import dns.update
import dns.zone
import pytest

from tests.support.leash import leashed
from tests.support.ports import free_port

KEY_NAME = "mailstack"
START_S = 120.0

SetKey = tuple[str, str]
"""Name without the closing dot, and type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind:
    port: int
    secret: str

    def records(self, zone: str) -> dict[SetKey, tuple[int, tuple[str, ...]]]:
        """Every record set but SOA, by AXFR: the TTL and the values as presentation text."""
        transfer = dns.query.xfr(
            "127.0.0.1", zone, port=self.port, relativize=False, keyring=self._keyring(), lifetime=60.0
        )
        held = dns.zone.from_xfr(transfer, relativize=False)
        return {
            (name.to_text().rstrip("."), dns.rdatatype.to_text(found.rdtype)): (
                found.ttl,
                tuple(sorted(rdata.to_text() for rdata in found)),
            )
            for name, found in held.iterate_rdatasets()
            if found.rdtype != dns.rdatatype.SOA
        }

    def replace(self, zone: str, name: str, ttl: int, record_type: str, *values: str) -> None:
        """A change by another hand; name with closing dot."""
        update = dns.update.UpdateMessage(f"{zone}.", keyring=self._keyring())
        update.delete(name, record_type)
        for value in values:
            update.add(name, ttl, record_type, value)
        self._send(update)

    def add(self, zone: str, name: str, ttl: int, record_type: str, value: str) -> None:
        update = dns.update.UpdateMessage(f"{zone}.", keyring=self._keyring())
        update.add(name, ttl, record_type, value)
        self._send(update)

    def provider(self) -> dict[str, object]:
        """An entry of dns.providers."""
        return {
            "class": "octodns_bind.Rfc2136Provider",
            "host": "127.0.0.1",
            "port": self.port,
            "key_name": KEY_NAME,
            "key_secret": self.secret,
            "key_algorithm": "hmac-sha256",
        }

    def _send(self, update: dns.update.UpdateMessage) -> None:
        answer = dns.query.tcp(update, "127.0.0.1", port=self.port, timeout=60.0)
        assert answer.rcode() == dns.rcode.NOERROR

    def _keyring(self) -> dict[dns.name.Name, dns.tsig.Key]:
        return dns.tsigkeyring.from_text({KEY_NAME: self.secret})


@contextmanager
def running_bind(directory: Path, zones: Mapping[str, str]) -> Iterator[Bind]:
    """zones: zone file texts, by name without the closing dot."""
    named = shutil.which("named") or shutil.which("named", path="/usr/sbin")
    if named is None:
        if os.environ.get("CI"):
            pytest.fail("BIND 9 (Debian: bind9) is not installed, and CI must not skip this")
        pytest.skip("BIND 9 (Debian: bind9) is not installed")
    bind = Bind(port=free_port(), secret=base64.b64encode(secrets.token_bytes(32)).decode("ascii"))
    config = _write_files(directory, bind, zones)
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(leashed([named, "-g", "-4", "-c", str(config)]), stdout=log, stderr=log)
        try:
            _wait_until_answering(bind, next(iter(zones)), process, directory / "log")
            yield bind
        finally:
            process.terminate()
            process.wait(timeout=START_S)


def _write_files(directory: Path, bind: Bind, zones: Mapping[str, str]) -> Path:
    blocks = []
    for name, text in zones.items():
        (directory / f"{name}.db").write_text(text)
        blocks.append(
            f'zone "{name}" {{ type primary; file "{directory}/{name}.db";'
            f" allow-update {{ key {KEY_NAME}; }}; allow-transfer {{ key {KEY_NAME}; }}; }};\n"
        )
    config = directory / "named.conf"
    config.write_text(
        f'key {KEY_NAME} {{ algorithm hmac-sha256; secret "{bind.secret}"; }};\n'
        f'options {{ directory "{directory}"; pid-file none; session-keyfile none; recursion no; notify no;\n'
        f"  listen-on port {bind.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; dnssec-validation no; }};\n"
        f"controls {{ }};\n{''.join(blocks)}"
    )
    return config


def _wait_until_answering(bind: Bind, zone: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError, dns.exception.DNSException):
            bind.records(zone)
            return
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.05)
    raise AssertionError(f"named did not start:\n{log.read_text(errors='replace')[-2000:]}")
