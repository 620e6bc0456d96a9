"""moto's S3, in a process of its own on a free loopback port. What it does not check stands in docs/scale.md."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from mailstack.store.s3.bucket import BucketAddress
from tests.support.leash import leashed

START_S = 120.0
_RUNNING = re.compile(r"Running on (http://127\.0\.0\.1:\d+)")


@contextmanager
def running_moto(folder: Path) -> Iterator[str]:
    """Its URL. A bucket of its own for each test is made by new_bucket."""
    log = folder / "moto.log"
    # It finds the port itself: one that was found free for it may be another's by the time it starts.
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", "0"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            leashed(command), stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=environment
        )
        try:
            yield _url_once_answering(process, log)
        finally:
            process.terminate()
            process.wait(timeout=START_S)


def new_bucket(url: str, name: str) -> BucketAddress:
    httpx.put(f"{url}/{name}").raise_for_status()
    return BucketAddress(bucket=name, endpoint=url, access_key="AKIA-TEST", secret_key="hush-hush", prefix="mail")


def _url_once_answering(process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + START_S
    while True:
        assert process.poll() is None, log.read_text()
        if (found := _RUNNING.search(log.read_text())) is not None:
            with suppress(httpx.TransportError):
                httpx.get(found[1], timeout=5.0)
                return found[1]
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
