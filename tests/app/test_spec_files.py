"""A file of the spec is written whole or not at all, and stays whose it was."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import gettempdir

import pytest

from mailstack.app import spec_files
from mailstack.app.spec_files import DRAFT, why_not_writable, work_tree, write_whole
from mailstack.model.errors import Conflict, Forbidden, TryAgainLater

FORMER, NEW = "a: 1\r\n# Grüße\n", "a: 2\n" * 20_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "etc" / "mailstack.yaml"
    found.parent.mkdir()
    found.write_bytes(FORMER.encode())
    return found


def test_a_link_stays_one(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    write_whole(link, NEW, former=FORMER)
    assert (link.is_symlink(), file.read_text(), link.read_text()) == (True, NEW, NEW)


def test_what_somebody_saved_just_now_is_left_alone(file: Path) -> None:
    with pytest.raises(Conflict):
        write_whole(file, NEW, former="another")
    assert file.read_bytes() == FORMER.encode()
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_draft_of_a_crash_is_no_hindrance(file: Path, tmp_path: Path) -> None:
    treasure = tmp_path / "treasure"
    treasure.write_text("kept")
    file.with_name(f".{file.name}{DRAFT}").symlink_to(treasure)
    write_whole(file, NEW, former=FORMER)
    assert (file.read_text(), treasure.read_text()) == (NEW, "kept")


def test_what_kubernetes_swaps_is_not_written(tmp_path: Path) -> None:
    folder = tmp_path / "..2026_11_30"
    folder.mkdir()
    (folder / "mailstack.yaml").write_text(FORMER)
    (tmp_path / "..data").symlink_to(folder.name)
    (tmp_path / "mailstack.yaml").symlink_to("..data/mailstack.yaml")
    assert "put it back" in why_not_writable(tmp_path / "mailstack.yaml")
    with pytest.raises(Forbidden):
        write_whole(tmp_path / "mailstack.yaml", NEW, former=FORMER)


AS_ANOTHER = """\
import os, sys
from pathlib import Path
from mailstack.app.spec_files import why_not_writable
os.setgroups([]); os.setgid(4322); os.setuid(4321)
print(why_not_writable(Path(sys.argv[1])))
"""


def asked_as_another(file: Path) -> str:
    command = [sys.executable, "-c", AS_ANOTHER, str(file)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_a_folder_or_a_file_of_somebody_else_is_left_alone(file: Path) -> None:
    for folder in file.parents:
        if Path(gettempdir()) in folder.parents:  # the test's own, not the machine's
            folder.chmod(0o755)
    assert f"the folder {file.parent} is read-only for the user" in asked_as_another(file)
    file.parent.chmod(0o777)
    assert "could not give it back" in asked_as_another(file)
    os.chown(file, 4321, 4322)
    assert asked_as_another(file) == ""


def test_a_full_disk_leaves_it_as_it_was(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TryAgainLater, match="No space left"):
        write_whole(file, NEW, former=FORMER)
    assert file.read_bytes() == FORMER.encode()
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_what_is_in_its_place_is_not_said_to_be_as_it_was(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(folder: Path) -> None:
        raise OSError(5, "Input/output error", str(folder))

    monkeypatch.setattr(spec_files, "sync_folder", broken)
    write_whole(file, NEW, former=FORMER)
    assert file.read_text() == NEW


KILLED = """\
import os, signal, sys
from pathlib import Path
from mailstack.app.spec_files import write_whole
file, former, new, at = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
seen = 0
def count(event, _arguments):
    global seen
    if event in {"open", "os.rename", "os.remove", "shutil.copystat"}:
        seen += 1
        if seen == at:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(count)
write_whole(file, new, former=former)
"""


def test_whenever_it_is_killed_the_file_is_whole(file: Path) -> None:
    former, left, at = "a: 1\n", set(), 0
    while True:
        at += 1
        file.write_text(former)
        command = [sys.executable, "-c", KILLED, str(file), former, "a: 2\n", str(at)]
        ended = subprocess.run(command, check=False, capture_output=True)
        left.add(file.read_text())
        if ended.returncode == 0:
            break
    assert left == {former, "a: 2\n"}
    assert at > 4
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize(
    ("head", "branch"),
    [
        ("ref: refs/heads/main\n", "main"),
        ("0123456789abcdef0123456789abcdef01234567\n", ""),
        ("ref: refs/heads/a/b", "a/b"),
    ],
)
def test_a_git_work_tree_and_its_branch(file: Path, tmp_path: Path, head: str, branch: str) -> None:
    assert work_tree(file) is None
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text(head)
    assert work_tree(file) == (str(tmp_path), branch)


def test_a_linked_work_tree(file: Path, tmp_path: Path) -> None:
    main = tmp_path / "elsewhere" / "worktrees" / "etc"
    main.mkdir(parents=True)
    (main / "HEAD").write_text("ref: refs/heads/here\n")
    (file.parent / ".git").write_text(f"gitdir: {main}\n")
    assert work_tree(file) == (str(file.parent), "here")
