"""Whether the program on disk is still the one that runs: an upgrade replaces its files under a running server.

A forked applier imports what its server never needed (decision 0015); half of it from another version, it could do
anything to the state.
"""

from pathlib import Path

import mailstack
from mailstack.app.faults import CannotServe

Mark = tuple[int, int]


def installed() -> Mark | None:
    """Another one after each installation, None in the midst of one."""
    try:
        found = Path(mailstack.__file__).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def refuse_another(mark: Mark | None) -> None:
    """mark: of when this process began."""
    if installed() != mark:
        raise CannotServe("another version of mailstack was installed meanwhile: restart the server to apply with it")
