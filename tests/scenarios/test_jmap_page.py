"""The examples of docs/jmap.md, one after the other, against a whole appliance: each prints what the page says."""

import re
import sys
from pathlib import Path

import pytest

from tests.support.sandbox import MAILSTACK, Sandbox, need, run_client

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("web")]

PAGE = (Path(__file__).parents[2] / "docs" / "jmap.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"```(sh|python)\n(.*?)```\n```text\n(.*?)```", re.DOTALL)
HOST = "mail.example.com"
END = "== the end of an example =="


def test_each_example_prints_what_the_page_says(sandbox: Sandbox, spec: Path, tmp_path: Path) -> None:
    for program in ("curl", "jq"):
        need(program)
    examples = EXAMPLE.findall(PAGE)
    assert len(examples) == PAGE.count("```sh") + PAGE.count("```python")
    script = tmp_path / "examples.sh"
    script.write_text(
        f"set -euo pipefail\ncd {tmp_path}\n"
        f'mailstack() {{ {" ".join(MAILSTACK)} "$@" --state {sandbox.state}; }}\n'
        + "".join(f"{_runnable(kind, code, spec, sandbox)}\necho '{END}'\n" for kind, code, _ in examples)
    )
    done = run_client(["bash", str(script)], CURL_CA_BUNDLE=str(sandbox.ca), REQUESTS_CA_BUNDLE=str(sandbox.ca))
    printed = done.stdout.decode().split(f"{END}\n")
    for (_, code, expected), found in zip(examples, printed, strict=False):
        assert _pattern(expected, sandbox).fullmatch(found), f"{code}\n{found}\n{done.stderr.decode()}"
    assert done.returncode == 0, done.stderr.decode()


def _runnable(kind: str, code: str, spec: Path, sandbox: Sandbox) -> str:
    here = code.replace(HOST, f"localhost:{sandbox.port('https')}").replace("mailstack.yaml", str(spec))
    if kind == "python":
        return f"export TOKEN; {sys.executable} - <<'PYTHON'\n{here}PYTHON"
    return here.replace("PASSWORD", "pw")


def _pattern(expected: str, sandbox: Sandbox) -> re.Pattern[str]:
    """Ids, states and the like are whatever they are."""
    here = expected.replace(HOST, f"localhost:{sandbox.port('https')}")
    return re.compile(re.escape(here).replace("…", r'[^"]+'))
