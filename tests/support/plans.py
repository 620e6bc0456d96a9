"""Plans made by hand, for tests of how a plan is shown: one case for each golden file."""

from dataclasses import replace

from mailstack.model.ids import Generation
from mailstack.model.resource import Json, Operation
from mailstack.reconcile.plan import BrakeName, ByHand, Change, FieldChange, Mark, Plan, PlanWarning, Stop


def plain(name: str, old: Json = None, new: Json = None) -> FieldChange:
    return FieldChange(name=name, old=old, new=new)


def change(operation: Operation, kind: str, name: str, *fields: FieldChange, reason: str = "") -> Change:
    return Change(operation=operation, kind=kind, name=name, fields=fields, reason=reason)


def a_plan(*changes: Change, warnings: tuple[PlanWarning, ...] = (), by_hand: tuple[ByHand, ...] = ()) -> Plan:
    return Plan(
        spec_path="mailstack.yaml",
        spec_hash="s",
        generation=Generation(1),
        live_hash="l",
        changes=changes,
        warnings=warnings,
        by_hand=by_hand,
    )


SECRET = FieldChange(name="password", mark=Mark.SECRET)
ACCOUNT = change(
    Operation.CREATE,
    "account",
    "alice@example.com",
    plain("name", new="Alice Example"),
    plain("abilities", new=["read", "receive", "submit"]),
    plain("quota_bytes", new=5 << 30),
    SECRET,
)
REMOVED = FieldChange(name="password", mark=Mark.SECRET_REMOVED)
CASES = {
    "empty": a_plan(),
    "create": a_plan(ACCOUNT),
    "update": a_plan(
        change(
            Operation.UPDATE,
            "account",
            "alice@example.com",
            plain("quota_bytes", old=5 << 30, new=None),
            plain("addresses", old=[], new=["a@example.com"]),
            SECRET,
        )
    ),
    "password_removed": a_plan(change(Operation.UPDATE, "account", "alice@example.com", REMOVED)),
    "destroy": a_plan(change(Operation.DESTROY, "account", "bob@example.com"), ACCOUNT),
    "after": a_plan(
        replace(ACCOUNT, after=("domain example.com",)),
        replace(
            change(Operation.DESTROY, "domain", "old.example", reason="why not"),
            after=tuple(f"account a{number}@old.example" for number in range(5)),
        ),
    ),
    "stops": replace(
        a_plan(change(Operation.DESTROY, "account", "bob@example.com")),
        stops=(
            Stop(
                brake=BrakeName.MAIL,
                subject="bob@example.com",
                text="would be destroyed, and holds mail",
                release="--allow-destroy bob@example.com",
            ),
            Stop(
                brake=BrakeName.LAST_ADMIN,
                subject="account bob@example.com",
                text="is the last administrator; none would be left",
                release="--allow-last-admin",
            ),
        ),
    ),
    "move": a_plan(
        replace(
            change(
                Operation.MOVE, "account", "robert@example.com", plain("addresses", old=[], new=["bob@example.com"])
            ),
            moved_from="bob@example.com",
        ),
        ACCOUNT,
    ),
    "known_after_apply": a_plan(
        change(
            Operation.UPDATE,
            "certificate",
            "mail.example.com",
            FieldChange(name="certificate", old="-----BEGIN CERTIFICATE-----\n" + "A" * 2000, mark=Mark.UNKNOWN),
            FieldChange(name="key", mark=Mark.SECRET),
            reason="renewed: 12 days remain",
        )
    ),
    "certificates": a_plan(
        change(
            Operation.CREATE,
            "acme_account",
            "https://acme-v02.api.letsencrypt.org/directory",
            plain("email", new="postmaster@example.com"),
            FieldChange(name="key", mark=Mark.SECRET),
        ),
        change(
            Operation.CREATE,
            "certificate",
            "mta-sts.example.com",
            plain("issuer", new="acme"),
            plain("names", new=["mta-sts.example.com"]),
            FieldChange(name="certificate", mark=Mark.UNKNOWN),
            FieldChange(name="key", mark=Mark.SECRET),
            reason="ordered from Let's Encrypt",
        ),
        change(
            Operation.UPDATE,
            "certificate",
            "mail.example.com",
            FieldChange(name="next_key_digest", old="", mark=Mark.UNKNOWN),
            FieldChange(name="next_key", mark=Mark.SECRET),
            reason="a new key: its TLSA record is published before it is used",
        ),
        warnings=(
            PlanWarning(
                subject="certificate mta-sts.example.org",
                text="could not be ordered (2 times now): the authority cannot connect to port 80 of"
                " mta-sts.example.org: open it to the world, or prove by dns-01; tried again after"
                " 2026-11-28 16:20 UTC",
            ),
        ),
    ),
    "records": a_plan(
        change(Operation.CREATE, "dns_record", "example.com MX", plain("values", new=["10 mail.example.com."])),
        change(
            Operation.UPDATE,
            "dns_record",
            "mail.example.com A",
            plain("ttl_s", old=300, new=600),
            plain("values", old=["192.0.2.99"], new=["192.0.2.1"]),
            reason="not as it was applied",
        ),
        change(Operation.CREATE, "dns_record", "s._domainkey.example.com TXT", plain("values", new=["p=" + "A" * 300])),
    ),
    "key_takes_over": a_plan(
        change(
            Operation.UPDATE,
            "dkim_key",
            "ed25519-1._domainkey.example.com",
            plain("state", old="signs", new="retired"),
            FieldChange(name="since", old="2026-06-01T00:00:00Z", mark=Mark.UNKNOWN),
            reason="ed25519-42 signs from now on",
        ),
        change(
            Operation.UPDATE,
            "dkim_key",
            "ed25519-42._domainkey.example.com",
            plain("state", old="published", new="signs"),
            FieldChange(name="since", old="2026-11-28T06:00:00Z", mark=Mark.UNKNOWN),
            reason="seen at ns1.example.net, ns2.example.net",
        ),
        change(
            Operation.DESTROY,
            "dkim_key",
            "rsa2048-1._domainkey.example.com",
            reason="retired at 2026-11-20T00:00:00Z: what it signed has arrived or come back",
        ),
        change(Operation.DESTROY, "dns_record", "rsa2048-1._domainkey.example.com TXT"),
    ),
    "key_waits": a_plan(
        warnings=(
            PlanWarning(
                subject="dkim_key ed25519-1._domainkey.example.com",
                text="signs once its record is seen in DNS: ns2.example.net does not have it; until then mail goes out"
                " unsigned",
            ),
        ),
    ),
    "dmarc_tightened": a_plan(
        change(
            Operation.UPDATE,
            "dmarc",
            "example.com",
            plain("stage", old="none", new="quarantine"),
            plain("since", old="2026-11-28T00:00:00Z", new=""),
            FieldChange(name="published", old="2026-11-27T00:00:00Z", mark=Mark.UNKNOWN),
            reason="none since 2026-11-28T00:00:00Z, SPF and DKIM are seen, no reports are read yet;"
            " reject 30d after its record is seen, if SPF and DKIM are well",
        ),
        change(
            Operation.UPDATE,
            "dns_record",
            "_dmarc.example.com TXT",
            plain("values", old=["v=DMARC1; p=none"], new=["v=DMARC1; p=quarantine"]),
        ),
        warnings=(
            PlanWarning(
                subject="domain example.org",
                text="DMARC stays at p=none, where p=quarantine was due: the SPF record: not there (ns1.example.org)",
            ),
        ),
    ),
    "warnings_and_by_hand": a_plan(
        warnings=(PlanWarning(subject="dns_record example.com MX", text="exists and is not mailstack's; left alone"),),
        by_hand=(
            ByHand(zone="hand.example", records=("hand.example. 3600 IN MX 10 mail.example.com.",)),
            ByHand(zone="", records=("nowhere.example. 3600 IN MX 10 mail.example.com.",)),
        ),
    ),
}
