"""How a text is written, as far as it decides where a value ends and what a bare word is."""

from enum import Enum


class Notation(Enum):
    """Notations that are read differently."""

    DATA = "data"
    """Names and values: YAML, JSON, properties, INI, dotenv, XML. A bare word is a value."""
    HCL = "hcl"
    """Terraform, Puppet and their kin: values stand in quotes, a bare word is a reference; not in shell text inside."""
    CODE = "code"
    """A program: values stand in quotes, and a text that names a credential is a key to look it up by."""
    SHELL = "shell"
    """Command lines: `--password x` counts whatever x looks like."""
    PROSE = "prose"
    """A message for people: `token: missing` is no credential."""
    UNKNOWN = "unknown"
    """Anything: a bare word is a value unless it looks like program text."""
