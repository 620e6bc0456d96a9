"""A whole `mailstack apply` that stops (SIGSTOP) within its turn, before its first password, until it is continued.

`python -m tests.support.stopped_apply apply …`: the arguments are the program's.
"""

import os
import signal
from itertools import count

from mailstack.cli.main import main
from mailstack.services.identity import passwords
from mailstack.services.identity.passwords import HashCost, hash_password


def stop_at_the_first() -> None:
    calls = count()

    def hashed(plain: str, *, cost: HashCost) -> str:
        if next(calls) == 0:
            os.kill(os.getpid(), signal.SIGSTOP)
        return hash_password(plain, cost=cost)

    passwords.hash_password = hashed


if __name__ == "__main__":
    stop_at_the_first()
    main()
