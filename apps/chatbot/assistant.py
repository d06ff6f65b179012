"""The assistant: understands a request, tracks the conversation, carries out the request with a skill, and answers."""

import dataclasses
import re
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from shared import InputError, MissingFileError, lines, runs

from .config import APP
from .memory import Memory
from .options import Chat
from .predict import Frame, Predictor
from .skills import CannotDo, Skill, World, known, places, units
from .skills.spoken import ALSO, Spoken
from .smalltalk.config import TALK_APP

FOLLOW_UP, OUT_OF_SCOPE = "follow_up", "out_of_scope"
UNSURE = "I'm not sure what you mean. Say help to see what I can do."
_THERE = re.compile(r"\b(?:there|that (?:city|place|country))\b", re.IGNORECASE)
RING_S = 0.5  # interval between checks for due timers and reminders
HAPPENED = {"timers": "Your {} timer is over!", "reminders": "Reminder: {}"}


@dataclasses.dataclass
class Thread:
    """The state of the conversation: the last skill, its slots, and the slot that was asked for."""

    intent: str = ""
    slots: dict[str, str] = dataclasses.field(default_factory=dict)
    asked: str = ""


@dataclasses.dataclass(frozen=True)
class Turn:
    """One answer, the frame it is based on, the skill and slots used, and the time it took in milliseconds."""

    answer: str
    frame: Frame
    did: str
    slots: dict[str, str]
    took_ms: float


class Assistant:
    """Answers messages one after the other.

    Args:
        predictor: the trained run. skills: by name. world: the resources that skills may use.
        talk: replies (given earlier messages and this one) if no skill applies; None without small talk.
    """

    def __init__(self, predictor: Predictor, skills: dict[str, Skill], world: World, talk: Any = None) -> None:
        self.predictor, self.skills, self.world, self.talk = predictor, skills, world, talk
        self.thread = Thread()
        self.said: list[str] = []  # the last messages and answers of the small talk

    def answer(self, message: str) -> Turn:
        """Answers a message; never raises, whatever a skill does."""
        started = time.perf_counter()
        if not any(sign.isalnum() for sign in message):
            frame, did, answer = Frame("", 0.0, False, ()), "", "I need words or numbers to go by."
            return Turn(answer, frame, did, {}, 1000 * (time.perf_counter() - started))
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
        return Turn(answer, frame, did, slots, 1000 * (time.perf_counter() - started))

    def meant(self, frame: Frame, spoken: Spoken) -> tuple[str, dict[str, str]]:
        """Returns the skill and its slots, possibly taken from the thread; "" if no skill applies."""
        slots, thread, message = spoken.values(), self.thread, spoken.message
        if thread.asked and (not frame.sure or frame.intent in (FOLLOW_UP, OUT_OF_SCOPE)):
            kept = thread.slots.get(thread.asked)
            answer = slots.get(thread.asked, message.strip(" .!?"))
            return thread.intent, thread.slots | {thread.asked: f"{kept}\n{answer}" if kept else answer}
        # If the slots fit the last skill, the uncertainty about a short message does not matter.
        if frame.intent == FOLLOW_UP and thread.intent and slots:
            spoken.check(self.skills[thread.intent])
            return self.followed(slots)
        if not frame.sure or frame.intent not in self.skills:
            return "", {}
        skill = self.skills[frame.intent]
        spoken.find_place(skill)
        spoken.check(skill)
        slots = spoken.values()
        if "city" in skill.slots() and "city" in thread.slots and _THERE.search(message):
            slots["city"] = thread.slots["city"]
        return frame.intent, slots

    def followed(self, slots: dict[str, str]) -> tuple[str, dict[str, str]]:
        """Returns the last skill with some slots replaced by these; "" if it has no such slots."""
        has = self.skills[self.thread.intent].slots()
        for name, other in ALSO:
            if name in slots and name not in has and other in has:
                slots = slots | {other: slots[name]}
        fitting = {name: value for name, value in slots.items() if name in has}
        return (self.thread.intent, self.thread.slots | fitting) if fitting else ("", {})

    def act(self, did: str, slots: dict[str, str]) -> str:
        """Runs the skill, or asks for a missing slot; the thread is kept for follow-ups."""
        each = self.skills[did]
        missing = next((name for name in each.asks if not slots.get(name)), "")
        if each.slots():  # skills without slots, such as thanks, do not change the topic
            self.thread = Thread(did, slots, missing)
        if missing:
            return each.asks[missing]
        try:
            return each.run(slots, self.world)
        except CannotDo as refusal:
            if refusal.slot:  # the next message is the answer; it only replaces what the question left open
                kept = slots.get(refusal.slot, "") if refusal.keeps else slots.get(refusal.slot, "").rpartition("\n")[0]
                self.thread = Thread(did, slots | {refusal.slot: kept}, refusal.slot)
            return str(refusal)
        except Exception as error:  # a user's own skill may fail in any way; the conversation continues
            return f"The skill {did} failed: {type(error).__name__}: {error}"

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


def chat(options: Chat) -> None:
    """Runs the chat command: answers each line of standard input until it ends."""
    run = runs.find(APP, options.run)
    memory = Memory(Path(options.memory) if options.memory else runs.root() / APP / "memory.json")
    skills = known(options.skills or run.config["skills"])
    world = World(memory, np.random.default_rng(options.seed), skills)
    assistant = Assistant(Predictor(run), skills, world, _small_talk(options))
    assistant.warm_up()
    if not skills.keys() & set(assistant.predictor.intents):
        print(f"{run.path} has no intents with a skill: it recognises requests but cannot act.", file=sys.stderr)
    ends = "an empty line or Ctrl-D ends" if sys.stdin.isatty() else "the end of the input ends"
    print(f"Ready. Say what you want; {ends}.", file=sys.stderr, flush=True)
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
        print(f"{len(took):,} turns: p50 {p50:.1f} ms, p99 {p99:.1f} ms", file=sys.stderr)


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
            for kind, text in world.memory.due(world.now()):
                print(" ".join(HAPPENED[kind].format(text).split()), flush=True)
    except (InputError, OSError) as error:
        print(f"Nothing will ring any more: {error}", file=sys.stderr, flush=True)


def debugged(turn: Turn) -> str:
    """Formats what was understood, what was done, and the latency."""
    understood = turn.frame.values()
    kept = {name: value for name, value in turn.slots.items() if value not in understood.get(name, ())}
    said = [f"[understood: {turn.frame.described()}]"]
    if kept:
        said.append(
            "[from before: " + "  ".join(f"{name}={lines.shown(value, 40)!r}" for name, value in kept.items()) + "]"
        )
    said.append(f"[did: {turn.did or 'small talk'}, {turn.took_ms:.1f} ms]")
    return "\n".join(said)
