"""DMARC: whether the author's domain stands behind a mail, and what it asks for where not. RFC 9989.

Not what is done about it (services.inbound.stages.judge), not our own records (reconcile.dns), not reports.
"""
