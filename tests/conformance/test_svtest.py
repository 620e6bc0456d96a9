"""The files of tests/data/svtest, those that MAILSTACK_SVTESTS names, and the runner itself."""

import os
from pathlib import Path

import pytest

from tests.conformance.svtest import OWN, files, main, run_file

NAMED = [Path(name) for name in os.environ.get("MAILSTACK_SVTESTS", "").split(":") if name]


@pytest.mark.parametrize("path", list(files([OWN, *NAMED])), ids=lambda path: path.stem)
def test_a_file(path: Path) -> None:
    found = run_file(path)
    assert found.blocks
    assert [f"{block.name}: {block.failure}" for block in found.failed] == []


def file(folder: Path, text: str) -> Path:
    path = folder / "file.svtest"
    path.write_text(f'require "vnd.dovecot.testsuite";\n{text}\n')
    return path


def failures(path: Path) -> dict[str, str]:
    return {block.name: block.failure for block in run_file(path).blocks}


def test_a_block_that_fails_does_not_end_the_file(tmp_path: Path) -> None:
    path = file(tmp_path, 'test "a" { test_fail "why"; test_fail "not"; } test "b" { stop; } test "c" {}')
    assert failures(path) == {"a": "why", "b": "", "c": ""}


def test_a_fault_within_a_block_is_its_failure(tmp_path: Path) -> None:
    path = file(tmp_path, 'test "a" { redirect "a@b.example"; keep; test_message :smtp 0; } test "b" { keep; }')
    assert failures(path) == {"a": "there is no message 0", "b": ""}


def test_a_file_that_does_not_compile_has_failed_with_all_blocks(tmp_path: Path) -> None:
    found = failures(file(tmp_path, 'test "a" { kep; }\ntest "b" { keep; }'))
    assert list(found) == ["a", "b"]
    assert all("unknown command 'kep'" in failure for failure in found.values())


def test_what_comes_behind_a_fault_outside_of_blocks_has_failed(tmp_path: Path) -> None:
    path = file(tmp_path, 'test "a" {}\ntest_message :folder "None" 3;\ntest "b" {}')
    assert failures(path) == {"a": "", "b": "not reached: there is no message 3"}


def test_files_name_their_folder(tmp_path: Path) -> None:
    path = file(tmp_path, 'require "variables"; test "${tst.path}" {}')
    assert failures(path) == {str(tmp_path): ""}


def test_what_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAILSTACK_SVTESTS", raising=False)
    path = file(tmp_path, 'test "good" {} test "bad" { test_fail "why"; }')
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"   1 passed    1 failed  {path}",
        "       bad: why",
        "1 of 2 passed, 1 failed, in 1 files",
    ]
    path.write_text('require "vnd.dovecot.testsuite"; test "good" {}')
    monkeypatch.setenv("MAILSTACK_SVTESTS", f"{tmp_path}:{path}")
    assert main([]) == 0
    assert capsys.readouterr().out.endswith("2 of 2 passed, 0 failed, in 2 files\n")


def test_no_tests_at_all_are_a_failure(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 1
