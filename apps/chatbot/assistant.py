"""The assistant: understands a request, tracks the conversation, carries out the request with a skill, and answers."""

import dataclasses
import datetime
import re
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from shared import InputError, MissingFileError, files, lines, runs
from shared.data.wording import sized

from .config import APP
from .memory import Entry, Memory, default_path
from .options import Chat
from .predict import Frame, Predictor
from .skills import CannotDo, Confirm, Skill, World, known, places, units
from .skills.answers import fits, is_bare, is_dropped, is_negated, is_no, is_yes
from .skills.durations import until
from .skills.entries import day_and_time
from .skills.forms import FREE_TEXT, form
from .skills.rules import ruled
from .skills.spoken import ALSO, Spoken
from .smalltalk.config import TALK_APP

FOLLOW_UP, OUT_OF_SCOPE = "follow_up", "out_of_scope"
ANSWER = Frame("answer", 1.0, True, ())  # of a message that answers an open question with yes or no
UNSURE = "I'm not sure what you mean. Say help to see what I can do."
_THERE = re.compile(r"\b(?:there|that (?:city|place|country))\b", re.IGNORECASE)
LATE_S = 60  # what is announced later than this after its time is said to be late
RING_S = 0.5  # interval between checks for due timers and reminders
HAPPENED = {"timers": "Your {} timer is over!", "reminders": "Reminder: {}", "alarms": "Your alarm rings! {}"}
KEPT, NOT_YES = "All right, I change nothing.", "That was not a yes, so I changed nothing."
FREE = 0.9  # confidence of a complete request that is not taken for the answer to a question about free text


@dataclasses.dataclass
class Thread:
    """The state of the conversation: the last skill, its slots, the slot that was asked for, and the question."""

    intent: str = ""
    slots: dict[str, str] = dataclasses.field(default_factory=dict)
    asked: str = ""
    question: str = ""


@dataclasses.dataclass(frozen=True)
class Turn:
    """One answer, the frame it is based on, the skill and slots used, and the time it took in milliseconds.

    `before`: the values of slots that are from earlier messages.
    """

    answer: str
    frame: Frame
    did: str
    slots: dict[str, str]
    took_ms: float
    before: dict[str, str] = dataclasses.field(default_factory=dict)


class Assistant:
    """Answers messages one after the other.

    Args:
        predictor: the trained run. skills: by name. world: the resources that skills may use.
        talk: replies (given earlier messages and this one) if no skill applies; None without small talk.
    """

    def __init__(self, predictor: Predictor, skills: dict[str, Skill], world: World, talk: Any = None) -> None:
        self.predictor, self.skills, self.world, self.talk = predictor, skills, world, talk
        self.thread = Thread()
        self.confirm: tuple[str, Confirm] | None = None  # a skill and its question that only a yes answers
        self.said: list[str] = []  # the last messages and answers of the small talk

    def answer(self, message: str) -> Turn:
        """Answers a message; never raises, whatever a skill does."""
        started, earlier, asked = time.perf_counter(), self.thread.slots, self.confirm
        self.world.said = message
        frame, did, slots, answer = self.answered(message)
        if self.confirm is not None and self.confirm is asked:  # neither yes nor no
            self.confirm = None
            answer = f"{NOT_YES} {answer}" if did else NOT_YES
        before = _kept(slots, earlier, frame)
        return Turn(answer, frame, did, slots, 1000 * (time.perf_counter() - started), before)

    def answered(self, message: str) -> tuple[Frame, str, dict[str, str], str]:
        """Returns the frame, the skill, its slots and the answer to a message."""
        if not any(sign.isalnum() for sign in message):
            return Frame("", 0.0, False, ()), "", {}, "I need words or numbers to go by."
        if self.confirm is not None and (is_yes(message) or is_no(message)):
            (did, confirm), self.confirm = self.confirm, None
            if is_no(message):
                return ANSWER, "", {}, KEPT
            return ANSWER, did, {}, self.guarded(did, confirm.yes)
        if self.thread.asked and is_dropped(message):
            self.thread = Thread()
            return ANSWER, "", {}, "All right, I leave it."
        if self.thread.asked in FREE_TEXT and is_bare(message):
            return ANSWER, "", {}, self.thread.question
        if self.thread.asked not in FREE_TEXT and is_negated(message):
            self.thread = Thread()
            return ANSWER, "", {}, KEPT
        return self.carried_out(message)

    def carried_out(self, message: str) -> tuple[Frame, str, dict[str, str], str]:
        """Understands a message with the network and acts on it; returns the same."""
        frame, asked = self.predictor.understand([message])[0], self.thread.asked
        try:
            did, slots = self.meant(frame, Spoken(message, frame.slots))
            answer = self.act(did, slots) if did else self.chatter(message)
            if asked and self.thread.asked == asked and frame.sure and frame.intent == OUT_OF_SCOPE:
                did, slots, answer = "", {}, self.chatter(message)  # not an answer to the question
        except CannotDo as question:  # part of the request was not understood
            did, slots, answer, self.thread = frame.intent, {}, str(question), Thread()
        if frame.cut:
            answer += f" (I read only the first {self.predictor.encoder.max_words} words of that.)"
        return frame, did, slots, answer

    def meant(self, frame: Frame, spoken: Spoken) -> tuple[str, dict[str, str]]:
        """Returns the skill and its slots, possibly taken from the thread; "" if no skill applies."""
        slots, thread, message = spoken.values(), self.thread, spoken.message
        intent, texts = ruled(message, self.skills, self.world.now())
        if intent:  # whatever the network says, and though a question may be open
            return intent, (thread.slots if thread.asked and intent == thread.intent else {}) | texts
        if thread.asked and self.is_answer(frame, slots, message):
            kept, answer = thread.slots.get(thread.asked), self.value(slots, message)
            return thread.intent, thread.slots | {thread.asked: f"{kept}\n{answer}" if kept else answer}
        # If the slots fit the last skill, the uncertainty about a short message does not matter.
        if frame.intent == FOLLOW_UP and thread.intent and slots:
            spoken.check(self.skills[thread.intent])
            return self.followed(slots)
        intent, texts = self.named(frame, message)
        if not intent:
            return "", {}
        skill = self.skills[intent]
        spoken.keep_text(skill)
        spoken.find_place(skill)
        spoken.check(skill)
        slots = _adapted(texts | spoken.values(), skill.slots()) | {n: v for n, v in texts.items() if n == "note"}
        if "city" in skill.slots() and "city" in thread.slots and _THERE.search(message):
            slots["city"] = thread.slots["city"]
        return intent, slots

    def named(self, frame: Frame, message: str) -> tuple[str, dict[str, str]]:
        """Returns the skill that a request names, and its free text if the message has the form of a pattern.

        What has exactly that form needs no confidence; "" if the network is in doubt and no pattern decides.
        """
        found = form(self.skills[frame.intent], message) if frame.intent in self.skills else None
        if found is not None and found.keys() <= {*FREE_TEXT, *frame.values()}:
            return frame.intent, {name: value for name, value in found.items() if name in FREE_TEXT}
        if frame.sure:
            return (frame.intent, {}) if frame.intent in self.skills else ("", {})
        bare = [f"{{{slot.name}}}" for slot in frame.slots] if frame.intent == FOLLOW_UP else []
        return next((name for name, each in self.skills.items() if bare and set(bare) <= set(each.patterns)), ""), {}

    def is_answer(self, frame: Frame, slots: dict[str, str], message: str) -> bool:
        """Returns whether the message answers the question about a slot, rather than being a request of its own."""
        if not frame.sure or frame.intent in (FOLLOW_UP, OUT_OF_SCOPE) or frame.intent not in self.skills:
            return True
        if (fitting := fits(self.thread.asked, message, self.world.now())) is not None:
            return fitting
        if frame.intent == self.thread.intent:
            return not slots.get(self.thread.asked)
        complete = all(slots.get(name) for name in self.skills[frame.intent].asks)
        return not (complete and frame.confidence >= FREE)

    def value(self, slots: dict[str, str], message: str) -> str:
        """Returns the answer to the question about a slot: the whole message, if it is a value or free text."""
        asked, whole = self.thread.asked, message.strip(" .!?")
        if asked in FREE_TEXT:
            return re.sub(r"^(?:to|that) ", "", whole, flags=re.IGNORECASE)
        return whole if fits(asked, message, self.world.now()) else slots.get(asked, whole)

    def followed(self, slots: dict[str, str]) -> tuple[str, dict[str, str]]:
        """Returns the last skill with some slots replaced by these; "" if it has no such slots."""
        has = self.skills[self.thread.intent].slots()
        slots = slots | _adapted(slots, has)
        fitting = {name: value for name, value in slots.items() if name in has}
        return (self.thread.intent, self.thread.slots | fitting) if fitting else ("", {})

    def act(self, did: str, slots: dict[str, str]) -> str:
        """Runs the skill, or asks for a missing slot; the thread is kept for follow-ups."""
        each = self.skills[did]
        missing = next((name for name in each.asks if not slots.get(name)), "")
        if each.slots():
            self.thread = Thread(did, slots, missing, each.asks.get(missing, ""))
        elif self.thread.asked:  # skills without slots, such as thanks, do not change the topic but end a question
            self.thread = Thread()
        if missing:
            return each.asks[missing]
        return self.guarded(did, lambda: each.run(slots, self.world), slots)

    def guarded(self, did: str, run: Callable[[], str | Confirm], slots: dict[str, str] | None = None) -> str:
        """Runs a skill, or what it does after a yes; keeps the question that it asks."""
        try:
            answer = run()
        except CannotDo as refusal:
            if refusal.slot and slots is not None:  # the answer only replaces what the question left open
                kept = slots.get(refusal.slot, "") if refusal.keeps else slots.get(refusal.slot, "").rpartition("\n")[0]
                self.thread = Thread(did, slots | {refusal.slot: kept}, refusal.slot, str(refusal))
            return str(refusal)
        except Exception as error:  # a user's own skill may fail in any way; the conversation continues
            return f"The skill {did} failed: {type(error).__name__}: {error}"
        if isinstance(answer, Confirm):
            self.confirm = did, answer
            return answer.question
        return answer

    def chatter(self, message: str) -> str:
        """Replies with small talk or, without it, that nothing was understood."""
        self.thread = Thread()
        if self.talk is None:
            return UNSURE
        answer = self.talk.reply([*self.said[-3:], message])
        self.said = [*self.said, message, answer][-4:]
        return answer

    def warm_up(self) -> None:
        """Compiles and loads everything in advance, so that the first message is not delayed."""
        self.predictor.warm_up()
        units.registry()
        places.index()
        if self.talk is not None:
            self.talk.warm_up()


def _adapted(slots: dict[str, str], has: set[str]) -> dict[str, str]:
    """Fills a slot that the skill has from a similar one that it lacks, such as a moment from a duration."""
    more = {other: slots[name] for name, other in ALSO if name in slots and name not in has and other in has}
    return more | slots


def chat(options: Chat) -> None:
    """Runs the chat command: answers each line of standard input until it ends."""
    run = runs.find(APP, options.run)
    memory = Memory(memory_file(options))
    skills = known(options.skills or run.config["skills"])
    world = World(memory, np.random.default_rng(options.seed), skills)
    assistant = Assistant(Predictor(run), skills, world, _small_talk(options))
    assistant.warm_up()
    if not skills.keys() & set(assistant.predictor.intents):
        print(f"{run.path} has no intents with a skill: it recognises requests but cannot act.", file=sys.stderr)
    print("Type a request; press Ctrl-D to leave.", file=sys.stderr, flush=True)
    over = threading.Event()
    threading.Thread(target=_ring, args=(world, over), daemon=True).start()
    took = []
    sys.stdin.reconfigure(errors="replace")  # an invalid character must not end the conversation
    try:
        while message := _line():
            turn = assistant.answer(message)
            took.append(turn.took_ms)
            if options.debug:
                print(debugged(turn))
            print(turn.answer, flush=True)
            if turn.did == "goodbye":
                break
    finally:
        over.set()
    if took:
        p50, p99 = lines.percentiles(took)
        print(f"{sized(len(took), 'turns')}: p50 {p50:.1f} ms, p99 {p99:.1f} ms", file=sys.stderr)


def memory_file(options: Chat) -> Path:
    """Returns the user's memory file; an older one next to the runs is taken over once, and left where it is."""
    if options.memory:
        return Path(options.memory)
    path, older = default_path(APP), runs.root() / APP / "memory.json"
    if older.is_file() and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_text(path, older.read_text(encoding="utf-8"))
        print(f"Notes, reminders and timers are now in {path}; those in {older} were copied.", file=sys.stderr)
    return path


def _line() -> str:
    """Reads the next line; "" at the end of the input, or for an empty line typed at a terminal."""
    person = sys.stdin.isatty()
    if person:
        print("> ", end="", file=sys.stderr, flush=True)
    while line := sys.stdin.readline():
        if line.strip() or person:
            return line.strip()
    return ""


def _small_talk(options: Chat) -> Any:
    """Loads the small-talk run; None if there is none and none was requested."""
    from .smalltalk.predict import Predictor as Talker

    try:
        return Talker(runs.find(TALK_APP, options.talk), options.seed)
    except MissingFileError:
        if options.talk:
            raise
        return None


def _ring(world: World, over: threading.Event) -> None:
    """Announces due timers and reminders until the chat ends or the memory cannot be read."""
    try:
        while not over.wait(RING_S):
            for kind, entry in world.memory.due(world.now()):
                print(announced(kind, entry, world.now()), flush=True)
    except (InputError, OSError) as error:
        print(f"Nothing will ring any more: {error}", file=sys.stderr, flush=True)


def announced(kind: str, entry: Entry, now: datetime.datetime) -> str:
    """Returns what is said of a due entry; with its time if it is late, since no chat ran."""
    text, at = entry
    said = " ".join(HAPPENED[kind].format(text).split())
    if until(at, now) > -LATE_S:
        return said
    due = f"at {at:%H:%M}" if at.date() == now.date() else f"on {day_and_time(at, now)}"
    return f"{said} (It was due {due}.)"


def _kept(slots: dict[str, str], earlier: dict[str, str], frame: Frame) -> dict[str, str]:
    """Returns the values, or their first lines, that were known before this message and that it does not repeat."""
    said, kept = frame.values(), {}
    for name, value in earlier.items():
        now = slots.get(name, "")
        if value and (now == value or now.startswith(f"{value}\n")) and value not in said.get(name, ()):
            kept[name] = value
    return kept


def debugged(turn: Turn) -> str:
    """Formats what was understood, what was done, and the latency."""
    said = [f"[understood: {turn.frame.described()}]"]
    if turn.before:
        kept = "  ".join(f"{name}={lines.shown(value, 40)!r}" for name, value in turn.before.items())
        said.append(f"[from before: {kept}]")
    did = turn.did or ("nothing" if turn.frame is ANSWER else "small talk")
    said.append(f"[did: {did}, {turn.took_ms:.1f} ms]")
    return "\n".join(said)
