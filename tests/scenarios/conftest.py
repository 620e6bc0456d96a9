"""The spec that the scenarios run, and the sandbox and sink around it."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sandbox import Sandbox, running_sandbox
from tests.support.sink import Sink, running_sink

SPEC = """\
server:
  hostname: mail.example.com
  workers: 2
  limits: {connections_per_ip: 1000}
domains:
  example.com: {}
accounts:
  alice@example.com: {name: Alice Example}
  bob@example.com: {}
aliases:
  both@example.com: [alice@example.com, bob@example.com]
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    file = tmp_path / "spec" / "mailstack.yaml"
    file.parent.mkdir()
    file.write_text(SPEC)
    return file


@pytest.fixture
def sink() -> Iterator[Sink]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
    with running_sink(port) as found:
        yield found


@pytest.fixture
def sandbox(spec: Path, tmp_path: Path, sink: Sink) -> Iterator[Sandbox]:
    arguments = ("--passwords", "pw", "--outbound", f"127.0.0.1:{sink.port}")
    with running_sandbox(spec, tmp_path / "sandbox", *arguments) as found:
        yield found
