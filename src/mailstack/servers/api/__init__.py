"""The HTTPS API under /api/v1: plan, apply and state of a server, and the tokens that may ask for them."""
