"""What is found in a file, of what harms."""

from dataclasses import dataclass
from enum import Enum


class Sign(Enum):
    PROGRAM = "a program"
    ENCRYPTED = "encrypted"
    DOCUMENT = "a document of an office program"
    MACROS = "macros"
    FETCHES = "fetches a template from elsewhere"
    OBJECTS = "embedded objects"
    SCRIPT = "scripts"


@dataclass(frozen=True, slots=True)
class Inside:
    """names: of the files in an archive, and in archives in it, each once."""

    signs: frozenset[Sign]
    names: tuple[str, ...] = ()


NOTHING = Inside(frozenset())
# What begins so runs, whatever it is called: Windows, Linux, and a link of Windows (MS-SHLLINK §2.1).
PROGRAMS = (b"MZ", b"\x7fELF", b"L\0\0\0\x01\x14\x02\0")
# Within so many octets a program has a zero, which no text has.
_PROGRAM_HEAD = 64


def is_program(content: bytes) -> bool:
    return content.startswith(PROGRAMS) and b"\0" in content[:_PROGRAM_HEAD]
