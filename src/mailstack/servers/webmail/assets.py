"""The files that webmail is made of, and the page that names them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from posixpath import dirname, join, normpath

from mailstack.servers.http.assets import Asset, Assets, asset, assets_in

INDEX = "index.html"
MAIN = "main.js"
WORKER = "worker.js"
_VERSION = b"{version}"
# A line of index.html, once for each module.
_MODULE = re.compile(rb"^.*\{module\}.*\n", re.MULTILINE)
_IMPORT = re.compile(r'\bfrom "(\.[^"]+)";')


@cache
def load_assets() -> Assets:
    """All but the page."""
    found = _all()
    return replace(found, files={path: each for path, each in found.files.items() if path != INDEX})


@cache
def load_page() -> Asset:
    """It names all modules that its first one needs: a browser asks for them at once, and not for one after the other
    as it reads who imports it."""
    found = _all()
    modules = _needed(MAIN, found.files)

    def for_each(line: re.Match[bytes]) -> bytes:
        return b"".join(line[0].replace(b"{module}", each.encode("ascii")) for each in modules)

    content = _MODULE.sub(for_each, found.files[INDEX].content)
    return asset(INDEX, content.replace(_VERSION, found.version.encode("ascii")))


@cache
def _all() -> Assets:
    return assets_in(files(__package__) / "assets")


def _needed(main: str, contents: Mapping[str, Asset]) -> Sequence[str]:
    """What it imports, and what that imports; without what is only imported when it is wanted."""
    found = [main]
    for path in found:
        for name in _IMPORT.findall(contents[path].content.decode()):
            imported = normpath(join(dirname(path), name))
            if imported not in found:
                found.append(imported)
    return found[1:]
