"""Scores and their reasons; and how few messages it takes to teach an account."""

import pytest

from mailstack.spam.features import Features, features_of
from mailstack.spam.judge import MAX_POINTS, Models, account_lesson, judge, reasons
from mailstack.spam.model import ACCOUNT_BITS, Model, empty

BITS = 16
HAM = (
    b"From: Carol <carol@example.com>\r\nTo: dave@example.com\r\nSubject: Minutes of Tuesday\r\n\r\n"
    b"Hello Dave, here are the minutes of the meeting on Tuesday. See you next week, Carol\r\n"
)


def spam(number: int) -> Features:
    return features_of(
        b"From: Deals <deals@shop%d.example>\r\nTo: dave@example.com\r\nSubject: Offer %d for you\r\n\r\n"
        b"Dear customer, buy cheap replica watches at our shop today, number %d of this week.\r\n"
        b"http://shop%d.example/\r\n" % ((number,) * 4)
    )


def shared(count: int) -> Model:
    model = Model(empty(BITS))
    for number in range(count):
        model.learn(model.lesson(spam(number), is_spam=True))
        model.learn(model.lesson(features_of(HAM), is_spam=False))
    return model


def test_who_knows_nothing_says_so() -> None:
    judgement = judge(spam(1), Models(shared=Model(empty(BITS))))
    assert (judgement.score, judgement.points) == (0.5, 0.0)


def test_a_server_that_learned_both_kinds_tells_them_apart() -> None:
    models = Models(shared=shared(100))
    assert judge(spam(999), models).score > 0.99
    assert judge(features_of(HAM), models).score < 0.01


def test_a_server_that_was_shown_one_kind_only_is_not_believed() -> None:
    model = Model(empty(BITS))
    for number in range(50):
        model.learn(model.lesson(spam(number), is_spam=True))
    assert judge(features_of(HAM), Models(shared=model)).points == 0.0


def test_points_are_bounded() -> None:
    model = shared(400)
    assert judge(spam(7), Models(shared=model)).points == MAX_POINTS
    assert judge(features_of(HAM), Models(shared=model)).points == -MAX_POINTS


def test_three_of_a_kind_teach_an_account_the_fourth() -> None:
    nothing, account = Model(empty(BITS)), Model(empty(ACCOUNT_BITS))
    for number in range(3):
        account.learn(account_lesson(spam(number), account, nothing, is_spam=True))
    models = Models(shared=nothing, account=account)
    assert judge(spam(4), models).points >= 5
    assert judge(features_of(HAM), models).points < 2


def test_an_account_can_say_otherwise_than_the_server() -> None:
    model, account = shared(100), Model(empty(ACCOUNT_BITS))
    assert judge(spam(1), Models(shared=model)).points > 3
    for number in range(5):
        account.learn(account_lesson(spam(number), account, model, is_spam=False))
    assert judge(spam(9), Models(shared=model, account=account)).points < 0


def test_an_account_learns_little_of_what_the_server_knows() -> None:
    account = Model(empty(ACCOUNT_BITS))
    assert account_lesson(spam(1), account, shared(200), is_spam=True).text_delta == 0


def test_reasons_are_words_and_add_up() -> None:
    model, account = shared(20), Model(empty(ACCOUNT_BITS))
    account.learn(account_lesson(spam(1), account, model, is_spam=False))
    models = Models(shared=model, account=account)
    features = spam(5)
    found = reasons(features, models, most=10_000)
    assert sum(reason.points for reason in found) == pytest.approx(judge(features, models).points, abs=1e-6)
    assert {"replica", "subject offer", "link to example"} <= {reason.name for reason in found}


def test_the_strongest_reasons_come_first() -> None:
    found = reasons(spam(5), Models(shared=shared(30)), most=5)
    sizes = [abs(reason.points) for reason in found]
    assert len(found) == 5
    assert sizes == sorted(sizes, reverse=True)


def test_nothing_known_is_no_reason() -> None:
    assert reasons(spam(5), Models(shared=Model(empty(BITS))), most=5) == ()
