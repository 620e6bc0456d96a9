"""All rules of ours, in the order in which they are told. docs/spam-rules.md is made of it."""

from mailstack.spam.rules import contents, files, headers, names, senders

RULES = (*senders.RULES, *names.RULES, *headers.RULES, *contents.RULES, *files.RULES)
