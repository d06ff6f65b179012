"""What is wrong with requests before training: duplicates, rare intents, slots that training lacks, lengths."""

from shared.data import doctor
from shared.data.doctor import NOTE, WARNING, Finding, Item
from shared.inspection import Amount, Inspected, effort, report
from shared.plots import Panel

from .config import RECIPES, Config
from .data import arranged
from .options import CheckData
from .sources import Request, read
from .tags import OUTSIDE

RECORDED = 67_373  # tokens that the training recorded in results.json reads in an epoch
GIVEN = {"level": NOTE, "then": "training leaves them out", "among": "the training part as given"}


def check_data(options: CheckData) -> None:
    """Runs the check-data command."""
    report(options, look)


def look(config: Config) -> Inspected:
    """Looks at the requests as they were given, and at the splits as they are trained and tested on."""
    given = read(config)
    items = {part: [item(request) for request in some] for part, some in given.items()}
    data = arranged(given, config)
    parts = {"train": data.train.requests, "valid": data.valid.requests, "test": data.test.requests}
    intents = {part: [request.intent for request in some] for part, some in parts.items()}
    held = [part for part in ("valid", "test") if part in given]
    findings = [doctor.duplicates(items["train"], items[part], part, "requests", **GIVEN) for part in held]
    if len(held) == 2:
        then = "they stay in both"
        findings.append(doctor.duplicates(items["valid"], items["test"], "test", "requests", NOTE, then, "valid"))
    lengths = [len(request.tokens) for request in given["train"]]
    amount = Amount(sum(len(request.tokens) for request in parts["train"]), "tokens", RECORDED)
    findings += [
        doctor.repeats(items["train"], "training requests"),
        *doctor.contradictions(items["train"], [request.intent for request in given["train"]], "training requests"),
        *doctor.giveaways(
            [item.key for item in items["train"]], [request.intent for request in given["train"]], "requests"
        ),
        *doctor.balance(intents, "intent"),
        *unseen_slots(parts),
        doctor.enough(len(parts["test"]), "test", "requests"),
        doctor.lengths(lengths, "tokens", "training requests", config.max_words, "lose their end"),
        *doctor.characters((request.said(), request.where) for some in given.values() for request in some),
        effort(__file__, config, RECIPES, -(-len(parts["train"]) // config.batch_size), config.epochs, amount),
    ]
    read_lengths = {part: [len(request.tokens) for request in some] for part, some in parts.items()}
    panels = [Panel("lengths", "tokens", read_lengths, config.max_words, "read"), Panel("intents", "intent", intents)]
    return Inspected(f"{config.data}: {data.info['split']}", findings, panels)


def item(request: Request) -> Item:
    """Returns the request as the network reads it: without case."""
    return Item(tuple(token.lower() for token in request.tokens), request.said(), request.where)


def unseen_slots(parts: dict[str, list[Request]]) -> list[Finding]:
    """Names the slots of the held-out splits that no training request has: they cannot be found."""
    slots = {part: {tag[2:] for r in some for tag in r.tags if tag != OUTSIDE} for part, some in parts.items()}
    unseen = {part: sorted(slots[part] - slots["train"]) for part in ("valid", "test")}
    return [
        Finding(
            WARNING,
            f"{doctor.counted(len(names), len(slots[part]), f'{part} slots')} in no training request: "
            f"{doctor.named(names)}",
        )
        for part, names in unseen.items()
        if names
    ]
