"""OpenDKIM (Debian: opendkim) as a verifier of files: no daemon, no DNS."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest


def opendkims(directory: Path, messages: Sequence[bytes], records: Mapping[str, str]) -> list[bool]:
    """Which messages have a signature that it passes."""
    program = shutil.which("opendkim") or shutil.which("opendkim", path="/usr/sbin")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("OpenDKIM (Debian: opendkim) is not installed, and CI must not skip this")
        pytest.skip("OpenDKIM (Debian: opendkim) is not installed")
    keys = directory / "keys"
    keys.write_text("".join(f"{name} {text}\n" for name, text in records.items()))
    # InternalHosts: else it takes the tests for mail to be signed.
    config = directory / "conf"
    config.write_text(f"Mode v\nTestPublicKeys {keys}\nSyslog no\nInternalHosts csl:192.0.2.1\n")
    return [_passes([program, "-vvv", "-x", str(config), "-t"], directory / "message", text) for text in messages]


def _passes(command: list[str], path: Path, message: bytes) -> bool:
    path.write_bytes(message)
    # It leaves with an error where it finds nothing to verify.
    done = subprocess.run([*command, str(path)], capture_output=True, check=False, timeout=60)
    said = done.stdout + done.stderr
    assert b"mlfi_eoh() returned" in said
    return b": verification (" in said and b" succeeded" in said
