"""Whether a literal is a credential, a reference, a path, a placeholder or public."""
