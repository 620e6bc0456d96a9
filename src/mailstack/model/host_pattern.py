"""Names of hosts as certificates and MTA-STS policies write them: whole, or with a wildcard for the first label.

RFC 6125 §6.4.3, RFC 8461 §4.1.
"""


def covers(pattern: str, host: str) -> bool:
    """host: A-labels in lower case, without a closing dot."""
    pattern = pattern.lower()
    if not pattern.startswith("*."):
        return pattern == host
    # RFC 6125 §6.4.3, RFC 8461 §4.1: the wildcard is all of the left-most label, and stands for exactly one.
    label, dot, rest = host.partition(".")
    return bool(label and dot) and pattern[2:] == rest
