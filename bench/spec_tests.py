"""How long `mailstack test` takes for five hundred tests, start and reading included, and how it grows with accounts.

As typed, the whole process from its start. A quarter each of mails delivered by a subaddress, mails refused, mails
submitted by an account of its own, and records.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.reconcile import RUNS, median, run

TESTS = 500
TARGET_S = 10
PER_DOMAIN = 20


def write_spec(path: Path, accounts: int) -> None:
    domains = max(1, accounts // PER_DOMAIN)
    people = [f"a{number}@d{number % domains}.example" for number in range(accounts)]
    lines = ["server: {hostname: mail.example.com}", "domains:"]
    lines += [f"  d{number}.example:" for number in range(domains)]
    lines += ["accounts:", *(f"  {person}: {{password: env/NOT_SET}}" for person in people)]
    lines += ["tests:", *_tests(people)]
    path.write_text("\n".join(lines), encoding="utf-8")


def _tests(people: list[str]) -> Iterator[str]:
    for number in range(TESTS):
        person = people[number % len(people)]
        name, _, domain = person.partition("@")
        stranger = "from: x@y.example"
        yield (
            "  - "
            + (
                f"{{name: t{number}, send: {{{stranger}, to: {name}+x@{domain}}}, expect: {{delivered: {person}}}}}",
                f"{{name: t{number}, send: {{{stranger}, to: no{name}@{domain}}}, expect: {{rejected: 5.1.1}}}}",
                f"{{name: t{number}, send: {{as: {person}, to: x@y.example}}, expect: {{forwarded: x@y.example}}}}",
                f"{{name: t{number}, dns: {{name: {domain}, type: TXT}}, expect: {{contains: -all}}}}",
            )[number % 4]
        )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for accounts in (20, 1_000, 10_000):
            path = Path(folder) / f"{accounts}.yaml"
            write_spec(path, accounts)
            cost = median([run(0, "test", str(path)) for _ in range(RUNS)])
            print(
                f"{TESTS} tests, {accounts:,} accounts: {cost.wall_s:.2f} s, CPU {cost.cpu_s:.2f} s,"
                f" {cost.memory_mb:.0f} MB (target {TARGET_S} s)",
                flush=True,
            )


if __name__ == "__main__":
    main()
