"""FETCH of extensions, as dialogues: the RFCs' own examples on messages of ours.

RFC 3516, RFC 7162 §3.1.4, §3.2.6, RFC 8474 §5.3, RFC 8514 §4.1, RFC 8970 §5, RFC 9394 §3.3, RFC 9586 §3.3.
"""

import base64
from pathlib import Path
from random import Random

import pytest

from tests.servers.imap.conftest import message
from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import RunningImap

MIXED = (
    b"Subject: parts\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"Gr=C3=BC=C3=9Fe=\r\n!\r\n"
    b"--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\nYQBi\r\n"
    b"--b\r\nContent-Type: application/x-own\r\nContent-Transfer-Encoding: x-own\r\n\r\n?\r\n--b--\r\n"
)


@pytest.fixture
async def mixed(client: ImapClient) -> ImapClient:
    """INBOX selected with one message of three parts."""
    await client.append(MIXED)
    await client.talk("C: s SELECT INBOX\nS: ...\nS: s OK …")
    return client


async def test_binary_undoes_the_transfer_encoding(mixed: ImapClient) -> None:
    await mixed.talk("""
        C: a FETCH 1 (BINARY.SIZE[1] BINARY.PEEK[1] BINARY.PEEK[1]<2.4> BINARY.PEEK[7])
        S: * 1 FETCH (BINARY.SIZE[1] 8 BINARY[1] {8}
        S: Grüße! BINARY[1]<2> {4}
        S: üß BINARY[7] NIL)
        S: a OK …
        C: b FETCH 1 (BINARY.SIZE[2] FLAGS)
        S: * 1 FETCH (BINARY.SIZE[2] 3 FLAGS ())
        S: b OK …
    """)


async def test_binary_with_nul_is_a_literal8_and_marks_seen(mixed: ImapClient) -> None:
    await mixed.talk("C: a FETCH 1 BINARY[2]\nS: * 1 FETCH (BINARY[2] ~{3}")
    assert await mixed.line() == "a\0b FLAGS (\\Seen))"
    await mixed.expect("a OK …")


async def test_an_unknown_encoding_fails_for_that_message_only(mixed: ImapClient) -> None:
    await mixed.append(message(2))
    await mixed.talk("""
        C: n NOOP
        S: ...
        S: n OK …
        C: a FETCH 1:2 BINARY.PEEK[3]
        S: * 2 FETCH (BINARY[3] NIL)
        S: a NO [UNKNOWN-CTE]…
        C: b FETCH 1 BINARY.SIZE[3]
        S: b NO [UNKNOWN-CTE]…
    """)


async def test_a_large_part_is_read_in_pieces(client: ImapClient) -> None:
    octets = Random(4).randbytes(400_000)
    encoded = base64.encodebytes(octets).replace(b"\n", b"\r\n")
    raw = b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n" + encoded
    await client.append(raw)
    await client.talk("C: s SELECT INBOX\nS: ...\nS: s OK …")
    for item, expected in (("BODY.PEEK[]", raw), ("BINARY.PEEK[1]", octets)):
        read = b""
        while len(read) < len(expected):
            await client.send(f"a FETCH 1 {item}<{len(read)}.65536>\r\n".encode())
            head = await client.line()
            count = int(head.rpartition("{")[2].removesuffix("}"))
            read += await client.octets(count)
            await client.talk("S: )\nS: a OK …")
        assert read == expected


async def test_preview(mixed: ImapClient) -> None:
    await mixed.append(message(2))
    await mixed.append(b"Content-Type: image/png\r\n\r\nx")
    await mixed.talk("""
        C: n NOOP
        S: ...
        S: n OK …
        C: a FETCH 1:* (UID PREVIEW (LAZY))
        S: * 1 FETCH (UID 1 PREVIEW {8}
        S: Grüße!)
        S: * 2 FETCH (UID 2 PREVIEW "body of 2")
        S: * 3 FETCH (UID 3 PREVIEW "")
        S: a OK …
    """)


async def test_a_message_in_another_mailbox_is_the_same(inbox: ImapClient) -> None:
    """RFC 8474 §5.3: EMAILID and THREADID outlive a MOVE."""
    await inbox.send(b"a FETCH 2 (EMAILID THREADID)\r\n")
    told = await inbox.line()
    await inbox.talk(f"""
        S: a OK …
        C: b MOVE 2 Archive
        S: ...
        S: b OK …
        C: c SELECT Archive
        S: ...
        S: c OK …
        C: d FETCH 1 (EMAILID THREADID)
        S: {told.replace("* 2", "* 1")}
        S: d OK …
    """)
    assert told.startswith("* 2 FETCH (EMAILID (M")
    assert ") THREADID (T" in told


async def test_a_copy_is_the_same_email_wherever_it_lies(inbox: ImapClient) -> None:
    """RFC 8474 §5.1: also beside the one that it is a copy of, and when that is gone."""
    await inbox.send(b"a FETCH 1 EMAILID\r\n")
    told = (await inbox.line()).removeprefix("* 1 FETCH (EMAILID (").removesuffix("))")
    await inbox.talk(f"""
        S: a OK …
        C: b COPY 1 INBOX
        S: ...
        S: b OK …
        C: c COPY 1 Archive
        S: c OK …
        C: d STORE 1 FLAGS.SILENT (\\Deleted)
        S: d OK …
        C: e EXPUNGE
        S: * 1 EXPUNGE
        S: e OK …
        C: f SEARCH EMAILID {told}
        S: * SEARCH 3
        S: f OK …
        C: g FETCH 3 EMAILID
        S: * 3 FETCH (EMAILID ({told}))
        S: g OK …
        C: h SELECT Archive
        S: ...
        S: h OK …
        C: i FETCH 1 EMAILID
        S: * 1 FETCH (EMAILID ({told}))
        S: i OK …
    """)


async def test_fetching_mod_sequences_switches_condstore_on(inbox: ImapClient) -> None:
    await inbox.talk("""
        C: a FETCH 1:2 (MODSEQ)
        S: * OK [HIGHESTMODSEQ …
        S: * 1 FETCH (MODSEQ (…))
        S: * 2 FETCH (MODSEQ (…))
        S: a OK …
        C: b FETCH 1 BODY[TEXT]
        S: * 1 FETCH (BODY[TEXT] {11}
        S: body of 1
        S:  UID 1 FLAGS (\\Seen) MODSEQ (…))
        S: b OK …
    """)


async def highest_mod_seq(client: ImapClient) -> int:
    """Switches CONDSTORE on, too."""
    await client.send(b"h FETCH 1 MODSEQ\r\n")
    said = await client.line()
    await client.talk("S: * 1 FETCH (MODSEQ (…))\nS: h OK …")
    return int(said.removeprefix("* OK [HIGHESTMODSEQ ").partition("]")[0])


async def test_changes_since_a_mod_sequence(inbox: ImapClient) -> None:
    before = await highest_mod_seq(inbox)
    await inbox.talk(rf"""
        C: a STORE 3 +FLAGS.SILENT (\Answered)
        S: ...
        S: a OK …
        C: b UID FETCH 1:* (FLAGS) (CHANGEDSINCE {before})
        S: * 3 FETCH (UID 3 FLAGS (\Answered \Flagged) MODSEQ (…))
        S: b OK …
        C: c UID FETCH 1:2 FLAGS (CHANGEDSINCE {before})
        S: c OK …
        C: d FETCH 1:* FLAGS (CHANGEDSINCE {before + 1000})
        S: d OK …
    """)


async def test_what_has_vanished_is_told_before_what_has_changed(inbox: ImapClient) -> None:
    before = await highest_mod_seq(inbox)
    await inbox.talk(rf"""
        C: a UID FETCH 1:* FLAGS (CHANGEDSINCE {before} VANISHED)
        S: a BAD …
        C: b ENABLE QRESYNC
        S: * ENABLED QRESYNC
        S: ...
        S: b OK …
        C: c STORE 2 +FLAGS.SILENT (\Deleted)
        S: ...
        S: c OK …
        C: d EXPUNGE
        S: ...
        S: d OK …
        C: e STORE 1 +FLAGS.SILENT (\Flagged)
        S: ...
        S: e OK …
        C: f UID FETCH 1:* (FLAGS) (CHANGEDSINCE {before} VANISHED)
        S: * VANISHED (EARLIER) 2
        S: * 1 FETCH (UID 1 FLAGS (\Flagged) MODSEQ (…))
        S: f OK …
    """)


async def test_pages(inbox: ImapClient) -> None:
    before = await highest_mod_seq(inbox)
    await inbox.talk(rf"""
        C: a UID FETCH 1:500 (UID FLAGS) (PARTIAL -1:-2)
        S: * 2 FETCH (UID 2 FLAGS (\Seen))
        S: * 3 FETCH (UID 3 FLAGS (\Flagged))
        S: a OK …
        C: b UID FETCH 1:500 (UID FLAGS) (PARTIAL 1:1)
        S: * 1 FETCH (UID 1 FLAGS ())
        S: b OK …
        C: c UID FETCH 1:500 FLAGS (PARTIAL 10:20)
        S: c OK …
        C: d STORE 1,3 +FLAGS.SILENT (\Answered)
        S: ...
        S: d OK …
        C: e UID FETCH 1:* (FLAGS) (PARTIAL -1:-2 CHANGEDSINCE {before})
        S: * 3 FETCH (UID 3 FLAGS (\Answered \Flagged) MODSEQ (…))
        S: e OK …
    """)


async def test_a_large_message_comes_in_pieces(client: ImapClient) -> None:
    lines = b"".join(b"line %06d of a large message\r\n" % number for number in range(40_000))
    large = b"Subject: large\r\nX-Own: 1\r\n\r\n" + lines
    await client.append(large)
    await client.append(message(2))
    await client.talk("C: s SELECT INBOX\nS: ...\nS: s OK …")
    await client.send(b"a FETCH 1:2 (UID BODY[] BODY.PEEK[TEXT]<8.4> BODY.PEEK[HEADER.FIELDS (X-OWN)])\r\n")
    await client.expect(f"* 1 FETCH (UID 1 BODY[] {{{len(large)}}}")
    assert await client.octets(len(large)) == large
    await client.talk("""
        S:  BODY[TEXT]<8> {4}
        S: 000  BODY[HEADER.FIELDS (X-OWN)] {12}
        S: X-Own: 1
        S:
        S:  FLAGS (\\Seen))
        S: * 2 FETCH (UID 2 BODY[] {…}
    """)
    assert await client.octets(len(message(2))) == message(2)
    await client.talk("""
        S:  BODY[TEXT]<8> {3}
        S: 2
        S:  BODY[HEADER.FIELDS (X-OWN)] {2}
        S:
        S:  FLAGS (\\Seen))
        S: a OK …
    """)


async def test_pieces_of_a_large_message_add_up_to_it(client: ImapClient) -> None:
    large = b"Subject: large\r\n\r\n" + bytes(set(range(1, 256)) - set(b"\r\n")) * 4_000
    await client.append(large)
    await client.talk("C: s EXAMINE INBOX\nS: ...\nS: s OK …")
    got = b""
    for start in range(0, len(large), 65_536):
        await client.send(b"p FETCH 1 BODY.PEEK[]<%d.65536>\r\n" % start)
        size = min(65_536, len(large) - start)
        await client.expect(f"* 1 FETCH (BODY[]<{start}> {{{size}}}")
        got += await client.octets(size)
        await client.talk("S: )\nS: p OK …")
    assert got == large


def spoil_large_blobs(folder: Path) -> None:
    for file in folder.rglob("*.zst"):
        file.write_bytes(b"damaged")


async def test_a_damaged_large_message_is_told_of_before_its_literal_begins(client: ImapClient, tmp_path: Path) -> None:
    await client.append(message(1) + b"x" * 500_000)
    await client.append(message(2))
    await client.talk("C: s EXAMINE INBOX\nS: ...\nS: s OK …")
    spoil_large_blobs(tmp_path)
    await client.talk("""
        C: a FETCH 1:2 (BODY.PEEK[TEXT])
        S: * 2 FETCH (BODY[TEXT] {11}
        S: body of 2
        S: )
        S: a NO [CORRUPTION]…
    """)


async def test_uid_only_has_no_message_numbers(server: RunningImap, inbox: ImapClient) -> None:
    async with imap_client(server.port) as other:
        await other.login()
        await other.talk(r"""
            C: a ENABLE UIDONLY
            S: * ENABLED UIDONLY
            S: a OK …
            C: b SELECT INBOX
            S: ...
            S: b OK …
            C: c UID FETCH 2:* FLAGS
            S: * 2 UIDFETCH (FLAGS (\Seen))
            S: * 3 UIDFETCH (FLAGS (\Flagged))
            S: c OK …
            C: d UID FETCH 3 (UID FLAGS)
            S: * 3 UIDFETCH (UID 3 FLAGS (\Flagged))
            S: d OK …
            C: e FETCH 1 FLAGS
            S: e BAD [UIDREQUIRED]…
        """)
