"""Sage 100: the accounting tables of a base, read-only, over SQLAlchemy."""
