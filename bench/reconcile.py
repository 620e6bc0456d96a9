"""How long a plan of ten thousand accounts takes, full, empty, applied, and how it grows: `python -m bench.reconcile`.

As typed: the whole process from its start, with reading, checking, the store and what is printed. The change of one
account is also measured alone, as the apply of a plan that is there. DNS is left out: it takes what others take to
answer.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.spec import ACCOUNTS, DOMAINS, first_accounts_file, write_large_spec
from mailstack.cli.reconciling import reconciler_on, storage_of, store_to_write
from mailstack.spec.load import LoadedSpec, load_spec

RUNS = 3
MANY_ACCOUNTS = 100_000
TARGETS_S = {"plan": 4.0, "empty plan": 2.0, "the apply alone": 0.5}
MEMORY_TARGET_MB = 300
PROGRAM = "from mailstack.cli.main import main; main()"
EXIT_CHANGES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """memory_mb: the process's largest resident set."""

    wall_s: float
    cpu_s: float
    memory_mb: float


def run(expected_status: int, *arguments: str) -> Cost:
    start = time.perf_counter()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments], stdout=subprocess.DEVNULL, stderr=errors
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != expected_status:
            errors.seek(0)
            raise SystemExit(f"{' '.join(arguments)}: exit status {process.returncode}\n{errors.read().decode()}")
    return Cost(wall_s=wall_s, cpu_s=usage.ru_utime + usage.ru_stime, memory_mb=usage.ru_maxrss / 1024)


def median(costs: list[Cost]) -> Cost:
    return Cost(
        wall_s=statistics.median(cost.wall_s for cost in costs),
        cpu_s=statistics.median(cost.cpu_s for cost in costs),
        memory_mb=max(cost.memory_mb for cost in costs),
    )


def measure(accounts: int, runs: int) -> Iterator[tuple[str, Cost]]:
    """Medians by what was done; the first apply is run once."""
    with tempfile.TemporaryDirectory() as folder:
        spec = write_large_spec(Path(folder), accounts)
        named = ("--no-dns", str(spec))
        yield "plan", median([run(EXIT_CHANGES, "plan", *named) for _ in range(runs)])
        yield "first apply", run(0, "apply", "--yes", *named)
        yield "empty plan", median([run(0, "plan", *named) for _ in range(runs)])
        yield "empty apply", median([run(0, "apply", "--yes", *named) for _ in range(runs)])
        _rename(spec, "User 7", "Somebody else")
        yield "plan of one change", median([run(EXIT_CHANGES, "plan", *named) for _ in range(runs)])
        yield "plan and apply of one change", run(0, "apply", "--yes", *named)
        alone = []
        for number in range(runs):
            _rename(spec, f"User {100 + number}", f"Somebody {number}")
            alone.append(asyncio.run(_apply_one(load_spec(spec))))
        yield "the apply alone", median(alone)


def _rename(spec: Path, old: str, new: str) -> None:
    file = first_accounts_file(spec.parent)
    file.write_text(file.read_text(encoding="utf-8").replace(f"name: {old}\n", f"name: {new}\n"), encoding="utf-8")


async def _apply_one(loaded: LoadedSpec) -> Cost:
    """In this process, once the plan is made."""
    async with store_to_write(storage_of(loaded)) as store:
        reconciler = reconciler_on(store, loaded, no_dns=True)
        prepared = await reconciler.plan(loaded)
        start, start_cpu = time.perf_counter(), time.process_time()
        await reconciler.apply(prepared)
        return Cost(wall_s=time.perf_counter() - start, cpu_s=time.process_time() - start_cpu, memory_mb=0)


def main() -> None:
    for accounts, runs in ((ACCOUNTS, RUNS), (MANY_ACCOUNTS, 1)):
        print(f"{accounts:,} accounts, {DOMAINS} domains")
        for name, cost in measure(accounts, runs):
            has_target = accounts == ACCOUNTS and name in TARGETS_S
            target = f" (target {TARGETS_S[name]:g} s)" if has_target else ""
            memory = f", {cost.memory_mb:.0f} MB" if cost.memory_mb else ""
            print(f"  {name}: {cost.wall_s:.2f} s, CPU {cost.cpu_s:.2f} s{memory}{target}", flush=True)
    print(f"memory target: {MEMORY_TARGET_MB} MB while planning {ACCOUNTS:,} accounts")


if __name__ == "__main__":
    main()
