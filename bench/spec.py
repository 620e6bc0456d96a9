"""How long it takes to load and check a spec of ten thousand accounts, five hundred domains: `python -m bench.spec`."""

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from mailstack.spec.load import load_spec

ACCOUNTS = 10_000
DOMAINS = 500
ACCOUNTS_A_FILE = 10_000
TARGET_S = 2.0
HEAD = """include: ['*.accounts.yaml']
server: {hostname: mail.example.org}
storage: {path: state}
"""
HASH = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b5dWRWJTmaasdasdasdasdasdasdas"


def write_large_spec(folder: Path, accounts: int = ACCOUNTS, domains: int = DOMAINS) -> Path:
    """Each account with a name, a hash, a quota and a second address, an alias for every tenth, and one domain after
    the other; ten thousand accounts a file. Keys are Ed25519 alone: making RSA keys is not what is measured.
    """
    names = [f"example{number}.com" for number in range(domains)]
    for first in range(0, accounts, ACCOUNTS_A_FILE):
        text = _accounts_text(range(first, min(first + ACCOUNTS_A_FILE, accounts)), names)
        first_accounts_file(folder).with_name(f"{first}.accounts.yaml").write_text(text, encoding="utf-8")
    path = folder / "mailstack.yaml"
    entries = "".join(f"  {name}: {{dkim: {{algorithms: [ed25519]}}}}\n" for name in names)
    path.write_text(f"{HEAD}domains:\n{entries}", encoding="utf-8")
    return path


def first_accounts_file(folder: Path) -> Path:
    return folder / "0.accounts.yaml"


def _accounts_text(numbers: range, names: Sequence[str]) -> str:
    lines = ["accounts:"]
    for number in numbers:
        domain = names[number % len(names)]
        lines += [f"  user{number}@{domain}:", f"    name: User {number}", f"    password: {HASH}", "    quota: 5GiB"]
        lines.append(f"    addresses: [u{number}@{domain}]")
    lines.append("aliases:")
    for number in numbers[::10]:
        domain = names[number % len(names)]
        lines.append(f"  team{number}@{domain}: [user{number}@{domain}, u{number}@{domain}]")
    return "\n".join(lines) + "\n"


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
    size = f"{ACCOUNTS:,} accounts, {DOMAINS} domains"
    print(f"validate {size}: {measure_load():.2f} s (median of 5; target {TARGET_S:.0f} s)")


if __name__ == "__main__":
    main()
