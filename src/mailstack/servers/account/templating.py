"""The account page out of templates: escaped throughout, for names of devices and browsers are anybody's to choose."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from jinja2 import PackageLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from starlette.responses import HTMLResponse

from mailstack.model.instant import Instant, iso
from mailstack.servers.http.assets import Assets, assets_in

# Forms and files of our own; no script but that of the sign-in, and nobody frames the page.
PAGE_SECURITY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_STEP = 1024


@cache
def load_assets() -> Assets:
    return assets_in(files(__package__) / "assets")


@cache
def _environment() -> SandboxedEnvironment:
    loader = PackageLoader("mailstack.servers.account")
    made = SandboxedEnvironment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    made.filters |= {"day": day, "octets": octets}
    return made


def page(template: str, values: Mapping[str, object], *, status: int = 200) -> HTMLResponse:
    text = _environment().get_template(template).render(version=load_assets().version, **values)
    return HTMLResponse(text, status_code=status, headers={"Content-Security-Policy": PAGE_SECURITY})


def day(moment: Instant | None) -> str:
    return "never" if moment is None else iso(moment)[:16].replace("T", " ") + " UTC"


def octets(count: int) -> str:
    size, units = float(count), ["B", "KiB", "MiB", "GiB", "TiB"]
    while size >= _STEP and len(units) > 1:
        size, units = size / _STEP, units[1:]
    return f"{size:.0f} {units[0]}" if units[0] == "B" else f"{size:.1f} {units[0]}"
