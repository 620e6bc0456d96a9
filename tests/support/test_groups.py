"""Tests that share a server are run by one process, one after the other."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFTEST = "from tests.conftest import pytest_xdist_make_scheduler\n"
SHARED = """\
import os
import pytest

pytestmark = pytest.mark.xdist_group("shared")

@pytest.mark.parametrize("number", range(6))
def test_of_a_group(number):
    with open("where", "a") as where:
        where.write(os.environ["PYTEST_XDIST_WORKER"] + "\\n")
"""
ALONE = """\
import pytest

@pytest.mark.parametrize("number", range(6))
def test_alone(number):
    pass
"""


def test_a_group_stays_in_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("conftest", CONFTEST), ("test_shared", SHARED), ("test_alone", ALONE)):
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "pytest.ini").write_text(
        f"[pytest]\npythonpath = {ROOT} {ROOT / 'src'}\nmarkers =\n    in_memory: one\n"
    )
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider"]
    done = subprocess.run([*command, "."], cwd=tmp_path, capture_output=True, check=False, timeout=180)
    assert done.returncode == 0, done.stdout
    where = (tmp_path / "where").read_text().split()
    assert (len(where), len(set(where))) == (6, 1)
