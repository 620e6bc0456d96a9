"""Statements of store/sql as PostgreSQL understands them: the account's column, numbered parameters, a few phrases.

store/sql/database.py says what the comments in a statement mean. What is put another way on PostgreSQL as a whole
stands in statements.py, under the text that it is in place of.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from mailstack.store.postgres import statements, transfer_statements

PHRASES = (
    (  # An array, not a join: it leads into the index, however many rows the account has.
        re.compile(r"\bIN \(SELECT value FROM json_each\(\?\) AS listed\)"),
        "= ANY (ARRAY(SELECT value::bigint FROM json_array_elements_text(?::json) AS element (value)))",
    ),
    (re.compile(r"json_each\(\?\) AS texts"), "json_array_elements_text(?::json) AS texts (value)"),
    (
        re.compile(r"json_each\(\?\) AS wanted"),
        "(SELECT place AS key, value::bigint AS value"
        " FROM json_array_elements_text(?::json) WITH ORDINALITY AS element (value, place)) AS wanted",
    ),
    (
        re.compile(r"json_each\(\?\)"),
        r"(SELECT value::bigint AS value FROM json_array_elements_text(?::json) AS element (value))",
    ),
    (re.compile(r"json_group_array\(([^()]+)\)"), r"COALESCE(json_agg(\1)::text, '[]')"),
)
"""Lists that come in as one value, of texts or of numbers, in order or not; and columns that go out as one."""
_OWN = {**statements.OWN, **transfer_statements.OWN}
_ACCOUNT_MARK = re.compile(r"(?:of|whole|key|value)\b")
_PARTS = re.compile(r"'(?:[^']|'')*'|/\*(?P<mark>.*?)\*/|\?(?P<number>\d*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """takes_account: its first parameter is the account; the caller's own follow."""

    text: bytes
    takes_account: bool


@lru_cache(maxsize=2048)
def translated(sql: str) -> Statement:
    """Once for each text: statements are constants."""
    sql = _OWN.get(sql, sql)
    takes_account = any(_ACCOUNT_MARK.match(part["mark"] or "") for part in _PARTS.finditer(sql))
    for phrase, ours in PHRASES:
        sql = phrase.sub(ours, sql)
    text = _PARTS.sub(_Numbering(taken=int(takes_account)).of, sql)
    return Statement(text=text.encode(), takes_account=takes_account)


class _Numbering:
    """Of the parameters in one statement, from left to right."""

    def __init__(self, *, taken: int) -> None:
        self._taken = taken
        self._shift = taken

    def of(self, part: "re.Match[str]") -> str:
        mark = part["mark"]
        if mark is not None:
            return _shown(mark)
        number = part["number"]
        if number is None:  # a quoted text
            return part[0]
        if number:
            return f"${int(number) + self._shift}"
        self._taken += 1
        return f"${self._taken}"


def _shown(mark: str) -> str:
    if mark.startswith("+"):
        return mark[1:]
    word, _, table = mark.partition(" ")
    column = f"{table}.account_id" if table else "account_id"
    match word:
        case "of":
            return f"{column} = $1 AND"
        case "whole":
            return f"WHERE {column} = $1"
        case "key":
            return f"{column},"
        case "value":
            return "$1,"
        case _:
            return ""
