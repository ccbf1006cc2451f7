"""How a file is written, by its name alone: what stands in quotes there, and whether it speaks to people."""

from enum import Enum
from functools import lru_cache


class Kind(Enum):
    """Notations that are read differently."""

    CONFIG = "config"
    """Names and values: YAML, properties, INI, dotenv, HCL; and whatever is not known."""
    CODE = "code"
    SHELL = "shell"
    PROSE = "prose"


_CODE = frozenset(
    {
        "c", "cc", "cpp", "cs", "cxx", "dart", "ex", "exs", "go", "groovy", "h", "hpp", "java", "jl", "js", "jsx", "kt",
        "kts", "lua", "m", "mjs", "mm", "php", "pl", "pm", "py", "r", "rb", "rs", "scala", "swift", "ts", "tsx", "vb",
        "vue", "svelte", "html", "htm", "erb", "jsp", "css", "scss", "less", "proto", "gotmpl", "sum",
    }
)  # fmt: skip
_SHELL = frozenset({"sh", "bash", "zsh", "ksh", "fish", "bat", "cmd", "ps1", "mk"})
_PROSE = frozenset({"md", "markdown", "rst", "adoc", "asciidoc", "txt", "org", "tex"})
_SHELL_NAMES = ("dockerfile", "containerfile", "makefile", "jenkinsfile")


@lru_cache(maxsize=1 << 14)
def kind_of(path: str) -> Kind:
    """Return the notation of the file `path`."""
    name = path.rpartition("/")[2].lower()
    if name.startswith(_SHELL_NAMES):
        return Kind.SHELL
    ending = name.rpartition(".")[2] if "." in name else ""
    if ending in _CODE:
        return Kind.CODE
    if ending in _SHELL:
        return Kind.SHELL
    return Kind.PROSE if ending in _PROSE else Kind.CONFIG
