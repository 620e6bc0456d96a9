"""How words lie in the full-text index of an account, and what asks for them: words parted by blanks, put in and asked
for alike. The statements are for SQLite's FTS5; PostgreSQL has its own.

FTS5 keeps sorted lists of rowids by word, and nothing else: no positions, no columns, no text (contentless,
detail=none). A word is stored behind the letter of its scope, so that one list answers "in the subject?"; the words
themselves were cut and folded by formats.terms, so FTS5's own tokenizer only parts them at blanks.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from mailstack.model.search import Scope

INSERT = "INSERT INTO search_index (rowid, words) VALUES (?, ?)"
DELETE = "DELETE FROM search_index WHERE rowid IN (SELECT value FROM json_each(?))"
DELETE_PARTIAL = "DELETE FROM search_partial WHERE /*of*/ message_id IN (SELECT value FROM json_each(?) AS listed)"
DELETE_ALL = "INSERT INTO search_index (search_index) VALUES ('delete-all')"
# Any of the words; quoted, so that none is an operator.
MATCH = """SELECT rowid FROM search_index WHERE search_index MATCH '"' || replace(?, ' ', '" OR "') || '"'"""
UP_TO = "SELECT indexed_up_to FROM search_state /*whole*/"

WORDS_AT_ONCE = 500
"""So many words are asked for in one go; beyond, FTS5 looks through all of them for each row."""


_STORED_WORD = re.compile("[A-Za-z0-9\x80-\U0010ffff]+")


def stored_words(words: Mapping[Scope, Collection[str]]) -> list[str]:
    found: list[str] = []
    for scope, some in words.items():
        letter = scope.value  # an enum's value costs more than the rest
        found += [letter + word for word in some]
    return found


def asked_words(words: Iterable[str]) -> Iterator[str]:
    """Of stored words as many as fit into one question, for MATCH; what no index can hold is left out."""
    possible = [word for word in words if _STORED_WORD.fullmatch(word)]
    for start in range(0, len(possible), WORDS_AT_ONCE):
        yield " ".join(possible[start : start + WORDS_AT_ONCE])
