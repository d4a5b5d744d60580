"""Finding out what keeps the program from working here, and what to do about it."""
