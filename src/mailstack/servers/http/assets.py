"""The files that pages are made of, as they are sent: under a path with their hash, so that browsers keep them.

Written by hand and read by browsers as they are: modules of JavaScript, style sheets, and what others wrote in vendor/.
"""

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response

from mailstack.servers.http.compression import takes_gzip
from mailstack.servers.http.problem import NO_SUCH_PAGE, Refused

VERSION_LETTERS = 16
_FOREVER = "public, immutable, max-age=31536000"
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
    """version: of all files together. files: by path."""

    version: str
    files: Mapping[str, Asset]


def assets_in(folder: Traversable) -> Assets:
    """With what all pages look like."""
    contents = {**dict(_walk(files(__package__) / "look", "")), **dict(_walk(folder, ""))}
    hashed = hashlib.sha256()
    for path in sorted(contents):
        hashed.update(f"{path}\0{len(contents[path])}\0".encode() + contents[path])
    version = hashed.hexdigest()[:VERSION_LETTERS]
    return Assets(version=version, files={path: asset(path, each) for path, each in contents.items()})


def asset(path: str, content: bytes) -> Asset:
    return Asset(
        media_type=_TYPES[path.rpartition(".")[2]], content=content, compressed=gzip.compress(content, mtime=0)
    )


def send(request: Request, found: Asset) -> Response:
    headers = {"Vary": "Accept-Encoding"}
    if not takes_gzip(request):
        return Response(found.content, headers=headers, media_type=found.media_type)
    return Response(found.compressed, headers={**headers, "Content-Encoding": "gzip"}, media_type=found.media_type)


def send_file(request: Request, assets: Assets) -> Response:
    """As the path parameters `version` and `path` name it. Raises Refused."""
    found = assets.files.get(request.path_params["path"])
    if found is None or request.path_params["version"] != assets.version:
        raise Refused(NO_SUCH_PAGE)
    response = send(request, found)
    response.headers["Cache-Control"] = _FOREVER
    return response


def _walk(folder: Traversable, stem: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{stem}{entry.name}/")
        elif entry.name.rpartition(".")[2] in _TYPES:
            yield f"{stem}{entry.name}", entry.read_bytes()
