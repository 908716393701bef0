"""Letters: what stands on their pages, their PDF, and the moment at which they are kept for ever."""
