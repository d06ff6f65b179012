"""The command line of every app: options from dataclasses, a lazily imported backend, one-line error messages."""

import contextlib
import functools
import importlib
import inspect
import io
import logging
import operator
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any

import tyro

from shared import InputError
from shared.runs import Stopped

STOPPED = 130  # the exit status that shells use for Ctrl-C
BAD_INPUT = 2
INTERRUPTED = "Interrupted. Repeat the command to start it again; a training resumes from what it has saved."
# Defaults for variables that the user has not set. TensorFlow enables oneDNN by default only on CPUs with AVX-512 VNNI,
# but it is faster on others too: a 2 x 512 LSTM trains in 0.85 of the time (AVX2, two cores).
# The baselines' small matrix products gain nothing from OpenBLAS threads, and are twenty times slower with them when
# the cores are busy, because the threads busy-wait for each other.
ENVIRONMENT = {
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
CHATTER = re.compile(r"WARNING: All log messages before absl|I\d{4} |To enable the following instructions")


# name -> (default options, "module:function", aliases of the verb)
Verbs = Mapping[str, tuple[Any, ...]]


def main(package: str, verbs: Callable[[Sequence[str]], Verbs], argv: Sequence[str] | None = None) -> int:
    """Parses the command line, then imports and calls the chosen verb.

    Args:
        package: the app's package, e.g. "apps.text_generation", in which modules are looked up.
        verbs: maps the command line's arguments to two or more verbs: name -> (a dataclass instance with the default
            options, "module:function", and optional aliases). The class docstring is the verb's help, and the comment
            above a field is that option's help. Its optional method `check` rejects what can be rejected before a
            backend starts. It is a function because --data and --recipe choose the defaults.
        argv: arguments after the program's name. None: those of this process.

    Returns:
        The exit status: 0, or 2 for errors the user can fix, or 130 if stopped by Ctrl-C or SIGTERM; the last two with
        one line on stderr. A bug in the program still prints its traceback.
    """
    words = list(sys.argv[1:] if argv is None else argv)

    def work() -> None:
        refuse_broken(words)
        known = verbs(words)
        options = parse(package, known, words)
        if check := getattr(options, "check", None):
            check()
        target = next(target for default, target, *_ in known.values() if type(default) is type(options))
        module, function = target.split(":")
        with _quiet_start():
            verb = getattr(importlib.import_module(f"{package}.{module}"), function)
            # It imports TensorFlow on any backend; what only reads data uses that of NumPy and draws nothing at random.
            if "keras" in sys.modules and os.environ["KERAS_BACKEND"] != "numpy":
                sys.modules["keras"].utils.set_random_seed(0)
        verb(options)

    return guarded(work)


def predictor(package: str, name: str) -> Any:
    """Returns the app's class `Predictor`, for `__getattr__` of the package: the backend starts when it is asked for.

    Raises:
        AttributeError: if another name is asked for.
    """
    if name != "Predictor":
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    with _quiet_start():
        return importlib.import_module(f"{package}.predict").Predictor


def refuse_broken(words: Sequence[str]) -> None:
    """Raises InputError if an argument is not valid UTF-8; Python decodes such bytes to lone surrogates."""
    for word in words:
        if re.search("[\ud800-\udfff]", word):
            raise InputError(f"Expected arguments in UTF-8. Received: {word!r}")


def guarded(work: Callable[[], None]) -> int:
    """Calls `work()` and returns the exit status as described in `main`."""
    try:
        work()
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Stopped as stopped:
        return _say(str(stopped), STOPPED)
    except KeyboardInterrupt as interrupt:
        return _say(str(interrupt) or INTERRUPTED, STOPPED)
    except InputError as error:
        return _say(f"error: {error}", BAD_INPUT)
    except OSError as error:
        reason = ": ".join(str(part) for part in (error.filename, error.strerror) if part)
        return _say(f"error: {reason or error}", BAD_INPUT)
    return 0


def parse(package: str, verbs: Verbs, words: Sequence[str]) -> Any:
    """Returns the options of the chosen verb; exits with status 0 after --help.

    Raises InputError for invalid options, in place of tyro's framed message.
    """
    if len({type(default) for default, *_ in verbs.values()}) < max(2, len(verbs)):
        raise ValueError(f"Expected two or more verbs, each with its own dataclass. Received: {verbs}")
    also = {other: name for name, (_, _, *others) in verbs.items() for other in others}
    commands: Any = [
        Annotated[type(default), tyro.conf.subcommand(name, default=default, description=_help(default, others))]
        for name, (default, _, *others) in verbs.items()
    ]
    union: Any = functools.reduce(operator.or_, commands)
    description = importlib.import_module(package).__doc__
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return tyro.cli(
                union,
                prog=f"python -m {package}",
                description=description,
                args=[also.get(word, word) for word in words[:1]] + list(words[1:]),
                config=(tyro.conf.OmitArgPrefixes,),
            )
    except SystemExit as end:
        if refusal := _refusal(end):
            raise refusal from None
        if end.code != BAD_INPUT:
            raise
        verb = f" {words[0]}" if words and words[0] in {**verbs, **also} else ""
        raise InputError(f"{_plain(_unboxed(said.getvalue()))}. See python -m {package}{verb} --help") from None


def _unboxed(text: str) -> str:
    """Returns tyro's error message as one line, without its frame, title and hints about --help."""
    title = 1 if text.startswith("╭") else 2  # its lines: without UTF-8 output the frame is drawn with spaces and -
    inside = "\n".join(line.strip("│╰╯ ") for line in text.splitlines()[title:])
    parts = [" ".join(part.split()) for part in re.split(r"^[─-]+$", inside, flags=re.MULTILINE)]
    if near := re.findall(r"^(--[\w-]+) ", inside.partition("Perhaps you meant:")[2], re.MULTILINE):
        parts = [part for part in parts if not part.startswith("Perhaps")] + [f"Perhaps you meant: {', '.join(near)}"]
    kept = [part.removeprefix("Argument helptext: ") for part in parts if not part.startswith("For full helptext")]
    return ". ".join(part.rstrip(".") for part in kept if part)


def _plain(said: str) -> str:
    """Rewords tyro's message on a value that is no number, or on a missing argument, like our own errors.

    >>> _plain("Error parsing --http: no type. Got: invalid literal for int() with base 10: 'x'. --http INT the port")
    "--http: expected a whole number; received 'x'"
    >>> _plain("Missing from python -m apps.a predict: STR the text, or a file (required)")
    'Expected the text, or a file'
    """
    if found := re.match(r"Error parsing (--[\w-]+): .*?(literal for int|string to float).*?: ('.*?')", said):
        kind = "a whole number" if found[2].endswith("int") else "a number"
        return f"{found[1]}: expected {kind}; received {found[3]}"
    if found := re.fullmatch(r"Missing from python -m [\w. -]+: [A-Z]+ (.*) \(required\)", said):
        return f"Expected {found[1]}"
    return said


def _help(options: Any, others: Sequence[str]) -> str:
    """Returns the verb's help: the docstring of its options class, and its aliases."""
    text = inspect.getdoc(type(options)) or ""
    return f"{text} (Also called {', '.join(others)}.)" if others else text


def _refusal(end: BaseException) -> InputError | None:
    """Returns the InputError that caused this exit, if there is one."""
    cause: BaseException | None = end
    while cause is not None and not isinstance(cause, InputError):
        cause = cause.__context__
    return cause


@contextlib.contextmanager
def _quiet_start() -> Iterator[None]:
    """Sets `ENVIRONMENT` and filters out TensorFlow's startup messages while it is imported.

    Its libraries write to the file descriptor before log levels take effect, so stderr itself has to be captured.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    for chatty in ("absl", "tensorflow"):  # TensorFlow warns when an evaluation has several sequence lengths
        logging.getLogger(chatty).setLevel(logging.ERROR)
    with tempfile.TemporaryFile() as held_back:
        sys.stderr.flush()
        stderr = os.dup(2)
        os.dup2(held_back.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            held_back.seek(0)
            lines = held_back.read().decode(errors="replace").splitlines(keepends=True)
            sys.stderr.writelines(line for line in lines if not CHATTER.match(line))


def _say(text: str, status: int) -> int:
    print(" ".join(text.split()), file=sys.stderr)
    return status
