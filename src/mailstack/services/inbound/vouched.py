"""Has somebody whom the spec trusts seen who sent a mail, before it was changed on its way. RFC 8617 §7.2.1."""

from mailstack.formats.authres import read_results
from mailstack.model.verdict import ArcResult, Authentication, DmarcResult


def is_vouched_for(found: Authentication) -> bool:
    """RFC 8617 §7.2.1: has a sealer whom the spec trusts seen DMARC pass for the same author."""
    if found.arc.result is not ArcResult.PASS or not found.arc.trusted_results or not found.dmarc.from_domain:
        return False
    return any(
        seen.method == "dmarc"
        and seen.result == DmarcResult.PASS.value
        and seen.properties.get("header.from", "").lower() == found.dmarc.from_domain
        for seen in read_results(found.arc.trusted_results)
    )
