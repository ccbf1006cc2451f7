"""auditor: who can obtain each secret, by which path, and which requirement that touches."""

__version__ = "0.1.0"
