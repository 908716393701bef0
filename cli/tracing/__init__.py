"""One story through every service: its spans collected as they are exported, and drawn."""
