"""The command tree."""


def run() -> None:
    """Run the command line."""
