"""DuckDB over the files of a node's log: in memory, with little of it, and nothing but these files at hand."""

import glob
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from mailstack.store.event_log.parts import Part

MEMORY = "256MB"
TOLD = (
    "sender",
    "login",
    "account",
    "recipient",
    "address",
    "member",
    "list",
    "user",
    "message_id",
)
"""What one value of an event may name somebody or a mail."""

_PATHS = ", ".join(f"'$.{name}'" for name in ("at", "event", "level", "trace", *TOLD))
_FIRST, _LAST = 5, 4 + len(TOLD)
# Each name on a line of its own, so that it is found whole. Recipients are texts or objects, by event.
COLUMNS = f"""
    SELECT TRY_CAST(told[1] AS TIMESTAMP) AS moment, told[2] AS event, told[3] AS level, coalesce(told[4], '') AS trace,
           lower(concat_ws(chr(10), '', array_to_string(told[{_FIRST}:{_LAST}], chr(10)),
                           array_to_string(several, chr(10)), '')) AS names,
           line
      FROM (SELECT json_extract_string(json, [{_PATHS}]) AS told,
                   CASE WHEN json_exists(json, '$.recipients') OR json_exists(json, '$.accounts')
                        THEN json_extract_string(json, '$.recipients[*].address')
                             || json_extract_string(json, '$.recipients[*]')
                             || json_extract_string(json, '$.accounts[*]') END AS several,
                   CAST(json AS VARCHAR) AS line
              FROM read_json_objects(?, format = 'newline_delimited', ignore_errors = true)
             WHERE json_type(json) = 'OBJECT')
     WHERE moment IS NOT NULL AND event IS NOT NULL
"""  # noqa: S608  of constants
MADE = "SELECT moment, event, level, trace, names, line FROM read_parquet(?)"


@contextmanager
def opened(spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """spill: a folder for what memory is too small for, which DuckDB makes and clears."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": 1,
            "memory_limit": MEMORY,
            "temp_directory": str(spill),
            "autoinstall_known_extensions": "false",  # it would ask another site for them
            "autoload_known_extensions": "false",
        },
    )
    try:
        yield connection
    finally:
        connection.close()


def names_of(parts: Sequence[Part]) -> list[str]:
    """As DuckDB takes them: as patterns."""
    return [glob.escape(str(part.path)) for part in parts]
