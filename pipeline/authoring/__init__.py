"""Makes forms, and fills them with simulated handwriting."""
