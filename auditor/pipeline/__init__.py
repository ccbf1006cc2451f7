"""The composition: collect, derive, evaluate, assess. Knows every room but `cli`, and holds no rule of its own."""
