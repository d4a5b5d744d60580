"""Runs the pipeline: Prefect flows and the command line."""
