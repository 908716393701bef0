"""What the services say to each other: one module of events per speaker, and the terms all must compute alike."""
