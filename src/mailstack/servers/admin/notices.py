"""What an act has led to, told by the page that follows it: a word and counts in its address.

Never a text: else any link to these pages could say something in the server's name.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from urllib.parse import urlencode

from starlette.requests import Request

from mailstack.servers.admin.templating import counted

TOLD = "told"
MOST_DIGITS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """left: of those that were meant, left as they were. notices: to senders, that were queued."""

    done: int = 0
    left: int = 0
    notices: int = 0


NO_COUNTS = Counts()


def with_notice(path: str, told: str, counts: Counts = NO_COUNTS) -> str:
    """path: with or without a query of its own. told: a word of _TEXTS."""
    found = {name: count for name, count in asdict(counts).items() if count}
    return f"{path}{'&' if '?' in path else '?'}{urlencode({TOLD: told, **found})}"


def notice_of(request: Request) -> str:
    """ "" for none, and for what nobody here has said."""
    say = _TEXTS.get(request.query_params.get(TOLD, ""))
    return "" if say is None else say(Counts(**{each.name: _count(request, each.name) for each in fields(Counts)}))


def _count(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else 0


def _of_queue(what: str) -> Callable[[Counts], str]:
    def say(counts: Counts) -> str:
        told = [f"{counted(counts.done, 'recipient')} {what}."]
        if counts.notices:
            told.append(f"{counted(counts.notices, 'notice')} to senders queued.")
        if counts.left:
            why = "not in the queue any more, not in that state, or being sent just now"
            told.append(f"{counted(counts.left, 'recipient')} left as before: {why}.")
        return " ".join(told)

    return say


def _always(text: str) -> Callable[[Counts], str]:
    return lambda _counts: text


_TEXTS: Mapping[str, Callable[[Counts], str]] = {
    "none": _always("Nothing was chosen, and nothing was done."),
    "retry": _of_queue("to be tried now"),
    "hold": _of_queue("held"),
    "release": _of_queue("released"),
    "bounce": _of_queue("given up"),
    "drop": _of_queue("dropped"),
    "ban": _always("Banned, on all nodes. Who is connected already stays."),
    "lift": _always("The ban is lifted, on all nodes."),
    "no-ban": _always("That ban has ended, or was lifted already."),
    "session": _always("The session is ended."),
    "app-password": _always("The app password is revoked."),
}
