"""The rules of reminding, pure: no clock, no database, no network."""
