"""The words of a scenario: its steps, media, reference dates and modes (rules 4.4, 4.5, 4.7, 4.15)."""

MAX_LEVEL = 7
NOTICE = "notice"
REMINDERS = tuple(f"R{level}" for level in range(1, MAX_LEVEL + 1))
THANKS = "thanks"
STEP_NAMES = (NOTICE, *REMINDERS, THANKS)
LEVEL_NAMES = (None, *REMINDERS)
MEDIA = ("email", "letter", "phone", "other")
MEDIA_WITH_TEMPLATE = ("email", "letter")
PREVIOUS_STEP = "previous_step"
PAYMENT_DATE = "payment_date"
REFERENCES = ("due_date", "invoice_date", PREVIOUS_STEP, PAYMENT_DATE)
MODES = ("manual", "automatic")
LONGEST_DELAY_DAYS = 3650
LONGEST_THANKS_DELAY_DAYS = 60
