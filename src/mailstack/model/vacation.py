"""The answer of whoever is away: an account has one, switched on or off. RFC 8621 §8."""

from dataclasses import dataclass

from mailstack.model.instant import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Vacation:
    """begins_at, ends_at: mail from the first to before the second is answered; None for no bound. subject, text, html:
    None for words of ours."""

    is_enabled: bool = False
    begins_at: Instant | None = None
    ends_at: Instant | None = None
    subject: str | None = None
    text: str | None = None
    html: str | None = None


SINGLETON = "singleton"
"""RFC 8621 §8: what the one of each account is called."""
NO_VACATION = Vacation()
"""Of an account that has said nothing yet."""
