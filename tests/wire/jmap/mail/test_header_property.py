"""Properties that are header fields, and the forms they may have."""

import pytest

from mailstack.wire.jmap.mail.header_property import HeaderForm, HeaderProperty, header_property, is_header_property


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("header:subject", HeaderProperty("header:subject", "subject", HeaderForm.RAW)),
        (
            "header:Resent-To:asAddresses:all",
            HeaderProperty("header:Resent-To:asAddresses:all", "Resent-To", HeaderForm.ADDRESSES, is_all=True),
        ),
        ("header:X-Foo:all", HeaderProperty("header:X-Foo:all", "X-Foo", HeaderForm.RAW, is_all=True)),
        (
            "header:List-POST:asURLs",
            HeaderProperty("header:List-POST:asURLs", "List-POST", HeaderForm.URLS),
        ),
    ],
)
def test_names(given: str, expected: HeaderProperty) -> None:
    assert is_header_property(given)
    assert header_property(given) == expected
    assert expected.field == expected.name.lower().encode()


@pytest.mark.parametrize(
    "given",
    [
        "header:",
        "header:a b",
        "header:Sübject",
        "header:a:",
        "header:a:asNothing",
        "header:a:asraw",
        "header:a:all:asText",
        "header:a:asText:all:all",
        "header::asText",
        "Header:a",
    ],
)
def test_what_is_no_property(given: str) -> None:
    assert header_property(given) is None


_DEFINED = {
    HeaderForm.TEXT: ["Subject", "Comments", "Keywords"],
    HeaderForm.ADDRESSES: ["From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Resent-From", "Resent-Reply-To"],
    HeaderForm.MESSAGE_IDS: ["Message-ID", "In-Reply-To", "References", "Resent-Message-ID"],
    HeaderForm.DATE: ["Date", "Resent-Date"],
    HeaderForm.URLS: ["List-Help", "List-Unsubscribe", "List-Subscribe", "List-Post", "List-Owner", "List-Archive"],
}
_FIELDS = [(form, name) for form, names in _DEFINED.items() for name in names]


@pytest.mark.parametrize(("form", "name"), _FIELDS, ids=lambda value: str(value))
def test_a_defined_field_has_its_own_forms_only(form: HeaderForm, name: str) -> None:
    own = {HeaderForm.RAW, form} | ({HeaderForm.GROUPED_ADDRESSES} if form is HeaderForm.ADDRESSES else set())
    for each in HeaderForm:
        assert (header_property(f"header:{name}:{each.value}") is not None) == (each in own)


@pytest.mark.parametrize("form", HeaderForm)
def test_any_other_field_has_all_forms(form: HeaderForm) -> None:
    assert header_property(f"header:X-Other:{form.value}") is not None
    assert header_property(f"header:List-Id:{form.value}") is not None
