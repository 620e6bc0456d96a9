"""Random specs that hold together, for what must be true of every pair of them."""

from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

DOMAINS = ("example.com", "other.example", "alias.example")
PEOPLE = ("alice", "bob", "carol", "dave")
FURTHER = ("sales", "info", "team")
HASH = "$2b$12$" + "a" * 53

# One key a domain, of the kind that takes no time to make.
_ED25519 = {"algorithms": ["ed25519"]}


def _accounts(domains: Sequence[str]) -> st.SearchStrategy[Mapping[str, Mapping[str, object]]]:
    logins = [f"{person}@{domain}" for person in PEOPLE for domain in domains[:2]]
    account = st.fixed_dictionaries(
        {},
        optional={
            "name": st.sampled_from(["", "A", "B"]),
            "password": st.sampled_from([HASH, "env/ONE", "env/TWO"]),
            "quota": st.sampled_from([None, "1GiB", "2GiB"]),
            "roles": st.just(["admin"]),
            "can": st.sampled_from([["submit"], ["read", "receive"]]),
        },
    )
    return st.dictionaries(st.sampled_from(logins), account, max_size=5)


@st.composite
def spec_settings(draw: st.DrawFn) -> dict[str, object]:
    domains = draw(st.lists(st.sampled_from(DOMAINS), min_size=1, unique=True))
    accounts = {login: dict(account) for login, account in draw(_accounts(domains)).items()}
    if accounts:
        # Each further address has one owner, who may be another one in the next spec.
        for local in FURTHER:
            owner = draw(st.sampled_from([None, *accounts]))
            if owner is not None:
                addresses = accounts[owner].setdefault("addresses", [])
                assert isinstance(addresses, list)
                addresses.append(f"{local}@{domains[0]}")
    # Old names are free in this spec, new ones are declared in it, and each stands once.
    free = [f"{person}@{domain}" for person in PEOPLE for domain in DOMAINS if f"{person}@{domain}" not in accounts]
    olds = draw(st.lists(st.sampled_from(free), max_size=2, unique=True))
    news = draw(st.lists(st.sampled_from(sorted(accounts) or [""]), max_size=2, unique=True))
    moved = [{"from": old, "to": new} for old, new in zip(olds, news, strict=False) if new]
    chosen = {
        "hostname": st.sampled_from(["mail.example.com", "mx.example.com"]),
        "separators": st.sampled_from(["", "+", "-"]),
        "secret": st.sampled_from(["env/ONE", "env/TWO"]),
        "provider": st.sampled_from(["p", "manual"]),
        "ttl": st.sampled_from([60, 3600]),
    }
    aliased, relays, zones = (draw(st.sets(st.sampled_from(names))) for names in (domains, ["r1", "r2"], list(DOMAINS)))
    return {
        "server": {"hostname": draw(chosen["hostname"]), "addresses": ["192.0.2.1"]},
        "domains": {
            domain: {"dkim": _ED25519, "subaddress_separators": draw(chosen["separators"])} for domain in domains
        },
        "accounts": accounts,
        "moved": moved,
        "aliases": {f"postmaster@{domain}": ["root@elsewhere.example"] for domain in sorted(aliased)},
        "relays": {
            name: {"host": "relay.example", "username": "me", "password": draw(chosen["secret"])}
            for name in sorted(relays)
        },
        "dns": {
            "providers": {"p": {"class": "mailstack.reconcile.dns.zone_file.ZoneFileProvider", "directory": "zones"}},
            "zones": {
                zone: {"provider": draw(chosen["provider"]), "ttl": draw(chosen["ttl"])} for zone in sorted(zones)
            },
        },
    }
