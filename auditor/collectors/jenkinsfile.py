"""Jenkinsfiles to the commands that they run, with stage and line. A Jenkinsfile is a Groovy program; it is not run.

What is understood: comments, all forms of strings, blocks, and statements that begin with the name of a step. So the
commands that stand in the file as text are found, in their order, with the stages and blocks around them. What is not:
values computed by Groovy, functions of the file and steps of shared libraries (their names are listed, not followed).
Formats: https://www.jenkins.io/doc/book/pipeline/syntax/, https://groovy-lang.org/syntax.html
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

SHELLS = frozenset({"sh", "bat", "powershell", "pwsh"})
"""Steps whose text is a script."""

_LIBRARIES = frozenset({"library", "@Library", "load"})
_LOGINS = frozenset({"withAWS", "withCredentials", "withVault", "withAzureKeyvault", "azureCLI", "vault"})
_BUILDS = frozenset({"pipeline", "node", "podTemplate"})
_WORD = re.compile(r"@?[A-Za-z_$][\w$]*(?:\??\.[A-Za-z_$][\w$]*)*")
_STRINGS = ('"""', "'''", '"', "'", "$/")
_SLASHY = re.compile(r"/(?![/*])((?:[^/\n\\]|\\.)+)/")
_BEFORE_SLASHY = frozenset("(,=~:[")
_DEEPEST = 100


class _Token(NamedTuple):
    kind: str
    """`word`, `string`, `end` (of a statement), or the character itself."""
    text: str
    line: int


class _Block(NamedTuple):
    name: str
    label: str


def parse(text: str) -> dict[str, Any]:
    """Return what the pipeline does, as far as the text says it. Lines count from 1.

    `{"builds": bool, "libraries": [name], "starts": [name], "calls": [name], "stages": [{name, line, when}],
    "commands": [{name, program, text, line, stage, inside: [block], options}],
    "settings": [{name, value, credential, line}], "logins": [{name, text, line, stage}]}`.

    `builds` says whether there is a `pipeline` or `node` block at all; `name` of a command is its stage.
    """
    return _Reader().read(text.replace("\r\n", "\n"))


class _Reader:
    def __init__(self) -> None:
        self._blocks: list[_Block] = []
        self._found: dict[str, Any] = {
            "builds": False, "libraries": [], "starts": [], "calls": [], "stages": [], "commands": [], "settings": [],
            "logins": [],
        }  # fmt: skip

    def read(self, text: str) -> dict[str, Any]:
        statement: list[_Token] = []
        depth = 0
        # What was open around each brace: a closure may stand inside of parentheses (`parallel(a: {...})`).
        outer: list[tuple[list[_Token], int]] = []
        for token in _tokens(text):
            match token.kind:
                case "{":
                    self._open(statement)
                    outer.append((statement if depth else [], depth))
                    statement, depth = [], 0
                case "}":
                    self._statement(statement)
                    if self._blocks:
                        self._blocks.pop()
                    statement, depth = outer.pop() if outer else ([], 0)
                case "end" if depth == 0:
                    self._statement(statement)
                    statement = []
                case "end":
                    continue
                case _:
                    depth = max(0, depth + (token.kind in "([") - (token.kind in ")]"))
                    statement.append(token)
        self._statement(statement)
        return self._found

    def _open(self, statement: list[_Token]) -> None:
        name = next((token.text for token in statement if token.kind == "word" and token.text != "def"), "")
        label = next((token.text for token in statement if token.kind == "string"), "")
        line = statement[0].line if statement else 0
        self._found["builds"] = self._found["builds"] or (name in _BUILDS and not self._blocks)
        if name == "stage" and label:
            self._found["stages"].append({"name": label, "line": line, "when": ""})
        if name in _LOGINS:
            self._login(name, statement)
        if len(self._blocks) < _DEEPEST:
            self._blocks.append(_Block(name, label))
        else:
            self._blocks.append(_Block("", ""))

    def _statement(self, tokens: list[_Token]) -> None:
        first = next((token for token in tokens if token.kind == "word"), None)
        if first is None:
            return
        name = first.text
        words = [token.text for token in tokens if token.kind == "word"]
        # `def status = sh(...)`, `return sh(...)`, `script: sh(...)`: the step stands further on.
        shell = next((word for word in words if word in SHELLS), "")
        if shell:
            self._command(shell, tokens)
        elif self._blocks and any(block.name == "when" for block in self._blocks):
            self._when(tokens)
        elif name in _LIBRARIES:
            self._found["libraries"] += [token.text for token in tokens if token.kind == "string"] or [name]
        elif any(block.name == "triggers" for block in self._blocks):
            self._found["starts"].append(name)
        elif name in _LOGINS:
            self._login(name, tokens)
        elif any(token.kind == "=" for token in tokens):
            self._setting(tokens)
        elif len(tokens) > 1 and tokens[1].kind == "(" and "." not in name:
            self._found["calls"].append(name)

    def _when(self, tokens: list[_Token]) -> None:
        stage = next((stage for stage in reversed(self._found["stages"]) if stage["name"] == self._stage()), None)
        if stage is not None:
            text = " ".join(token.text for token in tokens if token.kind != "end")
            stage["when"] = f"{stage['when']} {text}".strip()

    def _command(self, program: str, tokens: list[_Token]) -> None:
        position = next(index for index, token in enumerate(tokens) if token.text == program)
        behind = tokens[position + 1 :]
        named = [
            behind[index + 2]
            for index, token in enumerate(behind[:-2])
            if token.text == "script" and behind[index + 1].kind == ":" and behind[index + 2].kind == "string"
        ]
        strings = named or [token for token in behind if token.kind == "string"]
        stage = self._stage()
        self._found["commands"].append(
            {
                "name": stage,
                "program": program,
                "text": strings[0].text if strings else "",
                "line": tokens[position].line,
                "stage": stage,
                "inside": [block.name for block in self._blocks if block.name],
                "options": " ".join(token.text for token in behind if token.kind == "word"),
            }
        )

    def _login(self, name: str, tokens: list[_Token]) -> None:
        text = " ".join(token.text for token in tokens[1:])
        self._found["logins"].append({"name": name, "text": text, "line": tokens[0].line, "stage": self._stage()})

    def _setting(self, tokens: list[_Token]) -> None:
        position = next(index for index, token in enumerate(tokens) if token.kind == "=")
        names = [token for token in tokens[:position] if token.kind == "word"]
        value = tokens[position + 1 :]
        if not names or not value:
            return
        held = value[0].text == "credentials" and len(value) > 2 and value[2].kind == "string"
        alone = len(value) == 1 and value[0].kind == "string"
        if held or alone:
            self._found["settings"].append(
                {
                    "name": names[-1].text,
                    "value": value[0].text if alone else "",
                    "credential": value[2].text if held else "",
                    "line": names[-1].line,
                }
            )

    def _stage(self) -> str:
        return next((block.label for block in reversed(self._blocks) if block.name == "stage"), "")


def _tokens(text: str) -> Iterator[_Token]:  # noqa: C901 - one branch for each kind of token
    position, line, before = 0, 1, ""
    while position < len(text):
        character = text[position]
        token: _Token | None = None
        end = position + 1
        if character == "\n":
            yield _Token("end", "", line)
        elif text.startswith("//", position) or (position == 0 and text.startswith("#!")):
            end = text.find("\n", position)
            end = len(text) if end < 0 else end
        elif text.startswith("/*", position):
            end = text.find("*/", position + 2)
            end = len(text) if end < 0 else end + 2
        elif quote := next((mark for mark in _STRINGS if text.startswith(mark, position)), ""):
            end, content = _string(text, position, quote)
            token = _Token("string", content, line)
        elif character == "/" and before in _BEFORE_SLASHY and (slashy := _SLASHY.match(text, position)):
            end = slashy.end()
            token = _Token("string", slashy.group(1), line)
        elif word := _WORD.match(text, position):
            end = word.end()
            token = _Token("word", word.group(), line)
        elif character == ";":
            yield _Token("end", "", line)
        elif character == "=" and text[position + 1 : position + 2] != "=" and before not in "=!<>":
            token = _Token("=", character, line)
        elif not character.isspace():
            token = _Token(character, character, line)
        if token:
            yield token
        if not character.isspace():
            before = text[end - 1]
        line += text.count("\n", position, end)
        position = end


def _string(text: str, start: int, quote: str) -> tuple[int, str]:
    """Return where the string that begins at `start` ends, and its text. `${...}` in it may hold quotes."""
    closing = "/$" if quote == "$/" else quote
    expands = quote in {'"', '"""'}
    position = start + len(quote)
    first = position
    while position < len(text):
        if text[position] == "\\" and closing != "/$":
            position += 2
        elif expands and text.startswith("${", position):
            position = _behind_braces(text, position + 2)
        elif text.startswith(closing, position):
            return position + len(closing), _joined(text[first:position])
        elif len(closing) == 1 and text[position] == "\n":
            # No string of one line crosses it: something was misread, and the rest of the file must not be lost.
            return position, text[first:position]
        else:
            position += 1
    return len(text), text[first:]


def _behind_braces(text: str, position: int) -> int:
    depth = 1
    while position < len(text) and depth and text[position] != "\n":
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        position += 1
    return position


def _joined(content: str) -> str:
    """Return the content with what Groovy's escapes mean, as far as it matters to a shell."""
    return re.sub(r"\\(['\"$\\])", r"\1", content).replace("\\\\\n", "\\\n")
