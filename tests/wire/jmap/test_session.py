"""The session object, and when its state is another."""

from dataclasses import replace

from mailstack.wire.jmap.limits import JmapLimits
from mailstack.wire.jmap.session import CORE, MAIL, SessionFacts, SharedAccount, core_capability

FACTS = SessionFacts(
    username="john@example.com",
    capabilities={CORE: core_capability(JmapLimits(), ["i;octet"]), MAIL: {}},
    accounts=[
        SharedAccount(account_id="A1", name="john@example.com", is_personal=True, capabilities={MAIL: {"a": 1}}),
        SharedAccount(account_id="A2", name="jane@example.com", is_personal=False, capabilities={MAIL: {"a": 2}}),
    ],
)


def test_all_that_the_rfc_asks_for() -> None:
    assert FACTS.as_json("https://mail.example.com:8443") == {
        "username": "john@example.com",
        "capabilities": {
            CORE: {
                "maxSizeUpload": 50_000_000,
                "maxConcurrentUpload": 8,
                "maxSizeRequest": 10_000_000,
                "maxConcurrentRequests": 8,
                "maxCallsInRequest": 64,
                "maxObjectsInGet": 1_000,
                "maxObjectsInSet": 1_000,
                "collationAlgorithms": ["i;octet"],
            },
            MAIL: {},
        },
        "accounts": {
            "A1": {
                "name": "john@example.com",
                "isPersonal": True,
                "isReadOnly": False,
                "accountCapabilities": {MAIL: {"a": 1}},
            },
            "A2": {
                "name": "jane@example.com",
                "isPersonal": False,
                "isReadOnly": False,
                "accountCapabilities": {MAIL: {"a": 2}},
            },
        },
        "primaryAccounts": {MAIL: "A1"},
        "apiUrl": "https://mail.example.com:8443/jmap/api",
        "downloadUrl": "https://mail.example.com:8443/jmap/download/{accountId}/{blobId}/{name}?accept={type}",
        "uploadUrl": "https://mail.example.com:8443/jmap/upload/{accountId}",
        "eventSourceUrl": "https://mail.example.com:8443/jmap/events?types={types}&closeafter={closeafter}&ping={ping}",
        "state": FACTS.state,
    }


def test_the_state_changes_with_what_there_is_and_not_with_where_it_is_asked_for() -> None:
    assert FACTS.as_json("https://a.example")["state"] == FACTS.as_json("http://b.example")["state"]
    others = [
        replace(FACTS, username="x"),
        replace(FACTS, accounts=FACTS.accounts[:1]),
        replace(FACTS, accounts=[FACTS.accounts[0], replace(FACTS.accounts[1], capabilities={})]),
        replace(FACTS, capabilities={CORE: FACTS.capabilities[CORE]}),
    ]
    assert len({FACTS.state, *(other.state for other in others)}) == 5
