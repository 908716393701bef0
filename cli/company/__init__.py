"""A company as a whole: handed out in an open format, taken in elsewhere, deleted (docs/adr/0051)."""
