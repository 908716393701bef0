"""Signing in to a company's mail server and mailbox by OAuth 2 instead of a password (RFC 6749)."""
