"""What is wrong with labelled texts before training: duplicates, labels, lengths, characters, splits that are small."""

from shared.data import doctor
from shared.data.doctor import NOTE, Item
from shared.inspection import Amount, Inspected, effort, report
from shared.plots import Panel

from .config import RECIPES, Config
from .data import arranged, settled
from .options import CheckData
from .sources import Example, reachable, read
from .tokens import clean, letters, words

RECORDED = 394_000, 5  # words that the training recorded in results.json reads in an epoch, and its epochs
GIVEN = {"level": NOTE, "then": "training leaves them out", "among": "the training part as given"}


def check_data(options: CheckData) -> None:
    """Runs the check-data command."""
    report(options, look)


def look(config: Config) -> Inspected:
    """Looks at the texts as they were given, and at the splits as they are trained and tested on."""
    config = reachable(config)
    source = read(config)
    given = {part: [item(example) for example in some] for part, some in source.items()}
    data = arranged(source, config)
    parts = {"train": data.train, "valid": data.valid, "test": data.test}
    lengths = {part: [len(text.words) for text in some.encoded] for part, some in parts.items()}
    wanted, config = config, settled(config, lengths["train"])
    names = {part: [data.info["labels"][n] if n >= 0 else "?" for n in some.labels] for part, some in parts.items()}
    held = [part for part in ("valid", "test") if part in given]
    findings = [doctor.duplicates(given["train"], given[part], part, **GIVEN) for part in held]
    if len(held) == 2:
        then = "they stay in both"
        findings.append(doctor.duplicates(given["valid"], given["test"], "test", "texts", NOTE, then, "valid"))
    amount = Amount(sum(min(some, config.max_words) for some in lengths["train"]), "words", *RECORDED)
    findings += [
        doctor.repeats(given["train"], then="one of each is kept" if "test" not in given else ""),
        *doctor.contradictions(given["train"], [e.label for e in source["train"]]),
        *doctor.giveaways(list(map(spoken, source["train"])), [e.label for e in source["train"]]),
        *doctor.balance(names),
        doctor.enough(len(data.test.texts), "test", "texts"),
        doctor.lengths(lengths["train"], "words", "training texts", data.info["max_words"], "lose their middle"),
        *doctor.characters((example.text, example.where) for some in source.values() for example in some),
        effort(__file__, wanted, RECIPES, -(-len(names["train"]) // config.batch_size), config.epochs, amount),
    ]
    panels = [Panel("lengths", "words", lengths, data.info["max_words"], "read"), Panel("labels", "label", names)]
    return Inspected(f"{config.data}: {data.info['split']}", findings, panels)


def spoken(example: Example) -> set[str]:
    """Returns the words of a text, with and without the characters around them."""
    text = clean(example.text)
    return {*text.lower().split(), *words(text)}


def item(example: Example) -> Item:
    """Returns the text as duplicates are found in it: by its letters. It is shown without user names."""
    text = clean(example.text)
    return Item(letters(text) or example.text, text, example.where)
