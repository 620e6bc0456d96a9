"""The JSON Meta Application Protocol: requests and answers as JSON, in and out of values. RFC 8620, RFC 8621."""
