"""What a client asks for of emails."""

import pytest

from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType
from mailstack.wire.jmap.mail.email_wanted import FETCHED_BY_DEFAULT, MAX_PROPERTIES, EmailWanted, email_wanted


def wanted(**arguments: object) -> EmailWanted:
    given = Arguments(arguments)
    found = email_wanted(given, by_default=FETCHED_BY_DEFAULT)
    given.finish()
    return found


def test_what_is_got_without_asking() -> None:
    found = wanted(properties=None)
    assert {"id", "keywords", "textBody", "preview"} <= found.names
    assert "bodyStructure" not in found.names
    assert [header.given for header in found.headers][:2] == ["messageId", "inReplyTo"]
    assert "headers" not in found.part_names
    assert (found.text_values, found.html_values, found.all_values) == (False, False, False)
    assert found.max_body_value_octets == 0


def test_what_is_asked_for() -> None:
    found = wanted(
        properties=["id", "header:List-POST:asURLs", "bodyValues"],
        bodyProperties=["partId", "header:Content-Type"],
        fetchHTMLBodyValues=True,
        maxBodyValueBytes=256,
    )
    assert found.names == {"id", "bodyValues"}
    assert [header.given for header in found.headers] == ["header:List-POST:asURLs"]
    assert found.part_names == {"partId"}
    assert [header.given for header in found.part_headers] == ["header:Content-Type"]
    assert (found.html_values, found.max_body_value_octets) == (True, 256)


def test_what_is_asked_for_twice_is_looked_for_once() -> None:
    found = wanted(properties=["header:X"] * 1_000, bodyProperties=["header:Y"] * 1_000)
    assert [header.given for header in (*found.headers, *found.part_headers)] == ["header:X", "header:Y"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"properties": ["header:From:asDate"]},
        {"properties": ["colour"]},
        {"properties": ["partId"]},
        {"properties": "id"},
        {"bodyProperties": ["subject"]},
        {"bodyProperties": ["header:Subject:asURLs"]},
        {"maxBodyValueBytes": -1},
        {"fetchAllBodyValues": "yes"},
        {"properties": [f"header:X{number}" for number in range(MAX_PROPERTIES + 1)]},
        {"bodyProperties": [f"header:X{number}" for number in range(MAX_PROPERTIES + 1)]},
    ],
)
def test_what_is_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(MethodFault) as fault:
        wanted(**arguments)
    assert fault.value.type is MethodFaultType.INVALID_ARGUMENTS
