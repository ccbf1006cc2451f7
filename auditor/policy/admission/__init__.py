"""Policies in the CEL of an API server: rewritten text, and the views as variables that it computes from one object."""
