"""Jinja with the user's folder before the built-in one, and errors that name file and line."""

import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor import data
from auditor.model.errors import ConfigurationError

if TYPE_CHECKING:
    from jinja2 import Environment

_MISTAKES = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What an expression in a template can raise beside Jinja's own errors."""


def environment(folder: Path | None, *, finalize: Callable[[Any], Any]) -> "Environment":
    """Return an environment with autoescape whose every printed value passes `finalize` first."""
    from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - slow to load

    folders = [data.templates()] if folder is None else [folder, data.templates()]
    return Environment(
        loader=ChoiceLoader([FileSystemLoader(each) for each in folders]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )


def render(templates: "Environment", name: str, context: Mapping[str, Any]) -> str:
    """Return the template `name`, rendered. Raises `ConfigurationError` naming file and line."""
    from jinja2 import TemplateError, TemplateNotFound, TemplateSyntaxError  # noqa: PLC0415

    try:
        return templates.get_template(name).render(context)
    except TemplateSyntaxError as error:
        raise _mistake(f"{error.filename or error.name or name}:{error.lineno}", str(error.message)) from error
    except TemplateNotFound as error:
        raise _mistake(_where(error) or name, f"it uses {error.name}, which is not there") from error
    except TemplateError as error:
        raise _mistake(_where(error) or name, str(error.message)) from error
    except _MISTAKES as error:
        where = _where(error)
        if not where:
            raise  # not in a template: our own mistake
        # The text of such an error may quote a value; its kind says enough beside the line.
        raise _mistake(where, f"{type(error).__name__} in an expression") from error


def _mistake(where: str, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"{where}: {what}", hint="Compare the template with the built-in one of the same name, or leave it out."
    )


def _where(error: BaseException) -> str:
    """Return file and line in the innermost template, or nothing when the innermost frame is in no template.

    Jinja gives the frames of its generated code the names and lines of the templates.
    """
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(".j2")]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
