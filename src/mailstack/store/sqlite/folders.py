"""Folders and files that must survive a power cut: made, and synced, with the folders that they stand in."""

import os
from contextlib import suppress
from pathlib import Path

BLOB_FOLDER = "blobs"
QUEUE_FOLDER = "queue"
BLOB_SUFFIX = ".zst"


def make_folder(folder: Path) -> None:
    """With its parents; durable, for what is put in it must not vanish with it."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def sync_file(file: Path) -> None:
    _sync(file, os.O_RDONLY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
