"""How `mailstack explain` shows to people what became of a mail."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import click

from mailstack.cli.results import printable

if TYPE_CHECKING:
    from mailstack.app.explain.explanation import Explanation, Fact, Finding, Mail, Question, Scripted, Step, WarmingUp

CHECK_WIDTH, RESULT_WIDTH, FACT_WIDTH = 11, 10, 21
_COLOURS = {
    "pass": "green",
    "passed": "green",
    "accepted": "green",
    "trusted": "green",
    "fail": "red",
    "refused": "red",
    "permerror": "red",
    "banned": "red",
    "policy": "red",
    "softfail": "yellow",
    "temperror": "yellow",
    "deferred": "yellow",
    "partly": "yellow",
    "failed": "red",
    "discarded": "yellow",
    "junk": "yellow",
}
_VERDICTS = {
    "accepted": "It would be taken.",
    "partly": "It would be taken for some of its recipients.",
    "deferred": "It would be put off: the sender keeps it and comes again.",
    "refused": "It would be refused.",
}


def lines_of(found: "Explanation", *, verbose: bool) -> Iterator[str]:
    yield from _mail(found.mail)
    for step in found.steps:
        yield ""
        yield from _step(step)
    if verbose and found.dns:
        yield ""
        yield click.style("what DNS was asked", bold=True)
        yield from map(_question, found.dns)
    yield ""
    yield click.style(_VERDICTS[found.verdict.value], fg=_COLOURS[found.verdict.value], bold=True)
    if not found.refused:
        yield f"  {printable(found.reply)}"
    for recipient, reply in found.refused.items():
        yield f"  refused: {printable(recipient)}: {printable(reply)}"
    for login, mailboxes in found.stored.items():
        yield f"  stored: {printable(login)}: {printable(', '.join(mailboxes))}"
    yield from _scripted(found.scripts)
    for address, way in found.sent_on.items():
        yield f"  sent on: {printable(address)}, by way of {printable(way)}"
        if (warming_up := found.warming_up.get(address)) is not None:
            yield f"    {printable(warming_up.provider)} warms up: {share_text(warming_up)}"
    if found.authentication_results:
        yield ""
        yield from (printable(line.replace("\t", "  ")) for line in found.authentication_results.rstrip().split("\r\n"))


def _scripted(found: "Scripted") -> Iterator[str]:
    for login in found.discarded:
        yield f"  thrown away: {printable(login)}"
    for login, reply in found.refused.items():
        yield f"  refused by a script: {printable(login)}: {printable(reply)}"
    for login in found.answered:
        yield f"  the sender is answered: {printable(login)}"
    for address in found.notified:
        yield f"  notified: {printable(address)}"


def share_text(found: "WarmingUp") -> str:
    most = "" if found.most_today is None else f", {found.sent_today} of at most {found.most_today} mails"
    return f"{found.share:.1%} goes direct today{most}; the rest by {printable(found.relay)}"


def _mail(mail: "Mail") -> Iterator[str]:
    yield f"{mail.octets} octets from {mail.peer}"
    for note in mail.notes:
        yield click.style(f"  {printable(note)}", dim=True)


def _step(step: "Step") -> Iterator[str]:
    yield click.style(printable(step.said), bold=True)
    for finding in step.findings:
        yield from _finding(finding)
    if step.reply:
        yield f"  > {printable(step.reply)}"


def _finding(finding: "Finding") -> Iterator[str]:
    padded = f"{finding.result:<{RESULT_WIDTH}} " if finding.reason else finding.result
    result = click.style(padded, fg=_COLOURS.get(finding.result))
    yield f"  {finding.check:<{CHECK_WIDTH}} {result}{printable(finding.reason)}"
    yield from _facts(finding.facts)


def _facts(facts: "Mapping[str, Fact]") -> Iterator[str]:
    margin = " " * (CHECK_WIDTH + 3)
    for name, value in facts.items():
        label = name.replace("_", " ")
        for text in value if isinstance(value, tuple) else (_text(value),):
            yield f"{margin}{label:<{FACT_WIDTH}} {printable(text)}"
            label = ""


def _text(value: "Fact") -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _question(question: "Question") -> str:
    answer = f"no answer: {question.failure}" if question.failure else " | ".join(question.answers) or "nothing"
    return printable(f"  {question.name} {question.type}: {answer}")
