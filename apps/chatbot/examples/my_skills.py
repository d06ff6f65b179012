"""A skill of one's own, for `--skills`; `.skills` is that of the app which loads this file."""

from .skills import CannotDo, skill

MINUTES = {"rice": 12, "pasta": 10, "potatoes": 20, "eggs": 7, "beans": 8, "lentils": 25}


@skill(
    "how long does {dish} cook",
    "how long do i cook {dish}",
    "cooking time of {dish}",
    "how do i cook {dish}",
    "when is {dish} done",
    "how long must {dish} boil",
    values={"dish": tuple(MINUTES)},
    asks={"dish": "Which dish?"},
)
def cooking_time(slots, world):
    """Says how long a dish boils."""
    dish = slots["dish"].lower()
    if dish not in MINUTES:
        raise CannotDo(f"I know only these dishes: {', '.join(MINUTES)}. Which one?", "dish")
    return f"Boil the {dish} for {MINUTES[dish]} minutes."
