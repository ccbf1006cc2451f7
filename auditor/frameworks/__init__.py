"""Requirement catalogues and the roll-up."""
