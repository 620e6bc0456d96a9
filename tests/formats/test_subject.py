"""RFC 5256 §2.1: base subjects."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.formats.subject import base_subject, is_reply_or_forward


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("plain", "plain"),
        ("Re: plain", "plain"),
        ("RE: Fwd: FW: plain", "plain"),
        ("re[2]: plain", "plain"),
        ("Re [x] : plain", "plain"),
        ("[list] Re: plain", "plain"),
        ("Re: [list] plain", "plain"),
        ("[a] [b] plain (fwd) (FWD)", "plain"),
        ("[only a blob]", "[only a blob]"),
        ("Re: [only a blob]", "[only a blob]"),
        ("[fwd: Re: plain]", "plain"),
        ("[Fwd: [fwd: plain] (fwd)]", "plain"),
        ("two \t spaces\r\n here", "two spaces here"),
        ("Reply: kept", "Reply: kept"),
        ("Re:", ""),
        ("", ""),
    ],
)
def test_base_subject(subject: str, expected: str) -> None:
    assert base_subject(subject) == expected


@settings(derandomize=True)
@given(st.lists(st.sampled_from(["re", ":", "[", "]", "fwd", "fw", " ", "(fwd)", "x", "[a]", "[fwd:"])).map("".join))
def test_a_base_subject_is_its_own_base(subject: str) -> None:
    base = base_subject(subject)
    assert base_subject(base) == base


@settings(derandomize=True)
@given(st.text(st.sampled_from("refwd:[]() x\u00a0\u2003\t"), max_size=12))
def test_a_space_in_front_changes_nothing(subject: str) -> None:
    assert base_subject(subject) == base_subject(f" {subject}")


@pytest.mark.parametrize("piece", ["re:", "[a]", "[", "(fwd)", "[fwd:", " ", "re[a]"])
def test_hostile_subjects_end_soon(piece: str) -> None:
    base_subject(piece * 50_000)


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("plain", False),
        ("  plain  ", False),
        ("[list] plain", False),
        ("Re: plain", True),
        ("[list] re[3]: plain", True),
        ("plain (fwd)", True),
        ("[fwd: plain]", True),
        ("[fwd: plain", False),
        ("", False),
    ],
)
def test_what_is_a_reply_or_forward(subject: str, expected: bool) -> None:
    # RFC 5256 §3
    assert is_reply_or_forward(subject) is expected
