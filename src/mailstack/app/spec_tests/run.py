"""Runs the tests of a spec, each for itself: a test that fails, or cannot be carried out, keeps no other from running.

Order does not matter, for nothing that one test writes is seen by another.
"""

import traceback
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass

from mailstack.app.spec_tests.bed import Bed, make_bed
from mailstack.app.spec_tests.judge import judge_mail, judge_records
from mailstack.app.spec_tests.letter import message_of, why_unreadable
from mailstack.app.spec_tests.mail import LATER, Happened, hand_over, sender_of
from mailstack.app.spec_tests.result import Difference, Outcome, Result, Step
from mailstack.reconcile.dns.record_set import RecordSet
from mailstack.spec.faults import Fault, Place, SpecInvalid
from mailstack.spec.load import LoadedSpec
from mailstack.spec.nearest import did_you_mean
from mailstack.spec.sections.tests import Question, Send, SpecTest

Timer = Callable[[], float]
"""Seconds, from any beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A test, and where the spec has it."""

    test: SpecTest
    place: Place


def cases_of(loaded: LoadedSpec, filter_text: str = "") -> tuple[Case, ...]:
    """In the spec's order. filter_text: what their names hold, in any case of letters; "" for all.

    Raises SpecInvalid for message files that cannot be read.
    """
    found: list[Case] = []
    faults: list[Fault] = []
    for index, test in enumerate(loaded.spec.tests):
        if filter_text.casefold() not in test.name.casefold():
            continue
        at = loaded.fault(("tests", index), "")
        found.append(Case(test=test, place=Place(at.file, at.line, at.column)))
        if test.send is not None and test.send.eml is not None and (reason := why_unreadable(test.send.eml)):
            faults.append(loaded.fault(("tests", index, "send", "eml"), reason))
    if faults:
        raise SpecInvalid(faults)
    return tuple(found)


async def run(loaded: LoadedSpec, cases: Sequence[Case], timer: Timer) -> AsyncGenerator[Result, None]:
    """Each as soon as it is over. Raises SpecInvalid or DomainError where not even an apply could begin."""
    bed = await make_bed(loaded)
    for case in cases:
        yield await _result(bed, case, timer)


async def _result(bed: Bed, case: Case, timer: Timer) -> Result:
    began = timer()
    differences: tuple[Difference, ...] = ()
    story: tuple[Step, ...] = ()
    trouble = ""
    try:
        differences, story = await _carry_out(bed, case.test)
    except Exception:  # noqa: BLE001  whatever it was, it is told, and the others go on
        trouble = traceback.format_exc()
    outcome = Outcome.FAILED if differences else Outcome.PASSED
    return Result(
        name=case.test.name,
        place=case.place,
        outcome=Outcome.ERROR if trouble else outcome,
        duration_s=timer() - began,
        differences=differences,
        story=story,
        trouble=trouble,
    )


async def _carry_out(bed: Bed, test: SpecTest) -> tuple[tuple[Difference, ...], tuple[Step, ...]]:
    if test.send is not None:
        return await _mail(bed, test, test.send)
    if test.dns is not None:
        return _records(bed, test, test.dns)
    raise AssertionError("a test without send and dns")  # spec.check_tests has refused it


async def _mail(bed: Bed, test: SpecTest, send: Send) -> tuple[tuple[Difference, ...], tuple[Step, ...]]:
    content = message_of(send, title=test.name, sender=sender_of(send))
    happened = await hand_over(bed, send, content)
    return tuple(judge_mail(test.expect, send, happened)), (*happened.story, _end(happened))


def _end(happened: Happened) -> Step:
    came_to = [f"{login}: {', '.join(mailboxes)}" for login, mailboxes in happened.copies.items()]
    for address, way in happened.leaving.items():
        came_to.append(
            f"{address}: {'waits in the queue' if way == LATER else f'leaves by way of {happened.way(address)}'}"
        )
    scripts = happened.scripts
    came_to += [f"{login}: thrown away" for login in scripts.discarding]
    came_to += [f"{login} refuses it" for login in scripts.refusing if happened.refused is None]
    came_to += [f"{login} answers the sender" for login in scripts.answering]
    came_to += [f"{address} is notified" for address in scripts.notified]
    return Step(said="what came of it", answer="; ".join(came_to) or "no copy anywhere")


def _records(bed: Bed, test: SpecTest, question: Question) -> tuple[tuple[Difference, ...], tuple[Step, ...]]:
    at_name = [record for record in bed.records if record.name == question.name]
    asked = [record for record in at_name if record.type == question.type]
    values = ", ".join(value for record in asked for value in record.values)
    step = Step(
        said=f"{question.name} {question.type}", answer=values or "no such record", notes=_hints(bed, question, at_name)
    )
    return tuple(judge_records(test.expect, asked)), (step,)


def _hints(bed: Bed, question: Question, at_name: Sequence[RecordSet]) -> tuple[str, ...]:
    """What there is instead: other types of the name, or the name that is nearest."""
    other_types = [record.type for record in at_name if record.type != question.type]
    if other_types:
        return (f"the name has {', '.join(dict.fromkeys(other_types))}",)
    if at_name:
        return ()
    return (f"no record has this name{did_you_mean(bed.record_names, question.name)}",)
