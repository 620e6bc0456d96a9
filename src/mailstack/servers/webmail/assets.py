"""The files that webmail is made of, as they are sent: under a path with their hash, so that browsers keep them.

Written by hand and read by browsers as they are: modules of JavaScript, style sheets, and what others wrote in vendor/.
"""

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

INDEX = "index.html"
VERSION_LETTERS = 16
_PLACE = b"{version}"
_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "webmanifest": "application/manifest+json",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """compressed: by gzip."""

    media_type: str
    content: bytes
    compressed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Assets:
    """version: of all files together. index: the page itself; files: all others, by path."""

    version: str
    index: Asset
    files: Mapping[str, Asset]


@cache
def load_assets() -> Assets:
    contents = dict(_walk(files(__package__) / "assets", ""))
    hashed = hashlib.sha256()
    for path in sorted(contents):
        hashed.update(f"{path}\0{len(contents[path])}\0".encode() + contents[path])
    version = hashed.hexdigest()[:VERSION_LETTERS]
    index = _asset(INDEX, contents.pop(INDEX).replace(_PLACE, version.encode("ascii")))
    return Assets(version=version, index=index, files={path: _asset(path, each) for path, each in contents.items()})


def _asset(path: str, content: bytes) -> Asset:
    return Asset(
        media_type=_TYPES[path.rpartition(".")[2]], content=content, compressed=gzip.compress(content, mtime=0)
    )


def _walk(folder: Traversable, stem: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{stem}{entry.name}/")
        elif entry.name.rpartition(".")[2] in _TYPES:
            yield f"{stem}{entry.name}", entry.read_bytes()
