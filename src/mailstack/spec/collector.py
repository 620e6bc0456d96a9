"""A pause for the garbage collector while a spec is read or a plan is made.

Ten thousand accounts are a million objects that all live on; looking for garbage among them costs a third of the time.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
