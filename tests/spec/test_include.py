"""Several files as one: which are read, and what their relative paths mean."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailstack.spec import include
from mailstack.spec.document import Document, merge
from mailstack.spec.include import read_files

NOBODY = 65534


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "spec.yaml"


def names(main: Path) -> list[str]:
    return [str(path.relative_to(main.parent)) for path in read_files(main).contents]


def faults(main: Path) -> list[str]:
    return [fault.message for fault in read_files(main).faults]


def test_files_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    main = write(
        tmp_path, {"spec.yaml": "include: [d/*.yaml]", "d/b.yaml": "b: 1", "d/a.yaml": "a: 1", "d/c.txt": "c: 1"}
    )
    assert names(main) == ["spec.yaml", "d/a.yaml", "d/b.yaml"]


def test_a_file_that_two_patterns_match_is_read_once(tmp_path: Path) -> None:
    main = write(tmp_path, {"spec.yaml": "include: [a.yaml, '*.yaml', a.yaml]", "a.yaml": "a: 1"})
    assert names(main) == ["spec.yaml", "a.yaml"]
    assert not faults(main)


def test_editors_backups_are_left_alone(tmp_path: Path) -> None:
    main = write(
        tmp_path, {"spec.yaml": "include: ['*.yaml']", "a.yaml": "a: 1", ".#a.yaml": "b: [", "a.yaml~": "c: ["}
    )
    assert names(main) == ["spec.yaml", "a.yaml"]


@pytest.mark.parametrize("pattern", [".", "./", "", "/etc/passwd", "../x.yaml", "a/../../x.yaml"])
def test_what_is_no_path_below_the_files_folder_is_a_fault(tmp_path: Path, pattern: str) -> None:
    main = write(tmp_path, {"spec.yaml": f"include: ['{pattern}']"})
    (message,) = faults(main)
    assert "an include stays below the folder of its file" in message
    assert not read_files(main).patterns


@pytest.mark.parametrize("pattern", ["**.yaml", "a**/b.yaml", "x" * 5_000])
def test_a_pattern_that_can_match_nothing_is_a_fault(tmp_path: Path, pattern: str) -> None:
    main = write(tmp_path, {"spec.yaml": f"include: ['{pattern}']"})
    (message,) = faults(main)
    assert message.startswith("no file matches ")


def test_an_included_file_includes_from_its_own_folder(tmp_path: Path) -> None:
    main = write(
        tmp_path, {"spec.yaml": "include: [d/a.yaml]", "d/a.yaml": "include: [e/b.yaml]", "d/e/b.yaml": "b: 1"}
    )
    assert names(main) == ["spec.yaml", "d/a.yaml", "d/e/b.yaml"]


def test_two_files_may_include_a_third(tmp_path: Path) -> None:
    main = write(
        tmp_path,
        {
            "spec.yaml": "include: [a.yaml, b.yaml]",
            "a.yaml": "include: [c.yaml]",
            "b.yaml": "include: [c.yaml]",
            "c.yaml": "c: 1",
        },
    )
    assert names(main) == ["spec.yaml", "a.yaml", "c.yaml", "b.yaml"]
    assert not faults(main)


@pytest.mark.parametrize("pattern", ["../*.yaml", "/etc/hostname", "a/../../b", "''", '"\\0"'])
def test_an_include_stays_below_its_folder(tmp_path: Path, pattern: str) -> None:
    main = write(tmp_path, {"spec.yaml": f"include: [{pattern}]"})
    assert len(faults(main)) == 1
    assert names(main) == ["spec.yaml"]


@pytest.mark.parametrize("pattern", ["none.yaml", "*.none", "**x", "[", "folder"])
def test_a_pattern_without_a_file_is_a_fault(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "folder").mkdir()
    main = write(tmp_path, {"spec.yaml": f"include: ['{pattern}']"})
    assert faults(main) == [f"no file matches {pattern}"]


def test_a_circle_is_a_fault_at_the_include_that_closes_it(tmp_path: Path) -> None:
    main = write(
        tmp_path, {"spec.yaml": "include: [a.yaml]", "a.yaml": "x: 1\ninclude: [b.yaml]", "b.yaml": "include: [a.yaml]"}
    )
    found = read_files(main).faults
    assert [(Path(fault.file).name, fault.line, fault.column) for fault in found] == [("b.yaml", 1, 11)]
    assert found[0].message.startswith("the files include each other: ")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that everybody may enter: pytest's own are for the user who runs the tests."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root reads everything, so it steps down for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_that_may_not_be_read_is_a_fault(open_folder: Path) -> None:
    main = write(open_folder, {"spec.yaml": "include: [a.yaml]", "a.yaml": "a: 1"})
    (open_folder / "a.yaml").chmod(0)
    with without_privileges():
        assert faults(main) == [f"{open_folder}/a.yaml cannot be read: Permission denied"]


def test_a_spec_that_may_not_be_read_is_a_fault(open_folder: Path) -> None:
    main = write(open_folder, {"spec.yaml": "a: 1"})
    main.chmod(0)
    with without_privileges():
        assert faults(main) == ["cannot be read: Permission denied"]


def test_too_many_bytes_in_all_are_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(include, "MAX_FILES", 2)
    main = write(tmp_path, {"spec.yaml": "include: ['*.yaml']", "a.yaml": "a: 1", "b.yaml": "b: 1"})
    assert faults(main) == ["more than 2 files or 64 MiB are included"]


def test_relative_paths_start_at_the_file_that_holds_them(tmp_path: Path) -> None:
    main = write(
        tmp_path,
        {
            "spec.yaml": "include: [d/a.yaml]\naccounts: {x: {password: file/x}}",
            "d/a.yaml": "accounts: {a: {password: file/a, name: file/a}, b: {password: env/B},"
            " c: {password: file//c}}\n"
            "storage: {path: data}\ntls: {files: [{certificate: c.pem, key: file/../k.pem}]}\n"
            "dns: {providers: {p: {class: file/x, deep: {list: [file/t, env/T]}}}}",
        },
    )
    values = Document(merge(read_files(main).roots)).values
    assert values["accounts"] == {
        "x": {"password": "file/x"},
        "a": {"password": "file/d/a", "name": "file/a"},
        "b": {"password": "env/B"},
        "c": {"password": "file//c"},
    }
    assert values["storage"] == {"path": "d/data"}
    assert values["tls"] == {"files": ({"certificate": "d/c.pem", "key": "file/d/../k.pem"},)}
    assert values["dns"] == {"providers": {"p": {"class": "file/d/x", "deep": {"list": ("file/d/t", "env/T")}}}}


def test_a_shared_anchor_is_rewritten_once(tmp_path: Path) -> None:
    text = "accounts: {a: {password: &p file/a}, b: {password: *p}}\ndns: {providers: &l {x: *l}}"
    main = write(tmp_path, {"spec.yaml": "include: [d/a.yaml]", "d/a.yaml": text})
    values = Document(merge(read_files(main).roots)).values
    assert values["accounts"] == {"a": {"password": "file/d/a"}, "b": {"password": "file/d/a"}}
