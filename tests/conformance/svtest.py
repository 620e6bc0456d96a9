"""Runs `.svtest` files, in which scripts test Sieve (tests/support/svtest/dialect.py has their language).

python -m tests.conformance.svtest                   our own, tests/data/svtest
python -m tests.conformance.svtest FOLDER…           all files below those folders, or single files
python -m tests.conformance.svtest --quiet FOLDER…   without the reasons of what failed

What failed ends with code 1. MAILSTACK_SVTESTS names folders too, with colons between them.
"""

import argparse
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mailstack.sieve.check import compile_script
from mailstack.sieve.ext import include
from mailstack.sieve.extensions import EXTENSIONS
from mailstack.sieve.faults import Broken, RuntimeFault
from mailstack.sieve.run import Mail, Run, SieveEnvelope
from tests.support.svtest.commands import TestFailed
from tests.support.svtest.dialect import dialect
from tests.support.svtest.linking import linking
from tests.support.svtest.world import Block, Facts, World

ENVIRONMENT = {
    "name": "mailstack",
    "version": "1",
    "location": "MS",
    "phase": "during",
    "vnd.dovecot.username": "recipient@example.com",
    "vnd.dovecot.default-mailbox": "INBOX",
}
OWN = Path(__file__).parents[1] / "data" / "svtest"
_BLOCK = re.compile(r'^\s*test\s*"((?:[^"\\]|\\.)*)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FileResult:
    path: Path
    blocks: tuple[Block, ...]

    @property
    def failed(self) -> tuple[Block, ...]:
        return tuple(block for block in self.blocks if block.failure)


def files(places: Sequence[Path]) -> Iterator[Path]:
    for place in places:
        yield from [place] if place.is_file() else sorted(place.rglob("*.svtest"))


def run_file(path: Path) -> FileResult:
    """A file that cannot be compiled has failed with all its blocks; so have those behind a fault outside of them."""
    world = World(path.parent, EXTENSIONS)
    world.extensions = (*(one for one in EXTENSIONS if one is not include.EXTENSION), linking(world), dialect(world))
    source = path.read_text().replace("${tst.path}", str(path.parent))
    try:
        script = compile_script(source.encode(), world.extensions, limits=world.settings.limits)
    except Broken as broken:
        return FileResult(path, tuple(Block(name, str(broken)) for name in _BLOCK.findall(source)))
    envelope = SieveEnvelope(sender="sender@example.com", recipient="recipient@example.com")
    mail = Mail(raw=b"", envelope=envelope, environment=ENVIRONMENT)
    try:
        Run(mail, Facts(world), world.settings.limits_of_file).execute(script)
    except (RuntimeFault, TestFailed) as fault:
        for name in _BLOCK.findall(source)[len(world.blocks) :]:
            world.blocks.append(Block(name, f"not reached: {fault}"))
    return FileResult(path, tuple(world.blocks))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("places", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--quiet", action="store_true")
    given = parser.parse_args(arguments)
    named = [Path(name) for name in os.environ.get("MAILSTACK_SVTESTS", "").split(":") if name]
    found = [run_file(path) for path in files([*given.places, *named] or [OWN])]
    for one in found:
        _show(one, is_quiet=given.quiet)
    blocks = sum(len(one.blocks) for one in found)
    failed = sum(len(one.failed) for one in found)
    _say(f"{blocks - failed} of {blocks} passed, {failed} failed, in {len(found)} files")
    return 1 if failed or not blocks else 0


def _show(one: FileResult, *, is_quiet: bool) -> None:
    _say(f"{len(one.blocks) - len(one.failed):4} passed {len(one.failed):4} failed  {one.path}")
    if not is_quiet:
        for block in one.failed:
            _say(f"       {block.name}: {block.failure}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
