"""Defaults and relative paths, filled in."""

from pathlib import Path

from mailstack.spec.expand import expand
from mailstack.spec.model import Spec


def spec(**sections: object) -> Spec:
    return Spec.model_validate(
        {"server": {"hostname": "mail.example.com"}, "domains": {"example.com": None}, **sections}
    )


def test_accounts_take_what_they_do_not_say() -> None:
    before = spec(
        defaults={"account": {"quota": "5GiB"}},
        accounts={"a@example.com": None, "b@example.com": {"quota": "1GiB"}, "c@example.com": {"quota": None}},
    )
    accounts = expand(before, Path("/x")).accounts
    assert {address: account.quota for address, account in accounts.items()} == {
        "a@example.com": 5 << 30,
        "b@example.com": 1 << 30,
        "c@example.com": None,
    }


def test_without_defaults_accounts_stay_as_they_are() -> None:
    before = spec(accounts={"a@example.com": None})
    assert expand(before, Path("/x")).accounts is before.accounts


def test_paths_become_absolute() -> None:
    files = ({"certificate": "tls/a.pem", "key": "file/tls/a.key"}, {"certificate": "/b.pem", "key": "env/KEY"})
    after = expand(spec(storage={"path": "data"}, tls={"issuer": "files", "files": files}), Path("/x"))
    assert after.storage.path == Path("/x/data")
    assert [pair.certificate for pair in after.tls.files] == [Path("/x/tls/a.pem"), Path("/b.pem")]
    assert after.tls.files[0].key.get_secret_value() == "file/tls/a.key"
    events = {"servers": ("tls://nats.example.net",), "ca": "tls/nats.pem"}
    shared = expand(spec(storage={"database": "env/DATABASE_URL", "events": events}), Path("/x")).storage.events
    assert shared is not None
    assert shared.ca == Path("/x/tls/nats.pem")
    assert expand(spec(), Path("relative")).storage.path == Path("/var/lib/mailstack")
