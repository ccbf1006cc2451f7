"""Effective access: one evaluator a plane."""
