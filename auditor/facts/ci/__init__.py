"""CI definitions: one shape for all systems, and what it says of triggers, logins, scans and gates."""
