"""RFC 5703 §7."""

import pytest

from mailstack.sieve.actions import FileInto
from tests.support.sieve import done, faults

REQUIRE = 'require ["foreverypart", "extracttext", "variables", "fileinto", "mime", "regex"];'


def extracted(arguments: str, header: str, body: str) -> str:
    script = f'{REQUIRE} foreverypart {{ extracttext {arguments} "text"; }} fileinto "[${{text}}]";'
    (action,) = done(script, f"{header}\n\n{body}")
    assert isinstance(action, FileInto)
    return action.mailbox[1:-1]


@pytest.mark.parametrize(
    ("arguments", "header", "body", "text"),
    [
        ("", "Subject: x", "plain text", "plain text"),
        (":first 5", "Subject: x", "plain text", "plain"),
        (":first 0", "Subject: x", "plain text", ""),
        (":first 99 :upper", "Subject: x", "plain text", "PLAIN TEXT"),
        (":length", "Subject: x", "plain text", "10"),
        (":quoteregex", "Subject: x", "a.b", "a\\.b"),
        ("", "Content-Type: text/html", "<p>some <b>bold</b></p>", " some bold "),
        (
            ":first 4",
            "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64",
            "w6TDtsO8",
            "\u00e4\u00f6\u00fc",
        ),
        (
            "",
            "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable",
            "=E4",
            "\u00e4",
        ),
        # What nobody knows, and what is no text, is empty.
        ("", "Content-Type: text/plain; charset=x-nobodys", "abc", ""),
        ("", "Content-Transfer-Encoding: x-nobodys", "abc", ""),
        ("", "Content-Type: image/png", "abc", ""),
    ],
)
def test_texts(arguments: str, header: str, body: str, text: str) -> None:
    assert extracted(arguments, header, body) == text


def test_each_part_has_its_own() -> None:
    message = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo\n--b--\n"
    script = f'{REQUIRE} foreverypart {{ extracttext "t"; set "all" "${{all}}${{t}},"; }} fileinto "${{all}}";'
    assert done(script, message) == [FileInto(mailbox=",one,two,")]


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ('extracttext "a";', "'extracttext' outside of 'foreverypart'"),
        ("foreverypart { extracttext; }", "requires "),
        ("foreverypart { extracttext 1; }", "expects a string"),
        ('foreverypart { extracttext ["a"]; }', "expects a string"),
        ('foreverypart { extracttext "${a}"; }', "must be known beforehand"),
        ('foreverypart { extracttext "0"; }', "no name of a variable"),
        ('foreverypart { extracttext :first "a"; }', "expects a number"),
        ('foreverypart { extracttext :upper :lower "a"; }', "together with"),
    ],
)
def test_faults(script: str, says: str) -> None:
    (fault,) = faults(f"{REQUIRE} {script}")
    assert says in fault


def test_it_needs_variables() -> None:
    (fault,) = faults('require ["extracttext", "foreverypart"]; foreverypart { extracttext "a"; }')
    assert "require 'variables' first" in fault
