"""One module a source; each yields resources and coverage."""
