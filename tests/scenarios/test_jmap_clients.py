"""jmapc and jmap-jam against a whole sandbox with two workers: what programs made with them do."""

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jmapc
import pytest
from jmapc.methods import (
    EmailChanges,
    EmailGet,
    EmailQuery,
    EmailSet,
    EmailSubmissionSet,
    IdentityGet,
    MailboxGet,
    MailboxQuery,
    MailboxSet,
    Method,
    SearchSnippetGet,
    ThreadGet,
)

from tests.scenarios.conftest import Inn
from tests.support.sandbox import MAILSTACK, is_missing, need, run_client, wait_for

# One sandbox for all of them.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("jmap_clients")]

JAM = Path(__file__).parents[1] / "data" / "jmap_clients" / "jam.mjs"
ROLES = ["archive", "drafts", "inbox", "junk", "sent", "trash"]


@pytest.fixture
def token(inn: Inn, guest: str) -> str:
    spec = inn.sandbox.state.parents[1] / "mailstack.yaml"
    create = ["app-password", "create", str(spec), guest, "--name", "client", "--for", "jmap", "--format", "json"]
    made = run_client([*MAILSTACK, *create, "--state", str(inn.sandbox.state)])
    assert made.returncode == 0, made.stderr.decode()
    found = json.loads(made.stdout)["secret"]
    assert isinstance(found, str)
    return found


@pytest.fixture
def host(inn: Inn, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(inn.sandbox.ca))
    return f"localhost:{inn.sandbox.port('https')}"


@pytest.fixture
def client(host: str, guest: str) -> Iterator[jmapc.Client]:
    """The guest's, by name and password."""
    with closing(jmapc.Client.create_with_password(host=host, user=guest, password="pw")) as made:
        yield made


@pytest.fixture
def by_token(host: str, token: str) -> Iterator[jmapc.Client]:
    """The guest's, by an app password alone."""
    with closing(jmapc.Client.create_with_api_token(host=host, api_token=token)) as made:
        yield made


@contextmanager
def closing(client: jmapc.Client) -> Iterator[jmapc.Client]:
    """It leaves its connections to the garbage collector."""
    try:
        yield client
    finally:
        client.requests_session.close()
        if client._events is not None:
            client._events.resp.close()


def ask(client: jmapc.Client, method: Method) -> Any:
    return client.request(method, raise_errors=True)


def ask_all(client: jmapc.Client, *methods: Method) -> list[Any]:
    return [each.response for each in client.request([*methods], raise_errors=True)]


def mailbox_of(client: jmapc.Client, role: str) -> str:
    (mailbox_id,) = ask(client, MailboxQuery(filter=jmapc.MailboxQueryFilterCondition(role=role))).ids
    return str(mailbox_id)


def draft(guest: str, mailbox_id: str, subject: str) -> jmapc.Email:
    return jmapc.Email(
        mailbox_ids={mailbox_id: True},
        keywords={"$draft": True},
        mail_from=[jmapc.EmailAddress(name="A guest", email=guest)],
        to=[jmapc.EmailAddress(email="friend@elsewhere.example")],
        subject=subject,
        text_body=[jmapc.EmailBodyPart(part_id="text", type="text/plain")],
        body_values={"text": jmapc.EmailBodyValue(value="Grüße, and anvils.")},
    )


def test_a_draft_is_sent_with_jmapc(inn: Inn, guest: str, client: jmapc.Client) -> None:
    drafts, sent = mailbox_of(client, "drafts"), mailbox_of(client, "sent")
    identity = ask(client, IdentityGet(ids=None)).data[0]
    filed = {"#sending": {f"mailboxIds/{drafts}": None, f"mailboxIds/{sent}": True, "keywords/$draft": None}}
    answers = ask_all(
        client,
        EmailSet(create={"draft": draft(guest, drafts, "Sent by jmapc")}),
        EmailSubmissionSet(
            create={"sending": jmapc.EmailSubmission(identity_id=identity.id, email_id="#draft")},
            on_success_update_email=filed,
        ),
    )
    assert [answer.not_created for answer in answers[:2]] == [None, None]
    wait_for(lambda: any(mail.reverse_path == guest for mail in inn.sink.taken), what="the sink takes the mail")
    asked = EmailQuery(filter=jmapc.EmailQueryFilterCondition(in_mailbox=sent, text="anvils"))
    _, found = ask_all(client, asked, EmailGet(ids=jmapc.Ref("/ids")))
    assert [(email.subject, email.keywords, email.preview) for email in found.data] == [
        ("Sent by jmapc", {}, "Grüße, and anvils.")
    ]


def test_mail_is_found_read_and_changed_with_jmapc(guest: str, by_token: jmapc.Client, tmp_path: Path) -> None:
    client = by_token
    made = ask(client, MailboxSet(create={"m": jmapc.Mailbox(name="Größe")}))
    mailbox_id = made.created["m"].id
    file = tmp_path / "anvil.txt"
    file.write_text("An anvil, attached.")
    blob = client.upload_blob(file)
    email = draft(guest, mailbox_id, "Found by jmapc")
    email.attachments = [
        jmapc.EmailBodyPart(blob_id=blob.id, type=blob.type, name="anvil.txt", disposition="attachment")
    ]
    ask(client, EmailSet(create={"e": email}))

    wanted = jmapc.EmailQueryFilterCondition(in_mailbox=mailbox_id, body="attached")
    _, found, threads, snippets = ask_all(
        client,
        EmailQuery(filter=wanted, sort=[jmapc.Comparator(property="receivedAt", is_ascending=False)], limit=5),
        EmailGet(ids=jmapc.Ref("/ids"), fetch_text_body_values=True),
        ThreadGet(ids=jmapc.Ref("/list/*/threadId")),
        SearchSnippetGet(ids=jmapc.Ref("/ids", method=0), filter=wanted),
    )
    (one,) = found.data
    assert (one.subject, one.mail_from[0].name) == ("Found by jmapc", "A guest")
    assert [value.value for value in one.body_values.values()] == ["Grüße, and anvils."]
    assert threads.data[0].email_ids == [one.id]
    assert snippets.data[0].preview == "An anvil, <mark>attached</mark>."
    client.download_attachment(one.attachments[0], tmp_path / "again.txt")
    assert (tmp_path / "again.txt").read_text() == "An anvil, attached."

    ask(client, EmailSet(update={one.id: {"keywords/$flagged": True}}))
    changed = ask(client, EmailChanges(since_state=found.state))
    assert (changed.created, changed.updated, changed.destroyed) == ([], [one.id], [])
    ask(client, EmailSet(destroy=[one.id]))
    counted = ask(client, MailboxGet(ids=[mailbox_id])).data[0]
    assert (counted.name, counted.total_emails) == ("Größe", 0)


def test_jmapc_hears_of_changes(guest: str, client: jmapc.Client, by_token: jmapc.Client) -> None:
    inbox = mailbox_of(client, "inbox")
    with ThreadPoolExecutor(1) as pool:
        heard = pool.submit(next, by_token.events)

        def told() -> bool:
            ask(client, EmailSet(create={"e": draft(guest, inbox, "Told")}))
            return heard.done()

        wait_for(told, what="jmapc is told")
    states = heard.result().data.changed[client.account_id]
    assert states.email == states.mailbox == states.thread is not None


def test_errors_reach_the_program_with_jmapc(client: jmapc.Client) -> None:
    wrong = EmailQuery(sort=[jmapc.Comparator(property="colour")])
    assert isinstance(client.request(wrong), jmapc.errors.Error)
    refused = ask(client, EmailSet(create={"e": jmapc.Email(mailbox_ids={})}))
    assert refused.not_created["e"].type == "invalidProperties"


def test_a_life_with_jmap_jam(inn: Inn, guest: str, host: str, token: str) -> None:
    node = need("node")
    if not Path(sys.prefix, "node_modules", "jmap-jam").is_dir():
        is_missing("jmap-jam")
    command = [node, str(JAM), sys.prefix, f"https://{host}/.well-known/jmap", token, guest]
    done = run_client(command, NODE_EXTRA_CA_CERTS=str(inn.sandbox.ca))
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout) == {
        "username": guest,
        "roles": ROLES,
        "found": ["Found by Jam", "Grüße aus Node.", True, 1],
        "attached": "An anvil, attached.",
        "changed": 1,
        "left": [],
        "refused": "accountNotFound",
    }
