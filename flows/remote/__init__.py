"""Inboxes and outputs on S3-compatible storage, read and written through local copies."""
