"""Bases for trials in the table shapes of Sage 100: made on PostgreSQL, filled, and changed as accountants do."""
