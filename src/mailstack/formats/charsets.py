"""Bytes in a named charset to text, whatever the name. Never raises.

Only names that Python's codecs are known under are looked up: the interpreter remembers a failed lookup for ever, so
hostile names would fill the memory; and some codecs (idna, punycode, escapes) are no charsets. RFC 2978 §2.3.
"""

import codecs
import re
from encodings.aliases import aliases
from functools import lru_cache

_NOT_CHARSETS = frozenset(
    {
        "base64_codec",
        "bz2_codec",
        "hex_codec",
        "quopri_codec",
        "rot_13",
        "uu_codec",
        "zlib_codec",
        "mbcs",
        "oem",
        "idna",
        "punycode",
        "unicode_escape",
        "raw_unicode_escape",
        "undefined",
    }
)
_PUNCTUATION = re.compile(r"[^a-z0-9]+")
# Names that real mail uses and Python does not know.
_ALSO_KNOWN_AS = {
    "iso_8859_8_i": "iso8859_8",
    "iso_8859_8_e": "iso8859_8",
    "iso_8859_6_i": "iso8859_6",
    "x_gbk": "gbk",
    "x_sjis": "cp932",
    "x_euc_jp": "euc_jp",
    "x_mac_roman": "mac_roman",
    "macintosh": "mac_roman",
    "unicode_1_1_utf_7": "utf_7",
    "utf8mb4": "utf_8",
    "windows_874": "cp874",
    "cp_850": "cp850",
    "ansi_x3_110_1983": "cp1252",
}
_UTF_7 = "utf_7"
_CODECS = {
    name: codec
    for name, codec in (*aliases.items(), *((codec, codec) for codec in aliases.values()))
    if codec not in _NOT_CHARSETS
} | {"utf_8_sig": "utf_8_sig", "koi8_u": "koi8_u", "cp874": "cp874", "cp720": "cp720"}
# Senders who write these mean the larger set: everything a charset lets pass as undefined is somebody's letter there.
_MEANT = {
    "ascii": "utf_8",
    "latin_1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
}


def decode(data: bytes, charset: str) -> str:
    """charset: as the message names it, "" where it does not."""
    codec = _codec(charset)
    if codec == _UTF_7:
        return _without_surrogates(data.decode(codec, "replace"))
    if codec:
        try:
            return data.decode(_MEANT.get(codec, codec))
        except UnicodeDecodeError:
            pass
    return guess(data) if codec in ("", "ascii", "utf_8") else data.decode(codec, "replace")


def decode_told(data: bytes, charset: str) -> tuple[str, bool]:
    """As decode; and whether it was guessed, or some of it could not be read."""
    codec = _codec(charset) if charset else "utf_8"
    if codec and codec != _UTF_7:
        try:
            return data.decode(_MEANT.get(codec, codec)), False
        except UnicodeDecodeError:
            return decode(data, charset), True
    text = decode(data, charset)
    return text, not codec or "\ufffd" in text


def decode_beginning(data: bytes, charset: str) -> str:
    """As decode, of octets that may end in the middle of a character; that one is left out."""
    codec = _codec(charset) or "utf_8"
    codec = _MEANT.get(codec, codec)
    try:
        if codec == "utf_8":
            return codecs.utf_8_decode(data)[0]  # what an incremental decoder calls, for the charset of most mail
        text = codecs.getincrementaldecoder(codec)().decode(data)
        return _without_surrogates(text) if codec == _UTF_7 else text
    except (UnicodeError, LookupError):
        # Not only UnicodeDecodeError: UTF-16 without a mark of its byte order is a fault of its own to the decoder.
        return decode(data, charset)


def knows(charset: str) -> bool:
    """Whether decode goes by the name, and does not guess."""
    return bool(_codec(charset))


def guess(data: bytes) -> str:
    """UTF-8 where it is well-formed (RFC 6532 §3.1), else what Windows would have shown."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _without_surrogates(text: str) -> str:
    """RFC 2152: UTF-7 is of UTF-16, of which Python lets halves pass; no other encoding can hold them."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _codec(charset: str) -> str:
    """The name of Python's codec, "" for none."""
    return "" if len(charset) > 40 else _codec_of_short(charset)


@lru_cache(maxsize=256)
def _codec_of_short(charset: str) -> str:
    name = _PUNCTUATION.sub("_", charset.lower()).strip("_")
    return _CODECS.get(name, "") or _CODECS.get(_ALSO_KNOWN_AS.get(name, ""), "")
