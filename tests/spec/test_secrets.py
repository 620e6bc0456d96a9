"""References and what they lead to."""

import os
from pathlib import Path

import pytest

from mailstack.spec.secrets import MAX_SECRET_BYTES, SecretMissing, is_reference, resolve

FOLDER = Path("/nowhere")


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILSTACK_TEST", "s3cret ")
    assert resolve("env/MAILSTACK_TEST", FOLDER) == "s3cret "


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"s3cret", "s3cret"),
        (b"s3cret\n", "s3cret"),
        (b"s3cret\r\n", "s3cret"),
        (b"a\nb\n\n", "a\nb\n"),
        ("pä".encode(), "pä"),
    ],
)
def test_from_a_file_without_one_closing_newline(tmp_path: Path, content: bytes, secret: str) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "a").write_bytes(content)
    assert resolve("file/secrets/a", tmp_path) == secret
    assert resolve(f"file/{tmp_path}/secrets/a", FOLDER) == secret


def missing(reference: str, folder: Path = FOLDER) -> str:
    with pytest.raises(SecretMissing) as caught:
        resolve(reference, folder)
    return str(caught.value)


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAILSTACK_TEST", raising=False)
    assert missing("env/MAILSTACK_TEST") == "the environment variable MAILSTACK_TEST is not set"
    monkeypatch.setenv("MAILSTACK_TEST", "")
    assert missing("env/MAILSTACK_TEST") == "the secret env/MAILSTACK_TEST is empty"
    assert missing("file/a", tmp_path) == f"the secret file {tmp_path}/a cannot be read: No such file or directory"
    assert missing("file/.", tmp_path) == f"the secret file {tmp_path} is not a regular file"
    (tmp_path / "empty").write_text("\n")
    assert missing("file/empty", tmp_path) == "the secret file/empty is empty"
    assert missing("plain") == "a secret is referred to as env/NAME or file/PATH"


def test_nobody_waits_for_a_writer_of_a_fifo(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert missing("file/fifo", tmp_path) == f"the secret file {tmp_path}/fifo is not a regular file"


def test_what_is_no_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * (MAX_SECRET_BYTES + 1))
    assert missing("file/large", tmp_path) == f"the secret file {tmp_path}/large is over 64 KiB"
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert missing("file/binary", tmp_path) == f"the secret file {tmp_path}/binary is not UTF-8 text"


def test_is_reference() -> None:
    assert is_reference("env/A")
    assert not is_reference("a env/A")
