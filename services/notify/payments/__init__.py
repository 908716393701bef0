"""Online payment of open lines (rules 8.6, 19.5): what is asked for, the provider's page, what came of it."""
