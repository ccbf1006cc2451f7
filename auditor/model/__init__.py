"""The nouns of the program: frozen, typed, free of I/O. Nothing here imports anything else of ours."""
