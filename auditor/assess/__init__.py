"""Waivers, baselines, comparing assessments."""
