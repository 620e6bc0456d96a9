"""Folders and files that must survive a power cut: made, and synced, with the folders that they stand in."""

from contextlib import suppress
from pathlib import Path

from mailstack.store.syncing import sync_folder

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
