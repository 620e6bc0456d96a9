"""A new account's file is a copy of an empty one: making the tables in each would cost milliseconds of CPU and six more
waits for the disk.

Not a second way to the layout: the empty file is made by the migrations, once in each process that needs one.
"""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from mailstack.store.syncing import sync_folder


class NewFiles:
    """Used by any thread. make: makes the first, complete and closed, under the name that it is given."""

    def __init__(self, make: Callable[[Path], None]) -> None:
        self._make = make
        self._empty = b""
        self._guard = threading.Lock()

    def place(self, path: Path) -> None:
        """Whole and durable, unless there is one already, or the file system has no files without names: then whoever
        opens the path makes the tables."""
        with suppress(OSError):
            descriptor = os.open(path.parent, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                file.write(self._octets(path.parent))
                os.fsync(descriptor)
                # With a descriptor, which an absolute path does not need, it is linkat, which follows the link.
                os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=descriptor)
            sync_folder(path.parent)

    def _octets(self, folder: Path) -> bytes:
        with self._guard:
            if not self._empty:
                with TemporaryDirectory(dir=folder) as temporary:
                    path = Path(temporary) / "empty.db"
                    self._make(path)
                    self._empty = path.read_bytes()
            return self._empty
