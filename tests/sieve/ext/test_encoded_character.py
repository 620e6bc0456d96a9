"""Characters by their numbers. RFC 5228 §2.4.2.4; its examples are in tests/data/svtest."""

from tests.support.sieve import faults, holds


def test_several_sequences_may_make_one_character() -> None:
    assert holds(
        'require "encoded-character"; header "subject" "${hex:c3}${hex: A4}"', "Subject: =?utf-8?q?=C3=A4?=\n\n"
    )


def test_what_makes_no_characters_is_a_fault() -> None:
    assert faults('require "encoded-character"; if header "a" "${hex:c3}" {}') == []
    script = 'require ["encoded-character", "fileinto"]; fileinto "${hex:c3}";'
    assert faults(script) == ["line 1, column 53: an invalid folder name: octets that are not UTF-8"]
    assert faults('require "encoded-character"; if header "a" "${unicode:110000}" {}') == [
        "line 1, column 44: U+110000 is no character (0 to D7FF, and E000 to 10FFFF)"
    ]
