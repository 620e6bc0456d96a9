"""`mailstack upgrade-spec` as it is typed."""

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.cli.main import cli

OLD = """\
# our server
apiVersion: mailstack/v1alpha1
include: [more.yaml]
server: {host: mail.example.com}   # the name
storage: {path: state}
domains: {example.com: {dkim: {algorithms: [ed25519]}}}
"""
MORE = "accounts:\n  alice@example.com: {aliases: [a@example.com]}  # Alice\n"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "mailstack.yaml"
    path.write_text(OLD)
    path.chmod(0o640)
    (tmp_path / "more.yaml").write_text(MORE)
    return path


def test_the_spec_and_what_it_includes_are_rewritten(spec: Path) -> None:
    result = run("upgrade-spec", str(spec))
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"{spec}:4: host is hostname now\n" in result.stdout
    assert spec.read_text() == OLD.replace("v1alpha1", "v1").replace("host:", "hostname:")
    assert stat.S_IMODE(spec.stat().st_mode) == 0o640
    assert (spec.parent / "more.yaml").read_text() == MORE.replace("aliases:", "addresses:")
    assert run("upgrade-spec", str(spec)).stdout == f"{spec} is of this version\n"


def test_check_changes_nothing_and_is_exit_status_2(spec: Path) -> None:
    result = run("upgrade-spec", "--check", str(spec))
    assert result.exit_code == 2
    assert f"{spec.parent / 'more.yaml'}:2: aliases is addresses now\n" in result.stdout
    assert spec.read_text() == OLD
    run("upgrade-spec", str(spec))
    assert run("upgrade-spec", "--check", str(spec)).exit_code == 0


def test_what_was_applied_before_is_applied_after(spec: Path) -> None:
    assert run("apply", "--yes", str(spec)).exit_code == 0
    assert run("plan", str(spec)).exit_code == 0
    run("upgrade-spec", str(spec))
    assert run("plan", str(spec)).exit_code == 0


def test_validate_tells_of_the_older_version(spec: Path) -> None:
    assert "`mailstack upgrade-spec` rewrites it" in run("validate", str(spec)).stdout
    run("upgrade-spec", str(spec))
    assert "upgrade-spec" not in run("validate", str(spec)).stdout


def test_a_spec_with_faults_is_left_alone(spec: Path) -> None:
    spec.write_text(OLD + "accounts: 3\n")
    assert run("upgrade-spec", str(spec)).exit_code == 2
    assert spec.read_text() == OLD + "accounts: 3\n"
