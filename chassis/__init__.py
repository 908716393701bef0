"""What every service stands on. Knows the envelope of an event, never a business word."""
