"""What the log costs who does not ask it: DuckDB is 70 MB on disk, and no process that serves mail is to have it."""

import subprocess
import sys

import pytest

LOADED = "import sys, {module}; print('duckdb' in sys.modules)"


@pytest.mark.parametrize("module", ["mailstack.app.supervisor", "mailstack.app.applier", "mailstack.app.api_job"])
def test_nothing_that_serves_mail_loads_it(module: str) -> None:
    code = f"import mailstack.app.log; {LOADED.format(module=module)}"
    found = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, check=True, text=True)
    assert found.stdout == "False\n"


def test_who_asks_it_does() -> None:
    code = f"import mailstack.app.log; {LOADED.format(module='mailstack.app.api_log')}"
    found = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, check=True, text=True)
    assert found.stdout == "True\n"
