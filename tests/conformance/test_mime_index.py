"""Every message of the MIME corpora is indexed in bounded time, and found again by what it holds."""

import time

from mailstack.formats.indexed import MAX_WORDS, indexed_words
from mailstack.formats.mime import scan
from mailstack.formats.searched import SearchedText, header_text
from mailstack.formats.terms import MAX_WORD_CHARACTERS, words_of
from mailstack.model.search import Scope
from tests.support.suites import packed_files, suite_path

SECONDS_PER_MESSAGE = 2.0
_IN_HEADER = (Scope.SUBJECT, Scope.FROM, Scope.TO, Scope.CC, Scope.BCC, Scope.HEADER)


def messages() -> dict[str, bytes]:
    return packed_files(suite_path("mime", "mime.tar.xz"))


def test_every_message_is_indexed_within_its_bounds() -> None:
    slow = {}
    for name, raw in messages().items():
        started = time.process_time()
        found = indexed_words(raw)
        seconds = time.process_time() - started
        if seconds > SECONDS_PER_MESSAGE:
            slow[name] = seconds
        assert sum(len(words) for words in found.words.values()) <= MAX_WORDS, name
        assert all(len(word) <= MAX_WORD_CHARACTERS for words in found.words.values() for word in words), name
    assert not slow


def test_the_index_knows_the_words_that_a_search_would_read() -> None:
    for name, raw in messages().items():
        found = indexed_words(raw)
        if found.is_partial:
            continue
        header = set().union(*(found.words.get(scope, set()) for scope in _IN_HEADER))
        assert header == words_of(header_text(scan(raw).fields)), name
        text = SearchedText(raw)
        assert all(text.body_has(word) for word in found.words[Scope.BODY] | found.words[Scope.ATTACHMENT]), name
