"""What is offered, and that nothing is before it is all there."""

import pytest

from mailstack.servers.jmap.capabilities import CAPABILITIES, offered
from mailstack.servers.jmap.dispatch import METHODS
from mailstack.wire.jmap.limits import JmapLimits
from mailstack.wire.jmap.session import CORE, MAIL, SUBMISSION

ALL = {method for capability in CAPABILITIES for method in capability.methods}


def test_all_is_offered_where_all_is_there() -> None:
    assert [*offered(ALL)] == [capability.urn for capability in CAPABILITIES]


@pytest.mark.parametrize("missing", sorted(ALL))
def test_a_capability_with_a_gap_is_not_offered(missing: str) -> None:
    gone = {capability.urn for capability in CAPABILITIES} - offered(ALL - {missing}).keys()
    assert gone == {capability.urn for capability in CAPABILITIES if missing in capability.methods}
    assert len(gone) == 1


def test_each_method_is_of_the_capability_that_it_says() -> None:
    urns = {method: capability.urn for capability in CAPABILITIES for method in capability.methods}
    assert {name: urns.get(name, method.capability) for name, method in METHODS.items()} == {
        name: method.capability for name, method in METHODS.items()
    }
    assert CORE in offered(METHODS)


def test_mail_is_sent_from_one_s_own_account_and_held_for_a_time() -> None:
    submission = offered(METHODS)[SUBMISSION]
    assert submission.of_account is not None
    assert submission.of_account(JmapLimits(), False) is None
    found = submission.of_account(JmapLimits(message_octets=1_000), True)
    assert found is not None
    assert found["maxDelayedSend"] == 2_592_000
    assert found["submissionExtensions"]["SIZE"] == ["1000"]
    assert found["submissionExtensions"]["FUTURERELEASE"] == []


@pytest.mark.parametrize("is_own", [True, False])
def test_the_facts_of_mail(is_own: bool) -> None:
    mail = offered(ALL)[MAIL]
    assert mail.of_server(JmapLimits()) == {}
    assert mail.of_account is not None
    found = mail.of_account(JmapLimits(message_octets=1_000), is_own)
    assert found is not None
    assert found["mayCreateTopLevelMailbox"] is is_own
    assert found["maxSizeMailboxName"] >= 100
    assert found["maxSizeAttachmentsPerEmail"] == 720
    assert "receivedAt" in found["emailQuerySortOptions"]
