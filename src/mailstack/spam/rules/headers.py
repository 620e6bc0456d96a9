"""Rules about what a header says, and what it lacks. RFC 5322 §3.6."""

import re

from mailstack.formats.mime import Part
from mailstack.model.instant import DAY_MS
from mailstack.spam.correspondent import speaks_for
from mailstack.spam.rules.evidence import Evidence
from mailstack.spam.rules.letters import count_of_mixed_words, count_of_split_words
from mailstack.spam.rules.rule import Rule, Test

_AHEAD_MS = 1 * DAY_MS
_PAST_MS = 14 * DAY_MS
_MANY_RECIPIENTS = 60
_REPLY = re.compile(r"\s*re\s*(?:\[\d+\])?\s*:", re.IGNORECASE)
_ADDRESS = re.compile(r"[\w.+-]{2,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")


def token(name: bytes) -> Test:
    """Holds where the model learns that of it, too."""
    return lambda mail: name in mail.tokens


def has_two_authors(mail: Evidence) -> bool:
    return len(mail.every(b"from")) > 1


def has_no_author(mail: Evidence) -> str:
    domain = mail.author_domain
    return "" if "." in domain else (mail.author_address or "no address in From")


def has_two_of_a_field(mail: Evidence) -> str:
    # RFC 5322 §3.6: at most one of each.
    twice = [name for name in (b"subject", b"date", b"to", b"message-id") if len(mail.every(name)) > 1]
    return twice[0].decode().capitalize() if twice else ""


def has_no_recipients(mail: Evidence) -> bool:
    return not mail.field(b"to") and not mail.field(b"cc")


def is_dated_ahead(mail: Evidence) -> bool:
    date = mail.date
    return date is not None and date - mail.received_at > _AHEAD_MS


def is_dated_back(mail: Evidence) -> bool:
    """Longer than any queue keeps it. What lists and people send on keeps its date."""
    date = mail.date
    return date is not None and mail.received_at - date > _PAST_MS and not mail.has(b"resent-date")


def forges_our_message_id(mail: Evidence) -> str:
    """Of somebody else's mail; what we wrote comes back from lists."""
    host = mail.field(b"message-id").rpartition(b"@")[2].rstrip(b"> ").lower().decode("latin-1")
    if not host or mail.checked is None or mail.is_list or mail.author_domain in mail.ours.domains:
        return ""
    return host if host == mail.ours.hostname or host in mail.ours.domains else ""


def replies_to_nothing(mail: Evidence) -> bool:
    is_reply = _REPLY.match(mail.subject) is not None
    return is_reply and not mail.field(b"in-reply-to") and not mail.field(b"references")


def splits_words_of_its_subject(mail: Evidence) -> bool:
    return count_of_split_words(mail.subject) > 0


def mixes_scripts_in_its_subject(mail: Evidence) -> bool:
    return count_of_mixed_words(mail.subject) > 0


def names_an_address_in_its_subject(mail: Evidence) -> str:
    """That of who gets it, as it stands in To: people are not told their address by those who know them."""
    found = _ADDRESS.search(mail.subject)
    if found is None:
        return ""
    return found[0] if found[0].lower().encode("utf-8", "replace") in mail.field(b"to").lower() else ""


def has_octets_of_no_charset(mail: Evidence) -> str:
    # RFC 5322 §2.2: US-ASCII; RFC 6532 §3.2: or UTF-8.
    for name in (b"subject", b"from", b"to"):
        value = mail.field(name)
        if not value.isascii():
            try:
                value.decode()
            except UnicodeDecodeError:
                return name.decode().capitalize()
    return ""


def is_html_without_mime(mail: Evidence) -> bool:
    # RFC 2045 §4: MIME-Version is required.
    root = mail.seen.root
    return root.type in (b"text", b"multipart") and root.subtype != b"plain" and not mail.field(b"mime-version")


def has_broken_structure(mail: Evidence) -> bool:
    """It says to have parts and has none; RFC 2046 §5.1.1."""
    return mail.field(b"content-type").lower().startswith(b"multipart/") and not _has_parts(mail.seen.root)


def is_bulk_for_ever(mail: Evidence) -> bool:
    # RFC 2369 §3.2, RFC 8058: bulk mail has a way out.
    is_bulk = mail.field(b"precedence").lower() in (b"bulk", b"junk")
    is_answer = mail.field(b"auto-submitted").lower() not in (b"", b"no")
    return is_bulk and not is_answer and not mail.is_list and not mail.has(b"list-unsubscribe")


def wants_replies_elsewhere(mail: Evidence) -> str:
    """At a domain that does not stand for it, and neither does the author's."""
    reply = mail.reply_domain
    if not reply or mail.is_list or mail.is_proven or mail.checked is None or not mail.author_domain:
        return ""
    is_same = speaks_for(reply, mail.author_domain) or speaks_for(mail.author_domain, reply)
    return "" if is_same else reply


def has_very_many_recipients(mail: Evidence) -> bool:
    return mail.field(b"to").count(b"@") + mail.field(b"cc").count(b"@") > _MANY_RECIPIENTS


def _has_parts(root: Part) -> bool:
    return any(child.octets or child.children for child in root.children)


RULES = (
    Rule("from-twice", 3.0, "it has more than one From field", has_two_authors),
    Rule("from-nowhere", 2.0, "nobody can answer its author", has_no_author),
    Rule("field-twice", 1.0, "it has more than one of a field", has_two_of_a_field),
    Rule("no-date", 1.0, "it has no date", token(b"no field date")),
    Rule("date-none", 1.5, "its date is none", token(b"a date that is none")),
    Rule("date-ahead", 2.0, "its date is more than a day ahead", is_dated_ahead),
    Rule("date-past", 0.5, "its date is more than two weeks ago", is_dated_back),
    Rule("no-message-id", 1.0, "it has no Message-ID", token(b"no field message-id")),
    Rule("message-id-ours", 2.0, "its Message-ID says to be made here", forges_our_message_id),
    Rule("no-recipients", 0.3, "it names no recipients", has_no_recipients),
    Rule("many-recipients", 1.0, "it names more than 60 recipients", has_very_many_recipients),
    Rule("subject-capitals", 1.0, "its subject is all in capitals", token(b"subject all in capitals")),
    Rule("subject-gap", 0.5, "its subject has a gap of spaces", token(b"gap in the subject")),
    Rule("subject-invisible", 2.0, "words of its subject are split by what nobody sees", splits_words_of_its_subject),
    Rule("subject-two-scripts", 2.0, "words of its subject have letters of two scripts", mixes_scripts_in_its_subject),
    Rule("subject-address", 0.7, "its subject has the recipient's address", names_an_address_in_its_subject),
    Rule("reply-to-nothing", 0.5, "it says to be a reply and names no mail that it replies to", replies_to_nothing),
    Rule("header-octets", 1.0, "a field has octets that are no text", has_octets_of_no_charset),
    Rule("no-mime-version", 0.5, "it uses MIME and does not say so", is_html_without_mime),
    Rule("no-parts", 1.5, "it says to have parts and has none", has_broken_structure),
    Rule("bulk-without-unsubscribe", 0.7, "it says to be sent in bulk and names no way out", is_bulk_for_ever),
    Rule("replies-elsewhere", 1.0, "replies go to another domain, and nobody stands for it", wants_replies_elsewhere),
)
