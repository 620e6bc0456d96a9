"""The base subject, by which messages are gathered into threads and sorted. RFC 5256 §2.1, §5."""

import re

_MAX_CHARACTERS = 1_000
_SPACES = re.compile(r"\s+")
# RFC 5256 §5: subj-trailer = "(fwd)" / WSP
_TRAILER = re.compile(r"(?:\s|\(fwd\))+\Z", re.IGNORECASE)
# RFC 5256 §5: subj-leader = (*subj-blob subj-refwd) / WSP; subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":";
# subj-blob = "[" *BLOBCHAR "]" *WSP
_LEADER = re.compile(r"\s|(?:\[[^\[\]]*+\]\s*+)*+(?:re|fwd?)\s*+(?:\[[^\[\]]*+\]\s*+)?+:", re.IGNORECASE)
_BLOB = re.compile(r"\[[^\[\]]*+\]\s*+")
_FORWARDED = re.compile(r"\[fwd:(.*)\]", re.IGNORECASE | re.DOTALL)


def base_subject(subject: str) -> str:
    """subject: decoded. The numbers are the steps of RFC 5256 §2.1."""
    text = _SPACES.sub(" ", subject[:_MAX_CHARACTERS])  # (1)
    while True:
        text = _TRAILER.sub("", text)  # (2)
        text = _without_leaders(text)  # (3) to (5)
        forwarded = _FORWARDED.fullmatch(text)
        if forwarded is None:
            return text
        text = forwarded[1]  # (6)


def _without_leaders(text: str) -> str:
    at = 0
    while True:
        if leader := _LEADER.match(text, at):
            at = leader.end()  # (3)
        elif (blob := _BLOB.match(text, at)) and blob.end() < len(text):
            at = blob.end()  # (4) unless nothing would be left
        else:
            return text[at:]
