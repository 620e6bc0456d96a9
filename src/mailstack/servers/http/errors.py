"""The one table from domain errors to HTTP statuses. Texts are generic: details are the log's.

RFC 9110 §15, RFC 9457.
"""

from collections.abc import Mapping

from mailstack.model.errors import (
    AlreadyExists,
    AuthenticationFailed,
    Conflict,
    Damaged,
    DomainError,
    Forbidden,
    InUse,
    Invalid,
    LineTooLong,
    NotFound,
    NotOwnAddress,
    QuotaExceeded,
    TooLarge,
    TooMany,
    TryAgainLater,
    Unsupported,
    UseRefused,
)
from mailstack.servers.http.problem import CONTENT_TOO_LARGE, NO_SUCH_PAGE, Problem

PROBLEMS: Mapping[type[DomainError], Problem] = {
    NotFound: NO_SUCH_PAGE,
    AlreadyExists: Problem(status=409, title="The name is taken"),
    # RFC 4918 §11.5 has the status for a full account; other services use it as well.
    QuotaExceeded: Problem(status=507, title="The account is full"),
    TooLarge: CONTENT_TOO_LARGE,
    TooMany: Problem(status=422, title="Too many"),
    Forbidden: Problem(status=403, title="Not permitted"),
    NotOwnAddress: Problem(status=403, title="Not permitted"),
    InUse: Problem(status=409, title="In use"),
    # RFC 9110 §15.5.2: it must say how to authenticate; RFC 6750 §3.
    AuthenticationFailed: Problem(
        status=401, title="Who you are was not proved", headers={"WWW-Authenticate": 'Bearer realm="mailstack"'}
    ),
    Conflict: Problem(status=409, title="Somebody else was faster, look again"),
    TryAgainLater: Problem(status=503, title="Try again later", headers={"Retry-After": "5"}),
    Unsupported: Problem(status=501, title="Not supported here"),
    UseRefused: Problem(status=422, title="Not for this use"),
    Invalid: Problem(status=422, title="Not allowed"),
    LineTooLong: Problem(status=422, title="Not allowed"),
    Damaged: Problem(status=500, title="What was stored cannot be read"),
}


def problem_of(error: DomainError) -> Problem:
    return next(PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS)
