"""LIST, extended, after the examples of RFC 5258 §5, RFC 5819 §3, RFC 6154 §5, RFC 8440 §4, RFC 9590."""

import time

import pytest

from mailstack.services.mailbox.account_mail import AccountMail
from tests.servers.imap.conftest import message
from tests.support.imap_dialogue import ImapClient
from tests.support.imap_server import DOMAIN, RunningImap


@pytest.fixture
async def fruit(client: ImapClient) -> ImapClient:
    """RFC 5258 §5's mailboxes."""
    for name in ("Fruit/Apple", "Fruit/Banana", "Tofu", "Vegetable/Broccoli", "Vegetable/Corn"):
        await client.talk(f"C: c CREATE {name}\nS: c OK …")
    for name in ("INBOX", "Drafts", "Sent", "Junk", "Trash", "Archive"):
        await client.talk(f"C: u UNSUBSCRIBE {name}\nS: u OK …")
    for name in ("Fruit/Banana", "Vegetable", "Vegetable/Broccoli"):
        await client.talk(f"C: s SUBSCRIBE {name}\nS: s OK …")
    return client


async def test_what_is_subscribed(fruit: ImapClient) -> None:
    await fruit.talk(r"""
        C: A02 LIST (SUBSCRIBED) "" "*"
        S: * LIST (\Subscribed \HasNoChildren) "/" "Fruit/Banana"
        S: * LIST (\Subscribed \HasChildren) "/" "Vegetable"
        S: * LIST (\Subscribed \HasNoChildren) "/" "Vegetable/Broccoli"
        S: A02 OK …
        C: A03 LIST () "" "%" RETURN (CHILDREN SUBSCRIBED)
        S: ...
        S: * LIST (\HasChildren) "/" "Fruit"
        S: ...
        S: * LIST (\HasNoChildren) "/" "Tofu"
        S: ...
        S: * LIST (\Subscribed \HasChildren) "/" "Vegetable"
        S: A03 OK …
    """)


async def test_names_above_what_is_subscribed(fruit: ImapClient) -> None:
    await fruit.talk(r"""
        C: C04 LIST (SUBSCRIBED RECURSIVEMATCH) "" "%"
        S: * LIST (\HasChildren) "/" "Fruit" ("CHILDINFO" ("SUBSCRIBED"))
        S: * LIST (\Subscribed \HasChildren) "/" "Vegetable" ("CHILDINFO" ("SUBSCRIBED"))
        S: C04 OK …
        C: C05 LIST (RECURSIVEMATCH) "" "%"
        S: C05 BAD …
        C: C07 LIST (SUBSCRIBED RECURSIVEMATCH) "" ("Fruit" "Fruit/%")
        S: * LIST (\Subscribed \HasNoChildren) "/" "Fruit/Banana"
        S: C07 OK …
        C: C06 LIST (REMOTE SUBSCRIBED) "" "Fruit/*"
        S: * LIST (\Subscribed \HasNoChildren) "/" "Fruit/Banana"
        S: C06 OK …
    """)


async def test_parents_of_selected_names_are_told_where_that_is_news(client: ImapClient) -> None:
    """RFC 5258 §5, example 9, and what §3.5 says there: CHILDINFO that is redundant is left out."""
    for name in ("INBOX", "Drafts", "Sent", "Junk", "Trash", "Archive"):
        await client.talk(f"C: u UNSUBSCRIBE {name}\nS: u OK …")
    chosen = ("foo2/bar1", "foo2/bar2", "baz2/bar2", "baz2/bar22", "baz2/bar222", "eps2", "eps2/mamba", "qux2/bar2")
    for name in chosen:
        await client.talk(f"C: c CREATE {name}\nS: c …\nC: s SUBSCRIBE {name}\nS: s OK …")
    for name in ("qux2/bar2", "qux2"):
        await client.talk(f"C: d DELETE {name}\nS: d OK …")
    await client.talk(r"""
        C: D03 LIST (RECURSIVEMATCH SUBSCRIBED) "" "*2"
        S: * LIST (\Subscribed \HasNoChildren) "/" "baz2/bar2"
        S: * LIST (\Subscribed \HasNoChildren) "/" "baz2/bar22"
        S: * LIST (\Subscribed \HasNoChildren) "/" "baz2/bar222"
        S: * LIST (\Subscribed \HasChildren) "/" "eps2" ("CHILDINFO" ("SUBSCRIBED"))
        S: * LIST (\HasChildren) "/" "foo2" ("CHILDINFO" ("SUBSCRIBED"))
        S: * LIST (\Subscribed \HasNoChildren) "/" "foo2/bar2"
        S: * LIST (\NonExistent \Subscribed \HasNoChildren) "/" "qux2/bar2"
        S: D03 OK …
        C: D04 LIST (RECURSIVEMATCH SUBSCRIBED) "" "%"
        S: * LIST (\HasChildren) "/" "baz2" ("CHILDINFO" ("SUBSCRIBED"))
        S: * LIST (\Subscribed \HasChildren) "/" "eps2" ("CHILDINFO" ("SUBSCRIBED"))
        S: * LIST (\HasChildren) "/" "foo2" ("CHILDINFO" ("SUBSCRIBED"))
        S: * LIST (\NonExistent \HasNoChildren) "/" "qux2" ("CHILDINFO" ("SUBSCRIBED"))
        S: D04 OK …
    """)


async def test_children_that_are_no_mailboxes_are_no_children(client: ImapClient) -> None:
    """RFC 5258 §5, example 10: CHILDINFO does not imply \\HasChildren."""
    await client.talk(r"""
        C: a CREATE foo/bar
        S: a OK …
        C: b SUBSCRIBE foo/bar
        S: b OK …
        C: c DELETE foo/bar
        S: c OK …
        C: a1 LIST "" ("foo" "foo/*")
        S: * LIST (\HasNoChildren) "/" "foo"
        S: a1 OK …
        C: a2 LIST (SUBSCRIBED) "" "foo/*"
        S: * LIST (\NonExistent \Subscribed \HasNoChildren) "/" "foo/bar"
        S: a2 OK …
        C: a3 LIST (SUBSCRIBED RECURSIVEMATCH) "" foo RETURN (CHILDREN)
        S: * LIST (\HasNoChildren) "/" "foo" ("CHILDINFO" ("SUBSCRIBED"))
        S: a3 OK …
    """)


async def test_several_patterns(client: ImapClient) -> None:
    await client.talk(r"""
        C: BBB LIST "" ("INBOX" "Drafts" "Sen%" "Drafts")
        S: * LIST (\HasNoChildren) "/" "INBOX"
        S: * LIST (\HasNoChildren \Drafts) "/" "Drafts"
        S: * LIST (\HasNoChildren \Sent) "/" "Sent"
        S: BBB OK …
    """)


async def test_special_uses(client: ImapClient) -> None:
    await client.talk(r"""
        C: t3 LIST (SPECIAL-USE) "" "*"
        S: * LIST (\HasNoChildren \Archive) "/" "Archive"
        S: * LIST (\HasNoChildren \Drafts) "/" "Drafts"
        S: * LIST (\HasNoChildren \Junk) "/" "Junk"
        S: * LIST (\HasNoChildren \Sent) "/" "Sent"
        S: * LIST (\HasNoChildren \Trash) "/" "Trash"
        S: t3 OK …
    """)


async def test_status_rights_and_annotations_beside_the_names(client: ImapClient) -> None:
    await client.append(message(1))
    await client.talk(r"""
        C: a SETMETADATA INBOX (/shared/comment "seen here")
        S: a OK …
        C: A01 LIST "" (INBOX Sent) RETURN (STATUS (MESSAGES UNSEEN) MYRIGHTS METADATA (/shared/comment))
        S: * LIST (\HasNoChildren) "/" "INBOX"
        S: * MYRIGHTS "INBOX" "lrswipkxteacd"
        S: * STATUS "INBOX" (MESSAGES 1 UNSEEN 1)
        S: * METADATA "INBOX" (/shared/comment "seen here")
        S: * LIST (\HasNoChildren \Sent) "/" "Sent"
        S: * MYRIGHTS "Sent" "lrswipkxteacd"
        S: * STATUS "Sent" (MESSAGES 0 UNSEEN 0)
        S: * METADATA "Sent" (/shared/comment NIL)
        S: A01 OK …
    """)


async def test_a_rename_under_rev2_tells_both_names(client: ImapClient) -> None:
    await client.talk(r"""
        C: a CREATE old
        S: a OK …
        C: b ENABLE IMAP4rev2
        S: * ENABLED IMAP4rev2
        S: b OK …
        C: c RENAME old "Entwürfe"
        S: * LIST () "/" "Entwürfe" ("OLDNAME" ("old"))
        S: c OK …
        C: d LIST "" "Entw*"
        S: * LIST (\HasNoChildren) "/" "Entwürfe"
        S: d OK …
    """)


async def test_spiteful_patterns_over_many_mailboxes(server: RunningImap, client: ImapClient) -> None:
    """CVE-2026-33607: LIST with many wildcards used up the processor."""
    mail = await _mail(server)
    for number in range(300):
        await mail.mailboxes.create(mail.account_id, parent_id=None, name=f"{'a' * 200}{number}")
    patterns = " ".join(["*a" * 20 + "b"] * 20)
    start = time.process_time()
    await client.talk(f"""
        C: a LIST "" ({patterns})
        S: a OK …
    """)
    assert time.process_time() - start < 5


async def _mail(server: RunningImap) -> AccountMail:
    account = await server.store.accounts.find(f"u0@{DOMAIN}")
    return server.service.mail_of(account)  # type: ignore[arg-type]  # there is one
