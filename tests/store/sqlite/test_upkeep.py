"""What an account takes on disk, counted beside a server that writes to it."""

import threading
from pathlib import Path

from mailstack.store.sqlite.connection import Access, Connection
from mailstack.store.sqlite.upkeep import bytes_below

ROUNDS = 300


def test_all_files_count(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "mail.db").write_bytes(bytes(10))
    (tmp_path / "blobs" / "a.zst").write_bytes(bytes(5))
    assert bytes_below(tmp_path) == 15
    assert bytes_below(tmp_path / "gone") == 0


def test_a_log_that_comes_and_goes_meanwhile_is_no_fault(tmp_path: Path) -> None:
    database = tmp_path / "mail.db"
    Connection(database, Access.WRITE).close()
    is_over = threading.Event()

    def come_and_go() -> None:
        while not is_over.is_set():
            connection = Connection(database, Access.WRITE)
            connection.run("PRAGMA user_version = 1")
            connection.close()

    writer = threading.Thread(target=come_and_go)
    writer.start()
    try:
        for _ in range(ROUNDS):
            assert bytes_below(tmp_path) > 0
            Connection(database, Access.PEEK).close()
    finally:
        is_over.set()
        writer.join()
