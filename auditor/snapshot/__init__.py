"""Snapshots: what a collection read, on disk; written as a stream, read as a stream, verified, compared, merged."""
