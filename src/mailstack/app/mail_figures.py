"""How much mail came, went and was refused, hour by hour, as a node's log has it."""

from collections import Counter
from pathlib import Path
from typing import Any

from mailstack.model.instant import HOUR_MS, Instant, iso
from mailstack.store.event_log.parts import goes_back_to, log_folder
from mailstack.store.event_log.reading import EventLog, Figure

COUNTED = ("transaction", "turned away", "scored", "delivered", "filtered", "sent", "failed", "withheld")
KINDS = ("received", "refused", "deferred", "junk", "delivered", "sent", "failed")
"""As `hours` and `sums` have them. Received, refused and deferred are of mails that somebody brought; junk, delivered,
sent and failed of each of their recipients."""
TOP_REASONS = 5

_OF_TRANSACTIONS = {"accepted": "received", "refused": "refused", "deferred": "deferred"}
_OF_EVENTS = {"delivered": "delivered", "filtered": "delivered", "sent": "sent", "failed": "failed"}


def figures_document(storage: Path, *, since: Instant, until: Instant) -> dict[str, Any]:
    """since: the beginning of an hour. reasons: of refusals, the most frequent first. Raises TryAgainLater."""
    folder = log_folder(storage)
    found = EventLog(folder).figures(COUNTED, since=since, until=until)
    hours: dict[Instant, Counter[str]] = {Instant(at): Counter() for at in range(since, until, HOUR_MS)}
    reasons: Counter[str] = Counter()
    for figure in found:
        kind = _kind(figure)
        if kind and figure.hour in hours:
            hours[figure.hour][kind] += figure.count
        if kind == "refused":
            reasons[figure.reason or "other"] += figure.count
    sums = sum(hours.values(), Counter())
    begins = goes_back_to(folder)
    return {
        "goes_back_to": "" if begins is None else iso(begins),
        "hours": [{"at": iso(at), **{kind: counts[kind] for kind in KINDS}} for at, counts in hours.items()],
        "sums": {kind: sums[kind] for kind in KINDS},
        "reasons": reasons.most_common(TOP_REASONS),
        "turned_away": sum(figure.count for figure in found if "turned away" in (figure.event, figure.came_to)),
    }


def _kind(figure: Figure) -> str:
    """ "" for what is no figure of its own."""
    if figure.event == "transaction":
        return _OF_TRANSACTIONS.get(figure.came_to, "")
    if figure.event == "scored":
        return "junk" if figure.came_to == "junk" else ""
    return _OF_EVENTS.get(figure.event, "")
