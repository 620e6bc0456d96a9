"""A pause for the garbage collector while a spec is read or a plan is made.

Ten thousand accounts are a million objects that all live on; looking for garbage among them costs a third of the time.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

MANY_OBJECTS = 100_000


@contextmanager
def collector_paused() -> Iterator[None]:
    """What came to be meanwhile is never looked through, where it is much: it lives as long as the process."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            if gc.get_count()[0] > MANY_OBJECTS:
                gc.freeze()
            gc.enable()
