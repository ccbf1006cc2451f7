"""Loading, compiling, evaluating, testing, documenting and exporting policies."""
