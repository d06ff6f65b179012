"""python -m apps.chatbot VERB: train, evaluate, chat, understand."""

import dataclasses
import sys

from shared import cli

from .config import Chat, Evaluate, Train, Understand, recipe
from .smalltalk.config import TALK, TrainTalk, is_talk


def verbs() -> dict:
    """Each verb with its default options and the function that does it; --data and --recipe choose the defaults,
    and dialogues another training than requests."""
    data = cli.peek(None, "--data", "builtin")
    if is_talk(data):
        train = (TrainTalk(config=dataclasses.replace(TALK, data=data)), "smalltalk.train:train")
    else:
        train = (Train(config=recipe(cli.peek(None, "--recipe", "") or None, data)), "train:train")
    return {
        "train": train,
        "evaluate": (Evaluate(), "evaluate:evaluate"),
        "chat": (Chat(), "assistant:chat"),
        "understand": (Understand(), "predict:understand"),
    }


if __name__ == "__main__":
    sys.exit(cli.main(__package__, verbs))
