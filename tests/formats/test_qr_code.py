"""QR codes: what others read in them."""

from xml.etree import ElementTree

import pytest

from mailstack.formats.qr_code import write_qr_code
from tests.support.qr_codes import codes_in


@pytest.mark.parametrize(
    "text", ["1", "https://mail.example.com/a?b=c&d=<e>", "x" * 1_000], ids=["short", "url", "long"]
)
def test_a_camera_reads_what_was_written(text: str) -> None:
    assert codes_in(write_qr_code(text)) == [text]


def test_it_is_an_element_that_a_strict_page_takes() -> None:
    root = ElementTree.fromstring(write_qr_code("x"))
    assert root.tag == "svg"
    assert {name for each in root.iter() for name in each.attrib} <= {"viewBox", "d", "fill", "stroke"}


def test_what_is_too_long_for_any_is_said_so() -> None:
    with pytest.raises(ValueError, match="too large"):
        write_qr_code("x" * 5_000)
