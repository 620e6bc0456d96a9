"""RET, ENVID, NOTIFY and ORCPT, as a client gives them. RFC 3461 §4, RFC 6533 §3."""

import pytest

from mailstack.model.errors import Invalid
from mailstack.model.handling import UNASKED, Notification, NotifyOn, Returned
from mailstack.servers.delivery_parameters import parse_envelope_id, parse_notification, parse_returned


def test_what_is_not_asked_is_not_there() -> None:
    assert parse_returned({}) is None
    assert parse_envelope_id({}) == ""
    assert parse_notification({}, smtp_utf8=False) == UNASKED


def test_what_is_asked_is_kept_as_written() -> None:
    assert parse_returned({"RET": "hdrs"}) is Returned.HEADERS
    assert parse_envelope_id({"ENVID": "a+2Bb"}) == "a+2Bb"
    asked = {"NOTIFY": "success,DELAY", "ORCPT": "rfc822;bob+2Bx@example.com"}
    assert parse_notification(asked, smtp_utf8=False) == Notification(
        notify_on=frozenset({NotifyOn.SUCCESS, NotifyOn.DELAY}), original_recipient="rfc822;bob+2Bx@example.com"
    )
    assert parse_notification({"NOTIFY": "never"}, smtp_utf8=False).notify_on == frozenset()


@pytest.mark.parametrize(
    "parameters",
    [
        {"NOTIFY": None},
        {"NOTIFY": "NEVER,SUCCESS"},
        {"NOTIFY": "SUCCESS,SUCCESS"},
        {"NOTIFY": "SOMETIMES"},
        {"ORCPT": None},
        {"ORCPT": "rfc822;"},
        {"ORCPT": "bob@example.com"},
        {"ORCPT": "rfc822;bob=x@example.com"},
        {"ORCPT": "utf-8;bücher@example.com"},
    ],
)
def test_a_recipient_s_wish_that_is_none_is_refused(parameters: dict[str, str | None]) -> None:
    with pytest.raises(Invalid):
        parse_notification(parameters, smtp_utf8=False)


@pytest.mark.parametrize("parameters", [{"RET": None}, {"RET": "BODY"}])
def test_a_wish_for_what_returns_that_is_none_is_refused(parameters: dict[str, str | None]) -> None:
    with pytest.raises(Invalid):
        parse_returned(parameters)


@pytest.mark.parametrize("text", [None, "", "a" * 101, "a+2b", "a+0D"])
def test_an_envelope_id_that_is_no_xtext_is_refused(text: str | None) -> None:
    with pytest.raises(Invalid):
        parse_envelope_id({"ENVID": text})
