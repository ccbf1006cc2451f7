"""The API for applications: nothing planted reaches a handler's output, and nothing raises into the application."""

import io
import json
import logging
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3 import HTTPHeaderDict

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


BEARER = f"Bearer {VALUE}{VALUE}"


class Login(NamedTuple):
    user: str
    password: str


@dataclass
class Account:
    user: str
    password: str = field(repr=False)


@pytest.mark.parametrize(
    "thing",
    [
        {"headers": {"Authorization": BEARER}},
        {"headers": {"authorization": VALUE}},
        {"headers": {"Proxy-Authorization": f"Token {VALUE}"}},
        {"HTTP_AUTHORIZATION": BEARER},
        {"headers": [("Authorization", BEARER), ("Accept", "*/*")]},
        {"headers": [["x-api-key", VALUE], ["accept", "*/*"]]},
        {"headers": [[b"authorization", BEARER.encode()], [b"accept", b"*/*"]]},
        {"headers": ((b"authorization", BEARER.encode()), (b"accept", b"*/*"))},
        {"headers": ["Accept", "*/*", "Authorization", BEARER]},
        MappingProxyType({"Authorization": BEARER}),
        {"password": {"value": VALUE}},
        {"password": {"old": "x", "new": {"raw": VALUE}}},
        {"password": [VALUE]},
        {"name": "DB_PASSWORD", "value": VALUE},
        [{"value": VALUE, "name": "DB_PASSWORD"}],
        {"Key": "API_TOKEN", "Value": VALUE},
        {"header": b"x-api-key", "value": VALUE.encode()},
        {"password": {"old_value": VALUE, "newValue": VALUE}},
        {"id": "password", "value": VALUE},
        {"type": "password", "value": VALUE},
        {"auth": ("ada", VALUE)},
        {"basic_auth": ["ada", VALUE]},
        ["curl", "-s", "-u", f"ada:{VALUE}", "-H", f"Authorization: {BEARER}"],
        ["sudo", "redis-cli", "-a", VALUE],
        Login("ada", VALUE),
        {"login": [Login("ada", VALUE)]},
        Account("ada", VALUE),
        ("password", VALUE),
        ["mysql", "--password", VALUE],
        deque([{"password": VALUE}]),
        {f"postgres://app:{VALUE}@db": 1},
        {"error": ValueError({"password": VALUE})},
        {"error": KeyError("password", VALUE)},
        {"locals": {"password": repr(VALUE)}},
    ],
    ids=repr,
)
def test_a_name_counts_wherever_it_stands(thing: Any, output: Output) -> None:
    logger, shown = output
    given = repr(thing)
    logger.info("x", extra={"thing": thing})
    logger.info("got %s from %s", thing, "ada")
    logger.info(thing)
    event = structlog_processor(None, "info", {"event": "x", "thing": thing})
    assert VALUE not in shown() + repr(event) + repr(redact(thing))
    assert shown().count("[redacted]") >= 3 or isinstance(thing, Account)
    assert repr(thing) == given, "what the application holds stays"
    for kept in ("ada", "*/*", "mysql", "'error'", "user", "redis-cli"):
        assert (kept in repr(redact(thing))) == (kept in given)


@pytest.mark.parametrize(
    "thing",
    [
        {"headers": {"Authorization": "Bearer ${TOKEN}", "Accept": "*/*"}},
        {"authorization": "Bearer", "n": 1},
        {"password": {"min_length": 8, "type": "string", "policy": "strong"}},
        {"name": "LOG_LEVEL", "value": "debug"},
        {"valueFrom": {"secretKeyRef": {"name": "db-credentials", "key": "password"}}},
        {"missing": ["username", "password"], "loc": ("body", "password")},
        ["password", "username"],
        ["curl", "-u", "ada", "-o", "out.json", "-"],
        {"auth": ("ada",), "login": ("ada", "refused")},
        {"token": {"type": "identifier", "value": "x"}},
        [["password", 1], [1, 2]],
        Login("ada", ""),
        Account("ada", ""),
        {"max_tokens": 4096, "token": 7, "ok": True, "password": None, "none": ()},
        {1: 2, None: 3, ("a", "b"): {4}},
        deque([1, "x"]),
        MappingProxyType({"a": 1}),
    ],
    ids=repr,
)
def test_what_holds_no_credential_is_the_same_object(thing: Any) -> None:
    assert redact(thing) is thing
    record = logging.LogRecord("x", 20, "f", 1, "%s", (thing, 1), None)
    record.args = (thing,)
    record.__dict__["thing"] = thing
    assert RedactingFilter().filter(record)
    assert record.args[0] is thing
    assert record.__dict__["thing"] is thing


def test_what_stands_under_a_name_twice_stays() -> None:
    headers = HTTPHeaderDict({"Accept": "*/*"})
    headers.add("Set-Cookie", "a=1")
    headers.add("Set-Cookie", "b=2")
    assert redact(headers) is headers
    headers["Authorization"] = BEARER
    shown = {"Accept": "*/*", "Set-Cookie": ["a=1", "b=2"], "Authorization": "Bearer [redacted]"}
    assert redact(headers) == shown


def test_arguments_by_name(output: Output) -> None:
    logger, shown = output
    logger.info("conf %(password)s for %(user)s", {"password": VALUE, "user": "ada"})
    logger.info("conf for %(user)s", {"password": VALUE, "user": "ada"})
    logger.info("%s logged in", Login("ada", VALUE), extra={"pin": 7})
    logger.info("%(password)d", {"password": 73_519_246})
    assert VALUE not in shown()
    assert "73519246" not in shown()
    first, second, _, last = map(json.loads, shown().splitlines())
    assert (first["text"], second["text"]) == ("conf [redacted] for ada", "conf for ada")
    assert second["args"] == {"password": "[redacted]", "user": "ada"}
    assert "withheld" in last["text"], "what is masked is no number any more"


@pytest.mark.parametrize(
    ("thing", "shown"),
    [
        (f"password={VALUE}".encode(), b"password=[redacted]"),
        (b"\xff\xfe plain", b"\xff\xfe plain"),
        (f"\xff password={VALUE}".encode("latin-1"), b"\xff password=[redacted]"),
        (5, 5),
        (None, None),
        ("\udcff\ud800", "\udcff\ud800"),
        ({"password": VALUE}, {"password": "[redacted]"}),
        ({b"authorization": BEARER.encode()}, {b"authorization": b"Bearer [redacted]"}),
        ({f"token={VALUE}".encode(): 1}, {b"token=[redacted]": 1}),
        (Login("ada", VALUE), Login("ada", "[redacted]")),
        ({"password": 73_519_246}, {"password": "[redacted]"}),
    ],
)
def test_redact_takes_whatever_there_is(thing: Any, shown: Any) -> None:
    assert redact(thing) == shown
    assert type(redact(thing)) is type(shown)


def test_redact_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "could not be redacted (RuntimeError)" in redact(Broken())
    monkeypatch.setattr("auditor.detection.streams.mask", lambda **_: 1 / 0)
    for thing in (VALUE, VALUE.encode(), [VALUE]):
        assert "withheld" in str(redact(thing))
        assert VALUE not in str(redact(thing))
        assert isinstance(redact(thing), bytes if isinstance(thing, bytes) else str)


def test_one_value_that_cannot_be_shown_leaves_the_others(output: Output) -> None:
    logger, shown = output
    logger.info("x", extra={"thing": {"a": Broken(), "b": f"password={VALUE}", "c": "kept"}})
    told = json.loads(shown())["thing"]
    assert (told["b"], told["c"]) == ("password=[redacted]", "kept")
    assert "RuntimeError" in told["a"]


def test_records_of_the_library_pass_structlog_masked_as_records() -> None:
    record = logging.LogRecord("x", 20, "f", 1, "password=%s", (VALUE,), None)
    event = structlog_processor(None, "info", {"event": "x", "_record": record})
    assert isinstance(event, dict)
    assert event["_record"].getMessage() == "password=[redacted]"
    assert record.args == (VALUE,), "other handlers have their own filters"


def test_a_traceback_and_a_stack_are_masked(output: Output) -> None:
    logger, shown = output
    try:
        connect()
    except ValueError:
        logger.exception("failed", stack_info=True)
    assert VALUE not in shown()
    assert "ValueError: cannot connect to postgres://app:[redacted]@db/app" in json.loads(shown())["text"]


def test_an_error_is_masked_by_the_names_in_its_arguments(output: Output) -> None:
    logger, shown = output
    try:
        try:
            raise LookupError("password", VALUE)  # noqa: TRY301 - as libraries do
        except LookupError:
            raise OSError(28, {"headers": [("Authorization", VALUE)]}) from None
    except OSError as error:
        error.__suppress_context__ = False
        logger.exception("failed")
        event = structlog_processor(None, "error", {"event": "failed", "exc_info": error})
    assert VALUE not in shown() + repr(event)
    assert "LookupError: ('password', '[redacted]')" in json.loads(shown())["text"]


def test_a_record_without_a_credential_stays_as_it_is(output: Output) -> None:
    logger, shown = output
    request = {"path": "/a"}
    record = logger.makeRecord("test", 20, "f", 1, "%s of %d", ("one", 2), None, None, {"request": request})
    logger.handle(record)
    assert (record.msg, record.args) == ("%s of %d", ("one", 2))
    assert record.__dict__["request"] is request
    assert '"text": "one of 2"' in shown()
    try:
        dict[str, str]()["x"]
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


def test_what_refers_to_itself_comes_to_an_end() -> None:
    endless: list[Any] = ["plain"]
    endless += [endless, {"again": endless}]
    assert redact(endless) is endless, "nothing in it to mask"
    endless.append({"password": VALUE})
    shown = redact(endless)
    assert VALUE not in repr(shown)
    assert "holds itself" in json.dumps(shown), "and no way back to the value"


def test_a_huge_structure_is_withheld_beyond_a_limit() -> None:
    doubled: list[Any] = [VALUE]
    for _ in range(60):
        doubled = [doubled, doubled]
    deep: list[Any] = [{"password": VALUE}]
    for _ in range(100_000):
        deep = [deep]
    wide = [{"password": VALUE} for _ in range(100_000)]
    long = {"password": VALUE, "text": ["x" * 1_000_000 for _ in range(200)], "last": f"password={VALUE}"}
    for thing in (doubled, deep, wide, long):
        before = time.process_time()
        event = structlog_processor(None, "info", {"event": "x", "thing": thing})
        assert time.process_time() - before < 60, "seconds, not for ever"
        assert isinstance(event, dict)
        assert "too large to be redacted" in json.dumps(event)
        assert f'"password": "{VALUE}"' not in json.dumps(event)


@pytest.mark.parametrize("unit", ["glpat-", "-a ", "= \t", "x" + " " * 50 + "= "])
def test_a_long_line_takes_time_in_proportion(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        taken = []
        for _ in range(3):
            before = time.process_time()
            redact(text)
            taken.append(time.process_time() - before)
        return min(taken)

    seconds(100)
    # Sixteen times the text; what is quadratic takes 256 times as long.
    assert seconds(64_000) < 64 * max(seconds(4_000), 0.000_5)


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
