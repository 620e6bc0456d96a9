"""Mail that lies in files: a Maildir, an mbox (RFC 4155), a folder of messages, or one message.

What is no mail is passed over, and told. Links to elsewhere, FIFOs and devices are not followed.
"""

import os
import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import BinaryIO

from mailstack.app.spec_tests.letter import MAX_FILE_BYTES
from mailstack.model.line_ends import has_bare_line_end, with_crlf

_SEPARATOR = re.compile(rb"From \S+ +(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ")
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
# RFC 5322 §3.6.8: ftext, and a colon.
_FIELD = re.compile(rb"[\x21-\x39\x3b-\x7e]+[ \t]*:")
_FROM = b"From "

Skip = Callable[[Path, str], None]
"""A file, and why it is passed over."""


def mails_in(path: Path, skip: Skip, *, without: Collection[Path] = ()) -> Iterator[bytes]:
    """With CRLF, in the order of their names. without: files and folders in it that are left out, resolved. Raises
    OSError for a path that cannot be read at all."""
    if not path.is_dir():
        yield from _in_file(path, skip)
        return
    for folder, folders, names in os.walk(path, onerror=_raise):
        if "cur" in folders and "new" in folders:
            folders[:] = [name for name in folders if name != "tmp"]
        here = Path(folder).resolve()
        folders[:] = sorted(name for name in folders if here / name not in without)
        for name in sorted(names):
            if not name.startswith(".") and here / name not in without:
                yield from _in_file(Path(folder) / name, skip)


def _raise(fault: OSError) -> None:
    raise fault


def _in_file(path: Path, skip: Skip) -> Iterator[bytes]:
    if path.is_symlink() or not path.is_file():
        if not path.exists():
            raise FileNotFoundError(2, "no such file", str(path))
        skip(path, "no regular file")
        return
    with path.open("rb") as file:
        begun = file.readline(MAX_FILE_BYTES)
        if begun.startswith(_FROM):
            yield from _in_mbox(file, path, skip)
        elif _FIELD.match(begun):
            yield from _whole(begun + file.read(MAX_FILE_BYTES), path, skip)
        else:
            skip(path, "no mail: it begins with no header field")


def _in_mbox(file: BinaryIO, path: Path, skip: Skip) -> Iterator[bytes]:
    lines: list[bytes] = []
    is_after_blank = False
    for line in file:
        if is_after_blank and _SEPARATOR.match(line):
            yield from _whole(_QUOTED.sub(rb"\1", b"".join(lines)), path, skip)
            lines = []
        else:
            lines.append(line)
        is_after_blank = line in (b"\n", b"\r\n")
    yield from _whole(_QUOTED.sub(rb"\1", b"".join(lines)), path, skip)


def _whole(raw: bytes, path: Path, skip: Skip) -> Iterator[bytes]:
    if not raw.strip():
        return
    if len(raw) > MAX_FILE_BYTES:
        skip(path, f"over {MAX_FILE_BYTES >> 20} MiB")
        return
    yield b"".join(with_crlf(raw)) if has_bare_line_end(raw) else raw
