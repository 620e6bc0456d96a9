"""The files that webmail is made of, and the page that names them."""

from dataclasses import replace
from functools import cache
from importlib.resources import files

from mailstack.servers.http.assets import Asset, Assets, asset, assets_in

INDEX = "index.html"
_PLACE = b"{version}"


@cache
def load_assets() -> Assets:
    """All but the page."""
    found = _all()
    return replace(found, files={path: each for path, each in found.files.items() if path != INDEX})


@cache
def load_page() -> Asset:
    found = _all()
    return asset(INDEX, found.files[INDEX].content.replace(_PLACE, found.version.encode("ascii")))


@cache
def _all() -> Assets:
    return assets_in(files(__package__) / "assets")
