"""What the processes of a server count as it happens, in one list.

What is looked up when somebody asks (the queue, certificates) is app.metrics.readings'. Labels hold no address, no text
of a peer and nothing else that strangers choose.
"""

from mailstack.model.log_events import Outcome, TransactionPhase, TurnedAwayReason
from mailstack.model.metric import counter, gauge, histogram
from mailstack.model.verdict import ArcResult, DkimResult, DmarcResult, IprevResult, SpfResult

SMTP_SERVICES = ("mx", "submission", "submissions", "lmtp")
CONNECTION_SERVICES = (*SMTP_SERVICES, "imap", "managesieve", "http")
ROLES = ("supervisor", "worker")
QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Seconds, of what is done here alone."""
PATIENT = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Seconds, of what waits for other servers."""

# Connections.
CONNECTIONS = counter(
    "connections_total",
    "Connections that came in; to IMAP, ManageSieve and HTTP, refused ones too.",
    service=CONNECTION_SERVICES,
)
CONNECTIONS_OPEN = gauge("connections_open", "Connections that are open now.", service=CONNECTION_SERVICES)
STREAMS_OPEN = gauge(
    "streams_open", "HTTP connections that have become an event stream or a WebSocket.", kind=("events", "websocket")
)
CONNECTIONS_REFUSED = counter(
    "connections_refused_total",
    "Connections that got no further than their greeting.",
    service=(*SMTP_SERVICES, "imap", "managesieve"),
    reason=tuple(TurnedAwayReason),
)
BANNED = counter("bans_total", "Bans that were begun on this machine.")

# Logins.
LOGINS = counter(
    "logins_total",
    "Logins, by how the password was shown. Of a program that shows it with each request, one an hour and address.",
    service=("submission", "submissions", "imap", "managesieve", "jmap", "web"),
    outcome=("accepted", "failed", "refused"),
    proof=("password", "scram", "token"),
)

# Mail that comes in.
TRANSACTIONS = counter(
    "smtp_transactions_total",
    "Mail transactions, by how they ended and how far they came.",
    service=SMTP_SERVICES,
    outcome=tuple(Outcome),
    phase=tuple(TransactionPhase),
)
TRANSACTION_SECONDS = histogram(
    "smtp_transaction_seconds",
    "From MAIL to the last reply; of accepted mail, all checks and the writing into mailboxes or the queue.",
    PATIENT,
    service=SMTP_SERVICES,
    outcome=tuple(Outcome),
)
RECEIVED_BYTES = counter("smtp_received_bytes_total", "Octets of accepted mail.", service=SMTP_SERVICES)
RECIPIENTS = counter(
    "smtp_recipients_total",
    "Recipients, by what they were answered.",
    service=SMTP_SERVICES,
    outcome=(Outcome.ACCEPTED, Outcome.REFUSED, Outcome.DEFERRED),
)
AUTHENTICATION_RESULTS = counter(
    "authentication_results_total",
    "What checks of a sender came to, in the words of RFC 8601; of DKIM, one for each signature.",
    method=("spf", "dkim", "dmarc", "arc", "iprev"),
    result=tuple(
        dict.fromkeys(
            str(each) for kind in (SpfResult, DkimResult, DmarcResult, ArcResult, IprevResult) for each in kind
        )
    ),
)
SPAM_VERDICTS = counter(
    "spam_verdicts_total",
    "What the spam filter made of mails; recipients who had the same verdict count once.",
    result=("ham", "junk", "refused"),
)
SPAM_SCORE = histogram(
    "spam_score",
    "Points that the spam filter gave.",
    (-10.0, -5.0, -2.0, 0.0, 2.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 25.0),
)
DELIVERIES = counter(
    "deliveries_total",
    "Mail to accounts of this server; filtered: by a Sieve script; failed: it could not be stored.",
    outcome=("delivered", "filtered", "failed"),
)

# Mail that goes out.
QUEUED = counter("queued_mails_total", "Mails that were put into the queue.")
ATTEMPTS = counter(
    "queue_attempts_total",
    "Recipients of attempts, by what they came to. policy: what TLS had to be; none: nobody was reached.",
    outcome=("sent", "deferred", "failed", "held"),
    policy=("none", "opportunistic", "required", "verified", "sts", "sts-testing", "dane"),
    tls=("yes", "no"),
)
ATTEMPT_SECONDS = histogram(
    "queue_attempt_seconds",
    "From the beginning of an attempt to the answer for a recipient.",
    PATIENT,
    outcome=("sent", "deferred", "failed"),
)

# Mailboxes.
IMAP_COMMANDS = (
    "append", "authenticate", "copy", "examine", "expunge", "fetch", "list", "login", "lsub", "move", "noop", "replace",
    "search", "select", "sort", "status", "store", "thread",
)  # fmt: skip
IMAP_SECONDS = histogram(
    "imap_command_seconds",
    "From a command that is whole to its last response, by what it was answered. Without IDLE, which is waiting.",
    QUICK,
    command=IMAP_COMMANDS,
    condition=("OK", "NO", "BAD"),
)
JMAP_METHODS = (
    "Blob/copy", "Blob/get", "Blob/lookup", "Blob/upload", "Core/echo", "Email/changes", "Email/copy", "Email/get",
    "Email/import", "Email/parse", "Email/query", "Email/queryChanges", "Email/set", "EmailSubmission/changes",
    "EmailSubmission/get", "EmailSubmission/query", "EmailSubmission/queryChanges", "EmailSubmission/set",
    "Identity/changes", "Identity/get", "Identity/set", "Mailbox/changes", "Mailbox/get", "Mailbox/query",
    "Mailbox/queryChanges", "Mailbox/set", "PushSubscription/get", "PushSubscription/set", "Quota/changes", "Quota/get",
    "Quota/query", "Quota/queryChanges", "SearchSnippet/get", "SieveScript/get", "SieveScript/query", "SieveScript/set",
    "SieveScript/validate", "Thread/changes", "Thread/get", "VacationResponse/get", "VacationResponse/set",
)  # fmt: skip
JMAP_SECONDS = histogram(
    "jmap_method_seconds", "Method calls of JMAP.", QUICK, method=JMAP_METHODS, outcome=("done", "error")
)
HTTP_AREAS = (
    ".well-known", "account", "admin", "api", "health", "jmap", "lists", "mail", "metrics", "sign-in",
)  # fmt: skip
HTTP_SECONDS = histogram(
    "http_request_seconds",
    "Requests, by the first part of their path. Without event streams once they are begun.",
    QUICK,
    area=HTTP_AREAS,
    status=("1xx", "2xx", "3xx", "4xx", "5xx"),
)

# The machine.
STORE_WRITE_SECONDS = histogram(
    "store_write_seconds", "From asking the store to write to all of it being on the disk.", QUICK
)
STORE_COMMITS = counter("store_commits_total", "Transactions of the store, each of one or several writes.")
STORE_BUSY = counter(
    "store_busy_total", "Transactions that had to wait for another process, or to be done again because of one."
)
LAG_SECONDS = histogram(
    "event_loop_lag_seconds",
    "How late a process came to what was due, looked at once a second.",
    (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0),
    role=ROLES,
)
CPU_SECONDS = counter(
    "cpu_seconds_total", "Time of the processor, user and system, of processes that ended too.", role=ROLES
)
MEMORY_BYTES = gauge(
    "resident_memory_bytes", "Memory of all processes of a role; pages that they share count for each.", role=ROLES
)
OPEN_FILES = gauge("open_files", "Files and sockets that are open, of all processes of a role.", role=ROLES)
PROCESSES = gauge("processes", "Processes that serve.", role=ROLES)
RELOADS = counter(
    "reloads_total",
    "Specs and generations that were looked at again; unchanged: nothing was to be served otherwise.",
    outcome=("applied", "unchanged", "refused"),
)
UPKEEP_FAILED = counter("upkeep_failures_total", "Upkeep (certificates, keys, DNS) that failed, and is tried again.")
WORKERS_DIED = counter("workers_died_total", "Workers that ended unasked; each is replaced.")
LOG_LINES = counter(
    "log_lines_total", "Lines for the log, those below its level too.", level=("info", "warning", "error", "critical")
)

ALL = (
    CONNECTIONS,
    CONNECTIONS_OPEN,
    STREAMS_OPEN,
    CONNECTIONS_REFUSED,
    BANNED,
    LOGINS,
    TRANSACTIONS,
    TRANSACTION_SECONDS,
    RECEIVED_BYTES,
    RECIPIENTS,
    AUTHENTICATION_RESULTS,
    SPAM_VERDICTS,
    SPAM_SCORE,
    DELIVERIES,
    QUEUED,
    ATTEMPTS,
    ATTEMPT_SECONDS,
    IMAP_SECONDS,
    JMAP_SECONDS,
    HTTP_SECONDS,
    STORE_WRITE_SECONDS,
    STORE_COMMITS,
    STORE_BUSY,
    LAG_SECONDS,
    CPU_SECONDS,
    MEMORY_BYTES,
    OPEN_FILES,
    PROCESSES,
    RELOADS,
    UPKEEP_FAILED,
    WORKERS_DIED,
    LOG_LINES,
)
