"""CEL text of a policy, changed into what an API server evaluates with the same answer.

Works on the words of the text (names, literals, brackets), never inside a literal. Changed are

- `cel.bind(x, VALUE, TEXT)`, which no API server has: `[VALUE].map(x, TEXT)[0]`;
- map literals: an API server wants one type of value in each, so every value becomes `dyn(VALUE)`;
- `params.x`: the variable `variables.param_x`;
- conditions whose truth is known for the kinds that are matched: only the branches and terms that matter are left.
"""

import re
from collections.abc import Callable, Iterator, Sequence

_WORD = re.compile(
    r'[rRbB]{0,2}"""(?:\\.|[^\\])*?"""|[rRbB]{0,2}"(?:\\.|[^"\\])*"'
    r"|[rRbB]{0,2}'''(?:\\.|[^\\])*?'''|[rRbB]{0,2}'(?:\\.|[^'\\])*'"
    r"|[A-Za-z_]\w*|\d[\w.]*|\s+|&&|\|\||[=!<>]=|.",
    re.DOTALL,
)
_LITERAL = re.compile(r"[rRbB]{0,2}[\"']")
_NAME = re.compile(r"[A-Za-z_]\w*")
_PAIRS = {"(": ")", "[": "]", "{": "}"}

Words = Sequence[str]


def words(text: str) -> list[str]:
    """Return the words of `text`, white space included: joined they are the text."""
    return _WORD.findall(text)


def literals(text: str) -> list[str]:
    """Return the text literals of `text`, without their quotes."""
    return [word[1:-1] for word in words(text) if _LITERAL.match(word)]


def called(text: str) -> set[str]:
    """Return the names of the functions and macros that `text` calls, with their namespace: `size`, `cel.bind`."""
    found = set()
    for index, name in _names(words_ := words(text)):
        if following(words_, index) == "(":
            before = preceding(words_, index)
            namespaced = before == "." and words_[index - 2] in {"cel", "math", "base64", "optional", "sets", "strings"}
            found.add(f"{words_[index - 2]}.{name}" if namespaced else name)
    return found


def members(text: str, root: str) -> set[str]:
    """Return the names that follow `root.` or `root.?`; `""` where `root` stands alone.

    `root` is a variable, or a field of one: `object`, `variables.flags`.
    """
    words_ = [word for word in words(text) if not word.isspace()]
    steps = words(root)
    found = set()
    for index in range(len(words_)):
        end = index + len(steps)
        if words_[index:end] == steps and preceding(words_, index) not in {".", "?"}:
            at = end + 2 if words_[end : end + 2] == [".", "?"] else end + 1
            found.add(words_[at] if words_[end : end + 1] == ["."] else "")
    return found


def renamed(text: str, names: dict[str, str]) -> str:
    """Return `text` with other names for its variables; fields of the same name stay."""
    words_ = words(text)
    for index, name in _names(words_):
        if name in names and preceding(words_, index) not in {".", "?"}:
            words_[index] = names[name]
    return "".join(words_)


def constants(text: str) -> str:
    """Return `text` with the variable `variables.param_x` for the parameter `params.x`."""
    words_ = words(text)
    for index, name in _names(words_):
        if name == "params" and preceding(words_, index) not in {".", "?"} and following(words_, index) == ".":
            words_[index : index + 2] = ["variables.param_", ""]
    return "".join(words_)


def portable(text: str) -> str:
    """Return `text` without `cel.bind` and with values of one type in each map literal."""
    return _portable(words(text))


def folded(text: str, known: Callable[[str], bool | None]) -> str:
    """Return `text` without what `known` decides: branches of its outermost conditions, terms joined by && and ||.

    `known` gets a condition and returns its truth, or `None`.
    """
    words_ = words(text)
    question = _outer(words_, "?", 0)
    if question < 0:
        return _reduced(text, words_, known)
    colon = _colon(words_, question)
    before, then, other = words_[:question], words_[question + 1 : colon], words_[colon + 1 :]
    condition = "".join(before).strip()
    truth = {"true": True, "false": False}.get(_reduced(condition, before, known))
    if truth is not None:
        return folded("".join(then if truth else other).strip(), known)
    return f"{''.join(before)}? {folded(''.join(then).strip(), known)} : {folded(''.join(other).strip(), known)}"


def _reduced(text: str, words_: Words, known: Callable[[str], bool | None]) -> str:
    """Return `text`, `A && B || C`, without the terms whose truth is known; `true` or `false` where that decides it."""
    kept: list[str] = []
    decided = False
    for part in parted(words_, "||"):
        terms = ["".join(term).strip() for term in parted(part, "&&")]
        truths = [known(term) for term in terms]
        decided = decided or any(truth is not None for truth in truths)
        if False in truths:
            continue
        open_ = [term for term, truth in zip(terms, truths, strict=True) if truth is None]
        if not open_:
            return "true"
        kept.append(" && ".join(open_))
    if not decided:
        return text
    return " || ".join(kept) if kept else "false"


def _portable(words_: Words) -> str:
    out: list[str] = []
    index = 0
    while index < len(words_):
        word = words_[index]
        if word == "cel" and list(words_[index + 1 : index + 4]) == [".", "bind", "("]:
            end = closing(words_, index + 3)
            name, value, text = (_portable(part).strip() for part in parted(words_[index + 4 : end], ","))
            out.append(f"[{value}].map({name}, {text})[0]")
            index = end
        elif word == "{":
            end = closing(words_, index)
            out.append("{" + ", ".join(_entry(part) for part in parted(words_[index + 1 : end], ",")) + "}")
            index = end
        else:
            out.append(word)
        index += 1
    return "".join(out)


def _entry(words_: Words) -> str:
    key, *rest = parted(words_, ":", once=True)
    if not rest:
        return ""
    name, value = _portable(key).strip(), _portable(rest[0]).strip()
    # An entry with `?` gives an optional value, which is none itself.
    return f"{name}: {value}" if name.startswith("?") else f"{name}: dyn({value})"


def _names(words_: Words) -> Iterator[tuple[int, str]]:
    return ((index, word) for index, word in enumerate(words_) if _NAME.fullmatch(word))


def following(words_: Words, index: int) -> str:
    """Return the word after the one at `index`, white space left out."""
    return next((word for word in words_[index + 1 :] if not word.isspace()), "")


def preceding(words_: Words, index: int) -> str:
    """Return what stands before a name: `.` or `?` where it is a field (`a.b`, `a.?b`), else any other word."""
    before = [word for word in words_[:index] if not word.isspace()][-2:]
    if before == [".", "?"]:
        return "?"
    return before[-1] if before and before[-1] != "?" else ""


def closing(words_: Words, index: int) -> int:
    """Return the position of the bracket that closes the one at `index`."""
    depth = 0
    for position in range(index, len(words_)):
        if words_[position] in _PAIRS:
            depth += 1
        elif words_[position] in _PAIRS.values():
            depth -= 1
            if not depth:
                return position
    raise ValueError(f"no {_PAIRS[words_[index]]} closes the {words_[index]}")


def _outer(words_: Words, wanted: str, start: int) -> int:
    """Return the position, from `start`, of the word `wanted` outside of all brackets, or -1."""
    position = start
    while position < len(words_):
        word = words_[position]
        if word in _PAIRS:
            position = closing(words_, position)
        elif word == wanted and not (wanted == "?" and position and words_[position - 1] == "."):
            return position
        position += 1
    return -1


def _colon(words_: Words, question: int) -> int:
    """Return the position of the colon that belongs to the question mark at `question`."""
    inner, colon = _outer(words_, "?", question + 1), _outer(words_, ":", question + 1)
    while 0 <= inner < colon:
        # A condition between the two takes a colon of its own.
        colon = _outer(words_, ":", _colon(words_, inner) + 1)
        inner = _outer(words_, "?", _colon(words_, inner) + 1)
    return colon


def parted(words_: Words, at: str, *, once: bool = False) -> list[Words]:
    """Return the parts of the words between those `at` that stand outside of all brackets."""
    parts: list[Words] = []
    start = 0
    while (position := _outer(words_, at, start)) >= 0 and not (once and parts):
        parts.append(words_[start:position])
        start = position + 1
    return [*parts, words_[start:]]
