"""`:copy` of fileinto and redirect, which leaves the implicit keep as it is. RFC 3894."""

from mailstack.sieve.language import Extension, TagSpec

_COPY = TagSpec(name="copy")
EXTENSION = Extension(name="copy", tags={"fileinto": (_COPY,), "redirect": (_COPY,)})
