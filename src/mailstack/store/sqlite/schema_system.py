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
_THIRD = _SECOND | {"ban", "greylist"}
_FOURTH = _THIRD | {
    "unsubscribed",
    "sts_policy",
    "submitted",
    "hand_note",
    "warm_day",
    "bad_address",
    "script",
    "sieve_memory",
}
_FIFTH = _FOURTH | {
    "reputation",
    "acquaintance",
    "spam_lesson",
    "spam_vote",
    "spam_model",
    "spam_base",
    "spam_update",
    "upload",
}

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
        tables=_THIRD,
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
    Migration(
        number=4,
        tables=_FOURTH,
        statements=(
            # For junk, where it comes to a mailbox here.
            "ALTER TABLE mail ADD COLUMN is_suspicious INTEGER NOT NULL DEFAULT 0",
            # Who left which list; it outlives the list's resource.
            """CREATE TABLE unsubscribed (
                list_address TEXT NOT NULL,
                member TEXT NOT NULL,
                since INTEGER NOT NULL,
                PRIMARY KEY (list_address, member)
            ) STRICT, WITHOUT ROWID""",
            # Targets and whether a copy is kept, as JSON; NULL where mail stays.
            "ALTER TABLE account ADD COLUMN forward TEXT",
            # model/sending_limits.py. As JSON; NULL for the defaults.
            "ALTER TABLE account ADD COLUMN limits TEXT",
            # model/hand_note.py. Until a server has told its log.
            """CREATE TABLE hand_note (
                item_id INTEGER PRIMARY KEY,
                mail_id INTEGER NOT NULL,
                trace_id TEXT NOT NULL,
                reverse_path TEXT NOT NULL,
                recipient TEXT NOT NULL,
                action TEXT NOT NULL,
                by_whom TEXT NOT NULL,
                noted_at INTEGER NOT NULL
            ) STRICT""",
            """CREATE TABLE submitted (
                account_id TEXT NOT NULL,
                began_at INTEGER NOT NULL,
                messages INTEGER NOT NULL,
                recipients INTEGER NOT NULL,
                PRIMARY KEY (account_id, began_at)
            ) STRICT, WITHOUT ROWID""",
            # model/bad_address.py. by_whom: '' where it refused; ends_at: NULL for never.
            """CREATE TABLE bad_address (
                address TEXT PRIMARY KEY,
                refusals INTEGER NOT NULL,
                since INTEGER NOT NULL,
                last_at INTEGER NOT NULL,
                reply TEXT NOT NULL,
                is_suppressed INTEGER NOT NULL,
                ends_at INTEGER,
                by_whom TEXT NOT NULL
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE warm_day (
                provider TEXT NOT NULL,
                day INTEGER NOT NULL,
                taken INTEGER NOT NULL,
                troubles INTEGER NOT NULL,
                PRIMARY KEY (provider, day)
            ) STRICT, WITHOUT ROWID""",
            # How much waits and since when, without a look at the mails.
            "CREATE INDEX mail_weight ON mail (queued_at, size_bytes)",
            # model/tls_policy.TlsUsed; last_tls_policy: '' where no server was tried.
            "ALTER TABLE mail_recipient ADD COLUMN last_tls_policy TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE mail_recipient ADD COLUMN last_tls_least TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE mail_recipient ADD COLUMN last_tls_version TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE mail_recipient ADD COLUMN last_tls_cipher TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE mail_recipient ADD COLUMN last_tls_failure TEXT NOT NULL DEFAULT ''",
            # model/source.Source; last_source: '' where nothing was connected.
            "ALTER TABLE mail_recipient ADD COLUMN last_source TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE mail_recipient ADD COLUMN last_ehlo TEXT NOT NULL DEFAULT ''",
            # model/tls_policy.StsMemory. mode: '' before a first policy; failure: '' where the last fetch did not fail.
            # mx: with spaces between.
            """CREATE TABLE sts_policy (
                domain TEXT PRIMARY KEY,
                policy_id TEXT NOT NULL,
                mode TEXT NOT NULL,
                max_age_s INTEGER NOT NULL,
                mx TEXT NOT NULL,
                fetched_at INTEGER NOT NULL,
                refresh_at INTEGER NOT NULL,
                ends_at INTEGER NOT NULL,
                used_at INTEGER NOT NULL,
                failed_id TEXT NOT NULL,
                failure TEXT NOT NULL,
                failure_detail TEXT NOT NULL,
                failed_at INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID""",
            "CREATE INDEX sts_policy_use ON sts_policy (used_at)",
            # model/delivery.Priority, model/queue_share.Lane. What waits already shares one lane.
            "ALTER TABLE mail_recipient ADD COLUMN priority INTEGER NOT NULL DEFAULT 2",
            "ALTER TABLE mail_recipient ADD COLUMN lane INTEGER NOT NULL DEFAULT 512",
            """UPDATE mail_recipient SET priority = 0, lane = 0
                WHERE mail_id IN (SELECT mail_id FROM mail WHERE reverse_path = '')""",
            "DROP INDEX mail_recipient_due",
            "CREATE INDEX mail_recipient_due ON mail_recipient (priority, due_at, item_id) WHERE state = 'waiting'",
            "CREATE INDEX mail_recipient_lane ON mail_recipient (lane, due_at, item_id) WHERE state = 'waiting'",
            # By the schedule that there is by default, who was tried five times has heard that mail is late.
            "ALTER TABLE mail_recipient ADD COLUMN is_delay_told INTEGER NOT NULL DEFAULT 0",
            "UPDATE mail_recipient SET is_delay_told = 1 WHERE tries >= 5",
            # The destination that it is not tried for, by services/outbound/held_back.py; '' where it is.
            "ALTER TABLE mail_recipient ADD COLUMN waits_for TEXT NOT NULL DEFAULT ''",
            # The mark of services/outbound/route.Relay that has put it off last, '' for none.
            "ALTER TABLE mail_recipient ADD COLUMN relay TEXT NOT NULL DEFAULT ''",
            "CREATE INDEX mail_recipient_relay ON mail_recipient (relay) WHERE relay <> ''",
            # model/script.py. Of an account in the trash, they stay as long as it.
            """CREATE TABLE script (
                account_id TEXT NOT NULL,
                name TEXT NOT NULL,
                script_id TEXT NOT NULL,
                content BLOB NOT NULL,
                is_active INTEGER NOT NULL,
                PRIMARY KEY (account_id, name)
            ) STRICT""",
            "CREATE UNIQUE INDEX script_id ON script (account_id, script_id)",
            "CREATE UNIQUE INDEX script_active ON script (account_id) WHERE is_active = 1",
            # model/sieve_memory.py. key_digest: SHA-256 of what strangers wrote. It stays and goes as the scripts do.
            """CREATE TABLE sieve_memory (
                account_id TEXT NOT NULL,
                purpose TEXT NOT NULL,
                key_digest BLOB NOT NULL,
                ends_at INTEGER NOT NULL,
                PRIMARY KEY (account_id, purpose, key_digest)
            ) STRICT, WITHOUT ROWID""",
            "CREATE INDEX sieve_memory_last ON sieve_memory (account_id, purpose, ends_at, key_digest)",
            "CREATE INDEX sieve_memory_end ON sieve_memory (ends_at)",
        ),
    ),
    Migration(
        number=5,
        tables=_FIFTH,
        statements=(
            # model/reputation.py. ham, spam: sums of weights.
            """CREATE TABLE reputation (
                subject INTEGER NOT NULL,
                voice INTEGER NOT NULL,
                ham REAL NOT NULL,
                spam REAL NOT NULL,
                PRIMARY KEY (subject, voice)
            ) STRICT, WITHOUT ROWID""",
            # model/acquaintance.py. Of an account in the trash, it stays as long as it.
            """CREATE TABLE acquaintance (
                account_id TEXT NOT NULL,
                key_digest INTEGER NOT NULL,
                tie TEXT NOT NULL,
                ends_at INTEGER NOT NULL,
                PRIMARY KEY (account_id, key_digest, tie)
            ) STRICT, WITHOUT ROWID""",
            "CREATE INDEX acquaintance_last ON acquaintance (account_id, tie, ends_at, key_digest)",
            "CREATE INDEX acquaintance_end ON acquaintance (ends_at)",
            # model/spam_lesson.py. wanted, taught: 'ham', 'spam', '' for nothing. own_update, shared_update: packed by
            # spam.packed, X'' for none.
            """CREATE TABLE spam_lesson (
                account_id TEXT NOT NULL,
                message_id INTEGER NOT NULL,
                wanted TEXT NOT NULL,
                taught TEXT NOT NULL,
                noted_at INTEGER NOT NULL,
                taught_at INTEGER NOT NULL,
                is_vote INTEGER NOT NULL,
                own_update BLOB NOT NULL,
                shared_update BLOB NOT NULL,
                PRIMARY KEY (account_id, message_id)
            ) STRICT, WITHOUT ROWID""",
            "CREATE INDEX spam_lesson_open ON spam_lesson (noted_at) WHERE wanted <> taught",
            "CREATE INDEX spam_lesson_taught ON spam_lesson (account_id, taught_at, is_vote)",
            "CREATE INDEX spam_lesson_noted ON spam_lesson (noted_at)",
            # What accounts said of campaigns: band is a number of spam.fingerprint.
            """CREATE TABLE spam_vote (
                band INTEGER NOT NULL,
                account_id TEXT NOT NULL,
                said TEXT NOT NULL,
                message_id INTEGER NOT NULL,
                voted_at INTEGER NOT NULL,
                PRIMARY KEY (band, account_id)
            ) STRICT, WITHOUT ROWID""",
            "CREATE INDEX spam_vote_message ON spam_vote (account_id, message_id)",
            "CREATE INDEX spam_vote_at ON spam_vote (voted_at)",
            # Tables of spam.model, zstd. number: of the change, over all accounts. octets: X'' once it was forgotten.
            """CREATE TABLE spam_model (
                account_id TEXT PRIMARY KEY,
                number INTEGER NOT NULL,
                octets BLOB NOT NULL
            ) STRICT""",
            "CREATE INDEX spam_model_number ON spam_model (number)",
            # The shared model: a table up to some number, and the updates after it.
            """CREATE TABLE spam_base (
                only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
                number INTEGER NOT NULL,
                octets BLOB NOT NULL
            ) STRICT""",
            """CREATE TABLE spam_update (
                number INTEGER PRIMARY KEY,
                octets BLOB NOT NULL
            ) STRICT""",
            # ports/uploads.py. blob_id: hexadecimal.
            """CREATE TABLE upload (
                account_id TEXT NOT NULL,
                blob_id TEXT NOT NULL,
                size_bytes INTEGER NOT NULL,
                ends_at INTEGER NOT NULL,
                content BLOB,
                file TEXT,
                PRIMARY KEY (account_id, blob_id)
            ) STRICT""",
            "CREATE INDEX upload_last ON upload (account_id, ends_at, blob_id)",
            "CREATE INDEX upload_end ON upload (ends_at)",
            "CREATE INDEX upload_file ON upload (file) WHERE file IS NOT NULL",
            # model.spam.SpamPolicy as JSON; NULL for what the domain has.
            "ALTER TABLE account ADD COLUMN spam TEXT",
            "CREATE INDEX account_name ON account (name)",
        ),
    ),
    Migration(
        number=6,
        tables=_FIFTH
        | {
            "object_state",
            "object_change",
            "sending_identity",
            "app_password",
            "push_subscription",
            "vacation",
            "submission",
            "submission_recipient",
            "web_session",
        },
        statements=(
            # model/object_journal.py. number: the last given out; floor_number: up to it, changes are forgotten.
            """CREATE TABLE object_state (
                account_id TEXT NOT NULL,
                kind TEXT NOT NULL,
                number INTEGER NOT NULL,
                floor_number INTEGER NOT NULL,
                PRIMARY KEY (account_id, kind)
            ) STRICT, WITHOUT ROWID""",
            # The last change to each object.
            """CREATE TABLE object_change (
                account_id TEXT NOT NULL,
                kind TEXT NOT NULL,
                object_id TEXT NOT NULL,
                created_number INTEGER NOT NULL,
                changed_number INTEGER NOT NULL,
                is_gone INTEGER NOT NULL,
                changed_at INTEGER NOT NULL,
                PRIMARY KEY (account_id, kind, object_id)
            ) STRICT, WITHOUT ROWID""",
            "CREATE INDEX object_change_number ON object_change (account_id, kind, changed_number)",
            "CREATE INDEX object_change_at ON object_change (changed_at)",
            # model/sending_identity.py. name: NULL for the account's; reply_to, bcc: as JSON, NULL for none.
            """CREATE TABLE sending_identity (
                account_id TEXT NOT NULL,
                identity_id TEXT NOT NULL,
                email TEXT NOT NULL,
                name TEXT,
                reply_to TEXT,
                bcc TEXT,
                text_signature TEXT NOT NULL,
                html_signature TEXT NOT NULL,
                PRIMARY KEY (account_id, identity_id)
            ) STRICT""",
            # model/app_password.py. Of an account in the trash, they stay as long as it.
            """CREATE TABLE app_password (
                app_password_id TEXT PRIMARY KEY,
                account_id TEXT NOT NULL,
                name TEXT NOT NULL,
                digest BLOB NOT NULL UNIQUE,
                verifier TEXT NOT NULL,
                services TEXT NOT NULL,
                created_at INTEGER NOT NULL,
                expires_at INTEGER,
                used_at INTEGER
            ) STRICT""",
            "CREATE INDEX app_password_account ON app_password (account_id, created_at)",
            "CREATE INDEX app_password_end ON app_password (expires_at) WHERE expires_at IS NOT NULL",
            # model/web_session.py.
            """CREATE TABLE web_session (
                digest BLOB PRIMARY KEY,
                account_id TEXT NOT NULL,
                password_mark BLOB NOT NULL,
                created_at INTEGER NOT NULL,
                used_at INTEGER NOT NULL,
                peer_host TEXT NOT NULL,
                agent TEXT NOT NULL
            ) STRICT, WITHOUT ROWID""",
            "CREATE INDEX web_session_account ON web_session (account_id, used_at)",
            # model/push.py. types: as JSON, NULL for all; pushed: as JSON.
            """CREATE TABLE push_subscription (
                push_id TEXT PRIMARY KEY,
                account_id TEXT NOT NULL,
                credential TEXT NOT NULL,
                device_client_id TEXT NOT NULL,
                url TEXT NOT NULL,
                p256dh BLOB,
                auth BLOB,
                code TEXT NOT NULL,
                stage TEXT NOT NULL,
                types TEXT,
                expires_at INTEGER NOT NULL,
                made_at INTEGER NOT NULL,
                pushed TEXT NOT NULL,
                failures INTEGER NOT NULL,
                next_at INTEGER NOT NULL
            ) STRICT""",
            "CREATE INDEX push_subscription_account ON push_subscription (account_id, made_at, push_id)",
            "CREATE INDEX push_subscription_end ON push_subscription (expires_at)",
            # model/vacation.py. script: NULL where it is off. Of an account in the trash, it stays as long as it.
            """CREATE TABLE vacation (
                account_id TEXT PRIMARY KEY,
                is_enabled INTEGER NOT NULL,
                begins_at INTEGER,
                ends_at INTEGER,
                subject TEXT,
                text_body TEXT,
                html_body TEXT,
                script BLOB
            ) STRICT""",
            # model/email_submission.py. Of an account in the trash, they stay as long as it.
            """CREATE TABLE submission (
                account_id TEXT NOT NULL,
                submission_id TEXT NOT NULL,
                identity_id TEXT NOT NULL,
                message_id INTEGER NOT NULL,
                thread_id INTEGER NOT NULL,
                envelope TEXT NOT NULL,
                send_at INTEGER NOT NULL,
                undo_status TEXT NOT NULL,
                ends_at INTEGER NOT NULL,
                PRIMARY KEY (account_id, submission_id)
            ) STRICT""",
            "CREATE INDEX submission_id ON submission (submission_id)",
            "CREATE INDEX submission_account ON submission (account_id, send_at, submission_id)",
            "CREATE INDEX submission_end ON submission (ends_at)",
            # target: as mail_recipient has it, '' where no row there stands for it alone.
            """CREATE TABLE submission_recipient (
                submission_id TEXT NOT NULL,
                number INTEGER NOT NULL,
                path TEXT NOT NULL,
                target TEXT NOT NULL,
                arrival TEXT NOT NULL,
                reply TEXT NOT NULL,
                PRIMARY KEY (submission_id, number)
            ) STRICT, WITHOUT ROWID""",
            # NULL for what was not given by JMAP.
            "ALTER TABLE mail ADD COLUMN submission_id TEXT",
            "CREATE INDEX mail_submission ON mail (submission_id) WHERE submission_id IS NOT NULL",
        ),
    ),
)
