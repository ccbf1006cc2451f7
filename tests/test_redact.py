"""The API for applications: nothing planted reaches a handler's output, and nothing raises into the application."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.redact import RedactingFilter, redact, structlog_processor

VALUE = "gull-and-anchor-9"
URL = f"postgres://app:{VALUE}@db/app"


class Json(logging.Formatter):
    """Shows everything that a record holds, as formatters of aggregators do."""

    def format(self, record: logging.LogRecord) -> str:
        shown = {**record.__dict__, "text": super().format(record)}
        if record.exc_info:
            shown["trace"] = self.formatException(record.exc_info)
        return json.dumps(shown, default=repr)


@pytest.fixture
def output() -> tuple[logging.Logger, Callable[[], str]]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Json())
    handler.addFilter(RedactingFilter())
    logger = logging.Logger("test")  # noqa: LOG001 - of this test alone
    logger.addHandler(handler)
    return logger, stream.getvalue


def connect() -> None:
    raise ValueError(f"cannot connect to {URL}")


Output = tuple[logging.Logger, Callable[[], str]]


@pytest.mark.parametrize(
    "say",
    [
        lambda log: log.info("connecting to %s", URL),
        lambda log: log.info("password=%s", VALUE),
        lambda log: log.info("password=%(p)s", {"p": VALUE}),
        lambda log: log.info({"password": VALUE}),
        lambda log: log.info("login", extra={"password": VALUE}),
        lambda log: log.info("login", extra={"request": {"headers": [{"url": URL}], "n": 1}}),
        lambda log: log.info("login", extra={"body": f"token={VALUE}".encode()}),
        lambda log: log.info(f"two lines\nDB_PASSWORD={VALUE}"),  # noqa: G004 - as applications do
        lambda log: log.info("%s", json.dumps({"a": json.dumps({"password": VALUE})})),
        lambda log: log.info("GET /?u=%s", f"x%3Fpassword%3D{VALUE}%26a"),
    ],
)
def test_no_value_of_a_record_reaches_the_output(say: Callable[[logging.Logger], None], output: Output) -> None:
    logger, shown = output
    say(logger)
    assert VALUE not in shown()
    assert "[redacted]" in shown()


def test_a_traceback_and_a_stack_are_masked(output: Output) -> None:
    logger, shown = output
    try:
        connect()
    except ValueError:
        logger.exception("failed", stack_info=True)
    assert VALUE not in shown()
    assert "ValueError: cannot connect to postgres://app:[redacted]@db/app" in json.loads(shown())["text"]


def test_a_record_without_a_credential_stays_as_it_is(output: Output) -> None:
    logger, shown = output
    request = {"path": "/a"}
    record = logger.makeRecord("test", 20, "f", 1, "%s of %d", ("one", 2), None, None, {"request": request})
    logger.handle(record)
    assert (record.msg, record.args) == ("%s of %d", ("one", 2))
    assert record.__dict__["request"] is request
    assert '"text": "one of 2"' in shown()
    try:
        {}["x"]
    except KeyError:
        logger.exception("failed")
    assert "KeyError" in json.loads(shown().splitlines()[-1])["exc_info"][0], "kept for others"


class Broken:
    def __str__(self) -> str:
        raise RuntimeError(f"no text; password={VALUE}")


def test_a_message_that_cannot_be_redacted_is_withheld(output: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    logger, shown = output
    logger.info("%s", Broken())
    logger.info("x", extra={"thing": Broken()})
    logger.info("%d", "no number")
    monkeypatch.setattr("auditor.detection.streams.mask", lambda **_: 1 / 0)
    logger.info("password=%s", VALUE, extra={"password": VALUE})
    lines = shown().splitlines()
    assert len(lines) == 4
    assert all("could not be redacted" in line and "withheld" in line for line in lines)
    assert VALUE not in shown()


def test_an_endless_object_is_withheld(output: Output) -> None:
    logger, shown = output
    endless: list[Any] = []
    endless += [endless, endless, endless]
    logger.info("x", extra={"thing": endless})
    assert "withheld" in shown()


@settings(max_examples=100, deadline=None)
@given(st.text(), st.dictionaries(st.text(), st.one_of(st.text(), st.binary(), st.integers(), st.lists(st.text()))))
def test_whatever_is_logged_nothing_is_raised(text: str, fields: dict[str, Any]) -> None:
    record = logging.LogRecord("x", 20, "f", 1, text, None, None)
    record.__dict__ |= {f"x_{key}": value for key, value in fields.items()}
    assert RedactingFilter().filter(record) is True
    assert isinstance(redact(text), str)
    assert structlog_processor(None, "info", {"event": text, **fields})


def test_structlog_shows_no_value() -> None:
    stream = io.StringIO()
    logger = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[structlog.processors.add_log_level, structlog_processor, structlog.processors.JSONRenderer()],
    )
    logger.info("login", password=VALUE, headers={"authorization": f"Bearer {VALUE}{VALUE}"}, url=URL, user="ada")
    try:
        connect()
    except ValueError:
        logger.exception("failed")
    assert VALUE not in stream.getvalue()
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["password"], first["user"], first["level"]) == ("[redacted]", "ada", "info")
    assert "ValueError: cannot connect to" in second["exception"]


def test_the_processor_may_stand_behind_the_renderer() -> None:
    assert structlog_processor(None, "info", f'{{"password": "{VALUE}"}}') == '{"password": "[redacted]"}'
    assert structlog_processor(None, "info", f"password={VALUE}".encode()) == b"password=[redacted]"


def test_an_event_that_cannot_be_redacted_is_withheld(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.detection.streams.mask", lambda **_: 1 / 0)
    events: list[Any] = [{"event": "x", "level": "info", "password": VALUE}, f"password={VALUE}", VALUE.encode()]
    for event in events:
        given = structlog_processor(None, "info", event)
        assert "withheld" in str(given)
        assert VALUE not in str(given)


def test_the_import_is_cheap_and_needs_nothing_else() -> None:
    code = (
        "import sys, auditor.redact; heavy = {'structlog', 'hyperscan', 'auditor.detection.engine', 'yaml', 'typer'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
