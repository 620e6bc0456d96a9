"""Texts as strings of a Sieve script. RFC 5228 §2.4.2."""


def quoted(text: str) -> str:
    """RFC 5228 §2.4.2: a backslash goes before quotes and backslashes; all else stands for itself."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
