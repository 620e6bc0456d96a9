"""A disk that is full when a test wants it to be: a small file system of its own, and a database on it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.postgres import PostgresServer, owner_of_server

DISK_BYTES = 24 << 20
NAME = "small"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallDisk:
    """url: of the database whose tables lie there; what it writes ahead lies elsewhere."""

    url: str
    filler: Path

    def fill(self) -> None:
        fill(self.filler)

    def make_room(self) -> None:
        self.filler.unlink(missing_ok=True)


@contextmanager
def database_on_small_disk(postgres: PostgresServer) -> Iterator[SmallDisk]:
    with small_disk(postgres.folder / NAME) as path:
        disk = SmallDisk(url=postgres.url(NAME), filler=path / "filler")
        postgres.run(f"CREATE TABLESPACE {NAME} LOCATION '{path}'")
        try:
            postgres.run(f"CREATE DATABASE {NAME} TEMPLATE template0 TABLESPACE {NAME}")
            try:
                yield disk
            finally:
                disk.make_room()
                postgres.drop_database(NAME)
        finally:
            postgres.run(f"DROP TABLESPACE {NAME}")


def fill(filler: Path) -> None:
    """To the last octet."""
    with filler.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


@contextmanager
def small_disk(path: Path) -> Iterator[Path]:
    path.mkdir()
    try:
        mount = ("mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(path))
        if subprocess.run(mount, check=bool(os.environ.get("CI")), capture_output=True).returncode:
            pytest.skip("a tmpfs can be mounted by root only")
        try:
            shutil.chown(path, owner_of_server() or "root")
            path.chmod(0o700)
            yield path
        finally:
            subprocess.run(("umount", str(path)), check=True)
    finally:
        path.rmdir()
