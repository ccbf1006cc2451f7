"""Keyed fingerprints, and the redactor that every output passes."""
