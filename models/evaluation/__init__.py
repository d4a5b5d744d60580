"""How well a network reads, and how well it knows: figures, charts, and a page that shows both."""
