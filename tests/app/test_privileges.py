"""What root hands over before it becomes the service's user, and what it keeps."""

import os
import pwd
from pathlib import Path

import pytest

from mailstack.app.privileges import hand_over

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
NOBODY = pwd.getpwnam("nobody")


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    account = tmp_path / "state" / "accounts" / "ab" / "abcd"
    (account / "blobs").mkdir(parents=True)
    (account / "mail.db").touch()
    (tmp_path / "state" / "queue").mkdir()
    (tmp_path / "state" / "log").mkdir()
    (tmp_path / "state" / "log" / "2026-11-30T12.1-0.jsonl").touch()
    for name in ("system.db", "system.db-wal", "system.db-shm"):
        (tmp_path / "state" / name).touch()
    return tmp_path / "state"


def owner(path: Path) -> int:
    return path.lstat().st_uid


def test_all_that_root_made_in_the_storage(storage: Path) -> None:
    blob = storage / "accounts" / "ab" / "abcd" / "blobs" / "large"
    blob.touch()
    os.link(blob, storage / "queue" / "large")
    hand_over(storage, NOBODY)
    assert {owner(path) for path in (storage, *storage.rglob("*"))} == {NOBODY.pw_uid}


def test_nothing_that_a_symlink_leads_to(storage: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").touch()
    (storage / "trash").symlink_to(outside)
    (storage / "queue" / "link").symlink_to(outside / "file")
    (storage / "accounts" / "link").symlink_to(outside)
    hand_over(storage, NOBODY)
    assert owner(outside) == owner(outside / "file") == 0


def test_no_file_that_has_a_name_elsewhere_nor_one_of_somebody_else(storage: Path, tmp_path: Path) -> None:
    elsewhere, theirs = tmp_path / "shadow", storage / "queue" / "theirs"
    elsewhere.touch()
    os.link(elsewhere, storage / "queue" / "shadow")
    theirs.touch()
    os.chown(theirs, 12_345, -1)
    hand_over(storage, NOBODY)
    assert owner(elsewhere) == 0
    assert owner(theirs) == 12_345


def test_nothing_beside_the_storage_s_own_names(storage: Path) -> None:
    (storage / "etc").mkdir()
    hand_over(storage, NOBODY)
    assert owner(storage / "etc") == 0
