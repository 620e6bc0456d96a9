"""Which tests stay together in one process: those of a module that names an xdist_group, for they share what is dear to
start, and some come last.

xdist 3.8 would tell by the names of tests, which it changes in its workers; pytest 9.2 takes no notice of that.
"""

from functools import cache
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadGroupScheduling

MARK = b"mark.xdist_group("


class ByModule(LoadGroupScheduling):  # type: ignore[misc]  # xdist has no types
    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        self._root = config.rootpath

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(self._root, nodeid)


def scope_of(root: Path, nodeid: str) -> str:
    """What goes to one process as a whole."""
    module = nodeid.partition("::")[0]
    return module if _is_group(root / module) else nodeid


@cache
def _is_group(module: Path) -> bool:
    return MARK in module.read_bytes()
