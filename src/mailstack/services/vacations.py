"""The answer of who is away, which runs as a Sieve script of its own beside the account's: said once, read back as it
was said.

RFC 8621 §8; the script has no name among those that the user keeps (RFC 9661 §4), and no place in their quota.
"""

import hashlib

from mailstack.formats.html_text import html_to_text
from mailstack.formats.sieve_string import quoted
from mailstack.formats.text_part import write_text_part
from mailstack.model.errors import TooLarge
from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant, as_datetime
from mailstack.model.line_ends import with_crlf
from mailstack.model.vacation import Vacation
from mailstack.ports import vacations
from mailstack.services.scripts import compile_aside
from mailstack.sieve.extensions import EXTENSIONS

MAX_OCTETS = 64 * 1024
"""As Sieve: each mail to the account runs it."""
_TOO_LARGE = f"an answer has at most {MAX_OCTETS} octets as Sieve"
HEADING = "# Made of the account's VacationResponse, which is where to change it."
DEFAULT_TEXT = "I am away from my mail at the moment, and will read yours when I am back."
_EXTENSIONS = ("date", "relational", "vacation")


class AccountVacations:
    """Of accounts that who asks has proved to be."""

    def __init__(self, kept: vacations.Vacations) -> None:
        self._kept = kept

    async def read(self, account_id: AccountId) -> Vacation:
        return await self._kept.read(account_id)

    async def replace(
        self, account_id: AccountId, before: Vacation, after: Vacation, *, if_number: int | None = None
    ) -> None:
        """Raises TooLarge; else as ports.vacations has it."""
        # Also of one that is off: that it cannot be switched on is told while it is written.
        if sum(len(text) for text in (after.subject, after.text, after.html) if text) > MAX_OCTETS:
            raise TooLarge(_TOO_LARGE)
        script = vacation_script(after)
        if len(script) > MAX_OCTETS:
            raise TooLarge(_TOO_LARGE)
        await compile_aside(script, EXTENSIONS)
        kept = script if after.is_enabled else None
        await self._kept.replace(account_id, before, after, script=kept, if_number=if_number)


def vacation_script(vacation: Vacation) -> bytes:
    """RFC 5230; RFC 5260 §4 for when. As if it were on."""
    tests = [
        f'currentdate :zone "+0000" :value "{relation}" "iso8601" "{_iso8601(bound)}"'
        for relation, bound in (("ge", vacation.begins_at), ("lt", vacation.ends_at))
        if bound is not None
    ]
    needed = ", ".join(quoted(name) for name in (_EXTENSIONS if tests else _EXTENSIONS[-1:]))
    action = _action(vacation)
    block = [f"if allof ({', '.join(tests)}) {{", action, "}"] if tests else [action]
    return b"".join(with_crlf("\n".join([HEADING, f"require [{needed}];", "", *block, ""]).encode()))


def _action(vacation: Vacation) -> str:
    subject = f" :subject {quoted(vacation.subject)}" if vacation.subject else ""
    if vacation.html is None:
        return f"vacation{subject} {quoted(_text(vacation))};"
    return f"vacation :mime{subject} {quoted(_alternatives(_text(vacation), vacation.html).decode('ascii'))};"


def _text(vacation: Vacation) -> str:
    """RFC 8621 §8: made of the HTML where there is none, and of nothing where there is neither."""
    if vacation.text is not None:
        return vacation.text
    return DEFAULT_TEXT if vacation.html is None else " ".join(html_to_text(vacation.html).split())


def _alternatives(text: str, html: str) -> bytes:
    """RFC 2046 §5.1.4: the plainest first. No chance is in it: what differs is another answer (RFC 5230 §4.2)."""
    parts = [
        write_text_part(content_type, b"".join(with_crlf(each.encode())))
        for content_type, each in ((b"text/plain", text), (b"text/html", html))
    ]
    boundary = hashlib.sha256(b"\0".join(parts)).hexdigest()[:32].encode()
    return b"".join(
        (
            b'Content-Type: multipart/alternative; boundary="%b"\r\n\r\n' % boundary,
            *(b"--%b\r\n%b\r\n" % (boundary, part) for part in parts),
            b"--%b--\r\n" % boundary,
        )
    )


def _iso8601(instant: Instant) -> str:
    """RFC 5260 §4.2: as `currentdate` is written in UTC, so that the order of texts is that of time."""
    return as_datetime(instant).isoformat(timespec="seconds")
