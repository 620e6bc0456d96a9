"""LIST, LSUB, CREATE, DELETE, RENAME, SUBSCRIBE, STATUS as dialogues."""

from tests.servers.imap.conftest import message
from tests.support.imap_dialogue import ImapClient


async def test_list_shows_children_and_special_uses(client: ImapClient) -> None:
    await client.talk(r"""
        C: a CREATE work/2026
        S: a OK …
        C: b LIST "" *
        S: * LIST (\HasNoChildren) "/" "INBOX"
        S: * LIST (\HasNoChildren \Archive) "/" "Archive"
        S: * LIST (\HasNoChildren \Drafts) "/" "Drafts"
        S: * LIST (\HasNoChildren \Junk) "/" "Junk"
        S: * LIST (\HasNoChildren \Sent) "/" "Sent"
        S: * LIST (\HasNoChildren \Trash) "/" "Trash"
        S: * LIST (\HasChildren) "/" "work"
        S: * LIST (\HasNoChildren) "/" "work/2026"
        S: b OK …
        C: c LIST "work/" %
        S: * LIST (\HasNoChildren) "/" "work/2026"
        S: c OK …
        C: d LIST "" ""
        S: * LIST (\Noselect) "/" ""
        S: d OK …
        C: e LIST "" inbox
        S: * LIST (\HasNoChildren) "/" "INBOX"
        S: e OK …
    """)


async def test_names_beyond_ascii_travel_as_modified_utf7(client: ImapClient) -> None:
    await client.talk(r"""
        C: a CREATE "Entw&APw-rfe"
        S: a OK …
        C: b LIST "" "Entw*"
        S: * LIST (\HasNoChildren) "/" "Entw&APw-rfe"
        S: b OK …
        C: c STATUS "Entw&APw-rfe" (MESSAGES)
        S: * STATUS "Entw&APw-rfe" (MESSAGES 0)
        S: c OK …
    """)


async def test_create_delete_rename(client: ImapClient) -> None:
    await client.talk(
        r"""
        C: a CREATE a/b/
        S: a OK …
        C: b CREATE a/b
        S: b NO [ALREADYEXISTS]…
        C: c CREATE inbox
        S: c NO [ALREADYEXISTS]…
        C: d DELETE a
        S: d NO [HASCHILDREN]…
        C: e DELETE INBOX
        S: e NO [NOPERM]…
        C: f DELETE nothing
        S: f NO [NONEXISTENT]…
        C: g RENAME a x/y
        S: g OK …
        C: h LIST "" x*
        S: * LIST (\HasChildren) "/" "x"
        S: * LIST (\HasChildren) "/" "x/y"
        S: * LIST (\HasNoChildren) "/" "x/y/b"
        S: h OK …
        C: i RENAME x x/z
        S: i NO [CANNOT]…
        C: j RENAME x Sent
        S: j NO [ALREADYEXISTS]…
        C: k DELETE x/y/b
        S: k OK …
        C: l CREATE ""
        S: l NO [CANNOT]…
        C: m CREATE "a//b"
        S: m NO [CANNOT]…
        C: n CREATE "a%b"
        S: n BAD …
    """.replace('CREATE "a%b"', "CREATE a%b")
    )


async def test_renaming_the_inbox_moves_its_messages(client: ImapClient) -> None:
    await client.append(message(1))
    await client.talk("""
        C: a RENAME INBOX old
        S: a OK …
        C: b STATUS INBOX (MESSAGES)
        S: * STATUS "INBOX" (MESSAGES 0)
        S: b OK …
        C: c STATUS old (MESSAGES UNSEEN UIDNEXT RECENT)
        S: * STATUS "old" (MESSAGES 1 UNSEEN 1 UIDNEXT 2 RECENT 0)
        S: c OK …
    """)


async def test_subscriptions(client: ImapClient) -> None:
    await client.talk(r"""
        C: a CREATE p/q
        S: a OK …
        C: b UNSUBSCRIBE p
        S: b OK …
        C: c LSUB "" p%
        S: * LSUB (\Noselect \HasChildren) "/" "p"
        S: c OK …
        C: d LSUB "" p*
        S: * LSUB (\HasNoChildren) "/" "p/q"
        S: d OK …
        C: e SUBSCRIBE p
        S: e OK …
        C: f LSUB "" p%
        S: * LSUB (\HasChildren) "/" "p"
        S: f OK …
        C: g SUBSCRIBE nothing
        S: g NO [NONEXISTENT]…
    """)


async def test_deleting_the_selected_mailbox_deselects_it(client: ImapClient) -> None:
    await client.talk("""
        C: a CREATE x
        S: a OK …
        C: b EXAMINE x
        S: * FLAGS …
        S: * 0 EXISTS
        S: * 0 RECENT
        S: * OK …
        S: * OK …
        S: * OK [PERMANENTFLAGS ()]…
        S: b OK [READ-ONLY]…
        C: c DELETE x
        S: c OK …
        C: d CHECK
        S: d BAD …
        C: e SELECT x
        S: e NO [NONEXISTENT]…
    """)
