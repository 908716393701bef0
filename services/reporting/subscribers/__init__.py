"""Other systems that hear a company's events by NATS, each with rights of its own and a place of its own."""
