"""Pages out of templates: escaped throughout, and in a sandbox, for what they show was written by others."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from jinja2 import PackageLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from starlette.responses import HTMLResponse

from mailstack.model.instant import MINUTE_MS, Instant, iso
from mailstack.servers.http.assets import Assets, assets_in

# No script or style that is not a file of ours; nobody frames these pages.
PAGE_SECURITY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types default",
    )
)
_STEP = 1024.0


@cache
def load_assets() -> Assets:
    return assets_in(files(__package__) / "assets")


@cache
def _environment() -> SandboxedEnvironment:
    made = SandboxedEnvironment(
        loader=PackageLoader("mailstack.servers.admin"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "when": when,
        "plain_time": plain_time,
        "moment": moment,
        "size": size,
        "counted": counted,
        "span": span,
    }
    return made


def page(template: str, values: Mapping[str, object], *, status: int = 200) -> HTMLResponse:
    text = rendered(template, values)
    return HTMLResponse(text, status_code=status, headers={"Content-Security-Policy": PAGE_SECURITY})


def rendered(template: str, values: Mapping[str, object]) -> str:
    return _environment().get_template(template).render(version=load_assets().version, **values)


def when(moment: Instant | None) -> str:
    return "never" if moment is None else plain_time(iso(moment))


def plain_time(text: str) -> str:
    """text: as iso writes it."""
    return text.replace("T", " ").replace("Z", " UTC")


def moment(text: str) -> str:
    """To the second. text: as the log has it."""
    return f"{text[:10]} {text[11:19]} UTC"


def size(octets: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if octets < _STEP:
            return f"{octets:.0f} {unit}" if unit == "B" else f"{octets:.1f} {unit}"
        octets /= _STEP
    return f"{octets:.1f} TiB"


def span(length_ms: int) -> str:
    """In its two largest units."""
    minutes = length_ms // MINUTE_MS
    days, hours = minutes // (24 * 60), minutes // 60 % 24
    if days:
        return f"{counted(days, 'day')}, {counted(hours, 'hour')}"
    return f"{counted(hours, 'hour')}, {counted(minutes % 60, 'minute')}" if hours else counted(minutes, "minute")


def counted(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"
