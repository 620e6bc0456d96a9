"""What an EHLO reply offers. RFC 5321 §4.1.1.1 and the extensions that we use; the rest is passed over."""

from collections.abc import Sequence
from dataclasses import dataclass

MAX_SIZE_DIGITS = 20  # RFC 1870 §4


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """size_bytes: None where no limit is told. auth: mechanism names, upper case."""

    size_bytes: int | None = None
    has_starttls: bool = False
    has_pipelining: bool = False
    has_8bitmime: bool = False
    has_smtp_utf8: bool = False
    has_dsn: bool = False
    has_chunking: bool = False
    has_binarymime: bool = False
    has_requiretls: bool = False
    auth: frozenset[str] = frozenset()


NO_CAPABILITIES = Capabilities()


def parse_capabilities(lines: Sequence[str]) -> Capabilities:
    """lines: of the reply to EHLO, the first of them the greeting; none of them can be wrong, only unknown."""
    offers = [line.upper().split() for line in lines[1:]]
    parameters = {words[0]: words[1:] for words in offers if words}
    auth = [word for words in offers if words and words[0].startswith("AUTH") for word in _mechanisms(words)]
    return Capabilities(
        size_bytes=_size(parameters.get("SIZE", [])),
        has_starttls="STARTTLS" in parameters,  # RFC 3207 §2
        has_pipelining="PIPELINING" in parameters,  # RFC 2920 §3
        has_8bitmime="8BITMIME" in parameters,  # RFC 6152 §2
        has_smtp_utf8="SMTPUTF8" in parameters,  # RFC 6531 §3.1
        has_dsn="DSN" in parameters,  # RFC 3461 §3
        has_chunking="CHUNKING" in parameters,  # RFC 3030 §2
        # RFC 3030 §3: BINARYMIME comes with CHUNKING; DATA has no place for it.
        has_binarymime={"BINARYMIME", "CHUNKING"} <= parameters.keys(),
        has_requiretls="REQUIRETLS" in parameters,  # RFC 8689 §2
        auth=frozenset(auth),
    )


def _size(words: Sequence[str]) -> int | None:
    # RFC 1870 §4: size-param ::= [1*DIGIT]; 0 says that no fixed maximum is in force.
    if not words or len(words[0]) > MAX_SIZE_DIGITS or not (words[0].isascii() and words[0].isdigit()):
        return None
    return int(words[0]) or None


def _mechanisms(words: Sequence[str]) -> list[str]:
    # RFC 4954 §3; servers from before it wrote AUTH=LOGIN, and some still write both.
    if words[0] == "AUTH":
        return list(words[1:])
    first = words[0].removeprefix("AUTH=")
    return [] if first == words[0] else [word for word in (first, *words[1:]) if word]
