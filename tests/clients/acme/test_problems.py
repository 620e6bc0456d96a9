"""What an authority's problems become: a sentence that names the host and the way out."""

from datetime import UTC, datetime

import pytest

from mailstack.clients.acme.problems import LONGEST_DETAIL, Problem, sentence
from mailstack.model.issuance import ProofMethod

HTTP, TLS, DNS = ProofMethod.HTTP_01, ProofMethod.TLS_ALPN_01, ProofMethod.DNS_01


@pytest.mark.parametrize(
    ("code", "method", "told"),
    [
        ("connection", HTTP, "cannot connect to port 80 of mail.example.com: open it"),
        ("connection", TLS, "cannot connect to port 443 of mail.example.com: open it"),
        ("connection", DNS, "cannot ask the name servers of mail.example.com"),
        ("unauthorized", HTTP, "somebody else answers at port 80 of mail.example.com"),
        ("incorrectResponse", DNS, "another TXT record at _acme-challenge.mail.example.com"),
        ("tls", TLS, "somebody else answers at port 443 of mail.example.com"),
        ("dns", HTTP, "no address for mail.example.com: publish"),
        ("caa", HTTP, "a CAA record forbids this authority to issue for mail.example.com"),
        ("rejectedIdentifier", HTTP, "does not issue for mail.example.com"),
        ("badCSR", HTTP, "change tls.acme.key"),
        ("invalidContact", HTTP, "tls.acme.email"),
        ("serverInternal", HTTP, "the authority refuses mail.example.com"),
        ("never seen before", HTTP, "the authority refuses mail.example.com"),
    ],
)
def test_a_problem_names_the_host_and_what_to_do(code: str, method: ProofMethod, told: str) -> None:
    assert told in sentence(Problem(code=code, detail=""), host="mail.example.com", method=method)


def test_the_authoritys_own_words_are_quoted_and_shortened() -> None:
    words = "a\x1b[31mb\r\n" + "c" * 1_000
    told = sentence(Problem(code="dns", detail=words), host="mail.example.com", method=HTTP)
    assert "(it says: a [31mb ccc" in told
    assert told.isprintable()
    assert len(told) < LONGEST_DETAIL + 200


def test_the_problem_knows_better_which_host_it_is_about() -> None:
    problem = Problem(code="caa", detail="", host="mta-sts.example.com")
    assert "mta-sts.example.com" in sentence(problem, host="mail.example.com", method=HTTP)


def test_a_rate_limit_says_until_when() -> None:
    limited = Problem(code="rateLimited", detail="slow down")
    until = datetime(2027, 1, 2, 3, 4, tzinfo=UTC)
    assert "until 2027-01-02 03:04 UTC" in sentence(limited, host="mail.example.com", method=HTTP, until=until)
    assert "for now" in sentence(limited, host="mail.example.com", method=HTTP)
