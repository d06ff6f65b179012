"""The command line of every app: options from dataclasses, late start of the backend, errors in one line."""

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

STOPPED = 130  # a shell's status for Ctrl-C
BAD_INPUT = 2
INTERRUPTED = "Interrupted. Repeat the command to start it again; a training resumes from what it has saved."
# Set at the start where the user has not. TensorFlow by itself multiplies with oneDNN only on processors with AVX-512
# VNNI; on others too that is faster: an LSTM of 2 x 512 trains in 0.85 of the time (AVX2, two cores).
# The baselines' small products gain nothing from OpenBLAS's threads, and lose twenty times their time to them where the
# cores are busy: its threads wait for each other by spinning.
ENVIRONMENT = {
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
CHATTER = re.compile(r"WARNING: All log messages before absl|I\d{4} |To enable the following instructions")


# name -> (the default options, "module:function", further names of the verb)
Verbs = Mapping[str, tuple[Any, ...]]


def main(package: str, verbs: Callable[[Sequence[str]], Verbs], argv: Sequence[str] | None = None) -> int:
    """Parses the command line, then imports and calls the chosen verb.

    Args:
        package: the app's package, e.g. "apps.text_generation"; modules are looked up in it.
        verbs: the words of the command line -> two or more verbs: name -> (a dataclass instance with the default
            options, "module:function", and perhaps further names). The class's docstring is the verb's help, the
            comment above each field the option's; its method `check`, if it has one, refuses what can be refused before
            a backend starts. It is a function since --data and --recipe choose the defaults.
        argv: words after the program's name. None: those of this process.

    Returns:
        The exit status: 0, or 2 for what the user can mend, or 130 if stopped by Ctrl-C or SIGTERM; both with
        one line on stderr. A mistake in the program keeps its traceback.
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
        verb(options)

    return guarded(work)


def refuse_broken(words: Sequence[str]) -> None:
    """InputError if bytes of an argument are no text; Python gives each of them as half a character."""
    for word in words:
        if re.search("[\ud800-\udfff]", word):
            raise InputError(f"Expected arguments in UTF-8. Received: {word!r}")


def guarded(work: Callable[[], None]) -> int:
    """Calls `work()`; the exit status as `main` returns it."""
    try:
        work()
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has had enough
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
    """The chosen command's options; as usual exits with 0 after --help and with 2 after a wrong option.

    Raises InputError if an options class refuses a value with it, which tyro would wrap in a frame.
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
        raise InputError(f"{_unboxed(said.getvalue())}. See python -m {package}{verb} --help") from None


def _unboxed(text: str) -> str:
    """tyro's message as one line: its frame, title, and what it says of help are left out."""
    title = 1 if text.startswith("╭") else 2  # lines of it: where the output is not UTF-8 its frame is blanks and -
    inside = "\n".join(line.strip("│╰╯ ") for line in text.splitlines()[title:])
    parts = [" ".join(part.split()) for part in re.split(r"^[─-]+$", inside, flags=re.MULTILINE)]
    if near := re.findall(r"^(--[\w-]+) ", inside.partition("Perhaps you meant:")[2], re.MULTILINE):
        parts = [part for part in parts if not part.startswith("Perhaps")] + [f"Perhaps you meant: {', '.join(near)}"]
    kept = [part.removeprefix("Argument helptext: ") for part in parts if not part.startswith("For full helptext")]
    return ". ".join(part.rstrip(".") for part in kept if part)


def _help(options: Any, others: Sequence[str]) -> str:
    """The verb's help: its class's docstring, and its further names."""
    text = inspect.getdoc(type(options)) or ""
    return f"{text} (Also called {', '.join(others)}.)" if others else text


def _refusal(end: BaseException) -> InputError | None:
    """The InputError that led to this end, if one did."""
    cause: BaseException | None = end
    while cause is not None and not isinstance(cause, InputError):
        cause = cause.__context__
    return cause


@contextlib.contextmanager
def _quiet_start() -> Iterator[None]:
    """Sets `ENVIRONMENT` and leaves out what TensorFlow says about itself while it is imported.

    Its libraries write to the file descriptor before any log level counts, so that has to be held back.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    for chatty in ("absl", "tensorflow"):  # the latter warns when an evaluation meets several lengths
        logging.getLogger(chatty).setLevel(logging.ERROR)
    with tempfile.TemporaryFile() as held_back:
        sys.stderr.flush()
        stderr = os.dup(2)
        os.dup2(held_back.fileno(), 2)
        try:
            yield
            if "keras" in sys.modules:  # on any backend this imports TensorFlow, and every app does it sooner or later
                sys.modules["keras"].utils.set_random_seed(0)
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
