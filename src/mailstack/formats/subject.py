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
# What begins with none of these has no leader, no blob, and is no "[fwd: …]".
_MAY_LEAD = frozenset(" [RrFf")
_FORWARDED = re.compile(r"\[fwd:(.*)\]", re.IGNORECASE | re.DOTALL)


def base_subject(subject: str) -> str:
    """subject: decoded."""
    return subject if _is_bare(subject) else _stripped(subject)[0]


def is_reply_or_forward(subject: str) -> bool:
    """RFC 5256 §3: whether the base subject came about by removing a "re:", a "fwd:", a "(fwd)" or a "[fwd: …]"."""
    return _stripped(subject)[1]


def _is_bare(subject: str) -> bool:
    """Whether nothing in it could be stripped, as in most that are no replies."""
    return (
        subject[:1] not in _MAY_LEAD
        and subject[-1:] not in (" ", ")")
        and "  " not in subject
        and subject.isprintable()
        and len(subject) <= _MAX_CHARACTERS
    )


def _stripped(subject: str) -> tuple[str, bool]:
    """The numbers are the steps of RFC 5256 §2.1."""
    text = _SPACES.sub(" ", subject[:_MAX_CHARACTERS])  # (1)
    is_reply = False
    while True:
        trailer = _TRAILER.search(text)
        if trailer is not None:
            is_reply = is_reply or not trailer[0].isspace()
            text = text[: trailer.start()]  # (2)
        text, has_leader = _without_leaders(text)  # (3) to (5)
        is_reply = is_reply or has_leader
        forwarded = _FORWARDED.fullmatch(text)
        if forwarded is None:
            return text, is_reply
        is_reply = True
        text = forwarded[1]  # (6)


def _without_leaders(text: str) -> tuple[str, bool]:
    """And whether there was more than spaces among them."""
    at = 0
    has_leader = False
    while True:
        if leader := _LEADER.match(text, at):
            at = leader.end()  # (3)
            has_leader = has_leader or not leader[0].isspace()
        elif (blob := _BLOB.match(text, at)) and blob.end() < len(text):
            at = blob.end()  # (4) unless nothing would be left
        else:
            return text[at:], has_leader
