"""The review queue and its web pages: what the machine is not sure of goes to a person."""
