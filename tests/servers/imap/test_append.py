"""APPEND: small and large, one and several, put together from parts, binary, in UTF-8."""

from pathlib import Path

import pytest

from mailstack.servers.imap.service import ImapLimits
from tests.servers.imap.conftest import message
from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import running_imap


async def test_append_tells_the_uid(client: ImapClient) -> None:
    await client.talk(
        """
        C: a APPEND INBOX (\\Seen foo) " 7-Feb-1994 21:52:25 -0800" {6}
        S: + go on
        C: A: b
        S: a OK [APPENDUID … 1] APPEND completed
    """.replace("C: A: b", "C: A: b\n        C:")
    )


async def test_a_missing_mailbox_may_be_created(client: ImapClient) -> None:
    await client.talk("""
        C: a APPEND nothing {2+}
        C: hi
        S: a NO [TRYCREATE]…
        C: b APPEND nothing (\\Seen) {50000000}
        S: b NO [TRYCREATE]…
        C: c NOOP
        S: c OK …
    """)


async def test_what_is_no_message_is_refused(client: ImapClient) -> None:
    await client.talk("""
        C: a APPEND INBOX {0+}
        C:
        S: a NO [CANNOT]…
    """)
    await client.send(b"b APPEND INBOX {3+}\r\na\0b\r\n")
    await client.expect("b NO [CANNOT]…")


async def test_bare_line_ends_become_crlf(client: ImapClient) -> None:
    await client.send(b"a APPEND INBOX {9+}\r\nA: b\n\nc\rd\r\n"[:-2] + b"\r\n")
    await client.expect("a OK …")
    await client.talk("""
        C: s EXAMINE INBOX
        S: ...
        S: s OK …
        C: b FETCH 1 BODY[TEXT]
        S: * 1 FETCH (BODY[TEXT] {4}
        S: c
        S: d)
        S: b OK …
    """)


async def test_a_large_message_comes_back_octet_for_octet(client: ImapClient) -> None:
    large = message(1) + b"".join(b"line %06d of a message that fills a file\r\n" % number for number in range(30_000))
    await client.append(large)
    await client.talk("""
        C: s EXAMINE INBOX
        S: ...
        S: s OK …
        C: b FETCH 1 (UID BODY.PEEK[] FLAGS)
    """)
    await client.expect(f"* 1 FETCH (UID 1 BODY[] {{{len(large)}}}")
    octets = b"".join([(await client.line()).encode() + b"\r\n" for _ in range(large.count(b"\r\n"))])
    assert octets == large
    await client.talk("S:  FLAGS ())\nS: b OK FETCH completed")


async def test_over_the_limit_and_over_the_quota(tmp_path: Path) -> None:
    limits = ImapLimits(message_octets=1_000)
    async with running_imap(tmp_path, limits=limits, quota_bytes=1_200) as server, imap_client(server.port) as client:
        await client.login()
        await client.talk("C: a APPEND INBOX {1001}\nS: a NO [TOOBIG] Message too large")
        await client.append(b"A: b\r\n\r\n" + b"x" * 900)
        await client.send(b"b APPEND INBOX {908+}\r\nA: b\r\n\r\n" + b"x" * 900 + b"\r\n")
        await client.expect("b NO [OVERQUOTA]…")
        await client.talk("C: c APPEND INBOX {500}\nS: c NO [OVERQUOTA]…")


async def seen_by(client: ImapClient, fetched: str, *, mailbox: str = "INBOX") -> list[str]:
    """The lines of a FETCH answer."""
    await client.talk(f"C: s EXAMINE {mailbox}\nS: ...\nS: s OK …\nC: f FETCH {fetched}")
    lines = []
    while not (line := await client.line()).startswith("f "):
        lines.append(line)
    assert line.startswith("f OK"), line
    return lines


async def test_several_messages_come_in_one_command(client: ImapClient) -> None:
    """RFC 3502 §6.3.11, its example."""
    await client.talk(
        """
        C: A003 APPEND INBOX (\\Seen) {12}
        S: + go on
        C: A: b
        C:
        C: one
    """.replace("one\n", "on\n")
    )
    await client.talk("""
        C:  (\\Seen) " 7-Feb-1994 22:43:04 -0800" {11}
        S: + go on
        C: A: b
        C:
        C: two
        S: A003 OK [APPENDUID … 1:2] APPEND completed
    """)
    assert await seen_by(client, "1:2 (UID FLAGS)") == [
        "* 1 FETCH (UID 1 FLAGS (\\Seen))",
        "* 2 FETCH (UID 2 FLAGS (\\Seen))",
    ]


@pytest.mark.parametrize(
    "rest",
    [
        b" {0+}\r\n\r\n",
        b" {3+}\r\na\0b\r\n",
        b" (\\Foo) {3+}\r\nabc\r\n",
        b' CATENATE (URL "/INBOX/;UID=77")\r\n',
        b" {99999999}\r\n",
        b" {1+}\r\nx" * 1_000 + b"\r\n",
    ],
)
async def test_all_messages_of_a_command_come_or_none(client: ImapClient, rest: bytes) -> None:
    """RFC 3502 §6.3.11; an empty message calls off the others."""
    await client.send(b"a APPEND INBOX {6+}\r\nA: b\r\n" + rest)
    await client.expect("a …")
    await client.talk("""
        C: b STATUS INBOX (MESSAGES UIDNEXT)
        S: * STATUS "INBOX" (MESSAGES 0 UIDNEXT 1)
        S: b OK …
    """)


async def test_many_and_large_messages_in_one_command(client: ImapClient) -> None:
    sizes = [10, 300_000, 70_000, 20, 100_000]
    messages = [b"A: b\r\n\r\n" + bytes([65 + at]) * size for at, size in enumerate(sizes)]
    await client.send(b"a APPEND INBOX")
    for each in messages:
        await client.send(b" {%d+}\r\n" % len(each) + each)
    await client.send(b"\r\n")
    await client.expect("a OK [APPENDUID … 1:5] …")

    assert await seen_by(client, "1:* (RFC822.SIZE BODY[TEXT]<5.1>)") == [
        line
        for at, each in enumerate(messages)
        for line in (f"* {at + 1} FETCH (RFC822.SIZE {len(each)} BODY[TEXT]<5> {{1}}", f"{chr(65 + at)})")
    ]


async def test_an_attachment_is_replaced_without_being_fetched(client: ImapClient) -> None:
    """RFC 4469, appendix A, example 1, with our octets."""
    draft = (
        b'Subject: draft\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
        b"--b\r\nContent-Type: application/x-zip-compressed\r\n\r\nzip\r\n--b--\r\n"
    )
    await client.append(draft, mailbox="Drafts")
    await client.append(b"Content-Type: text/plain\r\n\r\nnew part", mailbox="INBOX")
    await client.talk("""
        C: a APPEND Drafts (\\Seen) CATENATE (URL "/Drafts/;UID=1/;section=HEADER" TEXT {7}
        S: + go on
        C:
        C: --b
        C:  URL "/Drafts/;UID=1/;section=1.MIME" URL "/Drafts/;UID=1/;section=1" TEXT {7}
        S: + go on
        C:
        C: --b
        C:  URL "/INBOX/;UID=1" TEXT {9}
        S: + go on
        C:
        C: --b--
        C: )
        S: a OK [APPENDUID … 2] APPEND completed
    """)
    new = draft.replace(
        b"Content-Type: application/x-zip-compressed\r\n\r\nzip", b"Content-Type: text/plain\r\n\r\nnew part"
    )
    # Between HEADER and the first delimiter stands the TEXT's own line break.
    expected = new.replace(
        b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello",
        b"\r\n\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello",
    )
    await client.talk("C: s EXAMINE Drafts\nS: ...\nS: s OK …\nC: f UID FETCH 2 (FLAGS BODY[])")
    await client.expect(f"* 2 FETCH (UID 2 FLAGS (\\Seen) BODY[] {{{len(expected)}}}")
    lines = [await client.line() for _ in range(expected.count(b"\r\n"))]
    assert lines == expected.decode().split("\r\n")[:-1]
    await client.talk("S: )\nS: f OK …")
    assert await seen_by(client, "1 FLAGS", mailbox="INBOX") == ["* 1 FETCH (FLAGS ())"]


@pytest.mark.parametrize(
    "url",
    [
        "/INBOX/;UID=1/;section=7",
        "/INBOX/;UID=9",
        "/INBOX;UIDVALIDITY=1/;UID=1",
        "/nothing/;UID=1",
        "imap://mail.peer.test/INBOX/;UID=1",
        "/INBOX",
        "x]y",
        ";UID=1",
    ],
)
async def test_a_bad_url_fails_the_command(client: ImapClient, url: str) -> None:
    """RFC 4469 §4.1, appendix A, example 4."""
    await client.append(message(1))
    await client.talk(f"""
        C: a APPEND INBOX CATENATE (URL "/INBOX/;UID=1" URL "{url}" TEXT {{42}}
        S: a NO [BADURL {url.replace("]", "")}] …
        C: b STATUS INBOX (MESSAGES)
        S: * STATUS "INBOX" (MESSAGES 1)
        S: b OK …
    """)


async def test_urls_of_another_account_name_nothing(tmp_path: Path) -> None:
    async with running_imap(tmp_path, accounts=("u0", "u1")) as server, imap_client(server.port) as owner:
        await owner.login("u0")
        await owner.append(message(1))
        async with imap_client(server.port) as other:
            await other.login("u1")
            await other.talk("""
                C: a APPEND INBOX CATENATE (URL "/INBOX/;UID=1")
                S: a NO [BADURL …
                C: b APPEND INBOX CATENATE (URL "/~u0/INBOX/;UID=1")
                S: b NO [BADURL …
            """)


async def test_urls_relative_to_the_selected_mailbox(inbox: ImapClient) -> None:
    await inbox.talk("""
        C: a APPEND Drafts CATENATE (URL ";UID=1/;SECTION=HEADER" URL "/;UID=2/;SECTION=TEXT/;PARTIAL=0.4")
        S: a OK [APPENDUID … 1] …
    """)
    assert (await seen_by(inbox, "1 BODY[TEXT]", mailbox="Drafts"))[-1] == "body)"


async def test_a_message_put_together_may_not_be_too_big(tmp_path: Path) -> None:
    """RFC 4469 §4.2."""
    limits = ImapLimits(message_octets=1_000)
    async with running_imap(tmp_path, limits=limits) as server, imap_client(server.port) as client:
        await client.login()
        await client.append(b"A: b\r\n\r\n" + b"x" * 600)
        await client.talk("""
            C: a APPEND INBOX CATENATE (URL "/INBOX/;UID=1" URL "/INBOX/;UID=1")
            S: a NO [TOOBIG] …
            C: b APPEND INBOX CATENATE (URL "/INBOX/;UID=1" TEXT {600}
            S: b NO [TOOBIG] …
            C: c APPEND INBOX CATENATE (URL "/INBOX/;UID=1") CATENATE (URL "/INBOX/;UID=1")
            S: c OK [APPENDUID … 2:3] …
        """)


async def test_catenate_counts_against_the_quota(tmp_path: Path) -> None:
    async with running_imap(tmp_path, quota_bytes=1_500) as server, imap_client(server.port) as client:
        await client.login()
        await client.append(b"A: b\r\n\r\n" + b"x" * 600)
        await client.talk("""
            C: a APPEND INBOX CATENATE (URL "/INBOX/;UID=1") CATENATE (URL "/INBOX/;UID=1")
            S: a NO [OVERQUOTA] …
            C: b STATUS INBOX (MESSAGES)
            S: * STATUS "INBOX" (MESSAGES 1)
            S: b OK …
        """)


async def test_before_login_nothing_is_read(stranger: ImapClient) -> None:
    await stranger.talk("""
        C: a APPEND INBOX CATENATE (URL "/INBOX/;UID=1")
        S: a BAD Not in this state…
        C: b APPEND INBOX {0}
        S: + go on
        C:
        S: b BAD Not in this state…
        C: c APPEND INBOX {1}
        S: c NO [TOOBIG] …
        C: d NOOP
        S: d OK …
    """)


async def test_a_binary_part_comes_back_in_base64(client: ImapClient) -> None:
    """RFC 3516 §4.4: who knows no BINARY must be able to read it."""
    raw = (
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n'
        b"Content-Type: image/png\r\nContent-Transfer-Encoding: BINARY\r\n\r\n\0\1\n\r\2\r\n--b--\r\n"
    )
    await client.send(b"a APPEND INBOX ~{%d+}\r\n" % len(raw) + raw + b"\r\n")
    await client.expect("a OK …")

    assert await seen_by(client, "1 (BODY[1.MIME] BODY[1])") == [
        "* 1 FETCH (BODY[1.MIME] {62}",
        "Content-Type: image/png",
        "Content-Transfer-Encoding: base64",
        "",
        " BODY[1] {8}",
        "AAEKDQI=)",
    ]


async def test_nul_is_taken_only_where_it_may_stand(client: ImapClient) -> None:
    """RFC 3516 §4.4: in a literal8, in a part that says it is binary."""
    raw = b"Content-Transfer-Encoding: binary\r\n\r\na\0b"
    await client.send(b"a APPEND INBOX {%d+}\r\n" % len(raw) + raw + b"\r\n")
    await client.expect("a NO [CANNOT] …")
    await client.send(b"b APPEND INBOX ~{9+}\r\n\r\ntext\0\r\n\r\n")
    await client.expect("b NO [CANNOT] …")


async def test_utf8_messages_and_names_once_they_are_switched_on(client: ImapClient) -> None:
    """RFC 6855 §3, §4."""
    raw = "From: Jørgen <jørgen@a.example>\r\nSubject: Grüße\r\n\r\nhi".encode()
    await client.send(b"a APPEND INBOX UTF8 (~{%d+}\r\n" % len(raw) + raw + b")\r\n")
    await client.expect("a NO [CANNOT] …")
    await client.talk("""
        C: b ENABLE UTF8=ACCEPT
        S: * ENABLED UTF8=ACCEPT
        S: b OK …
        C: c CREATE "Grüße"
        S: c OK …
        C: d LIST "" "Gr%"
        S: * LIST (…) "/" "Grüße"
        S: d OK …
    """)
    await client.send('e APPEND "Grüße" (\\Seen) UTF8 (~{%d+}\r\n'.encode() % len(raw) + raw + b")\r\n")
    await client.expect("e OK [APPENDUID … 1] …")
    await client.talk('C: s EXAMINE "Grüße"\nS: ...\nS: s OK …\nC: f FETCH 1 BODY[HEADER.FIELDS (SUBJECT)]')
    await client.talk("S: * 1 FETCH (BODY[HEADER.FIELDS (SUBJECT)] {20}\nS: Subject: Grüße\nS:\nS: )\nS: f OK …")


async def test_utf8_may_be_a_part_of_a_catenated_message(client: ImapClient) -> None:
    """RFC 6855 §4: cat-part =/ utf8-literal."""
    await client.talk("C: b ENABLE UTF8=ACCEPT\nS: * ENABLED UTF8=ACCEPT\nS: b OK …")
    await client.send("a APPEND INBOX CATENATE (UTF8 (~{15+}\r\nSubject: ä\r\n\r\n) TEXT {2+}\r\nhi)\r\n".encode())
    await client.expect("a OK …")
