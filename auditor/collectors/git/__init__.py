"""Git repositories: every blob of a history, of a range, of the index, read as objects: nothing of theirs runs."""
