"""`python -m mailstack.app.event_keeper_main FOLDER KEEP_S MAX_BYTES FORMAT LEVEL`: puts a node's log in order."""

import os
import sys
from pathlib import Path

# First, for it keeps structlog from loading what no process of the server needs.
from mailstack.app.log import configure_log

NICENESS = 10


def main(folder: str, keep_s: str, max_bytes: str, log_format: str, level: str) -> int:
    import duckdb
    import structlog

    from mailstack.app.clock import system_clock
    from mailstack.model.resource import LogBody
    from mailstack.store.event_log.keeping import keep

    configure_log(log_format, level)
    os.nice(NICENESS)
    try:
        keep(Path(folder), LogBody(keep_s=int(keep_s), max_bytes=int(max_bytes)), system_clock())
    except FileNotFoundError:
        return 0  # nothing is kept any more
    except (duckdb.Error, OSError) as fault:
        structlog.get_logger().warning("the log is not put in order; tried again", fault=str(fault))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
