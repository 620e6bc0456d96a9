"""Markup that tries to run or to be asked for by whoever shows it (tests/data/xss), and mail that carries it.

CANARY in it stands for a call that tells its number, ELSEWHERE for an address with that number, DEEP for elements
nested deeper than browsers follow. What a page does of it, `Canary` hears.
"""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page

FOLDER = Path(__file__).parents[1] / "data" / "xss"
ELSEWHERE = "evil.example"
DEEP = "<div><b>" * 600
LAST = "the last of it"
"""A text behind all of a mail's own, by which it is known to be there."""
# In every window that opens, before anything of its page: what a policy kept from happening is told too.
LISTENER = (
    "addEventListener('securitypolicyviolation', event =>"
    " canary(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`), true)"
)


def html_vectors() -> Mapping[str, Sequence[str]]:
    """By class, each with a number of its own."""
    numbers = count(1)
    return {name: [numbered(each, next(numbers)) for each in found] for name, found in _read("html").items()}


def text_vectors() -> Mapping[str, Sequence[str]]:
    """By place."""
    numbers = count(1_000)
    return {name: [numbered(each, next(numbers)) for each in found] for name, found in _read("texts").items()}


def parts() -> Sequence[tuple[str, str]]:
    """A Content-Type, and what is in it."""
    numbers = count(2_000)
    return [(numbered(kind, at), numbered(text, at)) for (kind, text), at in zip(_read("parts"), numbers, strict=False)]


def numbered(vector: str, number: int) -> str:
    placed = vector.replace("CANARY", f"canary({number})").replace("ELSEWHERE", f"{ELSEWHERE}/{number}")
    return placed.replace("DEEP", DEEP)


def _read(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="ascii"))


def hostile_mail() -> Iterator[tuple[str, bytes]]:
    """Each with the subject that it is found by."""
    texts = text_vectors()
    heads = [f"From: {each}" for each in texts["from"]]
    for at, (name, vectors) in enumerate(html_vectors().items()):
        bodies = [("text/html; charset=utf-8", each) for each in vectors]
        yield f"Class {name}", mail(f"Subject: Class {name}", heads[at % len(heads)], bodies)
    plain = [("text/plain; charset=utf-8", each) for each in texts["text"]]
    yield "Plain texts", mail("Subject: Plain texts", heads[0], plain, *texts["other"])
    yield "All parts", mail("Subject: All parts", heads[1], parts())
    attached = "text/html; charset=utf-8\r\nContent-Disposition: attachment"
    files = [(f"{attached}; {each}", LAST) for each in texts["file name"]]
    yield "File names", mail("Subject: File names", heads[2], files)
    for subject, sender in zip(texts["subject"], heads * 2, strict=False):
        yield "", mail(f"Subject: {subject}", sender, [("text/plain", LAST)])


def mail(subject: str, sender: str, bodies: Sequence[tuple[str, str]], *more: str) -> bytes:
    head = [subject, sender, "To: alice@example.com", *more, "MIME-Version: 1.0"]
    content = "".join(f"--part\r\nContent-Type: {kind}{_encoded(text)}\r\n" for kind, text in bodies)
    last = f"--part\r\nContent-Type: text/plain\r\n\r\n{LAST}\r\n--part--\r\n"
    return "\r\n".join([*head, "Content-Type: multipart/mixed; boundary=part", "", content + last]).encode()


def _encoded(text: str) -> str:
    """RFC 2045 §2.9: what holds NUL is no text as it is."""
    if "\0" not in text:
        return f"\r\n\r\n{text}"
    return f"\r\nContent-Transfer-Encoding: base64\r\n\r\n{base64.encodebytes(text.encode()).decode()}"


@dataclass
class Canary:
    """hits: all that ran, was asked for elsewhere, opened, or was kept from that by a policy alone."""

    own: str
    hits: list[str] = field(default_factory=list)

    def listen(self, context: BrowserContext) -> None:
        context.expose_binding("canary", lambda _, what: self.hits.append(f"ran: {what}"))
        context.add_init_script(LISTENER)
        context.on("page", self._watch)
        context.on("request", lambda request: self._asked(request.url))
        for page in context.pages:
            self._watch(page)

    def _watch(self, page: Page) -> None:
        if len(page.context.pages) > 1:
            self.hits.append(f"opened: {page.url}")
        page.on("dialog", self._dialog)
        page.on("framenavigated", lambda frame: self._asked(frame.url))

    def _dialog(self, dialog: Any) -> None:
        self.hits.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _asked(self, url: str) -> None:
        if not url.startswith((self.own, "about:blank", "blob:" + self.own, "data:image/png")):
            self.hits.append(f"asked: {url}")
