"""docs/images/, as README shows them: `make screenshots` takes them of a sandbox on the example spec with some mail."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect

from mailstack.app.sandbox_state import zones_folder
from tests.support.browser import chromium, visitor
from tests.support.sandbox import Sandbox, running_sandbox
from tests.support.webmail import ALICE, imap_of

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "mailstack.yaml.example"
IMAGES = ROOT / "docs" / "images"
COLOURS = 128
MOST_OCTETS = 120_000
"""Git keeps every one that ever was."""
DESK = ViewportSize(width=1200, height=720)
PHONE = ViewportSize(width=390, height=780)
REPORT = """<div style="font-family:Georgia,serif;color:#333;max-width:38em">
<h2 style="color:#7a4b1e">The roof garden in autumn</h2>
<p>Dear all,</p>
<p>twelve of us met on Saturday, and the beds are ready for winter. The <b>rosemary</b> has come through the wind, the
apple tree has <b>31 apples</b>, and the bees have moved into the new box by the chimney.</p>
<table style="border-collapse:collapse" cellpadding="6">
<tr style="background:#f3e9dc"><th align="left">Bed</th><th align="left">Who</th><th align="right">Hours</th></tr>
<tr><td>Herbs</td><td>Marta</td><td align="right">3</td></tr>
<tr><td>Apple tree</td><td>Jonas, Ines</td><td align="right">5</td></tr>
<tr><td>Bees</td><td>Carol</td><td align="right">2</td></tr>
</table>
<p>We meet again on the first Saturday of the month. Somebody should bring a ladder.</p>
<p>Marta</p></div>"""
MAIL = (
    # Minutes ago, who, subject, text, whether it was read.
    (9, "Marta Lindqvist <marta@garden.example>", "The roof garden in autumn", "", False),
    (34, "Jonas Weber <jonas@weber.example>", "Lunch on Thursday?", "The new place by the river has a terrace.", False),
    (71, "City Library <notes@library.example>", "Two books are due next week", "They can be kept longer.", True),
    (150, "Ines Duarte <ines@duarte.example>", "Photos from the coast", "The best eleven, as promised.", True),
    (260, "Bob Example <bob@example.net>", "Minutes of Monday's meeting", "Please look at point four.", True),
    (1_500, "Harbour Cinema <programme@harbour.example>", "Programme for December", "Doors at half past seven.", True),
    (1_720, "Akiko Tanaka <akiko@tanaka.example>", "Re: Translation, second draft", "Chapter six is the best.", True),
    (2_950, "Rail tickets <tickets@rail.example>", "Your journey to Lisbon", "Coach 7, seats 41 and 42.", True),
    (4_400, "Oskar Nowak <oskar@nowak.example>", "The piano is tuned", "It kept its pitch for two years.", True),
    (5_900, "Carol Example <carol@example.com>", "Keys for the workshop", "They hang behind the door.", True),
    (8_800, "Green Grocer <box@grocer.example>", "What is in this week's box", "Leeks, pears, quinces.", True),
    (10_300, "Dr. Abel <practice@abel.example>", "Your appointment is confirmed", "Tuesday, 8:20.", True),
)


def take_all(folder: Path) -> None:
    spec = folder / "mailstack.yaml"
    spec.write_text(EXAMPLE.read_text())
    with chromium() as browser, running_sandbox(spec, folder / "sandbox", "--passwords", ALICE[1]) as sandbox:
        _deliver(sandbox, datetime.now(UTC))
        with _signed_in(browser, sandbox, "/mail") as page:
            page.get_by_role("button", name="The roof garden").click()
            expect(page.frame_locator("iframe").get_by_text("bring a ladder")).to_be_visible()
            _keep(page, "webmail")
        with _signed_in(browser, sandbox, "/mail", viewport=PHONE, color_scheme="dark") as page:
            expect(page.get_by_role("button", name="The piano is tuned")).to_be_visible()
            _keep(page, "webmail-phone")
        with _signed_in(browser, sandbox, "/admin/domain?name=example.com") as page:
            _propose(page)
            _keep(page, "admin-proposal")
        _meddle(sandbox)
        with _signed_in(browser, sandbox, "/admin/plan") as page:
            expect(page.get_by_role("button", name="Apply")).to_be_visible()
            _keep(page, "admin-plan")


def _meddle(sandbox: Sandbox) -> None:
    """As somebody would at the provider's: one record gone, and another as it was not."""
    (zone,) = zones_folder(sandbox.state).glob("example.com*")
    kept = [line for line in zone.read_text().splitlines(keepends=True) if "_dmarc" not in line]
    zone.write_text("".join(kept).replace(" -all", " ~all"))


def _deliver(sandbox: Sandbox, now: datetime) -> None:
    with imap_of(sandbox) as imap:
        imap.create("Travel")
        imap.create("Workshop")
        for minutes, sender, subject, text, is_read in MAIL:
            at = now - timedelta(minutes=minutes)
            flags = "(\\Seen)" if is_read else ""
            imap.append("INBOX", flags, at, _message(sender, subject, text, at))


def _message(sender: str, subject: str, text: str, at: datetime) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, f"Alice Example <{ALICE[0]}>", subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{at.timestamp():.0f}@{sender.rpartition('@')[2]}"
    message.set_content(text or "Dear all, twelve of us met on Saturday, and the beds are ready for winter.")
    if not text:
        message.add_alternative(REPORT, subtype="html")
    return bytes(message)


@contextmanager
def _signed_in(browser: Browser, sandbox: Sandbox, path: str, **options: object) -> Iterator[Page]:
    with visitor(browser, **{"viewport": DESK, **options}) as (_, page):
        page.goto(f"https://localhost:{sandbox.port('https')}{path}")
        page.get_by_label("Address").fill(ALICE[0])
        page.get_by_label("Password").fill(ALICE[1])
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        yield page


def _propose(page: Page) -> None:
    page.get_by_label("Change dmarc.policy").click()
    page.get_by_role("combobox", name="dmarc.policy").select_option("reject")
    page.get_by_role("button", name="Show the diff").locator("visible=true").click()
    expect(page.get_by_text("+    dmarc: {policy: reject")).to_be_visible()
    page.get_by_text("Take it into the spec").evaluate("each => each.scrollIntoView({ block: 'end' })")


def _keep(page: Page, name: str) -> None:
    page.mouse.move(0, 0)
    IMAGES.mkdir(exist_ok=True)
    file = IMAGES / f"{name}.png"
    page.screenshot(path=file, animations="disabled")
    with Image.open(file) as taken:
        # Few dots are red or green, and those are what a diff is about.
        rare = Image.Quantize.MAXCOVERAGE
        small = taken.convert("RGB").quantize(COLOURS, rare, dither=Image.Dither.NONE)
    small.save(file, optimize=True)
    assert file.stat().st_size <= MOST_OCTETS, f"{file} is too large for git"


if __name__ == "__main__":
    with TemporaryDirectory(prefix="mailstack-") as made:
        take_all(Path(made))
