"""Words are found in a chunk by any part of them."""

import random

from mailstack.model.search import Scope, Word, WordMatch
from mailstack.store.sql.vocabulary import _lines_with


def test_a_chunk_is_searched_as_a_list_of_words_would_be() -> None:
    chance = random.Random(3)
    words = {"".join(chance.choices("abcé会", k=chance.randint(1, 4))) for _ in range(400)}
    lines = sorted(scope.value + word for scope in (Scope.SUBJECT, Scope.BODY, Scope.ATTACHMENT) for word in words)
    chunk = ("\n" + "\n".join(lines) + "\n").encode()
    meets = {WordMatch.PREFIX: str.startswith, WordMatch.SUFFIX: str.endswith, WordMatch.INFIX: str.__contains__}
    for match, is_met in meets.items():
        for text in ("a", "ab", "é", "会c", "zz", "cccc", "b"):
            found = sorted(_lines_with(chunk, Word(match=match, text=text)))
            assert found == [line for line in lines if is_met(line[1:], text)]


def test_an_empty_chunk_holds_nothing() -> None:
    for match in (WordMatch.PREFIX, WordMatch.SUFFIX, WordMatch.INFIX):
        assert list(_lines_with(b"\n\n", Word(match=match, text="a"))) == []
