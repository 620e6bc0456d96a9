"""How long it takes to load and check a spec of ten thousand accounts: `python -m bench.spec`."""

import statistics
import tempfile
import time
from pathlib import Path

from mailstack.spec.load import load_spec

ACCOUNTS = 10_000
TARGET_S = 2.0
HASH = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b5dWRWJTmaasdasdasdasdasdasdas"


def write_large_spec(folder: Path, accounts: int = ACCOUNTS) -> Path:
    """Each account with a name, a hash, a quota and a second address, and an alias for every tenth."""
    path = folder / "mailstack.yaml"
    with path.open("w", encoding="utf-8") as spec:
        spec.write("server: {hostname: mail.example.com}\ndomains: {example.com: }\naccounts:\n")
        for number in range(accounts):
            spec.write(
                f"  user{number}@example.com:\n    name: User {number}\n    password: {HASH}\n"
                f"    quota: 5GiB\n    addresses: [u{number}@example.com]\n"
            )
        spec.write("aliases:\n")
        for number in range(0, accounts, 10):
            spec.write(f"  team{number}@example.com: [user{number}@example.com, u{number}@example.com]\n")
    return path


def measure_load(runs: int = 5) -> float:
    """Median seconds to load and check, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_large_spec(Path(folder))
        seconds = []
        for _ in range(runs):
            start = time.perf_counter()
            load_spec(path)
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def main() -> None:
    print(f"validate {ACCOUNTS:,} accounts: {measure_load():.2f} s (median of 5; target {TARGET_S:.0f} s)")


if __name__ == "__main__":
    main()
