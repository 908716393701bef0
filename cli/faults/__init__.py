"""The fault campaign: processes are killed inside the work, and the outcome must be that of a run without kills.

Over several days a company's growing books are imported, decided, confirmed and sent. At seeded instants, each
after progress was seen, one of the services, NATS or PostgreSQL gets a SIGKILL and is started again. The same
days are lived once more without kills; then entries, levels and messages are compared.
"""
