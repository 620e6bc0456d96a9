"""How much of a message is looked at. What is past these bounds changes nothing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """part_octets, text_octets: of a part as it is encoded, and of all text parts together. parts: that hold no others.
    beginning, end: characters of a text, whose middle is passed over where it is longer. words: of what is shown;
    hidden_words: that are counted in a part; subject_words, field_words: likewise, the last of any other field that is
    read. word_octets: longer ones are not words of a language. links: whose hosts are looked at. attachments: whose
    types and names are. recipients: that are counted.
    """

    part_octets: int = 64 * 1024
    text_octets: int = 96 * 1024
    parts: int = 64
    beginning: int = 10_000
    end: int = 2_000
    words: int = 2_500
    hidden_words: int = 200
    subject_words: int = 40
    field_words: int = 20
    word_octets: int = 32
    links: int = 100
    attachments: int = 20
    recipients: int = 200


LIMITS = Limits()
