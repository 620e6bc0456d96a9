"""What an apply makes itself, once, and keeps: signing keys and self-signed certificates; and files read instead."""
