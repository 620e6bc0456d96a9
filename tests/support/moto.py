"""moto's S3, in a process of its own on a free loopback port. What it does not check stands in docs/scale.md."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from mailstack.store.s3.bucket import BucketAddress
from tests.support.leash import leashed

START_S = 60.0


@contextmanager
def running_moto(folder: Path) -> Iterator[str]:
    """Its URL. A bucket of its own for each test is made by new_bucket."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    log = folder / "moto.log"
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            leashed(command), stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=environment
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_answering(url, process, log)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=20)


def new_bucket(url: str, name: str) -> BucketAddress:
    httpx.put(f"{url}/{name}").raise_for_status()
    return BucketAddress(bucket=name, endpoint=url, access_key="AKIA-TEST", secret_key="hush-hush", prefix="mail")


def _wait_until_answering(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        assert process.poll() is None, log.read_text()
        try:
            httpx.get(url, timeout=5.0)
            return
        except httpx.TransportError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
