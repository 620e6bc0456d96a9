"""SPF: may this host send mail in this domain's name. RFC 7208."""
