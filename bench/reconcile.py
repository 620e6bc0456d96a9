"""How long a plan of ten thousand accounts takes, full, empty and applied: `python -m bench.reconcile`.

As typed: the whole process from its start, with reading, checking, the store and what is printed.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.spec import ACCOUNTS, write_large_spec

RUNS = 3
PLAN_TARGET_S = 4.0
EMPTY_PLAN_TARGET_S = 2.0
PROGRAM = "from mailstack.cli.main import main; main()"
EXIT_CHANGES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    wall_s: float
    cpu_s: float


def run(expected_status: int, *arguments: str) -> Cost:
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    wall_s, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != expected_status:
        raise SystemExit(f"{' '.join(arguments)}: exit status {done.returncode}\n{done.stderr.decode()}")
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall_s=wall_s, cpu_s=cpu_s)


def median(expected_status: int, *arguments: str) -> Cost:
    costs = [run(expected_status, *arguments) for _ in range(RUNS)]
    return Cost(
        wall_s=statistics.median(cost.wall_s for cost in costs), cpu_s=statistics.median(cost.cpu_s for cost in costs)
    )


def measure() -> dict[str, Cost]:
    """Medians by what was done; the first apply is run once."""
    with tempfile.TemporaryDirectory() as folder:
        spec = write_large_spec(Path(folder))
        with spec.open("a", encoding="utf-8") as more:
            more.write("storage: {path: state}\n")
        path = str(spec)
        costs = {
            "plan": median(EXIT_CHANGES, "plan", path),
            "apply": run(0, "apply", "--yes", path),
            "empty plan": median(0, "plan", path),
            "empty apply": median(0, "apply", "--yes", path),
        }
        with spec.open("a", encoding="utf-8") as more:
            more.write("relays: {r: {host: relay.example}}\n")
        return {**costs, "plan of one change": median(EXIT_CHANGES, "plan", path)}


def main() -> None:
    targets = {"plan": PLAN_TARGET_S, "empty plan": EMPTY_PLAN_TARGET_S}
    for name, cost in measure().items():
        target = f" (target {targets[name]:.0f} s)" if name in targets else ""
        print(f"{name}, {ACCOUNTS:,} accounts: {cost.wall_s:.2f} s, CPU {cost.cpu_s:.2f} s{target}")


if __name__ == "__main__":
    main()
