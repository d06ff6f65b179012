"""The verbs that a loaded run answers for other programs: JSON in, JSON out."""

import base64
import binascii
import contextlib
import dataclasses
import json
import re
import shlex
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from shared import InputError, lines, settings

MOST_INPUTS = 1_000  # of a request
LONGEST = 1_000  # characters shown of an answer
# Commands of a shell that print a request with the content of FILE.
TEXT_REQUEST = """python -c 'import json, sys; print(json.dumps({"inputs": [sys.stdin.read()]}))' < FILE"""
BINARY_REQUEST = """echo '{"inputs": ["'$(base64 < FILE | tr -d '\\n')'"]}'"""
NO_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclasses.dataclass(frozen=True)
class Input:
    """A kind of input: a description of it, and how it is read from a JSON value and from a line.

    A value that is the content of a file is written to the given path, which is the input then; a line is a path.
    """

    what: str
    of_json: Callable[[Any, Path], Any]
    of_line: Callable[[str], Any] = str
    line: str = "a text"
    command: str = ""  # prints a request with the file FILE


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """A verb that is served.

    answer: called with the inputs and each option by name, returns a JSON value for each input; a predictor does.
    example: a request or a file, for the page /docs. options: a dataclass of their defaults; None: there are none.
    """

    answer: Callable[..., list[Any]]
    input: Input
    example: Mapping[str, Any] | Path
    options: Any = None


def _text(value: Any, path: Path) -> str:
    del path
    if not isinstance(value, str) or NO_SURROGATES.search(value):
        raise InputError(f"inputs: expected texts; received {_shown(value)}")
    return value


def _object(value: Any, path: Path) -> dict[str, Any]:
    del path
    if not isinstance(value, dict):
        raise InputError(f"inputs: expected JSON objects; received {_shown(value)}")
    return value


def _decoded(value: Any, path: Path) -> Path:
    try:
        path.write_bytes(base64.b64decode(_text(value, path), validate=True))
    except (binascii.Error, ValueError) as error:
        raise InputError(f"inputs: expected base64; {error}") from error
    return path


def _of_line(line: str) -> dict[str, Any]:
    return parsed(line.encode())


TEXT = Input("a text", _text)
OBJECT = Input("a JSON object", _object, _of_line, "a JSON object")


def content(what: str, suffix: str) -> Input:
    """Returns the kind of input that is a text file; in JSON its content."""

    def written(value: Any, path: Path) -> Path:
        path = path.with_suffix(suffix)
        path.write_text(_text(value, path), encoding="utf-8", newline="")
        return path

    return Input(f"the content of {what}", written, Path, f"the path of {what}", TEXT_REQUEST)


def binary(what: str, suffix: str) -> Input:
    """Returns the kind of input that is a binary file; in JSON its content in base64."""
    return Input(
        f"the content of {what} in base64",
        lambda value, path: _decoded(value, path.with_suffix(suffix)),
        Path,
        f"the path of {what}",
        BINARY_REQUEST,
    )


def dumps(value: Any) -> str:
    """Returns the value as one line of JSON. NaN, which JSON does not have, raises ValueError."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def parsed(body: bytes) -> dict[str, Any]:
    """Parses a JSON object. Raises InputError if it is none."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    try:
        value = json.loads(body, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise InputError(f"Expected a JSON object. {str(error) or 'Received something else'}") from error
    if not isinstance(value, dict):
        raise InputError(f"Expected a JSON object. Received: {_shown(value)}")
    return value


def answers(endpoint: Endpoint, body: bytes, lock: Any = None) -> list[Any]:
    """Answers the inputs of a request, `{"inputs": [...], OPTION: ...}`.

    Args:
        lock: held while the endpoint answers, since a predictor answers one caller at a time.

    Raises:
        InputError: if the request, an input or an option is invalid.
    """
    request = parsed(body)
    given = request.pop("inputs", None)
    if not isinstance(given, list) or not 0 < len(given) <= MOST_INPUTS:
        count = f"{len(given):,} inputs" if isinstance(given, list) else "none" if given is None else _shown(given)
        raise InputError(f"Expected a list of 1 to {MOST_INPUTS:,} inputs, called inputs. Received: {count}")
    options = endpoint.options
    if options is not None:
        options = _changed(options, request)
    elif request:
        raise InputError(f"Expected nothing besides inputs. Received: {', '.join(map(_shown, request))}")
    with tempfile.TemporaryDirectory() as folder:
        try:
            inputs = [endpoint.input.of_json(value, Path(folder, f"input{n}")) for n, value in enumerate(given, 1)]
            with lock or contextlib.nullcontext():
                return asked(endpoint, inputs, options)
        except InputError as error:  # the client knows an input by its number, not by the path of a temporary file
            raise InputError(str(error).replace(f"{Path(folder)}/", "")) from error


def _changed(options: Any, request: dict[str, Any]) -> Any:
    """Returns the options with those of a request; an error names the field of the request, not --the-option."""
    try:
        return settings.changed(options, request)
    except InputError as error:
        flags = {settings.flag(name): name for name in request}
        raise InputError(re.sub("--[a-z-]+", lambda flag: flags.get(flag[0], flag[0]), str(error))) from error


def answer_line(endpoint: Endpoint, line: str) -> Any:
    """Answers one line of standard input. Raises InputError if it is invalid."""
    return asked(endpoint, [endpoint.input.of_line(line)], endpoint.options)[0]


def asked(endpoint: Endpoint, inputs: list[Any], options: Any) -> list[Any]:
    """Returns the answers of the endpoint with these options."""
    return endpoint.answer(inputs, **({} if options is None else dataclasses.asdict(options)))


def documented(endpoints: Mapping[str, Endpoint], address: str, title: str) -> str:
    """Returns a plain page: what each endpoint takes, and an example of a request."""
    parts = [title] if title else []
    for verb, endpoint in endpoints.items():
        parts += ["", f"POST /{verb}", f"  inputs: a list; each is {endpoint.input.what}"]
        if endpoint.options is not None:
            parts += [f"  {name}: {said}" for name, said in _defaults(endpoint.options)]
        parts += ["  Example:", f"    {_command(endpoint)} {address}/{verb}"]
    return "\n".join(parts).strip() + "\n"


def answered(endpoints: Mapping[str, Endpoint]) -> str:
    """Asks the first endpoint for its example, and returns the answer as a part of the page; "" if its file is gone."""
    verb, endpoint = next(iter(endpoints.items()))
    if isinstance(endpoint.example, Path):
        if not endpoint.example.exists():
            return ""
        (found,) = asked(endpoint, [endpoint.example], endpoint.options)
    else:
        (found, *_) = answers(endpoint, dumps(endpoint.example).encode())
    text = dumps(found)
    return f"\nAn answer of /{verb} to the example:\n  {text[:LONGEST]}{' ...' if len(text) > LONGEST else ''}\n"


def _command(endpoint: Endpoint) -> str:
    if isinstance(endpoint.example, Path):
        return f"{endpoint.input.command.replace('FILE', shlex.quote(str(endpoint.example)))} | curl -d @-"
    return f"curl -d {shlex.quote(dumps(endpoint.example))}"


def _defaults(options: Any) -> Iterator[tuple[str, str]]:
    for field in dataclasses.fields(options):
        yield field.name, f"optional; by default {json.dumps(getattr(options, field.name))}"


def _shown(value: Any) -> str:
    return lines.shown(json.dumps(value))
