"""The message that a test sends."""

from pathlib import Path

import pytest

from mailstack.app.spec_tests.letter import message_of
from mailstack.formats.headers import every, first, header_end, scan_fields
from mailstack.model.errors import Invalid
from mailstack.spec.sections.tests import Send


def send(**fields: object) -> Send:
    return Send.model_validate({"from": "x@y.example", "to": ("a@example.com", "b@example.com"), **fields})


def test_a_message_has_what_every_mail_has() -> None:
    raw = message_of(send(), title="the test", sender="x@y.example")
    fields = scan_fields(raw)
    assert [field.name for field in fields] == [
        b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type",
    ]  # fmt: skip
    assert first(fields, b"to") == b"a@example.com, b@example.com"
    assert first(fields, b"subject") == b"the test"
    assert raw[header_end(raw) :] == b"A test of the spec.\r\n"


def test_headers_of_the_test_take_the_place_of_its_own() -> None:
    raw = message_of(send(headers={"FROM": "z@y.example", "X-Shop": "ü"}), title="t", sender="x@y.example")
    fields = scan_fields(raw)
    assert every(fields, b"from") == [b"z@y.example"]
    assert first(fields, b"x-shop") == b"=?utf-8?b?w7w=?="


def test_a_bounce_has_an_author_all_the_same() -> None:
    raw = message_of(send(**{"from": "<>"}), title="t", sender="")
    assert first(scan_fields(raw), b"from") == b"postmaster@client.example"


def test_internationalised_addresses_stay_as_they_are_and_words_are_encoded() -> None:
    raw = message_of(send(subject="Größe"), title="t", sender="größe@y.example")
    fields = scan_fields(raw)
    assert first(fields, b"from") == "größe@y.example".encode()
    assert (first(fields, b"subject") or b"").isascii()


def test_a_word_that_fits_no_line_is_named() -> None:
    with pytest.raises(Invalid, match="From"):
        message_of(send(headers={"From": "\udcff"}), title="t", sender="x@y.example")


def test_a_file_is_the_whole_message_with_the_line_ends_of_mail(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(b"\xff\x00 anything\n")
    assert message_of(send(eml=str(tmp_path / "a.eml")), title="t", sender="") == b"\xff\x00 anything\r\n"
