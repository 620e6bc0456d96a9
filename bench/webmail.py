"""Webmail in Debian's Chromium, on mailboxes of 10,000 and 100,000 messages: what its user waits for.

Until a list is there is until all rows that can be seen are painted, with their texts. Each figure is the median and
the worst of RUNS, with the server's CPU for one, all processes together. The certificate counts as good, so that files
are kept as from a server that browsers know; each cold start is one of a browser that keeps nothing.
"""

import random
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from bench import browser as chromium
from bench.appliance import DOMAIN, PASSWORD, PEERS, Running, cpu_s, fill, sandbox

RUNS = 20
MAILBOXES = {90: 10_000, 91: 100_000}
"""By number of the account."""
WORD = "quarterlyreport"
"""In the subject of one message in a hundred."""
ROW_PX = 64
BUDGETS_MS = {"after sign-in": 300.0, "request of a page": 50.0}
# Run before the page's own scripts, in each document.
WATCH = """
(() => {
  const hasRows = (place) => {
    const list = document.querySelector("main.list");
    if (!list) return false;
    const seen = list.getBoundingClientRect();
    const rows = [...list.querySelectorAll(".row")].filter((row) => {
      const { top, bottom } = row.getBoundingClientRect();
      return bottom > seen.top && top < seen.bottom;
    });
    return rows.length >= Math.floor(seen.height / ROW_PX) && rows.every((row) => row.dataset.id)
      && (place === undefined || rows.some((row) => row.getAttribute("aria-rowindex") === String(place + 1)));
  };
  // When what `isThere` looks for has been painted.
  const painted = (isThere) => new Promise((resolve) => {
    let isOver = false;
    const look = () => {
      if (isOver || !isThere()) return;
      isOver = true;
      observer.disconnect();
      requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => resolve(performance.now());
        channel.port2.postMessage(null);
      });
    };
    const observer = new MutationObserver(look);
    observer.observe(document, { subtree: true, childList: true, attributes: true });
    look();
  });
  window.bench = { hasRows, painted, firstRows: painted(() => hasRows()) };
  addEventListener("submit", () => { window.bench.clicked ??= performance.now(); }, true);
  const asked = window.fetch;
  window.fetch = async (path, ...rest) => {
    const reply = await asked(path, ...rest);
    if (path === "/sign-in") window.bench.proved = performance.now();
    return reply;
  };
})();
""".replace("ROW_PX", str(ROW_PX))


@dataclass(slots=True)
class Figures:
    """By what was waited for, in ms, in the order measured; cpu_ms: the server's, for one."""

    waits_ms: dict[str, list[float]] = field(default_factory=dict)
    cpu_ms: dict[str, float] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, *waits_ms: float) -> None:
        self.waits_ms.setdefault(name, []).extend(waits_ms)


def main() -> None:
    if not (PEERS.exists() and chromium.is_there()):
        print("no load tools at ../shared/peers, or no Chromium: nothing measured")
        return
    with tempfile.TemporaryDirectory(prefix="mailstack-bench-") as folder:
        state = Path(folder) / "state"
        with sandbox(state=state) as running:
            for account, messages in MAILBOXES.items():
                fill(running.port("imap"), f"u{{}}@{DOMAIN}", account, messages)
        # Started anew: what was just stored is held in memory, what a user comes back to is not.
        with sandbox(state=state) as running:
            measure(running)


def measure(running: Running) -> None:
    """Of a server whose mailboxes are full."""
    port = running.port("https")
    with chromium.chromium(port) as opened:
        for account, messages in MAILBOXES.items():
            visit = _Visit(browser=opened, port=port, root=running.pid, user=f"u{account}@{DOMAIN}", messages=messages)
            _show(messages, visit.figures())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """root: the first process of the server."""

    browser: Browser
    port: int
    root: int
    user: str
    messages: int

    def figures(self) -> Figures:
        found = Figures()
        cookie = self._sign_in_often(found)
        self._start_often(found, cookie)
        with self._page(cookie) as page:
            self._use(found, page)
        return found

    def _sign_in_often(self, found: Figures) -> Any:  # noqa: ANN401  # what Playwright keeps of a context
        def once() -> Any:  # noqa: ANN401
            with self._page() as page:
                page.get_by_label("Address").fill(self.user)
                page.get_by_label("Password").fill(PASSWORD)
                page.get_by_role("button", name="Sign in").click()
                at = page.evaluate("window.bench.firstRows")
                clicked, proved = page.evaluate("[window.bench.clicked, window.bench.proved]")
                self._check(page)
                found.add("sign-in, from the click", at - clicked)
                found.add("after sign-in", at - proved)
                return page.context.storage_state()

        once()  # warms the server up
        found.waits_ms.clear()
        with _cpu(found, "sign-in, from the click", self.root):
            for _ in range(RUNS):
                cookie = once()
        return cookie

    def _start_often(self, found: Figures, cookie: object) -> None:
        name = "opened, nothing kept"
        with _cpu(found, name, self.root):
            for _ in range(RUNS):
                with self._page(cookie) as page:
                    found.add(name, page.evaluate("window.bench.firstRows"))
        with self._page(cookie) as page:
            page.evaluate("window.bench.firstRows")
            found.facts.update(page.evaluate(_LOADED))
            name = "opened again, files kept"
            with _cpu(found, name, self.root):
                for _ in range(RUNS):
                    page.goto("about:blank")
                    page.goto(self._address)
                    found.add(name, page.evaluate("window.bench.firstRows"))
            found.facts.update({f"{each}, files kept": told for each, told in page.evaluate(_LOADED).items()})

    def _use(self, found: Figures, page: Page) -> None:
        page.evaluate("window.bench.firstRows")
        total = self._check(page)
        found.facts["rows"] = f"{total:,}"
        chosen = random.Random(1)
        places = [chosen.randrange(total) for _ in range(RUNS)]
        with _cpu(found, "scrolled to a place", self.root):
            for place in places:
                page.evaluate("performance.clearResourceTimings()")
                found.add("scrolled to a place", page.evaluate(_SCROLL, place))
                found.add("request of a page", *page.evaluate(_DURATIONS, "/jmap/api"))
        page.evaluate(_SCROLL, 0)
        with _cpu(found, "a message opened", self.root):
            for number in range(RUNS):
                found.add("a message opened", page.evaluate(_OPEN, number % 10))
        page.keyboard.press("u")
        with _cpu(found, f"search for {WORD}", self.root):
            for number in range(RUNS):
                # Another word each time: what was just searched for is not looked for anew.
                found.add(f"search for {WORD}", page.evaluate(_SEARCH, f"{WORD} -x{number}"))
        shown = page.locator(".row mark").first.inner_text()
        if shown.casefold() != WORD or self._total(page) < self.messages // 500:
            raise RuntimeError(f"found {self._total(page)} with {shown}")

    @property
    def _address(self) -> str:
        return f"https://localhost:{self.port}/mail"

    @contextmanager
    def _page(self, cookie: object = None) -> Iterator[Page]:
        """Of a browser that has kept nothing but the cookie."""
        context: BrowserContext = self.browser.new_context(
            viewport=chromium.VIEWPORT,
            storage_state=cookie,  # type: ignore[arg-type]  # as Playwright gave it
        )
        context.set_default_timeout(chromium.DEADLINE_MS)
        context.add_init_script(WATCH)
        try:
            page = context.new_page()
            page.goto(self._address)
            yield page
        finally:
            context.close()

    def _check(self, page: Page) -> int:
        """How many rows there are. What is shown is what was filed last, and the list is as long as it must be."""
        total = self._total(page)
        # Threads fold some of them.
        if not self.messages // 6 < total <= self.messages:
            raise RuntimeError(f"{total} rows of {self.messages} messages")
        times = page.locator(".row[data-id] time").evaluate_all("all => all.map((each) => each.dateTime)")
        if times != sorted(times, reverse=True):
            raise RuntimeError("the newest are not on top")
        return total

    def _total(self, page: Page) -> int:
        return int(page.locator(".rows").get_attribute("aria-rowcount") or 0)


_DURATIONS = """
(path) => performance.getEntriesByType("resource").filter(({ name }) => name.includes(path))
  .map(({ duration }) => duration)
"""
_LOADED = """
() => {
  const kb = (some) => (some.reduce((sum, each) => sum + each.transferSize, 0) / 1000).toFixed(1) + " kB";
  const all = performance.getEntriesByType("resource");
  const ending = (end) => all.filter(({ name }) => name.endsWith(end));
  const scripts = ending(".js"), styles = ending(".css");
  return {
    requests: String(all.length), scripts: `${scripts.length}, ${kb(scripts)}`, styles: kb(styles),
    "JMAP requests": String(all.filter(({ name }) => name.includes("/jmap/")).length),
  };
}
"""
_SCROLL = """
async (place) => {
  const list = document.querySelector("main.list");
  const since = performance.now();
  list.scrollTop = Math.min(place * ROW_PX, list.scrollHeight - list.clientHeight);
  return await window.bench.painted(() => window.bench.hasRows(place)) - since;
}
""".replace("ROW_PX", str(ROW_PX))
_OPEN = """
async (number) => {
  const since = performance.now();
  document.querySelectorAll("iframe").forEach((frame) => { frame.isOld = true; });
  document.querySelectorAll(".row[data-id] button.open")[number].click();
  await window.bench.painted(() => [...document.querySelectorAll("iframe")].some((frame) => !frame.isOld));
  const frame = [...document.querySelectorAll("iframe")].find((each) => !each.isOld);
  if (frame.contentDocument?.readyState !== "complete" || !frame.contentDocument.body.innerText.length) {
    await new Promise((resolve) => frame.addEventListener("load", resolve));
  }
  return performance.now() - since;
}
"""
_SEARCH = """
async (text) => {
  const field = document.querySelector("form.search input");
  field.value = text;
  const old = document.querySelector(".row[data-id] mark");
  const since = performance.now();
  field.form.requestSubmit();
  return await window.bench.painted(() => {
    const mark = document.querySelector(".row[data-id] mark");
    return mark && mark !== old;
  }) - since;
}
"""


@contextmanager
def _cpu(found: Figures, name: str, root: int) -> Iterator[None]:
    """Of what is measured RUNS times meanwhile."""
    before_s = cpu_s(root)
    yield
    found.cpu_ms[name] = (cpu_s(root) - before_s) * 1_000 / RUNS


def _show(messages: int, found: Figures) -> None:
    print(f"\n{messages:,} messages: ms, median and worst of {RUNS}, the least, and the server's CPU ms for one")
    for name, waits in found.waits_ms.items():
        budget = BUDGETS_MS.get(name)
        median = statistics.median(waits)
        over = "" if budget is None or median <= budget else f"   above {budget:.0f}"
        cpu = f"{found.cpu_ms[name]:8.1f}" if name in found.cpu_ms else f"{'':8}"
        print(f"{name:32}{median:8.1f}{max(waits):8.1f}{min(waits):8.1f}{cpu}{over}", flush=True)
    print("; ".join(f"{name}: {told}" for name, told in found.facts.items()), flush=True)


if __name__ == "__main__":
    main()
