"""One mail from its reply to its bounce: the id that joins what is known of it, and the events as they are written."""

import getpass
import json
import os
import re
import shlex
import signal
import smtplib
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from mailstack.app.log_schema import events_schema
from mailstack.model.log_events import LOG_EVENTS
from tests.support.log_forms import require_form
from tests.support.over_sockets import CLIENT_S
from tests.support.programs import Program
from tests.support.sandbox import MAILSTACK, Sandbox, need, run_client, running_sandbox, wait_for
from tests.support.sink import Sink

pytestmark = pytest.mark.slow

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
GONE = "  gone@example.com: [alice@example.com, nobody@elsewhere.example]\n"


@pytest.fixture
def sandbox(spec: Path, tmp_path: Path, sink: Sink) -> Iterator[Sandbox]:
    spec.write_text(spec.read_text() + GONE)
    with running_sandbox(
        spec, tmp_path / "sandbox", "--outbound", f"127.0.0.1:{sink.port}", "--log-format", "json"
    ) as found:
        yield found


def answers(sandbox: Sandbox, recipient: str) -> list[tuple[int, str]]:
    """To RCPT and, where that is taken, to the message."""
    with smtplib.SMTP("127.0.0.1", sandbox.port("smtp"), "client.example", timeout=CLIENT_S) as client:
        client.starttls()
        client.ehlo()
        client.mail("x@y.example")
        replies = [client.rcpt(recipient)]
        if replies[0][0] == 250:
            replies.append(client.data(b"From: x@y.example\r\nMessage-ID: <1@y.example>\r\n\r\ntext\r\n"))
    return [(code, text.decode()) for code, text in replies]


def followed(sandbox: Sandbox, trace: str) -> list[dict[str, Any]]:
    """As the page says it is done."""
    return asked(sandbox, "3f9c0b17d2a84e65", trace)


def asked(sandbox: Sandbox, example: str, wanted: str) -> list[dict[str, Any]]:
    """By the page's command that has the example."""
    commands = re.findall(r"^journalctl -u mailstack -o cat \| (jq -c .*)$", OPERATIONS.read_text(), re.MULTILINE)
    (command,) = (each for each in commands if example in each)
    need("jq")
    jq = shlex.split(command.replace(example, wanted), comments=True)
    found = subprocess.run(jq, input=sandbox.log_file.read_bytes(), capture_output=True, check=True)
    return [json.loads(line) for line in found.stdout.splitlines()]


def test_what_is_known_of_a_mail_is_found_by_the_id_in_its_reply(sandbox: Sandbox, spec: Path, sink: Sink) -> None:
    (_, (code, text)) = answers(sandbox, "gone@example.com")
    assert code == 250
    trace = text.removeprefix("2.0.0 OK ")
    wait_for(lambda: len(sink.taken) == 1, what="the bounce")
    (bounce,) = sink.taken
    assert bounce.recipients == ("x@y.example",)
    assert f" id {trace}" in bounce.content.decode()
    # Not by the path that the alias sent the mail on under, but straight to who sent it.
    wait_for(
        lambda: [line["host"] for line in followed(sandbox, trace) if line["event"] == "sent"] == ["127.0.0.1"],
        what="the bounce's line",
    )
    events = {"delivered", "failed", "queued", "sent", "transaction"}
    wait_for(lambda: {line["event"] for line in followed(sandbox, trace)} == events, what="all of its events")
    assert [line["event"] for line in asked(sandbox, "bob@example.net", "x@y.example")] == ["sent"]
    assert [line["event"] for line in asked(sandbox, "bob@example.net", "nobody@elsewhere.example")] == ["failed"]

    ((code, text),) = answers(sandbox, "no@example.com")
    (refused_trace,) = re.findall(r"^5\.1\.1 No such recipient here \(trace ([0-9a-f]{16})\)$", text)
    wait_for(lambda: followed(sandbox, refused_trace), what="the event of the refusal")
    (refused,) = followed(sandbox, refused_trace)
    assert (code, refused["outcome"], refused["reason"]) == (550, "refused", "not found")
    assert (refused["tls_version"], refused["tls_cipher"][:4]) == ("TLSv1.3", "TLS_")

    require_forms(sandbox)
    told_by_commands(sandbox, spec, trace, refused_trace)


def told_by_commands(sandbox: Sandbox, spec: Path, trace: str, refused_trace: str) -> None:
    """By what the node keeps, beside the server."""
    at = (str(spec), "--state", str(sandbox.state))
    found = run_client([*MAILSTACK, "trace", at[0], trace, *at[1:]])
    text = found.stdout.decode()
    assert text.startswith("x@y.example -> gone@example.com\n  failed, delivered: ")
    assert f"  trace {trace}, Message-ID <1@y.example>\n" in text
    assert "accepted from 127.0.0.1: 250 2.0.0 OK" in text
    assert "delivered: alice@example.com, inbox" in text
    assert "failed: nobody@elsewhere.example" in text
    assert "notice, sent: x@y.example" in text
    assert b" begins in the hour from 20" in found.stderr

    listed = run_client([*MAILSTACK, "trace", at[0], "X@Y.example", *at[1:]]).stdout.decode()
    assert [line.split()[1] for line in listed.splitlines()] == [trace, refused_trace]
    by_id = run_client([*MAILSTACK, "trace", at[0], "<1@y.example>", *at[1:], "--format", "json"])
    (one,) = json.loads(by_id.stdout)["stories"]
    assert (one["trace"], one["outcome"]) == (trace, "failed, delivered")

    nothing = run_client([*MAILSTACK, "trace", at[0], "who@else.example", *at[1:]])
    assert (nothing.returncode, nothing.stdout) == (1, b"")
    assert nothing.stderr.startswith(b"nothing is known of who@else.example since then (--since)\n")

    logs = run_client([*MAILSTACK, "logs", *at, "--event", "transaction", "--grep", "NOT found", "--format", "json"])
    assert [json.loads(line)["trace"] for line in logs.stdout.splitlines()] == [refused_trace]
    shown = run_client([*MAILSTACK, "logs", *at, "--level", "info", "--trace", refused_trace]).stdout.decode()
    assert " transaction  " in shown
    assert "reason='not found'" in shown


def require_forms(sandbox: Sandbox) -> None:
    schema: Any = events_schema()
    names = {kind.NAME: schema["$defs"][kind.__name__]["required"] for kind in LOG_EVENTS}
    lines = [json.loads(line) for line in sandbox.log.splitlines()]
    told = [line for line in lines if line["event"] in names]
    assert len(told) == 2
    for line in told:
        assert sorted(line) == sorted(names[line["event"]])
        require_form(line["event"], line)


def test_what_comes_is_followed_whatever_dies_meanwhile(spec: Path, tmp_path: Path) -> None:
    """A killed worker takes nothing with it but a moment, and a log that is not wanted any more is gone."""
    with running_sandbox(spec, tmp_path / "sandbox", "--log-format", "console") as found, ExitStack() as held:
        with (tmp_path / "followed").open("wb") as shown:
            command = [*MAILSTACK, "logs", str(spec), "--state", str(found.state), "--follow", "--event", "transaction"]
            following = held.enter_context(Program(command, stdout=shown, stderr=shown))
            held.callback(following.kill)
        log, followed = found.state / "log", tmp_path / "followed"
        traces: list[str] = []

        def goes_on() -> None:
            (_, (code, text)) = answers(found, "alice@example.com")
            assert code == 250
            traces.append(text.removeprefix("2.0.0 OK "))
            wait_for(lambda: all(each in followed.read_text() for each in traces), what="it is followed")

        goes_on()
        for pid in found.workers():
            os.kill(pid, signal.SIGKILL)
        goes_on()
        told = run_client([*MAILSTACK, "trace", str(spec), "alice@example.com", "--state", str(found.state)])
        assert [line.split()[1] for line in told.stdout.decode().splitlines()] == traces
        assert {path.stat().st_mode & 0o777 for path in log.iterdir()} == {0o600}

        spec.write_text(spec.read_text() + "log: {keep: null}\n")
        wait_for(lambda: not log.exists(), what="what was kept is deleted")
        gone = run_client([*MAILSTACK, "logs", str(spec), "--state", str(found.state)])
        assert gone.returncode == 1
        assert b"has no log" in gone.stderr


def test_what_a_person_drops_beside_the_server_is_a_line_of_its_log(spec: Path, tmp_path: Path) -> None:
    spec.write_text(spec.read_text() + GONE)
    with running_sandbox(spec, tmp_path / "sandbox", "--log-format", "json") as found:
        (_, (code, text)) = answers(found, "gone@example.com")
        assert code == 250
        trace = text.removeprefix("2.0.0 OK ")
        wait_for(lambda: [line for line in followed(found, trace) if line["event"] == "held"], what="the copy's line")
        command = [*MAILSTACK, "queue", "drop", str(spec), "--trace", trace, "--yes", "--state", str(found.state)]
        dropped = run_client(command)
        assert dropped.stdout == b"1 recipient dropped\n"
        wait_for(lambda: followed(found, trace)[-1]["event"] == "dropped by hand", what="who dropped it")
        last = followed(found, trace)[-1]
    assert (last["recipient"], last["by"]) == ("nobody@elsewhere.example", getpass.getuser())
