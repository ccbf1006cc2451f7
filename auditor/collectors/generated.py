"""Values that a chart makes up while Helm renders it: random passwords, keys, hashes with a random salt.

They are in no source, and the next rendering makes others, so neither a finding nor its fingerprint would mean
anything. A chart whose templates call such a function is rendered twice, and what differs is replaced by a reference.
Certificates stay: they hold no secret, and what is in one can be judged.
"""

import os
import re

MADE_UP = b"${generated-when-rendered}"
"""What stands in the place of a value that nobody wrote. Policies see a reference, as of a value from elsewhere."""

_FUNCTIONS = re.compile(
    rb"\b(?:rand(?:AlphaNum|Alpha|Ascii|Numeric|Bytes|Int)|gen(?:CA|SelfSignedCert|SignedCert|PrivateKey)\w*|uuidv4"
    rb"|bcrypt|htpasswd|encryptAES)\b"
)
"""Of Sprig and Helm: https://helm.sh/docs/chart_template_guide/function_list/."""
_LARGEST = 2_000_000
_SCALAR = re.compile(rb"^(\s*(?:- )?[^\s#:][^:]*:[ \t]+)(?=\S)")
_NAME = re.compile(rb"^\s*(?:- )?name:")
_CERTIFICATE = b"LS0tLS1CRUdJTiBDRVJUSUZJQ0FUR"
"""`-----BEGIN CERTIFICATE` in base64, as far as it does not depend on what follows."""
_BEGIN, _END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"


def makes_up_values(folder: str) -> bool:
    """Return whether a template of the chart in `folder`, or of one inside, calls a function that makes up values."""
    for part in ("templates", "charts"):
        for base, _, files in os.walk(os.path.join(folder or ".", part)):  # noqa: PTH118 - strings, as in discovery
            for name in files:
                if name.endswith(".tgz"):
                    return True  # a packed chart: rendering twice costs less than unpacking it here
                if name.endswith((".yaml", ".yml", ".tpl")) and _calls(f"{base}/{name}"):
                    return True
    return False


def _calls(file: str) -> bool:
    try:
        with open(file, "rb") as opened:  # noqa: PTH123 - as above
            return _FUNCTIONS.search(opened.read(_LARGEST)) is not None
    except OSError:
        return False  # rendering will say why


def replaced(rendered: bytes, again: bytes) -> bytes:
    """Return `rendered` with a reference for each value that another rendering, `again`, has otherwise.

    Two renderings of different length are not compared, and `rendered` comes back as it is.
    """
    lines, others = rendered.split(b"\n"), again.split(b"\n")
    if rendered == again or len(lines) != len(others):
        return rendered
    inside = False
    for index, (line, other) in enumerate(zip(lines, others, strict=True)):
        inside = (inside or _BEGIN in line) and _END not in line
        if line != other and not inside and _CERTIFICATE not in line:
            lines[index] = _without_value(line, other)
    return b"\n".join(lines)


def _without_value(line: bytes, other: bytes) -> bytes:
    name = _SCALAR.match(line)
    shared = next((at for at, (one, two) in enumerate(zip(line, other, strict=False)) if one != two), len(line))
    if name and other.startswith(name[0]):
        # A name with a random end (`web-test-x7k2p`) keeps what was written of it: people look for that.
        written = line[len(name[0]) : shared].lstrip(b"\"'")
        kept = written[: written.rfind(b"-") + 1] if _NAME.match(line) else b""
        return name[0] + b'"' + kept + MADE_UP + b'"'
    indent = len(line) - len(line.lstrip())
    # In a block of text: what both begin with is written, the rest of the line is not.
    return line[: max(shared, indent)] + MADE_UP
