"""Debian's pebble, a certificate authority for tests, and its challenge test server, both on free loopback ports.

pebble asks its own name server, which says 127.0.0.1 for every name, and looks for proofs at the ports it is told.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import trustme

from tests.support.leash import leashed
from tests.support.ports import free_port
from tests.support.sandbox import need

START_S = 120.0
FAST = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pebble:
    """directory: its URL. ca_file: who signed the certificate of that URL. http_port, tls_port: where it looks for
    proofs. challenges: the management URL of the test server, which answers at those ports unless told otherwise."""

    directory: str
    ca_file: str
    http_port: int
    tls_port: int
    management: str
    challenges: str

    def issuer_of_all(self) -> str:
        """PEM of the root that its chains lead to."""
        return httpx.get(f"{self.management}/roots/0", verify=False).text  # noqa: S501  on loopback, a made-up CA

    def tell(self, what: str, **fields: object) -> None:
        """To the test server: add-http01, set-txt, set-default-ipv4, add-caa …"""
        httpx.post(f"{self.challenges}/{what}", json=fields).raise_for_status()


@contextmanager
def running_pebble(
    folder: Path,
    *,
    settings: Mapping[str, object] | None = None,
    environment: Mapping[str, str] | None = None,
    answers: bool = True,
    http_port: int | None = None,
    tls_port: int | None = None,
    name_server: str = "",
) -> Iterator[Pebble]:
    """answers: whether the test server shows proofs; otherwise whoever listens at the ports. name_server: host:port
    that pebble asks instead of the test server's. settings, environment: over the fast and friendly ones."""
    programs = [need("pebble"), need("pebble-challtestsrv")]
    api, management, challenges, dns, http, tls = (free_port() for _ in range(6))
    http, tls = http_port or http, tls_port or tls
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    issued.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    config = {
        "listenAddress": f"127.0.0.1:{api}",
        "managementListenAddress": f"127.0.0.1:{management}",
        "certificate": str(folder / "cert.pem"),
        "privateKey": str(folder / "key.pem"),
        "httpPort": http,
        "tlsPort": tls,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": False,
        **(settings or {}),
    }
    (folder / "pebble.json").write_text(json.dumps({"pebble": config}))
    ports = (f"127.0.0.1:{http}", f"127.0.0.1:{tls}") if answers else ("", "")
    server = [programs[1], "-management", f"127.0.0.1:{challenges}", "-dns01", f"127.0.0.1:{dns}"]
    server += ["-http01", ports[0], "-tlsalpn01", ports[1], "-https01", "", "-defaultIPv6", ""]
    asked = name_server or f"127.0.0.1:{dns}"
    with (
        _running(server, folder / "challtestsrv.log", {}, f"http://127.0.0.1:{challenges}/"),
        _running(
            [programs[0], "-config", str(folder / "pebble.json"), "-dnsserver", asked],
            folder / "pebble.log",
            {**FAST, **(environment or {})},
            f"https://127.0.0.1:{api}/dir",
        ),
    ):
        yield Pebble(
            directory=f"https://localhost:{api}/dir",
            ca_file=str(folder / "ca.pem"),
            http_port=http,
            tls_port=tls,
            management=f"https://127.0.0.1:{management}",
            challenges=f"http://127.0.0.1:{challenges}",
        )


@contextmanager
def _running(command: list[str], log: Path, environment: Mapping[str, str], url: str) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            leashed(command), stdout=output, stderr=output, stdin=subprocess.DEVNULL, env={**os.environ, **environment}
        )
        try:
            _wait_until_answering(url, process, log)
            yield
        finally:
            process.terminate()
            process.wait(timeout=START_S)


def _wait_until_answering(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        assert process.poll() is None, log.read_text()
        try:
            httpx.get(url, verify=False, timeout=2.0)  # noqa: S501  only whether it is there
            return
        except httpx.TransportError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
