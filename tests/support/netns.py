"""Nodes on one machine, each in a network namespace of its own: the same spec and ports, and nothing shared but files.

Such a node reaches PostgreSQL by a Unix socket, as it reaches nobody by network.
"""

import os
import subprocess
import sys
from collections.abc import Sequence

import pytest

from tests.support.sandbox import need


def namespace_command(command: Sequence[str]) -> list[str]:
    """What runs it in a namespace of its own, as the process that was started."""
    _require_root()
    shell = f'{need("ip")} link set lo up && exec "$@"'
    return [need("unshare"), "--net", "sh", "-c", shell, "sh", *command]


def run_in_namespace(pid: int, script: str, *arguments: str) -> "subprocess.Popen[str]":
    """A Python script in the namespace of that process, which talks to it by its standard streams."""
    command = [need("nsenter"), "-t", str(pid), "--net", sys.executable, "-c", script, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _require_root() -> None:
    if os.geteuid() != 0:
        if os.environ.get("CI"):
            pytest.fail("network namespaces need root, and CI must not skip this")
        pytest.skip("network namespaces need root")
