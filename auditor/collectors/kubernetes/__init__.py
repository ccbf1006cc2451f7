"""Reading a Kubernetes cluster: lists of its API, page by page, into resources without credentials."""
