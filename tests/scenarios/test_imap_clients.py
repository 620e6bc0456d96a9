"""imaplib, IMAPClient and offlineimap3 against a whole sandbox with two workers: what their users do every day."""

import imaplib
import mailbox
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path

import pytest
from imapclient import IMAPClient  # type: ignore[import-untyped]  # it carries no types

from tests.scenarios.conftest import Inn
from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import need, run_client

# One sandbox for all of them.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("imap_clients")]

ALICE = "alice@example.com"
OFFLINEIMAP = """\
[general]
accounts = all
metadata = {folder}/meta
ui = quiet

[Account all]
localrepository = near
remoterepository = far

[Repository near]
type = Maildir
localfolders = {folder}/mail
sync_deletes = yes

[Repository far]
type = IMAP
remotehost = 127.0.0.1
remoteport = {port}
remoteuser = {user}
remotepass = pw
ssl = no
starttls = no
"""


def raw(number: int, *, text: str = "Grüße aus München") -> bytes:
    made = EmailMessage()
    made["From"] = "Bob Example <bob@example.com>"
    made["To"] = ALICE
    made["Subject"] = f"Nummer {number} – schön"
    made["Date"] = f"Mon, {number % 28 + 1} Jun 2026 10:00:00 +0200"
    made["Message-ID"] = f"<{number}@example.com>"
    made.set_content(text)
    made.add_attachment(bytes(range(256)) * 4, maintype="application", subtype="octet-stream", filename="ä.bin")
    return made.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


@contextmanager
def imapclient(inn: Inn, guest: str) -> Iterator[IMAPClient]:
    client = IMAPClient("127.0.0.1", port=inn.sandbox.port("imap"), ssl=False, timeout=CLIENT_S)
    try:
        client.login(guest, "pw")
        yield client
    finally:
        client.logout()


def test_imapclient(inn: Inn, guest: str) -> None:
    with imapclient(inn, guest) as client:
        client.create_folder("Projekte/Größe")
        assert "Projekte/Größe" in [name for _, _, name in client.list_folders()]
        for number in range(20):
            client.append("Projekte/Größe", raw(number), flags=[b"\\Seen"] if number % 2 else [])
        selected = client.select_folder("Projekte/Größe")
        assert selected[b"EXISTS"] == 20
        unseen = client.search("UNSEEN")
        assert len(unseen) == 10
        assert client.search(["SUBJECT", "Nummer 7"], charset="UTF-8") == client.search(["TEXT", "Nummer 7"])
        assert len(client.search(["BODY", "münchen"], charset="UTF-8")) == 20
        fetched = client.fetch(unseen, [b"ENVELOPE", b"BODY.PEEK[]", b"FLAGS", b"RFC822.SIZE", b"BODYSTRUCTURE"])
        for facts in fetched.values():
            assert facts[b"RFC822.SIZE"] == len(facts[b"BODY[]"])
            assert facts[b"BODYSTRUCTURE"].is_multipart
            assert message_from_bytes(facts[b"BODY[]"])["To"] == ALICE
            assert facts[b"ENVELOPE"].date.year == 2026
        client.add_flags(unseen[:5], [b"\\Flagged", b"$Work"])
        assert client.search("KEYWORD $Work") == unseen[:5]
        client.move(unseen[:5], "Archive")
        assert client.search("ALL") == [uid for uid in range(1, 21) if uid not in unseen[:5]]
        client.delete_messages(unseen[5:])
        client.uid_expunge(unseen[5:])
        assert client.folder_status("Projekte/Größe", ["MESSAGES"])[b"MESSAGES"] == 10
        assert client.folder_status("Archive", ["MESSAGES", "UNSEEN"]) == {b"MESSAGES": 5, b"UNSEEN": 5}
        client.rename_folder("Projekte", "Arbeit")
        assert "Arbeit/Größe" in [name for _, _, name in client.list_folders()]


def test_imapclient_sorts_and_threads(inn: Inn, guest: str) -> None:
    with imapclient(inn, guest) as client:
        for number in (3, 1, 2):
            client.append("INBOX", raw(number))
        client.append("INBOX", raw(9).replace(b"Subject:", b"In-Reply-To: <1@example.com>\r\nSubject:"))
        client.select_folder("INBOX", readonly=True)
        assert client.sort(["DATE"]) == [2, 3, 1, 4]
        assert client.sort(["REVERSE SUBJECT"]) == [4, 1, 3, 2]
        assert sorted(map(str, client.thread("REFERENCES"))) == ["(1,)", "(2, 4)", "(3,)"]


def test_two_imapclients_idle(inn: Inn, guest: str) -> None:
    with imapclient(inn, guest) as watching, imapclient(inn, guest) as writing:
        watching.select_folder("INBOX")
        watching.idle()
        writing.append("INBOX", raw(1))
        assert (1, b"EXISTS") in watching.idle_check(timeout=CLIENT_S)
        watching.idle_done()
        watching.idle()
        writing.select_folder("INBOX")
        writing.delete_messages([1])
        writing.expunge()
        told: list[object] = []
        while (1, b"EXPUNGE") not in told:
            news = watching.idle_check(timeout=CLIENT_S)
            assert news, "the expunge was not told"
            told += news
        watching.idle_done()


def test_imaplib_over_tls(inn: Inn, guest: str) -> None:
    context = ssl.create_default_context(cafile=str(inn.sandbox.ca))
    context.check_hostname = False
    with imaplib.IMAP4_SSL("127.0.0.1", inn.sandbox.port("imaps"), ssl_context=context, timeout=CLIENT_S) as client:
        client.login(guest, "pw")
        whole = raw(1)
        assert client.append("INBOX", r"(\Flagged)", None, whole)[0] == "OK"
        assert client.select("INBOX") == ("OK", [b"1"])
        _, answer = client.uid("FETCH", "1", "(FLAGS BODY.PEEK[])")
        assert answer[0][1] == whole
        assert rb"\Flagged" in answer[0][0] + answer[1]
        assert client.uid("SEARCH", "FLAGGED")[1] == [b"1"]
        assert client.close()[0] == "OK"
    with imaplib.IMAP4("127.0.0.1", inn.sandbox.port("imap"), timeout=CLIENT_S) as client:
        assert client.starttls(context)[0] == "OK"
        client.login(guest, "pw")
        client.enable("UTF8=ACCEPT")
        assert client.select("INBOX") == ("OK", [b"1"])


def test_offlineimap_both_ways(inn: Inn, guest: str, tmp_path: Path) -> None:
    folder = tmp_path / "offline"
    (folder / "mail").mkdir(parents=True)
    config = folder / "config"
    config.write_text(OFFLINEIMAP.format(folder=folder, port=inn.sandbox.port("imap"), user=guest))
    command = [need("offlineimap"), "-c", str(config), "-o", "-1"]

    def sync() -> None:
        done = run_client(command, HOME=str(folder))
        assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()

    with imapclient(inn, guest) as client:
        for number in range(30):
            client.append("INBOX", raw(number), flags=[b"\\Seen"] if number % 3 else [])
        sync()
        near = mailbox.Maildir(folder / "mail" / "INBOX")
        assert len(near) == 30
        assert sum("S" in message.get_flags() for message in near) == 20

        key, other = sorted(near.keys())[:2]
        flagged = near[key]
        flagged.set_flags("FS")
        near[key] = flagged
        near.remove(other)
        near.add(mailbox.MaildirMessage(raw(100).replace(b"\r\n", b"\n")))
        near.close()
        client.select_folder("INBOX")
        client.append("INBOX", raw(101))
        sync()
        client.noop()
        assert len(client.search("ALL")) == 31
        assert len(client.search("FLAGGED")) == 1
        assert len(client.search(["HEADER", "Message-ID", "100@example.com"])) == 1
        assert len(mailbox.Maildir(folder / "mail" / "INBOX")) == 31
