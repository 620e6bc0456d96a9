"""Rules about names that are made to be taken for others: beside an address, and of domains."""

import re
from collections.abc import Callable

from mailstack.spam.correspondent import speaks_for
from mailstack.spam.rules.evidence import Evidence
from mailstack.spam.rules.letters import count_of_mixed_words, count_of_split_words
from mailstack.spam.rules.lookalike import has_two_scripts, poses_as_latin, shown_host, site_of
from mailstack.spam.rules.rule import Rule

# RFC 5321 §4.5.3.1.1: a local part has 64 octets at most. Without an end each start would be looked at to the last.
_ADDRESS = re.compile(r"[^\s@<>()\"',;:]{1,64}+@([\w-]{1,63}(?:\.[\w-]{1,63})+)")
# A name of a site in a display name: two labels or more, the last of letters.
_SITE = re.compile(r"(?<![\w@.-])(?:[a-z0-9-]{2,63}\.)+[a-z]{2,10}(?![\w@-])", re.IGNORECASE)
_TURNED = re.compile("[\u202a-\u202e\u2066-\u2069]")


def has_an_address_of_ours_as_its_name(mail: Evidence) -> str:
    found = _address_in_the_name(mail)
    return found if found and found in mail.ours.domains else ""


def has_another_address_as_its_name(mail: Evidence) -> str:
    """Lists and services write in the name of others, and stand for it."""
    return "" if mail.is_list or mail.is_proven else _address_in_the_name(mail)


def has_our_domain_as_its_name(mail: Evidence) -> str:
    if mail.is_list or not mail.ours.domains:
        return ""
    found = _sites_in_the_name(mail) & mail.ours.domains
    return "" if _is_ours(mail.author_domain, mail) else next(iter(found), "")


def has_another_site_as_its_name(mail: Evidence) -> str:
    if mail.is_list or mail.is_proven:
        return ""
    sites = {site_of(name) for name in _sites_in_the_name(mail)}
    return "" if not sites or site_of(mail.author_domain) in sites else min(sites)


def plays_with_letters_in_its_name(mail: Evidence) -> bool:
    name = mail.author_name
    return bool(count_of_mixed_words(name) or count_of_split_words(name) or _TURNED.search(name))


def looks_like_ours(mail: Evidence) -> str:
    return _meant(mail, mail.ours.lookalikes.drawn_as)


def is_one_letter_off(mail: Evidence) -> str:
    return _meant(mail, mail.ours.lookalikes.one_off)


def has_a_domain_that_poses(mail: Evidence) -> str:
    domain = mail.author_domain
    is_trick = not domain.isascii() or "xn--" in domain
    return shown_host(domain) if is_trick and (has_two_scripts(domain) or poses_as_latin(domain)) else ""


def _meant(mail: Evidence, alike: Callable[[str], str]) -> str:
    """By the domain of the author, or that where replies go."""
    for domain in (mail.author_domain, mail.reply_domain):
        meant = alike(domain) if domain else ""
        if meant:
            return f"{shown_host(domain)} for {meant}"
    return ""


def _address_in_the_name(mail: Evidence) -> str:
    """The domain of an address of another site than the author's; "" for none."""
    name = mail.author_name
    found = _ADDRESS.search(name) if "@" in name else None
    if found is None:
        return ""
    domain = found[1].lower()
    return "" if site_of(domain) == site_of(mail.author_domain) else domain


def _sites_in_the_name(mail: Evidence) -> set[str]:
    return (
        {name.lower().removeprefix("www.") for name in _SITE.findall(mail.author_name)}
        if "." in mail.author_name
        else set()
    )


def _is_ours(domain: str, mail: Evidence) -> bool:
    return any(speaks_for(ours, domain) for ours in mail.ours.domains)


RULES = (
    Rule(
        "name-is-our-address",
        3.5,
        "an address of ours stands where the author's name does, and the author is elsewhere",
        has_an_address_of_ours_as_its_name,
        about="the author's name",
    ),
    Rule(
        "name-has-our-domain",
        2.0,
        "the author's name is a domain of ours, and the author is elsewhere",
        has_our_domain_as_its_name,
        about="the author's name",
    ),
    Rule(
        "name-is-address",
        2.0,
        "an address of another domain stands where the author's name does",
        has_another_address_as_its_name,
        about="the author's name",
    ),
    Rule(
        "name-is-site",
        0.5,
        "the author's name is that of a site, and the author is of another",
        has_another_site_as_its_name,
        about="the author's name",
    ),
    Rule("name-tricks", 2.5, "the author's name has letters made to deceive", plays_with_letters_in_its_name),
    Rule(
        "from-lookalike", 3.5, "a domain is made to look like one of ours", looks_like_ours, about="the author's domain"
    ),
    Rule(
        "from-poses",
        3.0,
        "the author's domain has letters of another script that look like Latin ones",
        has_a_domain_that_poses,
        about="the author's domain",
    ),
    Rule(
        "from-one-off",
        1.5,
        "a domain is one letter off from one of ours",
        is_one_letter_off,
        about="the author's domain",
    ),
)
