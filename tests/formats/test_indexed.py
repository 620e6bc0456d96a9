"""Which words of a message the index is told, and where they stand."""

from mailstack.formats.indexed import MAX_TEXT_OCTETS, MAX_WORDS, indexed_words
from mailstack.formats.terms import MAX_WORD_CHARACTERS
from mailstack.model.search import Scope

MESSAGE = (
    b"From: Alice Example <alice@example.org>\r\nTo: bob@example.com\r\nBcc: eve@hidden.example\r\n"
    b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= again\r\nX-Mailer: Own\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/html\r\n\r\n<p>Stra&szlig;e</p><style>hidden</style>\r\n"
    b"--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename*=utf-8''%C3%84rger.txt\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nYXR0YWNoZWQgd29yZHM=\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninside\r\n"
    b"--b\r\nContent-Type: image/png\r\n\r\npicture\r\n--b--\r\n"
)


def test_words_are_kept_by_where_they_stand() -> None:
    found = indexed_words(MESSAGE)
    assert not found.is_partial
    assert found.words[Scope.SUBJECT] == {"grüsse", "again"}
    assert found.words[Scope.FROM] == {"alice", "example", "org"}
    assert found.words[Scope.TO] == {"bob", "example", "com"}
    assert found.words[Scope.BCC] == {"eve", "hidden", "example"}
    assert found.words[Scope.BODY] == {"strasse", "subject", "inner", "inside"}
    assert found.words[Scope.ATTACHMENT] == {"attached", "words"}
    assert {"x", "mailer", "own", "from", "to", "subject"} <= found.words[Scope.HEADER]
    assert {"html", "disposition", "ärger", "txt", "base64", "image", "png"} <= found.words[Scope.MIME]
    assert found.words[Scope.MIME].isdisjoint({"content", "type", "multipart", "inner", "attached"})


def test_what_is_displayed_and_does_not_stand_in_the_header_is_apart() -> None:
    found = indexed_words(b'From: "J\\ohn" <j@x.example>\r\n\r\n')
    assert found.words[Scope.FROM_SHOWN] == {"john"}
    assert "ohn" in found.words[Scope.HEADER]


def test_a_longer_text_is_indexed_up_to_the_bound_and_said_to_be_partial() -> None:
    text = b"one word after another " * (MAX_TEXT_OCTETS // 20)
    found = indexed_words(b"Subject: long\r\n\r\n" + text + b"last")
    assert found.is_partial
    assert "another" in found.words[Scope.BODY]
    assert "last" not in found.words[Scope.BODY]


def test_more_words_than_the_bound_are_left_out_and_said_to_be_missing() -> None:
    text = b" ".join(b"w%d" % number for number in range(MAX_WORDS + 10))
    found = indexed_words(b"Subject: many\r\n\r\n" + text)
    assert found.is_partial
    assert sum(len(words) for words in found.words.values()) == MAX_WORDS


def test_a_word_that_is_too_long_is_left_out_and_said_to_be_missing() -> None:
    found = indexed_words(b"Subject: s\r\n\r\nshort " + b"x" * (MAX_WORD_CHARACTERS + 1))
    assert found.is_partial
    assert found.words[Scope.BODY] == {"short"}
