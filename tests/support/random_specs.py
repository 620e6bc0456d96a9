"""Random specs that hold together, for what must be true of every pair of them."""

from collections.abc import Collection, Mapping, Sequence

from hypothesis import strategies as st

DOMAINS = ("example.com", "other.example", "alias.example")
PEOPLE = ("alice", "bob", "carol", "dave")
FURTHER = ("sales", "info", "team")
HASH = "$2b$12$" + "a" * 53

# One key a domain, of the kind that takes no time to make.
_ED25519 = {"algorithms": ["ed25519"]}
_PUBLISHED = st.fixed_dictionaries(
    {},
    optional={
        "discovery": st.booleans(),
        "mta_sts": st.sampled_from([{"mode": "testing"}, {"mode": "enforce"}]),
        "tls_rpt": st.just({"reports_to": "tls@elsewhere.example"}),
        "spf": st.sampled_from([{"all": "~all"}, {"include": ["relay.example"]}]),
        "dmarc": st.sampled_from(
            [
                {"policy": "reject", "nonexistent": "reject"},
                {"reports_to": "d@elsewhere.example"},
                {"policy": "auto"},
                {"policy": "auto", "stages": {"none": "0d"}},
            ]
        ),
    },
)
"""What a domain has in DNS besides its MX record."""


_LISTENERS = st.fixed_dictionaries(
    {},
    optional={
        "http": st.just([]),
        "https": st.sampled_from([[], [":8443"]]),
        "smtp": st.sampled_from([[":25", ":2525"], ["127.0.0.1:25"]]),
        "submission": st.just([]),
    },
)
_LIMITS = st.fixed_dictionaries({}, optional={"recipients": st.just(50), "message_size": st.just("1MiB")})
_LIST = st.fixed_dictionaries(
    {"members": st.sampled_from([["a@elsewhere.example"], ["b@elsewhere.example", "a@elsewhere.example"]])},
    optional={"post": st.sampled_from(["anyone", "a@elsewhere.example"]), "unsubscribe": st.just(False)},
)
_RECEIVING = st.fixed_dictionaries({}, optional={"dmarc": st.just("mark"), "spf_fail": st.just("reject")})
_SPAM = st.fixed_dictionaries(
    {},
    optional={
        "junk_at": st.sampled_from([4, None]),
        "reject_at": st.just(10.5),
        "scoring": st.just("off"),
        "lists": st.sampled_from(
            [
                [{"zone": "dbl.example", "of": ["links"], "points": 4}],
                [{"zone": "dbl.example", "of": ["peers"], "codes": {"127.0.*.3": -3, "127.0.0.2": 0.5}}],
                [{"zone": "dbl.example", "of": ["links"], "bits": {"8": 4, "64": 3.5}}],
            ]
        ),
        "engines": st.sampled_from(
            [
                {"rspamd": {"url": "http://127.0.0.1:11333"}},
                {"rspamd": {"url": "http://127.0.0.1:4", "max_points": 8}, "clamav": {"host": "clamav"}},
                {"clamav": {"socket": "/run/clamd", "on_virus": "junk"}},
            ]
        ),
    },
)
_SIEVE = st.fixed_dictionaries(
    {},
    optional={
        "before": st.sampled_from([[{"file": "a.sieve"}], [{"file": "b.sieve"}, {"file": "a.sieve"}]]),
        "after": st.just([{"file": "c.sieve"}]),
        "global": st.sampled_from([{"shared": {"file": "c.sieve"}}, {"shared": {"file": "d.sieve"}}]),
    },
)
_FILTER: st.SearchStrategy[Mapping[str, object]] = st.sampled_from(
    [
        {},
        {"sieve": {"file": "one.sieve"}},
        {"sieve": {"file": "two.sieve"}},
        {"rules": [{"name": "all", "then": "keep"}]},
        {"rules": [{"name": "large", "if": {"size": {"over": "1MiB"}}, "then": {"file_into": "Large"}}]},
    ]
)
"""What becomes of an account's mail."""
_SENDING = st.fixed_dictionaries({}, optional={"lifetime": st.just("2d"), "schedule": st.just(["15m", "2h"])})
_ISSUERS: tuple[Mapping[str, object], ...] = (
    {"issuer": "self-signed"},
    {"issuer": "acme"},
    {"issuer": "acme", "acme": {"directory": "https://ca.example/directory"}},
)


def _routes(relays: Collection[str]) -> st.SearchStrategy[list[Mapping[str, object]]]:
    via = st.sampled_from(["direct", *sorted(relays)])
    to = st.sampled_from(["*.outlook.com", "elsewhere.example", "*"])
    return st.lists(st.fixed_dictionaries({"to": to, "via": via}), max_size=3)


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


def _published_only(domain: str) -> st.SearchStrategy[dict[str, object]]:
    """Of a domain: what is for DNS alone."""
    return st.fixed_dictionaries(
        {},
        optional={
            "spf": st.sampled_from([{"all": "~all"}, {"include": ["_spf.relay.example"]}]),
            "dmarc": st.sampled_from([{"policy": "reject"}, {"reports_to": f"postmaster@{domain}"}]),
            "mta_sts": st.sampled_from([{"mode": "enforce"}, {"mode": "testing"}]),
            "tls_rpt": st.just({"reports_to": f"postmaster@{domain}"}),
        },
    )


@st.composite
def spec_settings(draw: st.DrawFn) -> dict[str, object]:
    domains = draw(st.lists(st.sampled_from(DOMAINS), min_size=1, unique=True))
    accounts = {login: {**account, **draw(_FILTER)} for login, account in draw(_accounts(domains)).items()}
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
        "dkim": st.sampled_from([_ED25519, {**_ED25519, "rotate_every": "90d"}]),
        "dane": st.booleans(),
        "caa": st.sampled_from([None, (), ("ca.example",)]),
    }
    no_mail = st.lists(st.sampled_from(["www.example.com", "parked.example", "web.other.example"]), unique=True)
    aliased, relays, zones = (draw(st.sets(st.sampled_from(names))) for names in (domains, ["r1", "r2"], list(DOMAINS)))
    # A domain without addresses of its own may be an alias of the first; one with accounts may have a catch-all.
    with_addresses = {domains[0], *aliased, *(login.rpartition("@")[2] for login in accounts)}
    targets = {domain: {"alias_of": domains[0]} for domain in domains if domain not in with_addresses}
    targets |= {login.rpartition("@")[2]: {"catch_all": login} for login in accounts}
    return {
        "server": {
            "hostname": draw(chosen["hostname"]),
            "addresses": ["192.0.2.1"],
            "listeners": draw(_LISTENERS),
            "limits": draw(_LIMITS),
        },
        "domains": {
            domain: {
                "dkim": draw(chosen["dkim"]),
                "subaddress_separators": draw(chosen["separators"]),
                **draw(_PUBLISHED),
                **(draw(st.sampled_from([{}, targets[domain]])) if domain in targets else {}),
            }
            for domain in domains
        },
        "tls": {"dane": draw(chosen["dane"]), **draw(st.sampled_from(_ISSUERS))},
        "accounts": accounts,
        "moved": moved,
        "lists": {f"list@{domain}": draw(_LIST) for domain in sorted(aliased)},
        "aliases": {f"postmaster@{domain}": ["root@elsewhere.example"] for domain in sorted(aliased)},
        "relays": {
            name: {"host": "relay.example", "username": "me", "password": draw(chosen["secret"])}
            for name in sorted(relays)
        },
        "receiving": draw(_RECEIVING),
        "spam": draw(_SPAM),
        "sieve": draw(_SIEVE),
        "sending": draw(_SENDING),
        "routes": draw(_routes(relays)),
        "dns": {
            "providers": {"p": {"class": "mailstack.reconcile.dns.zone_file.ZoneFileProvider", "directory": "zones"}},
            "zones": {
                zone: {"provider": draw(chosen["provider"]), "ttl": draw(chosen["ttl"])} for zone in sorted(zones)
            },
            "caa": draw(chosen["caa"]),
            "no_mail": draw(no_mail),
        },
    }
