"""A service's derived tables a second time, in a schema beside the live one: built from the first event, followed,
compared, put in the place of the live ones in one transaction, and back (ADR 49)."""
