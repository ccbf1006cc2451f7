"""`python -m auditor`."""

from auditor.cli.entry import main

main()
