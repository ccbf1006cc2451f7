"""auditor.yaml: what the user declares about scope, thresholds and selection."""
