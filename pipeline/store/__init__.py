"""The results database: what was read, and what people said about it. CSVs are exports of it."""
