"""Pictures of elsewhere in a real browser, and the host that has them: what it is asked, and when."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from tests.support.browser import chromium, keep_screenshot
from tests.support.picture_server import PictureServer, of, picture_server
from tests.support.proven_mail import came
from tests.support.sandbox import Sandbox
from tests.support.webmail import fill, signed_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000280000001e0802000000d1bfcb8a0000002b4944415478daedcd310d00000803b029997f29c842"
    "061c4dfa37d39e88582c168bc562b1582c168bffc60be4d9c2fdbbfd12800000000049454e44ae426082"
)
"""40 by 30, red."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def host() -> Iterator[PictureServer]:
    with picture_server() as found:
        found.pages["/shoes.png"] = of(PICTURE, "text/html")
        yield found


def newsletter(host: PictureServer, subject: str, *, sender: str = "news@shop.example") -> bytes:
    return (
        f"From: Shop <{sender}>\r\nTo: alice@example.com\r\nSubject: {subject}\r\nContent-Type: text/html\r\n\r\n"
        f'<h2>Shoes</h2><img src="{host.url("/shoes.png")}" alt="Red shoes">'
        f'<img src="{host.url("/dot.gif")}" width="1" height="1" alt="">'
        f'<div style="background:url({host.url("/background.png")})">New this week</div>\r\n'
    ).encode()


def opened(page: Page, subject: str) -> FrameLocator:
    page.get_by_role("button", name=subject).click()
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("New this week")).to_be_visible()
    return frame


def sees_picture(frame: FrameLocator) -> None:
    picture = frame.get_by_role("img", name="Red shoes")
    expect(picture).to_have_js_property("naturalWidth", 40)


def test_nobody_is_asked_until_somebody_wants_to_see_it(
    browser: Browser, sandbox: Sandbox, host: PictureServer
) -> None:
    hostname = "mail.example.com"
    proven = [came(newsletter(host, f"Offer {number}"), domain="shop.example", hostname=hostname) for number in (1, 2)]
    fill(sandbox, *proven, newsletter(host, "Unproven", sender="news@forged.example"))
    asked: list[str] = []
    with signed_in(browser, sandbox) as page:
        page.on("request", lambda request: asked.append(request.url))
        bar = page.get_by_role("group", name="Pictures")

        opened(page, "Unproven")
        expect(bar).to_contain_text(
            "1 picture from elsewhere is not shown. 1 tracker was left out: a picture that nobody sees."
        )
        # Nobody has proved whose it is: then it is asked each time.
        expect(bar.get_by_role("button")).to_have_count(1)
        assert host.asked == []
        keep_screenshot(page, "pictures-hidden")
        bar.get_by_role("button", name="Show pictures").click()
        sees_picture(page.frame_locator("iframe"))
        expect(bar).to_have_text("1 tracker was left out: a picture that nobody sees.")
        assert host.paths == ["/shoes.png"]
        assert "cookie" not in host.asked[0].headers

        frame = opened(page, "Offer 1")
        expect(bar).to_contain_text("1 picture from elsewhere is not shown.")
        expect(frame.locator("img")).to_have_count(2)
        expect(frame.locator("img[src]")).to_have_count(0)
        bar.get_by_role("button", name="Always from news@shop.example").click()
        expect(bar).to_contain_text("Pictures from news@shop.example are always shown.")
        sees_picture(page.frame_locator("iframe"))
        keep_screenshot(page, "pictures-shown")

        # Also of another mail, and after a reload.
        page.reload()
        sees_picture(opened(page, "Offer 2"))
        bar.get_by_role("button", name="Stop showing them").click()
        expect(bar).to_contain_text("1 picture from elsewhere is not shown.")
        expect(bar.get_by_role("button", name="Always")).to_be_visible()
    assert set(host.paths) == {"/shoes.png"}
    assert [url for url in asked if f":{host.port}" in url] == []
