"""Learns digits, and holds the networks that read them."""
