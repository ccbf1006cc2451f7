"""The one CEL environment of the program: which names and functions an expression may use, compiling, evaluating.

Functions beyond the standard library are those of Kubernetes' own policies that the runtime has (optional types,
strings, bindings), plus `grants`, which is written out before it is compiled (`auditor.policy.macros`). An evaluation
error comes back from the runtime as a value that is true in Python,
so nothing outside this module touches the runtime's results.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from auditor import prepared
from auditor.model.record import record

_POSITION = re.compile(r"<input>:(\d+):(\d+): (.*)")

_GRANTS = "grants"

NAMES = ("object", "params", "variables")
"""What every expression sees."""


class ExpressionError(Exception):
    """An expression is not CEL. Line and column count from 1, in the expression's own text."""

    def __init__(self, message: str, *, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


@record(kw_only=False)
class Unanswered:
    """What an evaluation gives instead of an answer: one line of why."""

    why: str


class Program:
    """A compiled expression."""

    __slots__ = ("_checked", "_expression", "_text")

    def __init__(self, expression: Any, text: str, *, checked: Any = None) -> None:
        self._expression = expression
        self._checked = checked or expression
        self._text = text

    def __repr__(self) -> str:
        return f"Program({self._text!r})"

    @property
    def returns(self) -> str:
        """The name of the type that it gives, as far as that can be told: `bool`, `string`, `list(dyn)`, `dyn`."""
        return str(self._checked.return_type().name()).lower()

    @property
    def source(self) -> str:
        """The text that was compiled."""
        return self._text

    def packed(self) -> bytes:
        """Return the program as bytes that this release of the runtime reads back."""
        packed: bytes = self._expression.serialize()
        return packed

    def truth(self, activation: Any) -> bool | Unanswered:
        """Return the boolean answer, or why there is none."""
        value = self._value(activation)
        if isinstance(value, Unanswered):
            return value
        if value.type() == _runtime().Type.BOOL:
            answer: bool = value.value()
            return answer
        return _unanswered(value, "a boolean")

    def plain(self, activation: Any) -> Any | Unanswered:
        """Return the answer as plain Python data (lists, texts, numbers), or why there is none."""
        value = self._value(activation)
        if isinstance(value, Unanswered):
            return value
        if value.type() == _runtime().Type.ERROR:
            return _unanswered(value, "an answer")
        return value.plain_value()

    def text(self, activation: Any) -> str | Unanswered:
        """Return the answer as text, or why there is none."""
        value = self._value(activation)
        if isinstance(value, Unanswered):
            return value
        if value.type() == _runtime().Type.STRING:
            return str(value.value())
        return _unanswered(value, "a text")

    def _value(self, activation: Any) -> Any | Unanswered:
        # An error is a value, too; but where an evaluation takes more steps than it grants, the runtime raises.
        try:
            return self._expression.eval(activation)
        except RuntimeError as error:
            return Unanswered(_first_words(str(error)))


def compile_(text: str, *, names: Sequence[str] = (), checked: bool = True) -> Program:
    """Return the compiled `text`, which may use `names` beside `NAMES`. Raises `ExpressionError`.

    Without `checked` only the syntax is looked at, in two thirds of the time: for text that was checked before. Such a
    text may also have been compiled before.
    """
    if not checked and not names:
        known = prepared.program(text, runtime=runtime())
        if known is not None:
            return Program(_environment(()).deserialize(known), text)
    environment = _environment(tuple(names))
    try:
        if f"{_GRANTS}(" not in text:
            return Program(environment.compile(text, disable_check=not checked), text)
        from auditor.policy import macros  # noqa: PLC0415 - start-up: the library's programs were made beforehand

        # Checked as it was written, so that a mistake has its place there, and run as it is written out.
        asked = environment.compile(text, disable_check=not checked)
        return Program(environment.compile(macros.expanded(text), disable_check=True), text, checked=asked)
    except RuntimeError as error:
        found = _POSITION.search(str(error))
        if found is None:
            raise ExpressionError("not a CEL expression", line=1, column=1) from None
        line, column, message = found.groups()
        raise ExpressionError(_first_words(message), line=int(line), column=int(column)) from None


def activation(values: Mapping[str, Any]) -> Any:
    """Return `values` as the runtime wants them; made once for all expressions over one resource."""
    return _environment(()).Activation(values)


def _unanswered(value: Any, wanted: str) -> Unanswered:
    if value.type() == _runtime().Type.ERROR:
        return Unanswered(_first_words(str(value.value())))
    return Unanswered(f"it gives {value.type().name()} where {wanted} is needed")


def _first_words(text: str) -> str:
    return text.splitlines()[0][:160].strip() if text else "no reason given"


@cache
def runtime() -> str:
    """Return name and release of the runtime, empty where they cannot be told.

    They stand in the name of its metadata folder; the standard library's way to ask costs more than compiling.
    """
    folder = Path(_runtime().__file__).parents[1]
    return next((found.name for found in folder.glob("cel_expr_python-*.dist-info")), "")


@lru_cache(maxsize=1)
def _runtime() -> Any:
    from cel_expr_python import cel  # noqa: PLC0415 - start-up: only where policies run

    return cel


@lru_cache(maxsize=64)
def _environment(names: tuple[str, ...]) -> Any:
    from cel_expr_python.ext import (  # noqa: PLC0415 - start-up: only where policies run
        ext_bindings,
        ext_encoders,
        ext_math,
        ext_optional,
        ext_strings,
    )

    cel = _runtime()
    text, rule = cel.Type.STRING, cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
    grants = cel.FunctionDecl(
        _GRANTS,
        [
            cel.Overload(
                "grants_rule",
                return_type=cel.Type.BOOL,
                parameters=[rule, text, text, text],
                is_member=False,
                impl=_never,
            )
        ],
    )
    return cel.NewEnv(
        variables=dict.fromkeys((*NAMES, *names), cel.Type.DYN),
        extensions=[
            ext_optional.ExtOptional(),
            ext_strings.ExtStrings(),
            ext_bindings.ExtBindings(),
            ext_math.ExtMath(),
            ext_encoders.ExtEncoders(),
        ],
        functions=[grants],
    )


def _never(*_: Any) -> bool:
    raise AssertionError(f"{_GRANTS} is written out before anything is evaluated")
