"""Signing in by a provider of identities (OpenID Connect Core 1.0): one for the whole installation (ADR 68)."""
