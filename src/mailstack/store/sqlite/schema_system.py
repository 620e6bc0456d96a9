"""The tables of system.db: resources and what the directory derives from them, queue, leases, proofs for CAs."""

from mailstack.store.sqlite.migrations import Migration

PAGE_SIZE = 4096

_SECOND = frozenset(
    {
        "installation",
        "generation",
        "resource",
        "secret",
        "domain",
        "account",
        "address",
        "alias",
        "trash",
        "mail",
        "mail_recipient",
        "lease",
        "shared",
        "challenge",
        "token",
        "issuance_failure",
        "user_field",
        "published",
    }
)

MIGRATIONS = (
    Migration(
        number=1,
        tables=frozenset(
            {
                "installation",
                "generation",
                "resource",
                "secret",
                "domain",
                "account",
                "address",
                "alias",
                "trash",
                "mail",
                "mail_recipient",
                "lease",
            }
        ),
        statements=(
            """CREATE TABLE installation (
                only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
                digest_key BLOB NOT NULL
            ) STRICT""",
            """CREATE TABLE generation (
                number INTEGER PRIMARY KEY,
                spec_hash TEXT NOT NULL,
                applied_at INTEGER NOT NULL
            ) STRICT""",
            """CREATE TABLE resource (
                kind TEXT NOT NULL,
                name TEXT NOT NULL,
                fields TEXT NOT NULL,
                digests TEXT NOT NULL,
                PRIMARY KEY (kind, name)
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE secret (
                kind TEXT NOT NULL,
                name TEXT NOT NULL,
                label TEXT NOT NULL,
                value TEXT NOT NULL,
                PRIMARY KEY (kind, name, label),
                FOREIGN KEY (kind, name) REFERENCES resource (kind, name) ON DELETE CASCADE
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE domain (
                name TEXT PRIMARY KEY,
                catch_all TEXT,
                subaddress_separators TEXT NOT NULL,
                alias_of TEXT
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE account (
                account_id TEXT PRIMARY KEY,
                login TEXT NOT NULL UNIQUE,
                name TEXT NOT NULL,
                addresses TEXT NOT NULL,
                roles TEXT NOT NULL,
                abilities TEXT NOT NULL,
                quota_bytes INTEGER
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE address (
                address_key TEXT PRIMARY KEY,
                account_id TEXT NOT NULL REFERENCES account (account_id) ON DELETE CASCADE
            ) STRICT, WITHOUT ROWID""",
            "CREATE INDEX address_account ON address (account_id)",
            "CREATE TABLE alias (address_key TEXT PRIMARY KEY, targets TEXT NOT NULL) STRICT, WITHOUT ROWID",
            """CREATE TABLE trash (
                account_id TEXT PRIMARY KEY,
                login TEXT NOT NULL,
                destroyed_at INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE mail (
                mail_id INTEGER PRIMARY KEY AUTOINCREMENT,
                reverse_path TEXT NOT NULL,
                is_8bit INTEGER NOT NULL,
                smtp_utf8 INTEGER NOT NULL,
                trace_id TEXT NOT NULL,
                queued_at INTEGER NOT NULL,
                size_bytes INTEGER NOT NULL,
                blob_id BLOB NOT NULL,
                content BLOB,
                file TEXT
            ) STRICT""",
            "CREATE INDEX mail_file ON mail (file) WHERE file IS NOT NULL",
            # due_at: next_at, or while a lease runs, its end; so one index answers "what may be taken now?".
            """CREATE TABLE mail_recipient (
                item_id INTEGER PRIMARY KEY AUTOINCREMENT,
                mail_id INTEGER NOT NULL REFERENCES mail (mail_id),
                recipient TEXT NOT NULL,
                state TEXT NOT NULL,
                next_at INTEGER NOT NULL,
                due_at INTEGER NOT NULL,
                lease_owner TEXT,
                tries INTEGER NOT NULL DEFAULT 0,
                last_code INTEGER,
                last_status TEXT NOT NULL DEFAULT '',
                last_text TEXT NOT NULL DEFAULT '',
                last_host TEXT NOT NULL DEFAULT ''
            ) STRICT""",
            "CREATE INDEX mail_recipient_due ON mail_recipient (due_at, item_id) WHERE state = 'waiting'",
            "CREATE INDEX mail_recipient_mail ON mail_recipient (mail_id)",
            """CREATE TABLE lease (
                name TEXT PRIMARY KEY,
                owner TEXT NOT NULL,
                lease_until INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID""",
        ),
    ),
    Migration(
        number=2,
        tables=_SECOND,
        statements=(
            # An index over the access lists in the accounts' files, which are the truth. account_id: '' for anyone.
            # No foreign keys: what is left of accounts that are gone is found empty, and removed, at the next look.
            """CREATE TABLE shared (
                account_id TEXT NOT NULL,
                owner_id TEXT NOT NULL,
                noted_at INTEGER NOT NULL,
                PRIMARY KEY (account_id, owner_id)
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE challenge (
                kind TEXT NOT NULL,
                name TEXT NOT NULL,
                value TEXT NOT NULL,
                ends_at INTEGER NOT NULL,
                PRIMARY KEY (kind, name)
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE token (
                token_id TEXT PRIMARY KEY,
                name TEXT NOT NULL,
                secret_hash BLOB NOT NULL,
                scopes TEXT NOT NULL,
                maker TEXT NOT NULL,
                created_at INTEGER NOT NULL,
                expires_at INTEGER,
                used_at INTEGER,
                revoked_at INTEGER
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE issuance_failure (
                name TEXT PRIMARY KEY,
                order_mark TEXT NOT NULL,
                reason TEXT NOT NULL,
                tries INTEGER NOT NULL,
                failed_at INTEGER NOT NULL,
                retry_at INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID""",
            # What the user of a resource wrote after the spec; a row goes with its resource, and when the spec writes.
            """CREATE TABLE user_field (
                kind TEXT NOT NULL,
                name TEXT NOT NULL,
                field TEXT NOT NULL,
                written_at INTEGER NOT NULL,
                PRIMARY KEY (kind, name, field),
                FOREIGN KEY (kind, name) REFERENCES resource (kind, name) ON DELETE CASCADE
            ) STRICT, WITHOUT ROWID""",
            # record_values: a JSON array.
            """CREATE TABLE published (
                zone TEXT NOT NULL,
                name TEXT NOT NULL,
                type TEXT NOT NULL,
                ttl_s INTEGER NOT NULL,
                record_values TEXT NOT NULL,
                PRIMARY KEY (zone, name, type)
            ) STRICT, WITHOUT ROWID""",
        ),
    ),
    Migration(
        number=3,
        tables=_SECOND | {"ban", "greylist"},
        statements=(
            # What senders ask of servers on the way: model/handling.py. notify_on: NULL for nothing said, '' for never.
            "ALTER TABLE mail ADD COLUMN is_binary INTEGER NOT NULL DEFAULT 0",
            "ALTER TABLE mail ADD COLUMN requires_tls INTEGER NOT NULL DEFAULT 0",
            "ALTER TABLE mail ADD COLUMN returned TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE mail ADD COLUMN envelope_id TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE mail_recipient ADD COLUMN notify_on TEXT",
            "ALTER TABLE mail_recipient ADD COLUMN original_recipient TEXT NOT NULL DEFAULT ''",
            # model/conduct.py; a row stays for a while after its end.
            """CREATE TABLE ban (
                peer TEXT PRIMARY KEY,
                reason TEXT NOT NULL,
                since INTEGER NOT NULL,
                ends_at INTEGER NOT NULL,
                times INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID""",
            "CREATE INDEX ban_end ON ban (ends_at)",
            # model/greylist.py. entry: of a triplet or of a network.
            """CREATE TABLE greylist (
                entry TEXT PRIMARY KEY,
                first_at INTEGER NOT NULL,
                ends_at INTEGER NOT NULL,
                passes INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID""",
            "CREATE INDEX greylist_end ON greylist (ends_at)",
        ),
    ),
)
