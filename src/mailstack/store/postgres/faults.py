"""What PostgreSQL answers when it does not do as asked, in the domain's words. Codes: its manual's appendix A.

Two are no answer for a caller: Lost and Clashed are tried again, and become TryAgainLater past a bound.
"""

from collections.abc import Callable

from mailstack.model.errors import AlreadyExists, Damaged, DomainError, Invalid, TryAgainLater


class Lost(Exception):
    """The connection is gone: what was not committed is undone, and of a COMMIT on its way nobody knows."""


class Clashed(Exception):
    """The transaction was undone in favour of another: it may be tried again as it is."""


class Refused(Exception):
    """A statement that is wrong: a bug."""


def fault_of(code: str, text: str, database: str) -> Exception:
    """code: a SQLSTATE. text: the server's own message, which may quote values: for the log only."""
    for prefix, meaning in _MEANINGS:
        if code.startswith(prefix):
            return meaning(database, text)
    return Refused(f"{code}: {text}")


def _lost(_database: str, text: str) -> Exception:
    return Lost(text)


def _clashed(_database: str, text: str) -> Exception:
    return Clashed(text)


def _taken(database: str, _text: str) -> DomainError:
    return AlreadyExists(f"taken in {database}")


def _full(database: str, _text: str) -> DomainError:
    return TryAgainLater(f"{database}: the disk that holds it is full")


def _overloaded(database: str, text: str) -> DomainError:
    return TryAgainLater(f"{database} has no room for more at the moment: {text}")


def _read_only(database: str, _text: str) -> DomainError:
    return TryAgainLater(f"{database} is read-only: a standby, or set so")


def _slow(database: str, _text: str) -> DomainError:
    return TryAgainLater(f"{database} took too long to answer")


def _forgotten(database: str, _text: str) -> DomainError:
    return TryAgainLater(
        f"{database}: a pooler in between forgets prepared statements; PgBouncer needs pool_mode = session, or 1.21 or"
        " later with max_prepared_statements"
    )


def _no_rights(database: str, text: str) -> DomainError:
    # Not Forbidden, which is about whose mail it is: a right that an administrator gives again must bounce none.
    return TryAgainLater(f"{database}: the user of this server lacks a right there: {text}")


def _no_text(_database: str, _text: str) -> DomainError:
    return Invalid("a text holds a NUL, which this server's database does not keep")


def _damaged(database: str, text: str) -> DomainError:
    return Damaged(f"{database} is damaged: {text}")


_MEANINGS: tuple[tuple[str, Callable[[str, str], Exception]], ...] = (
    ("08", _lost),
    ("57P0", _lost),  # shut down by the administrator, crashed, not ready yet
    ("25P03", _lost),  # idle for too long within a transaction
    ("0A000", _lost),  # what this connection has prepared has another result by now: the tables were changed
    ("40", _clashed),  # serialization failure, deadlock
    ("23505", _taken),
    ("53100", _full),
    ("53", _overloaded),
    ("58", _overloaded),  # an error of its files or its system
    ("25006", _read_only),
    ("57014", _slow),
    ("55P03", _slow),
    ("26000", _forgotten),
    ("42501", _no_rights),
    ("22021", _no_text),
    ("XX001", _damaged),
    ("XX002", _damaged),
)
