"""Senders that are named: what counts of them, and what is told where nothing proves who they are."""

from mailstack.model.spam import SpamPolicy
from mailstack.services.spam.named_senders import ALLOWED, NamedSenders
from mailstack.services.spam.policies import Policies
from mailstack.spam.rules.evidence import Ours
from tests.support.examined import examined

RAW = b"From: Carol <carol@shop.example>\r\nSubject: Offer\r\n\r\nx\r\n"


def test_an_entry_that_nothing_proves_counts_nothing_and_says_so() -> None:
    named = NamedSenders(policies=Policies(server=SpamPolicy(allow=("shop.example",))), ours=Ours())
    found = named.finding(examined(RAW), None)
    assert found is not None
    assert (found.rule, found.points) == (ALLOWED, 0.0)
    assert found.why == "shop.example is let in here, and nothing proves that this is from there"


def test_of_who_is_not_named_nothing_is_said() -> None:
    named = NamedSenders(policies=Policies(server=SpamPolicy(allow=("other.example",))), ours=Ours())
    assert named.finding(examined(RAW), None) is None
