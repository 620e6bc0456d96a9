"""What counts as a difference."""

from collections.abc import Mapping, Sequence

import pytest

from mailstack.app.spec_tests.filtering import ByScripts
from mailstack.app.spec_tests.judge import judge_mail, judge_records
from mailstack.app.spec_tests.mail import LATER, Happened
from mailstack.model.delivery import SmtpReply
from mailstack.reconcile.dns.record_set import RecordSet
from mailstack.spec.sections.tests import Expectation, Send

ALICE, BOB, FRIEND = "alice@example.com", "bob@example.com", "friend@x.example"
UNKNOWN = SmtpReply(code=550, status="5.1.1", text="No such recipient here")
FULL = SmtpReply(code=452, status="4.2.2", text="Mailbox full")
SEND = Send.model_validate({"from": "x@y.example", "to": (ALICE, BOB)})


def test_a_warm_up_is_taken_as_over_and_told() -> None:
    found = Happened(
        refused=None, refusals={}, copies={}, leaving={FRIEND: "direct"}, story=(), warming={FRIEND: "ses"}
    )
    assert list(judge_mail(Expectation.model_validate({"forwarded": {FRIEND: "direct"}}), SEND, found)) == []
    differences = judge_mail(Expectation.model_validate({"forwarded": {FRIEND: "ses"}}), SEND, found)
    assert list(map(str, differences)) == [
        "forwarded: expected friend@x.example by way of ses, found friend@x.example by way of direct"
        " (its warm-up is taken as over; till then ses has a share)"
    ]


def happened(
    copies: Mapping[str, Sequence[str]] | None = None,
    leaving: Mapping[str, str] | None = None,
    refusals: Mapping[str, SmtpReply] | None = None,
    refused: SmtpReply | None = None,
) -> Happened:
    return Happened(refused=refused, refusals=refusals or {}, copies=copies or {}, leaving=leaving or {}, story=())


@pytest.mark.parametrize(
    ("expect", "what"),
    [
        ({"delivered": ALICE}, happened({ALICE: ["INBOX"]})),
        ({"delivered": {ALICE: ("INBOX", "INBOX")}}, happened({ALICE: ["INBOX", "INBOX"]})),
        ({"delivered": ALICE, "forwarded": FRIEND}, happened({ALICE: ["INBOX"]}, {FRIEND: "ses"})),
        ({"forwarded": {FRIEND: "ses"}}, happened(leaving={FRIEND: "ses"})),
        ({"delivered": ALICE, "rejected": {"to": BOB}}, happened({ALICE: ["INBOX"]}, refusals={BOB: UNKNOWN})),
        ({"rejected": "5.1.1"}, happened(refusals={ALICE: UNKNOWN, BOB: UNKNOWN})),
        ({"rejected": 550}, happened(refused=UNKNOWN)),
        ({"rejected": {"code": "4.2.2", "text": "FULL"}}, happened(refused=FULL)),
        ({"rejected": True}, happened(refused=FULL)),
        ({"not_delivered": BOB}, happened({ALICE: ["INBOX"]}, {FRIEND: "ses"}, {BOB: UNKNOWN})),
    ],
)
def test_as_expected(expect: object, what: Happened) -> None:
    assert list(judge_mail(Expectation.model_validate(expect), SEND, what)) == []


@pytest.mark.parametrize(
    ("expect", "what", "differences"),
    [
        ({"delivered": ALICE}, happened(), ["delivered: expected alice@example.com: INBOX, found nothing"]),
        (
            {"delivered": ALICE},
            happened({ALICE: ["INBOX", "INBOX"]}),
            ["delivered: expected alice@example.com: INBOX, found alice@example.com: INBOX, INBOX"],
        ),
        (
            {"delivered": ALICE},
            happened({ALICE: ["INBOX"], BOB: ["INBOX"]}, {FRIEND: "direct"}),
            [
                "delivered: not expected: bob@example.com: INBOX",
                "forwarded: not expected: friend@x.example by way of direct",
            ],
        ),
        (
            {"delivered": (ALICE, BOB)},
            happened({ALICE: ["INBOX"]}, {BOB: LATER}),
            [
                "delivered: expected bob@example.com: INBOX,"
                " found bob@example.com cannot take it now: it waits in the queue"
            ],
        ),
        (
            {"delivered": ALICE},
            happened(refused=UNKNOWN),
            [
                "delivered: expected alice@example.com: INBOX,"
                " found the mail was refused: 550 5.1.1 No such recipient here",
                "rejected: not expected: the mail: 550 5.1.1 No such recipient here",
            ],
        ),
        (
            {"delivered": ALICE},
            happened({ALICE: ["INBOX"]}, refusals={BOB: FULL}),
            ["rejected: not expected: bob@example.com: 452 4.2.2 Mailbox full"],
        ),
        (
            {"forwarded": {FRIEND: "ses"}},
            happened(leaving={FRIEND: "direct"}),
            ["forwarded: expected friend@x.example by way of ses, found friend@x.example by way of direct"],
        ),
        (
            {"rejected": {"code": "5.7.1", "text": "no"}},
            happened(refused=UNKNOWN),
            ['rejected: expected refusal 5.7.1 with "no", found 550 5.1.1 No such recipient here'],
        ),
        (
            {"rejected": True},
            happened({ALICE: ["INBOX"]}, refusals={BOB: UNKNOWN}),
            [
                "delivered: not expected: alice@example.com: INBOX",
                'rejected: expected any refusal, found the mail was taken for "alice@example.com"',
            ],
        ),
        (
            {"rejected": {"to": ALICE}},
            happened({ALICE: ["INBOX"]}, refusals={BOB: UNKNOWN}),
            [
                "delivered: not expected: alice@example.com: INBOX",
                "rejected: expected any refusal for alice@example.com, found the recipient was taken",
                "rejected: not expected: bob@example.com: 550 5.1.1 No such recipient here",
            ],
        ),
        (
            {"not_delivered": BOB},
            happened({BOB: ["INBOX"]}),
            ["not_delivered: expected no copy for bob@example.com, found bob@example.com: INBOX"],
        ),
    ],
)
def test_otherwise_than_expected(expect: object, what: Happened, differences: list[str]) -> None:
    assert differences == [str(found) for found in judge_mail(Expectation.model_validate(expect), SEND, what)]


MX = RecordSet(name="example.com", type="MX", values=("10 a.example.", "20 b.example."))


@pytest.mark.parametrize(
    ("expect", "records", "differences"),
    [
        ({"contains": ("10", "b.")}, [MX], []),
        ({"contains": "c."}, [MX], ['contains: expected "c.", found "10 a.example.", "20 b.example."']),
        ({"equals": ("20 b.example.", "10 a.example.")}, [MX], []),
        (
            {"equals": "10 a.example."},
            [MX],
            ['equals: expected "10 a.example.", found "10 a.example.", "20 b.example."'],
        ),
        ({"count": 2}, [MX], []),
        ({"count": 0}, [], []),
        ({"count": 1}, [], ["count: expected 1, found 0: no such record"]),
        ({"absent": True}, [], []),
        ({"absent": True}, [MX], ['absent: expected no such record, found "10 a.example.", "20 b.example."']),
        ({"absent": False}, [MX], []),
        ({"absent": False}, [], ["absent: expected a record, found no such record"]),
    ],
)
def test_records(expect: object, records: list[RecordSet], differences: list[str]) -> None:
    assert differences == [str(found) for found in judge_records(Expectation.model_validate(expect), records)]


NO_THANKS = SmtpReply(code=550, status="5.7.1", text="no thanks")


def filtered(refused: SmtpReply | None = None, copies: Sequence[str] = (), **scripts: object) -> Happened:
    """copies: in the INBOX of these."""
    return Happened(
        refused=refused,
        refusals={},
        copies={login: ["INBOX"] for login in copies},
        leaving={},
        story=(),
        scripts=ByScripts(**scripts),  # type: ignore[arg-type]  # as the rows below have it
    )


@pytest.mark.parametrize(
    ("expect", "what"),
    [
        ({"discarded": ALICE}, filtered(discarding=[ALICE])),
        ({"discarded": (ALICE, BOB)}, filtered(discarding=[BOB, ALICE])),
        ({"delivered": BOB, "discarded": ALICE}, filtered(copies=[BOB], discarding=[ALICE])),
        ({"delivered": ALICE, "notified": FRIEND}, filtered(copies=[ALICE], notified=[FRIEND])),
        # Answers are looked at where something is said of them.
        ({"delivered": ALICE}, filtered(copies=[ALICE], answering=[ALICE])),
        ({"answered": True}, filtered(copies=[ALICE], answering=[ALICE])),
        ({"answered": ALICE}, filtered(copies=[ALICE], answering=[ALICE])),
        ({"answered": False}, filtered(copies=[ALICE])),
        ({"delivered": BOB, "rejected": {"by": ALICE}}, filtered(copies=[BOB], refusing={ALICE: NO_THANKS})),
        ({"rejected": {"by": ALICE, "text": "thanks"}}, filtered(NO_THANKS, refusing={ALICE: NO_THANKS})),
        ({"rejected": {"text": "thanks"}}, filtered(NO_THANKS, refusing={ALICE: NO_THANKS})),
        # A reason that no reply can hold comes in a notice.
        ({"rejected": {"text": "thanks"}}, filtered(refusing={ALICE: NO_THANKS})),
    ],
)
def test_what_scripts_do_is_as_expected(expect: object, what: Happened) -> None:
    assert list(judge_mail(Expectation.model_validate(expect), SEND, what)) == []


@pytest.mark.parametrize(
    ("expect", "what", "differences"),
    [
        ({"discarded": ALICE}, filtered(), ["discarded: expected alice@example.com, found nothing"]),
        (
            {"delivered": BOB},
            filtered(copies=[BOB], discarding=[ALICE], notified=[FRIEND]),
            ["discarded: not expected: alice@example.com", "notified: not expected: friend@x.example"],
        ),
        ({"notified": FRIEND}, filtered(), ["notified: expected friend@x.example, found nothing"]),
        ({"answered": True}, filtered(copies=[BOB]), ["answered: expected an answer to the sender, found nothing"]),
        ({"answered": False}, filtered(answering=[BOB]), ["answered: not expected: bob@example.com"]),
        (
            {"answered": ALICE},
            filtered(answering=[BOB]),
            ["answered: expected alice@example.com, found nothing", "answered: not expected: bob@example.com"],
        ),
        (
            {"delivered": BOB},
            filtered(copies=[BOB], refusing={ALICE: NO_THANKS}),
            ["rejected: not expected: by alice@example.com: 550 5.7.1 no thanks"],
        ),
        (
            {"rejected": {"by": ALICE}},
            filtered(FULL),
            [
                "rejected: expected any refusal by alice@example.com, found nothing",
                "rejected: not expected: the mail: 452 4.2.2 Mailbox full",
            ],
        ),
        (
            {"rejected": {"by": ALICE, "text": "please"}},
            filtered(NO_THANKS, refusing={ALICE: NO_THANKS, BOB: NO_THANKS}),
            [
                'rejected: expected any refusal with "please" by alice@example.com, found 550 5.7.1 no thanks',
                "rejected: not expected: by bob@example.com: 550 5.7.1 no thanks",
            ],
        ),
        (
            {"rejected": True},
            filtered(copies=[BOB], refusing={ALICE: NO_THANKS}),
            [
                "delivered: not expected: bob@example.com: INBOX",
                'rejected: expected any refusal, found the mail was taken for "alice@example.com", "bob@example.com"',
            ],
        ),
        # Whatever is expected: nobody means a script to fail.
        (
            {"answered": False},
            filtered(copies=[ALICE], failed={ALICE: "line 3: too many steps"}),
            ["scripts: not expected: alice@example.com: line 3: too many steps"],
        ),
    ],
)
def test_what_scripts_do_otherwise(expect: object, what: Happened, differences: Sequence[str]) -> None:
    assert list(map(str, judge_mail(Expectation.model_validate(expect), SEND, what))) == differences
