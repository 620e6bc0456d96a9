"""Which tables a copy moves, in an order in which no row comes before one that it refers to, and their statements.

What can be made anew is left out: the search index with all that was derived on the way to it, which the server makes
when it is searched or delivered to. So is what belongs to a process or a machine: leases, and the marks of connections.
"""

from dataclasses import dataclass

PAGE_ROWS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """key: expressions that order the rows, the same on each engine. of_account: an account's, not the system's."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    of_account: bool = True

    @property
    def first_page(self) -> str:
        return f"{self._select} {self._whole} {self._order}"

    @property
    def next_page(self) -> str:
        """Takes the key of the last row before it."""
        of = "/*of*/" if self.of_account else ""
        return f"{self._select} WHERE {of} ({', '.join(self.key)}) > ({_questions(self.key)}) {self._order}"

    @property
    def insert(self) -> str:
        key, value = ("/*key*/", "/*value*/") if self.of_account else ("", "")
        return (
            f"INSERT INTO {self.name} ({key} {', '.join(self.columns)})"  # noqa: S608 - words of this module only
            f" VALUES ({value} {_questions(self.columns)})"
        )

    @property
    def clear(self) -> str:
        return f"DELETE FROM {self.name} {self._whole}"  # noqa: S608

    @property
    def _select(self) -> str:
        """The key, then the columns."""
        return f"SELECT {', '.join((*self.key, *self.columns))} FROM {self.name}"  # noqa: S608

    @property
    def _whole(self) -> str:
        return "/*whole*/" if self.of_account else ""

    @property
    def _order(self) -> str:
        return f"ORDER BY {', '.join(self.key)} LIMIT {PAGE_ROWS}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearing:
    """A table whose rows bear the bytes of messages, or name them.

    what: one of them, for people. outline: (key, size in bytes, None where no message says it) of PAGE_ROWS rows after
    a key. stretch: the rows from one key to another, in the order of table.columns, which ends with content and file.
    compared: what is the same on both sides, however large messages are kept."""

    what: str
    table: Table
    compared: Table
    outline: str
    stretch: str


def _questions(words: tuple[str, ...]) -> str:
    return ", ".join("?" * len(words))


def _bearing(what: str, table: Table, outline: str) -> Bearing:
    of = "/*of*/" if table.of_account else ""
    (key,) = table.key
    return Bearing(
        what=what,
        table=table,
        compared=Table(name=table.name, columns=table.columns[:-2], key=table.key, of_account=table.of_account),
        outline=outline,
        stretch=f"SELECT {', '.join(table.columns)} FROM {table.name} WHERE {of} {key} BETWEEN ? AND ? ORDER BY {key}",  # noqa: S608
    )


MAILBOX = Table(
    name="mailbox",
    columns=(
        "mailbox_id",
        "parent_id",
        "name",
        "role",
        "is_subscribed",
        "uid_validity",
        "uid_next",
        "mod_seq",
        "messages",
        "unseen",
        "deleted",
        "size_bytes",
    ),
    key=("mailbox_id",),
)
MESSAGE = Table(
    name="message",
    columns=("message_id", "thread_id", "size_bytes", "received_at", "sent_at", "blob_key", "has_attachment"),
    key=("message_id",),
)
ACCESS = Table(
    name="access", columns=("mailbox_id", "identifier", "account_id", "rights"), key=("mailbox_id", "identifier")
)
BLOBS = _bearing(
    "message",
    Table(name="blob", columns=("blob_key", "blob_id", "forms", "content", "file"), key=("blob_key",)),
    # Two questions, each of which an index answers.
    f"""SELECT b.blob_key, COALESCE(
            (SELECT m.size_bytes FROM message m
                WHERE /*of m*/ m.message_id = b.blob_key AND m.blob_key = b.blob_key),
            (SELECT MAX(m.size_bytes) FROM message m
                WHERE /*of m*/ m.blob_key = b.blob_key AND m.blob_key <> m.message_id))
        FROM blob b WHERE /*of b*/ b.blob_key > ? ORDER BY b.blob_key LIMIT {PAGE_ROWS}""",  # noqa: S608
)
OF_ACCOUNT = (
    Table(
        name="counter",
        columns=(
            "mod_seq",
            "floor_mod_seq",
            "last_mailbox_id",
            "last_message_id",
            "last_uid_validity",
            "used_bytes",
            "is_closed",
        ),
        key=("mod_seq",),
    ),
    MAILBOX,
    Table(name="mailbox_keyword", columns=("mailbox_id", "keyword"), key=("mailbox_id", "keyword")),
    Table(name="absent_subscription", columns=("path",), key=("path",)),
    MESSAGE,
    Table(name="thread_key", columns=("key", "thread_id"), key=("key",)),
    Table(
        name="placement",
        columns=("mailbox_id", "uid", "message_id", "mod_seq", "is_deleted", "keywords", "saved_at"),
        key=("mailbox_id", "uid"),
    ),
    Table(
        name="change_log",
        columns=("mod_seq", "mailbox_id", "uid", "message_id", "kind", "changed_at", "was_deleted"),
        key=("mod_seq", "mailbox_id", "uid"),
    ),
    ACCESS,
    Table(name="subscription", columns=("owner_id", "mailbox_id"), key=("owner_id", "mailbox_id")),
    Table(
        name="annotation",
        columns=("mailbox_id", "viewer_id", "entry", "value"),
        key=("COALESCE(mailbox_id, 0)", "entry", "viewer_id"),
    ),
)
"""And BLOBS, after them."""
SEARCH_STATE = "search_state"
MADE_ANEW = frozenset({SEARCH_STATE, "head_pack", "search_partial", "search_vocabulary", "search_index"})
"""Of an account; the index begins at its first message."""
CLEAR_SEARCH_STATE = "DELETE FROM search_state /*whole*/"
BEGIN_SEARCH_STATE = "INSERT INTO search_state (/*key*/ indexed_up_to) VALUES (/*value*/ 0)"


def _of_system(name: str, *columns: str, key: int = 1) -> Table:
    """key: how many of the columns, from the first, are its key."""
    return Table(name=name, columns=columns, key=columns[:key], of_account=False)


QUEUE = _bearing(
    "queued mail",
    _of_system(
        "mail",
        "mail_id",
        "reverse_path",
        "is_8bit",
        "smtp_utf8",
        "trace_id",
        "queued_at",
        "size_bytes",
        "is_binary",
        "requires_tls",
        "returned",
        "envelope_id",
        "is_suspicious",
        "submission_id",
        "blob_id",
        "content",
        "file",
    ),
    f"SELECT mail_id, size_bytes FROM mail WHERE mail_id > ? ORDER BY mail_id LIMIT {PAGE_ROWS}",  # noqa: S608
)
BEFORE_QUEUE = (
    _of_system("installation", "only_row", "digest_key"),
    _of_system("generation", "number", "spec_hash", "applied_at"),
    _of_system("resource", "kind", "name", "fields", "digests", key=2),
    _of_system("secret", "kind", "name", "label", "value", key=3),
    _of_system("user_field", "kind", "name", "field", "written_at", key=3),
    _of_system("domain", "name", "catch_all", "subaddress_separators", "alias_of"),
    _of_system(
        "account",
        "account_id",
        "login",
        "name",
        "addresses",
        "roles",
        "abilities",
        "quota_bytes",
        "forward",
        "limits",
        "spam",
    ),
    _of_system("address", "address_key", "account_id"),
    _of_system("alias", "address_key", "targets"),
    _of_system("trash", "account_id", "login", "destroyed_at"),
    _of_system("shared", "account_id", "owner_id", "noted_at", key=2),
    _of_system("ban", "peer", "reason", "since", "ends_at", "times"),
    _of_system("greylist", "entry", "first_at", "ends_at", "passes"),
    _of_system("unsubscribed", "list_address", "member", "since", key=2),
    _of_system(
        "sts_policy",
        "domain",
        "policy_id",
        "mode",
        "max_age_s",
        "mx",
        "fetched_at",
        "refresh_at",
        "ends_at",
        "used_at",
        "failed_id",
        "failure",
        "failure_detail",
        "failed_at",
    ),
    _of_system(
        "hand_note", "item_id", "mail_id", "trace_id", "reverse_path", "recipient", "action", "by_whom", "noted_at"
    ),
    _of_system("submitted", "account_id", "began_at", "messages", "recipients", key=2),
    _of_system(
        "bad_address", "address", "refusals", "since", "last_at", "reply", "is_suppressed", "ends_at", "by_whom"
    ),
    _of_system("warm_day", "provider", "day", "taken", "troubles", key=2),
    _of_system("script", "account_id", "name", "script_id", "content", "is_active", key=2),
    _of_system(
        "vacation",
        "account_id",
        "is_enabled",
        "begins_at",
        "ends_at",
        "subject",
        "text_body",
        "html_body",
        "script",
    ),
    _of_system("sieve_memory", "account_id", "purpose", "key_digest", "ends_at", key=3),
    _of_system("reputation", "subject", "voice", "ham", "spam", key=2),
    _of_system("acquaintance", "account_id", "key_digest", "tie", "ends_at", key=3),
    _of_system(
        "spam_lesson",
        "account_id",
        "message_id",
        "wanted",
        "taught",
        "noted_at",
        "taught_at",
        "is_vote",
        "own_update",
        "shared_update",
        key=2,
    ),
    _of_system("spam_vote", "band", "account_id", "said", "message_id", "voted_at", key=2),
    _of_system("spam_model", "account_id", "number", "octets"),
    _of_system("spam_base", "only_row", "number", "octets"),
    _of_system("spam_update", "number", "octets"),
    _of_system("object_state", "account_id", "kind", "number", "floor_number", key=2),
    _of_system(
        "object_change",
        "account_id",
        "kind",
        "object_id",
        "created_number",
        "changed_number",
        "is_gone",
        "changed_at",
        key=3,
    ),
    _of_system(
        "sending_identity",
        "account_id",
        "identity_id",
        "email",
        "name",
        "reply_to",
        "bcc",
        "text_signature",
        "html_signature",
        key=2,
    ),
    _of_system("challenge", "kind", "name", "value", "ends_at", key=2),
    _of_system(
        "token",
        "token_id",
        "name",
        "secret_hash",
        "scopes",
        "maker",
        "created_at",
        "expires_at",
        "used_at",
        "revoked_at",
    ),
    _of_system(
        "web_session",
        "digest",
        "account_id",
        "password_mark",
        "created_at",
        "used_at",
        "peer_host",
        "agent",
    ),
    _of_system(
        "app_password",
        "app_password_id",
        "account_id",
        "name",
        "digest",
        "verifier",
        "services",
        "created_at",
        "expires_at",
        "used_at",
    ),
    _of_system(
        "submission",
        "account_id",
        "submission_id",
        "identity_id",
        "message_id",
        "thread_id",
        "envelope",
        "send_at",
        "undo_status",
        "ends_at",
        key=2,
    ),
    _of_system("submission_recipient", "submission_id", "number", "path", "target", "arrival", "reply", key=2),
    _of_system(
        "push_subscription",
        "push_id",
        "account_id",
        "credential",
        "device_client_id",
        "url",
        "p256dh",
        "auth",
        "code",
        "stage",
        "types",
        "expires_at",
        "made_at",
        "pushed",
        "failures",
        "next_at",
    ),
    _of_system("issuance_failure", "name", "order_mark", "reason", "tries", "failed_at", "retry_at"),
    _of_system("published", "zone", "name", "type", "ttl_s", "record_values", key=3),
)
AFTER_QUEUE = (
    _of_system(
        "mail_recipient",
        "item_id",
        "mail_id",
        "recipient",
        "state",
        "next_at",
        "due_at",
        "lease_owner",
        "tries",
        "last_code",
        "last_status",
        "last_text",
        "last_host",
        "notify_on",
        "original_recipient",
        "last_tls_policy",
        "last_tls_least",
        "last_tls_version",
        "last_tls_cipher",
        "last_tls_failure",
        "last_source",
        "last_ehlo",
        "priority",
        "lane",
        "is_delay_told",
        "waits_for",
        "relay",
    ),
)
LEFT_BEHIND = frozenset({"lease", "blob_object", "connection_mark", "crowd", "upload"})
"""Of the system: who copies claims objects anew, and what was uploaded and not used ends within a day."""

# Numbers that are never given twice, also when the row of the last is gone.
LAST_MAIL = "SELECT seq FROM sqlite_sequence WHERE name = 'mail'"
LAST_ITEM = "SELECT seq FROM sqlite_sequence WHERE name = 'mail_recipient'"
SET_LAST_MAIL = "INSERT INTO sqlite_sequence (name, seq) VALUES ('mail', ?)"
SET_LAST_ITEM = "INSERT INTO sqlite_sequence (name, seq) VALUES ('mail_recipient', ?)"
LASTS = ((LAST_MAIL, SET_LAST_MAIL), (LAST_ITEM, SET_LAST_ITEM))

HELD = "SELECT (SELECT COUNT(*) FROM message /*whole*/), used_bytes FROM counter /*whole*/"
QUEUED = "SELECT COUNT(*) FROM mail"
KNOWN_ACCOUNTS = "SELECT account_id, login FROM account UNION SELECT account_id, login FROM trash ORDER BY account_id"
INSTALLATION = "SELECT digest_key FROM installation"
