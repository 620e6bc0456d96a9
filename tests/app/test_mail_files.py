"""Mail is found in files of every usual form; all else is passed over, and told."""

import os
from pathlib import Path

import pytest

from mailstack.app import mail_files
from mailstack.app.mail_files import mails_in

ONE, TWO = b"Subject: one\r\n\r\nbody\r\n", b"Subject: two\r\n\r\nFrom here on\r\n"


def found(path: Path) -> tuple[list[bytes], list[tuple[str, str]]]:
    skipped: list[tuple[str, str]] = []
    return list(mails_in(path, lambda at, why: skipped.append((at.name, why)))), skipped


def test_one_message(tmp_path: Path) -> None:
    path = tmp_path / "one.eml"
    path.write_bytes(ONE)
    assert found(path) == ([ONE], [])


def test_line_ends_become_those_of_mail(tmp_path: Path) -> None:
    path = tmp_path / "one.eml"
    path.write_bytes(ONE.replace(b"\r\n", b"\n"))
    assert found(path) == ([ONE], [])


def test_a_folder_in_the_order_of_names(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "a").write_bytes(TWO)
    (tmp_path / "b" / "a").write_bytes(ONE)
    (tmp_path / ".hidden").write_bytes(ONE)
    assert found(tmp_path) == ([TWO, ONE], [])


def test_a_maildir_and_those_in_it(tmp_path: Path) -> None:
    for folder in ("cur", "new", "tmp", ".Junk/cur", ".Junk/new", ".Junk/tmp"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "1.host:2,S").write_bytes(f"Subject: {folder}\r\n\r\n".encode())
    mails, skipped = found(tmp_path)
    assert [mail.split()[1] for mail in mails] == [b".Junk/cur", b".Junk/new", b"cur", b"new"]
    assert skipped == []


def test_what_is_named_itself_is_left_out(tmp_path: Path) -> None:
    for folder in ("cur", "new", ".Junk/cur", ".Junk/new"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "1").write_bytes(f"Subject: {folder}\r\n\r\n".encode())
    (tmp_path / "junk.mbox").write_bytes(b"Subject: mbox\r\n\r\n")
    without = {tmp_path.resolve(), (tmp_path / ".Junk").resolve(), (tmp_path / "junk.mbox").resolve()}
    mails = list(mails_in(tmp_path, lambda *_: None, without=without))
    assert [mail.split()[1] for mail in mails] == [b"cur", b"new"]


def test_an_mbox(tmp_path: Path) -> None:
    path = tmp_path / "mbox"
    path.write_bytes(
        b"From a@x.example Mon Jan  1 00:00:00 2026\nSubject: one\n\n>From here on\n>>From there\n\n"
        b"From b@x.example Tue Jan  2 00:00:00 2026\nSubject: two\n\n"
        b"From now on it is body\nFrom x Mon and so is this\n\n"
    )
    mails, _ = found(path)
    assert mails == [
        b"Subject: one\r\n\r\nFrom here on\r\n>From there\r\n\r\n",
        b"Subject: two\r\n\r\nFrom now on it is body\r\nFrom x Mon and so is this\r\n\r\n",
    ]


def test_what_is_no_mail_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n")
    (tmp_path / "to elsewhere").symlink_to(tmp_path / "one")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "one").write_bytes(ONE)
    mails, skipped = found(tmp_path)
    assert mails == [ONE]
    no_mail = "no mail: it begins with no header field"
    assert skipped == [
        ("empty", no_mail),
        ("picture.png", no_mail),
        ("pipe", "no regular file"),
        ("to elsewhere", "no regular file"),
    ]


def test_a_message_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_files, "MAX_FILE_BYTES", len(ONE) - 1)
    path = tmp_path / "one.eml"
    path.write_bytes(ONE)
    assert found(path) == ([], [("one.eml", "over 0 MiB")])


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        found(tmp_path / "nowhere")
