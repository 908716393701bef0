"""Other systems that hear a company's events by HTTP: each event a signed POST, in order per client, until it is
answered well (Standard Webhooks)."""
