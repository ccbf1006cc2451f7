"""The composition: collect, derive, evaluate, assess."""
