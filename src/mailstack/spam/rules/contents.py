"""Rules about texts and links as their reader meets them."""

import re

from mailstack.spam.links import Link, link_of
from mailstack.spam.rules.evidence import Evidence
from mailstack.spam.rules.headers import token
from mailstack.spam.rules.letters import count_of_mixed_words, count_of_split_words
from mailstack.spam.rules.lookalike import has_two_scripts, poses_as_latin, shown_host, site_of
from mailstack.spam.rules.rule import Rule, Test

SHORTENERS = frozenset(
    {
        "bit.ly",
        "bl.ink",
        "buff.ly",
        "clck.ru",
        "cutt.ly",
        "goo.gl",
        "is.gd",
        "ow.ly",
        "qrco.de",
        "rb.gy",
        "rebrand.ly",
        "s.id",
        "shorturl.at",
        "surl.li",
        "t.co",
        "t.ly",
        "tiny.cc",
        "tinyurl.com",
        "u.to",
        "urlz.fr",
        "v.gd",
    }
)
"""Services that make a short address for any other, for everybody."""
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
"""The text that spam filters take for spam, so that people can see whether they work."""
_SITES_ASKED = 20
_SPLIT_WORDS = 3
_MIXED_WORDS = 4
_NUMBER = re.compile(r"(?:0x[0-9a-f]+|\d+)(?:\.(?:0x[0-9a-f]+|\d+)){0,3}|\[.*")
_WEB_PORTS = frozenset({"", "80", "443"})
# Addresses inside of an address: a service that leads on to wherever it is told.
_NESTED = re.compile(r"https?(?::|%3a|%253a)(?:/|%2f|%252f){2}", re.IGNORECASE)
_REDIRECTS = 3


def note(text: str) -> Test:
    """Holds where look_at noticed that."""
    return lambda mail: text in mail.seen.notes


def is_a_trial(mail: Evidence) -> bool:
    return any(GTUBE in text for text in mail.seen.texts)


def shortens_links(mail: Evidence) -> str:
    return next((host for host in mail.hosts if host in SHORTENERS), "")


def leads_to_a_number(mail: Evidence) -> str:
    return next((host for host in mail.hosts if _NUMBER.fullmatch(host)), "")


def leads_past_an_at(mail: Evidence) -> str:
    return next((f"{link.user}@{link.host}" for link in mail.links if "." in link.user), "")


def leads_to_a_port(mail: Evidence) -> str:
    return next((f"{link.host}:{link.port}" for link in mail.links if link.port not in _WEB_PORTS), "")


def leads_in_circles(mail: Evidence) -> str:
    return next((link.host for link in mail.links if len(_NESTED.findall(link.text)) >= _REDIRECTS), "")


def leads_to_one_that_poses(mail: Evidence) -> str:
    for host in mail.hosts:
        if ("xn--" in host or not host.isascii()) and (has_two_scripts(host) or poses_as_latin(host)):
            return shown_host(host)
    return ""


def leads_to_a_lookalike(mail: Evidence) -> str:
    if not mail.ours.domains:
        return ""
    for site in list(dict.fromkeys(map(site_of, mail.hosts)))[:_SITES_ASKED]:
        meant = mail.ours.lookalikes.drawn_as(site)
        if meant:
            return f"{shown_host(site)} for {meant}"
    return ""


def shows_another_host(mail: Evidence) -> str:
    return "" if mail.is_proven else _shown_and_led(mail)


def counts_clicks_at_another_host(mail: Evidence) -> str:
    return _shown_and_led(mail) if mail.is_proven else ""


def _shown_and_led(mail: Evidence) -> str:
    """Of a link whose text is an address and which leads to another site. Newsletters count clicks so: what shows the
    author's own site, or leads there and its domain stands for that, is honest."""
    own = site_of(mail.author_domain)
    for shown_text, target in mail.seen.named_links:
        shown, led = link_of(shown_text), link_of(target)
        if shown is None or led is None or not led.scheme or not _is_host(shown):
            continue
        shown_site, led_site = site_of(shown.host), site_of(led.host)
        is_honest = shown_site in (led_site, own) or (led_site == own and mail.is_proven)
        if not is_honest:
            return f"{shown.host} leads to {led.host}"
    return ""


def splits_words(mail: Evidence) -> bool:
    return sum(map(count_of_split_words, mail.seen.texts)) >= _SPLIT_WORDS


def mixes_scripts(mail: Evidence) -> bool:
    return sum(map(count_of_mixed_words, mail.seen.texts)) >= _MIXED_WORDS


def fetches_pictures_only(mail: Evidence) -> bool:
    return b"more images than words" in mail.tokens and bool(mail.links)


def _is_host(link: Link) -> bool:
    labels = link.host.split(".")
    return len(labels) > 1 and labels[-1].isalpha()


RULES = (
    Rule("link-text-lies", 1.5, "a link shows one site and leads to another", shows_another_host),
    Rule(
        "link-text-differs",
        0.5,
        "a link shows one site and leads to another, and its author is proven",
        counts_clicks_at_another_host,
    ),
    Rule("link-lookalike", 3.0, "a link leads to a site that is made to look like ours", leads_to_a_lookalike),
    Rule(
        "link-poses",
        3.0,
        "a link leads to a name in letters of another script that look Latin",
        leads_to_one_that_poses,
    ),
    Rule("link-user", 2.5, "a link has a name before the one that it leads to", leads_past_an_at),
    Rule("link-number", 2.0, "a link leads to an address in numbers", leads_to_a_number),
    Rule("link-port", 0.5, "a link leads to a port of its own", leads_to_a_port),
    Rule("link-shortener", 0.8, "a link hides where it leads", shortens_links),
    Rule("link-redirects", 1.0, "a link leads by several others", leads_in_circles),
    Rule("link-data", 2.0, "a link holds its page in itself", token(b"link by data")),
    Rule("link-script", 1.5, "a link is a program", token(b"link by javascript")),
    Rule("form", 0.5, "it asks for input in a form", note("asks for input in a form")),
    Rule("hidden-text", 0.5, "half of its text or more is hidden", token(b"more hidden than shown")),
    Rule("pictures-only", 0.5, "it is pictures with hardly a word", fetches_pictures_only),
    Rule("words-split", 2.0, "its words are split by what nobody sees", splits_words),
    Rule("words-two-scripts", 2.5, "its words have letters of two scripts", mixes_scripts),
    Rule("charset-unknown", 0.7, "it is of a charset that there is not", note("unknown charset")),
    Rule("base64-none", 1.5, "it says to be base64 and is not", note("base64 that is none")),
    Rule("gtube", 6.0, "it is the mail to try spam filters with (GTUBE)", is_a_trial),
    Rule("many-parts", 1.5, "it has very many parts", note("very many parts")),
)
