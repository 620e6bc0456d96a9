"""Names and sizes of annotations. RFC 5464 §3: entries under /private and /shared, names without regard to case."""

PRIVATE = "/private/"
SHARED = "/shared/"
MAX_ENTRIES = 100
"""For each mailbox, and for the account itself."""
MAX_VALUE_OCTETS = 16 * 1024
MAX_TOTAL_ENTRIES = 10_000
MAX_TOTAL_OCTETS = 4 * 1024 * 1024
"""In a whole account, of the shared ones and of each viewer's: no quota counts them, and LIST reads them all."""
SPECIAL_USE = "/private/specialuse"
"""RFC 6154 §4: the mailbox's special-use attributes."""

PICTURES_FROM = "/private/vendor/mailstack/pictures-from"
"""Of the account: addresses, one a line, whose pictures webmail fetches without being asked."""

SORT_ORDER = "/private/vendor/mailstack/sort-order"
"""Where a viewer has the mailbox among others. RFC 8621 §2: a number. Not counted: a mailbox has one of each viewer."""


def is_private(entry: str) -> bool:
    return entry.startswith(PRIVATE)
