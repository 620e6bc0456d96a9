"""`make bench`: every measurement, or those that are named: python -m bench smtp lifecycle."""

import compileall
import importlib
import sys
from pathlib import Path

import mailstack

MEASUREMENTS = (
    "smtp",
    "receiving",
    "filtering",
    "submission",
    "queue",
    "imap",
    "imap_large",
    "jmap",
    "jmap_large",
    "jmap_events",
    "jmap_push",
    "webmail",
    "admin",
    "lifecycle",
    "spec",
    "reconcile",
    "spec_tests",
    "store",
    "engines",
    "nodes",
    "formats",
    "dkim",
    "spf",
    "spam",
    "spam_rules",
    "spam_drill",
)


def main() -> int:
    chosen = sys.argv[1:] or MEASUREMENTS
    unknown = set(chosen) - set(MEASUREMENTS)
    if unknown:
        print(
            f"no such measurement: {', '.join(sorted(unknown))} (there are {', '.join(MEASUREMENTS)})", file=sys.stderr
        )
        return 2
    # As pip leaves an installed program: without, each process would begin with compiling its modules.
    compileall.compile_dir(Path(mailstack.__file__).parent, quiet=1)
    for name in chosen:
        module = importlib.import_module(f"bench.{name}")
        print(f"\n{name}: {(module.__doc__ or '').splitlines()[0]}", flush=True)
        module.main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
