"""docs/jmap.md says what the code says. tests/scenarios/test_jmap_page.py runs its examples."""

import re
from pathlib import Path

from mailstack.model import flags, push
from mailstack.model.states import StateType
from mailstack.servers.jmap.session import CAPABILITIES
from mailstack.services import sending_identities, vacations
from mailstack.services.mailbox import hierarchy, paths
from mailstack.services.outbound import email_sending
from mailstack.services.push import rate
from mailstack.wire.jmap import blob_given, request, sort, window
from mailstack.wire.jmap import filter as filters
from mailstack.wire.jmap.limits import JmapLimits
from mailstack.wire.jmap.mail import email_filter, part_given
from mailstack.wire.jmap.mail.email_sort import EMAIL_SORTS

PAGE = (Path(__file__).parents[1] / "docs" / "jmap.md").read_text(encoding="utf-8")
SESSION = JmapLimits()

NUMBERS = {
    "octets of one upload (`maxSizeUpload`), or `server.limits.message_size` where that is more": SESSION.upload_octets,
    "uploads at a time (`maxConcurrentUpload`)": SESSION.concurrent_upload,
    "octets of one request (`maxSizeRequest`)": SESSION.request_octets,
    "requests at a time (`maxConcurrentRequests`)": SESSION.concurrent_requests,
    "method calls of one request (`maxCallsInRequest`)": SESSION.calls_in_request,
    "objects of one `/get` (`maxObjectsInGet`)": SESSION.objects_in_get,
    "objects of one `/set` (`maxObjectsInSet`)": SESSION.objects_in_set,
    "nested arrays and objects of a request": request.MAX_DEPTH,
    "ids of one `/query`": window.MAX_LIMIT,
    "conditions of a filter": filters.MAX_CONDITIONS,
    "nested operators of a filter": filters.MAX_DEPTH,
    "comparators of a sort": sort.MAX_COMPARATORS,
    "characters of a text to look for": email_filter.MAX_NEEDLE,
    "words and phrases in it": email_filter.MAX_TOKENS,
    "parts of an email that is made": part_given.MAX_PARTS,
    "mailboxes of an account": hierarchy.MAX_MAILBOXES,
    "levels of mailboxes (`maxMailboxDepth`)": paths.MAX_DEPTH,
    "octets of a mailbox's name (`maxSizeMailboxName`)": paths.MAX_NAME_OCTETS,
    "octets of a keyword": flags.MAX_KEYWORD_OCTETS,
    "keywords of one email": flags.MAX_KEYWORDS_PER_MESSAGE,
    "identities of an account, beside those that nobody changed": sending_identities.MOST_KEPT,
    "octets of one identity": sending_identities.MOST_OCTETS,
    "octets of all identities of an account": sending_identities.MOST_OCTETS_OF_ALL,
    "submissions kept of an account": email_sending.MOST_KEPT,
    "push subscriptions of an account": push.MOST_OF_ACCOUNT,
    "push subscriptions made in an hour": rate.MOST_WITHIN,
    "sources of one `Blob/upload` (`maxDataSources`)": blob_given.MAX_SOURCES,
    "octets of all uploads of an account": SESSION.uploads_octets,
    "octets of a vacation response, as Sieve": vacations.MAX_OCTETS,
}


def test_the_limits_are_those_of_the_code() -> None:
    written = dict(re.findall(r"^\| (.+) \| (\d+) \|$", PAGE, re.MULTILINE))
    assert written == {name: str(number) for name, number in NUMBERS.items()}


def test_each_capability_is_named_and_no_other() -> None:
    assert sorted(re.findall(r"^\| `(urn:\S+)` \|", PAGE, re.MULTILINE)) == sorted(CAPABILITIES)


def test_each_condition_of_a_search_is_named_and_no_other() -> None:
    section = PAGE.partition("## Search\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+?`) \| .+ \|$", section, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    assert named == {*email_filter.CONDITIONS, "inMailbox", "inMailboxOtherThan"}


def test_each_type_that_changes_are_told_of_is_named_and_no_other() -> None:
    sentence = PAGE.partition("The types are")[2].partition(". ")[0]
    assert {*re.findall(r"`([^`]+)`", sentence)} == {*StateType}


def test_each_order_is_named() -> None:
    sentence = PAGE.partition("Sorted by ")[2].partition("\n\n")[0]
    assert {*EMAIL_SORTS} <= {*re.findall(r"`([^`]+)`", sentence)}
