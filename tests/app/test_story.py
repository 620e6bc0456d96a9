"""The life of a mail out of its events: what it came to in a few words, and each step in order."""

from pathlib import Path
from typing import Any

import pytest

from mailstack.app.story import STEPS, Story, stories_of, story_of
from mailstack.model.event_log import Event
from mailstack.model.instant import Instant
from mailstack.store.event_log.keeping import forget
from mailstack.store.event_log.parts import log_folder
from mailstack.store.event_log.reading import EventLog
from tests.store.event_log.world import AFTERWARDS, FROM, World, event, transaction

ALICE, DAVE = "alice@example.com", "dave@far.example"


def told(name: str, **facts: object) -> Event:
    level = str(facts.pop("level", "info"))
    return {"event": name, "at": "2026-11-30T12:00:00.000Z", "level": level, "pid": 1, "trace": "t", **facts}


def taken(*recipients: str, outcome: str = "accepted", **facts: object) -> Event:
    to = [{"address": each, "outcome": outcome, "reply": "", "reason": ""} for each in recipients]
    return told(
        "transaction", outcome=outcome, peer="192.0.2.1", sender="x@y.example", recipients=to, message_id="1@y", **facts
    )


def story(*events: Event) -> Story:
    return story_of("t", events)


@pytest.mark.parametrize(
    ("events", "outcome", "reason"),
    [
        ([taken(ALICE, outcome="refused", reason="not found", code=550)], "refused", "not found"),
        ([taken(ALICE, outcome="refused", reason="", code=554, status="5.7.1", text="No")], "refused", "554 5.7.1 No"),
        ([taken(ALICE, outcome="abandoned")], "abandoned", ""),
        ([told("delivered", account=ALICE, mailbox="inbox"), taken(ALICE)], "delivered", ""),
        ([told("scored", result="junk"), told("delivered", account=ALICE), taken(ALICE)], "delivered, junk", ""),
        ([told("queued", recipients=[DAVE]), taken(DAVE)], "waiting", ""),
        ([taken(DAVE), told("deferred", recipient=DAVE, reply="451 later")], "waiting", "451 later"),
        ([told("deferred", recipient=DAVE, reply="451 later"), told("sent", recipient=DAVE)], "sent", ""),
        ([told("sent", recipient=DAVE), told("failed", recipient="e@f", reply="550 no")], "failed, sent", "550 no"),
        ([told("held", recipient=DAVE), told("dropped by hand", recipient=DAVE)], "dropped", ""),
        ([told("submitted", account=ALICE)], "accepted", ""),
    ],
)
def test_what_it_came_to(events: list[Event], outcome: str, reason: str) -> None:
    found = story(*events)
    assert (found.outcome, found.reason) == (outcome, reason)


def test_a_notice_to_the_sender_is_not_what_became_of_the_mail() -> None:
    found = story(
        taken(DAVE),
        told("failed", sender="x@y.example", recipient=DAVE, reply="550 no"),
        told("sent", sender="", recipient="x@y.example", host="mx.y.example", reply="250 ok"),
    )
    assert found.outcome == "failed"
    assert found.steps[-1].title == "notice, sent: x@y.example, mx.y.example, 250 ok"


def test_who_wrote_to_whom() -> None:
    found = story(told("delivered", account=ALICE), taken(ALICE, "bob@example.com"))
    assert (found.sender, found.recipients, found.message_id) == ("x@y.example", (ALICE, "bob@example.com"), "1@y")
    queued = story(told("queued", sender=ALICE, recipients=[DAVE]), told("sent", sender=ALICE, recipient=DAVE))
    assert (queued.sender, queued.recipients) == (ALICE, (DAVE,))
    late = story(told("sent", sender=ALICE, recipient=DAVE), told("sent", sender=ALICE, recipient="e@f"))
    assert late.recipients == (DAVE, "e@f")


def test_steps_begin_with_the_transaction_and_say_what_is_known() -> None:
    found = story(
        told("scored", accounts=[ALICE], result="ham", score=1.5, rules=["R 1.5", "S 0.0"]),
        told("delivered", account=ALICE, mailbox="inbox"),
        taken(
            ALICE, code=250, status="2.0.0", text="OK", spf="pass", dkim=[{"result": "pass", "domain": "y"}], detail=""
        ),
    )
    assert [(step.kind, step.title) for step in found.steps] == [
        ("good", "accepted from 192.0.2.1: 250 2.0.0 OK"),
        ("", "scored: ham, 1.5"),
        ("good", "delivered: alice@example.com, inbox"),
    ]
    assert ("SPF", "pass") in found.steps[0].facts
    assert ("DKIM", "pass y") in found.steps[0].facts
    assert ("recipients", f"{ALICE} accepted") in found.steps[0].facts
    assert "detail" not in dict(found.steps[0].facts)
    assert found.steps[1].facts == (("accounts", ALICE), ("rules", "R 1.5, S 0.0"))


def test_an_event_that_nobody_foresaw_is_a_step_too() -> None:
    (step,) = story(told("not indexed", level="warning", account=ALICE)).steps
    assert (step.kind, step.title, step.facts) == ("warn", "not indexed", (("account", ALICE),))


def test_stories_are_found_in_the_log_the_last_first(tmp_path: Path) -> None:
    log_folder(tmp_path).mkdir()
    world = World(log_folder(tmp_path))
    made = world.segments()
    for number in range(3):
        made.add(transaction(world.now, f"t{number}", message_id=f"{number}@else.example"))
        world.now = type(world.now)(world.now + 1)
    made.write()
    found = stories_of(tmp_path, "alice@example.com", since=FROM, until=AFTERWARDS, limit=2)
    assert [story.trace for story in found.stories] == ["t2", "t1"]
    assert (found.is_cut, found.goes_back_to) == (True, "2026-11-30T12:00:00Z")
    by_id = stories_of(tmp_path, " <1@Else.example> ", since=FROM, until=AFTERWARDS)
    assert [story.trace for story in by_id.stories] == ["t1"]
    assert by_id.document()["stories"][0]["sender"] == "Bob@Else.example"
    made.begin_anew()


def test_what_became_too_old_while_it_was_asked_for_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_folder(tmp_path).mkdir()
    world = World(log_folder(tmp_path))
    made = world.segments()
    made.add(transaction(world.now, "t1"))
    made.write()
    made.begin_anew()
    ask = EventLog.of_traces

    def deleted_first(*given: Any, **wanted: Any) -> dict[str, list[str]]:
        forget(log_folder(tmp_path))
        return ask(*given, **wanted)

    monkeypatch.setattr(EventLog, "of_traces", deleted_first)
    found = stories_of(tmp_path, "t1", since=FROM, until=AFTERWARDS)
    assert (found.stories, found.events) == ((), ())


def test_a_mail_to_many_is_sent_once_each_of_them_has_it(tmp_path: Path) -> None:
    """However many lines that takes, of which only the first and the last are shown."""
    log_folder(tmp_path).mkdir()
    world = World(log_folder(tmp_path))
    made = world.segments()
    many = [f"d{number}@far.example" for number in range(STEPS)]
    made.add(event("queued", world.now, "t1", sender=ALICE, recipients=many))
    for name, reply in (("deferred", "450 later"), ("sent", "250 ok")):
        for each in many:
            world.now = Instant(world.now + 1)
            made.add(event(name, world.now, "t1", sender=ALICE, recipient=each, reply=reply))
    made.write()
    made.begin_anew()
    (found,) = stories_of(tmp_path, "t1", since=FROM, until=AFTERWARDS).stories
    assert (found.outcome, found.reason, len(found.recipients)) == ("sent", "", STEPS)
    assert len(found.steps) == STEPS + 1
    assert found.steps[STEPS // 2].title == f"{STEPS + 1} steps are left out here; `mailstack logs --trace t1` has them"
    assert found.steps[-1].title.startswith(f"sent: {many[-1]}")


def test_where_nothing_is_kept_nothing_is_known(tmp_path: Path) -> None:
    found = stories_of(tmp_path, "t1", since=FROM, until=AFTERWARDS)
    assert (found.stories, found.goes_back_to, found.is_cut) == ((), "", False)
