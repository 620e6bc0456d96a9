"""`make fuzz`: every target for a while, by mutation of its seeds, from a seed of the day that is printed.

python -m tests.fuzz                 60 seconds in all
python -m tests.fuzz --seconds 600 --only imap --seed 7
"""

import argparse
import importlib
import random
import sys
import time
import traceback
from pathlib import Path

from tests.fuzz.target import Target

INTERESTING = (
    b"\r\n",
    b"\n",
    b"\r",
    b"\x00",
    b"\xff",
    b'"',
    b"\\",
    b"(",
    b")",
    b"{",
    b"}",
    b"{1}\r\n",
    b"<",
    b">",
    b"=?",
    b"?=",
)
MAX_INPUT_BYTES = 1 << 16


def targets(only: str) -> list[Target]:
    found: list[Target] = []
    for path in sorted(Path(__file__).parent.glob("targets_*.py")):
        found.extend(importlib.import_module(f"tests.fuzz.{path.stem}").TARGETS)
    return [target for target in found if only in target.name]


def mutated(seed: bytes, chance: random.Random) -> bytes:
    data = bytearray(seed)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        length = min(chance.randint(0, 16), len(data) - at)
        match chance.randrange(5):
            case 0:
                data[at : at + length] = b""
            case 1:
                data[at:at] = chance.choice(INTERESTING)
            case 2:
                data[at:at] = bytes(data[at : at + length]) * chance.choice((1, 2, 50))
            case 3:
                data[at : at + length] = chance.randbytes(length)
            case _:
                data[at : at + 1] = bytes([chance.randrange(256)])
    return bytes(data[:MAX_INPUT_BYTES])


def fuzz(target: Target, *, seconds: float, seed: int) -> bytes | None:
    """The input that broke the invariant, or None."""
    chance = random.Random(f"{seed}/{target.name}")
    end = time.monotonic() + seconds
    runs = 0
    while time.monotonic() < end:
        data = mutated(chance.choice(target.seeds), chance)
        try:
            target.run(data)
        except Exception:  # noqa: BLE001  the invariant is that nothing unexpected is raised
            traceback.print_exc()
            return data
        runs += 1
    sys.stdout.write(f"{target.name:40} {runs:>9,} runs, nothing found\n")
    return None


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=60, help="for all targets together (default 60)")
    arguments.add_argument("--only", default="", help="targets whose name holds this")
    arguments.add_argument("--seed", type=int, default=int(time.time()) // 86400)
    chosen = arguments.parse_args()
    found = targets(chosen.only)
    sys.stdout.write(f"{len(found)} targets, seed {chosen.seed}\n")
    broken = 0
    for target in found:
        data = fuzz(target, seconds=chosen.seconds / max(1, len(found)), seed=chosen.seed)
        if data is not None:
            broken += 1
            sys.stdout.write(f"{target.name}: broken by {data!r}\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
