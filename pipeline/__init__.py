"""Reads pages: from an inbox of scans to fields with a confidence."""
