"""Two tiny services to try the chassis on: ``alpha`` says amounts, ``beta`` hears them and says milestones."""
