"""Admin and account pages, of a server with 10,000 accounts and 10,000 recipients in its queue: what one waits for.

Asked over TLS on a connection that is kept: the first answer after a start, then the median and the worst of RUNS, with
the server's CPU for one. Then whole pages in Debian's Chromium, where it is there, with all that they ask for
themselves: until the last answer is there. Each page has to hold something that is known of it.
"""

import json
import ssl
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPSConnection
from pathlib import Path

import uvloop
from playwright.sync_api import Browser

from bench import browser as chromium
from bench.appliance import DOMAIN, PASSWORD, Running, cpu_s, sandbox
from bench.store import now
from mailstack.app.sandbox import sandbox_storage
from mailstack.app.stores import open_store
from mailstack.model.delivery import OutgoingMail, Priority
from mailstack.model.instant import DAY_MS, Instant
from mailstack.store.bus_local import LocalBus

RUNS = 20
ACCOUNTS = 10_000
MAILS = 100
IN_ONE_MAIL = 100
SESSIONS = 50
BUDGET_MS = 100.0
ADMIN = f"u0@{DOMAIN}"
ONE = f"u9999@{DOMAIN}"
RECIPIENT = "person4242@42.far.test"
RAW = b"From: u0@peer.test\r\nSubject: hello\r\n\r\nhello\r\n"
PAGES = {
    "/admin": "Overview",
    "/admin/figures": "10,000",
    "/admin/plan": "Plan",
    "/admin/accounts": ADMIN,
    "/admin/accounts/found?q=u9999": ONE,
    f"/admin/account?login={ONE}": ONE,
    f"/admin/account/use?login={ONE}": "",
    "/admin/queue": "far.test",
    f"/admin/queue?recipient={RECIPIENT}": RECIPIENT,
    "/admin/queue/item?id=4242": "hello",
    "/admin/bans": "Bans",
    "/admin/keys": DOMAIN,
    "/account": ADMIN,
}
"""With what each has to hold."""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="mailstack-bench-") as folder:
        state = Path(folder) / "state"
        with _appliance(state):
            pass  # makes the accounts
        uvloop.run(_fill_queue(state))
        with _appliance(state) as running:
            measure(running)


@contextmanager
def _appliance(state: Path) -> Iterator[Running]:
    with sandbox(accounts=ACCOUNTS, state=state, account="{name: A User, quota: 5GiB, roles: [admin]}") as running:
        yield running


async def _fill_queue(state: Path) -> None:
    bus = LocalBus(state / "bench-bus")
    await bus.start()
    store = await open_store(sandbox_storage(state), clock=now, bus=bus)
    try:
        for first in range(0, MAILS * IN_ONE_MAIL, IN_ONE_MAIL):
            mail = OutgoingMail(
                reverse_path=ADMIN,
                recipients=tuple(
                    f"person{number}@{number % 100}.far.test" for number in range(first, first + IN_ONE_MAIL)
                ),
                raw=RAW,
                queued_at=now(),
                is_8bit=False,
                smtp_utf8=False,
                trace_id="bench",
                priority=Priority.BULK,
            )
            await store.queue.enqueue([mail], next_at=Instant(now() + DAY_MS))
    finally:
        await store.close()
        await bus.close()


def measure(running: Running) -> None:
    port = running.port("https")
    context = ssl._create_unverified_context()  # noqa: S323, SLF001  # the sandbox's own certificate
    with closing(HTTPSConnection("localhost", port, timeout=60, context=context)) as connection:
        for _ in range(SESSIONS):
            cookie = _sign_in(connection)
        print(f"{'ms':40}{'first':>8}{'median':>8}{'worst':>8}{'CPU':>8}")
        for path, held in PAGES.items():
            _measure_one(running.pid, connection, cookie, path, held)
    if chromium.is_there():
        with chromium.chromium(port) as opened:
            _measure_whole(opened, port)


def _measure_one(root: int, connection: HTTPSConnection, cookie: str, path: str, held: str) -> None:
    waits = [_ask(connection, cookie, path, held)]
    before_s = cpu_s(root)
    waits += [_ask(connection, cookie, path, held) for _ in range(RUNS)]
    cpu_ms = (cpu_s(root) - before_s) * 1_000 / RUNS
    first, *others = waits
    over = f"   above {BUDGET_MS:.0f}" if max(first, statistics.median(others)) > BUDGET_MS else ""
    print(f"{path:40}{first:8.1f}{statistics.median(others):8.1f}{max(others):8.1f}{cpu_ms:8.1f}{over}", flush=True)


def _ask(connection: HTTPSConnection, cookie: str, path: str, held: str) -> float:
    since = time.perf_counter()
    connection.request("GET", path, headers={"Cookie": cookie, "Sec-Fetch-Site": "same-origin"})
    reply = connection.getresponse()
    text = reply.read().decode()
    took_ms = (time.perf_counter() - since) * 1_000
    if reply.status != 200 or held not in text:
        raise RuntimeError(f"{path}: {reply.status} without {held}: {text[:500]}")
    return took_ms


def _sign_in(connection: HTTPSConnection) -> str:
    body = json.dumps({"username": ADMIN, "password": PASSWORD})
    connection.request("POST", "/sign-in", body, {"Sec-Fetch-Site": "same-origin"})
    reply = connection.getresponse()
    reply.read()
    return reply.headers["Set-Cookie"].partition(";")[0]


def _measure_whole(opened: Browser, port: int) -> None:
    print(f"{'whole pages in Chromium, files kept, ms':40}{'':8}{'median':>8}{'worst':>8}")
    page = opened.new_context(viewport=chromium.VIEWPORT).new_page()
    page.goto(f"https://localhost:{port}/admin")
    page.get_by_label("Address").fill(ADMIN)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("navigation").wait_for()
    for path in ("/admin", "/admin/accounts", f"/admin/account?login={ONE}", "/admin/queue", "/admin/keys", "/account"):
        waits: list[float] = []
        for _ in range(RUNS):
            page.goto(f"https://localhost:{port}{path}", wait_until="networkidle")
            waits.append(page.evaluate(_LAST_ANSWER))
        print(f"{path:40}{'':8}{statistics.median(waits):8.1f}{max(waits):8.1f}", flush=True)


_LAST_ANSWER = """
() => Math.max(...performance.getEntries().map(({ responseEnd, loadEventEnd }) => loadEventEnd ?? responseEnd ?? 0))
"""


if __name__ == "__main__":
    main()
