"""Test data of others, read where it lies (override: MAILSTACK_SUITES); absent data skips a test, never fails it."""

import os
import tarfile
from functools import cache
from pathlib import Path

import pytest

_DEFAULT = Path(__file__).parents[3] / "shared" / "suites"


def suite_path(*parts: str) -> Path:
    path = Path(os.environ.get("MAILSTACK_SUITES", _DEFAULT)).joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the suites are not here: {path} (MAILSTACK_SUITES names another place)", allow_module_level=True)
    return path


@cache
def packed_files(path: Path) -> dict[str, bytes]:
    """All regular files of a tar archive by name."""
    found: dict[str, bytes] = {}
    with tarfile.open(path) as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None:
                found[member.name.removeprefix("./")] = content.read()
    return found
