"""Arithmetic, never run as code: the text is parsed as numbers, operators and parentheses, or rejected."""

import math
import operator
from collections.abc import Callable
from fractions import Fraction

from . import CannotDo, World, skill
from .numerals import ONES, SIGNS, TOO_LARGE, plain
from .numerals import WORDS as NUMERALS
from .reader import Reader, whole

MOST_BITS = 4_000  # maximum size of intermediate integers; about 1,200 digits
MOST_DIGITS = 40  # maximum length of an answer shown in full
DEEPEST = 60  # maximum nesting of parentheses, roots and powers

Number = Fraction | float
# Operators in symbols or words, longest first; a phrase consists of several tokens.
SUMS: dict[str, Callable] = {
    "+": operator.add,
    "plus": operator.add,
    "added to": operator.add,
    "-": operator.sub,
    "minus": operator.sub,
    "less": operator.sub,
}
PRODUCTS: dict[str, Callable] = {
    "*": operator.mul,
    "times": operator.mul,
    "multiplied by": operator.mul,
    "x": operator.mul,
    "of": operator.mul,
    "/ /": operator.floordiv,
    "/": operator.truediv,
    "divided by": operator.truediv,
    "over": operator.truediv,
    "%": operator.mod,
    "modulo": operator.mod,
    "mod": operator.mod,
}
POWERS = ("* *", "^", "raised to the power of", "to the power of", "raised to the power", "to the power")
ROOTS = {"the square root": 2, "square root": 2, "\u221a": 2, "the cube root": 3, "cube root": 3}
PERCENT = ("percent", "per cent", "%")
ORDINALS = {f"{word}th": n for word, n in ONES.items() if n > 3 and n not in (5, 8, 9, 12)} | {
    "second": 2, "third": 3, "fifth": 5, "eighth": 8, "ninth": 9, "twelfth": 12}  # fmt: skip
SUFFIXES = ("th", "st", "nd", "rd")
WORDS = NUMERALS | {
    *(word for phrase in (*SUMS, *PRODUCTS, *POWERS, *PERCENT) for word in phrase.split() if word not in ("the", "x")),
    *("squared", "cubed", "root", "square", "cube", "(", ")", *ORDINALS),
}


@skill(
    "what is {expression}",
    "calculate {expression}",
    "how much is {expression}",
    "can you work out {expression}",
    "what does {expression} make",
    "compute {expression}",
    "{expression}",
    "i need to know what {expression} is",
    "tell me {expression}",
    "what do you get for {expression}",
    "do the maths : {expression}",
    "what's {expression}",
    "{expression} equals what",
    "solve {expression}",
    "how much does {expression} come to",
    "what is the result of {expression}",
    "work out {expression}",
    "calculate {expression} for me",
    "what is the answer to {expression}",
    "what do i get for {expression}",
    "can you calculate {expression}",
    "can you tell me how much {expression} is",
    "what is {expression} equal to",
    "how much would {expression} be",
    "if i take {expression} what do i get",
    "what would {expression} be",
    "add this up : {expression}",
    "how much do i get for {expression}",
    "{expression} is how much",
    "please do {expression}",
    asks={"expression": "What shall I calculate?"},
    strict=True,
)
def calculate(slots: dict[str, str], world: World) -> str:
    """Evaluates an arithmetic expression."""
    text = slots["expression"]
    return f"{' '.join(text.split())} = {shown(value(text))}"


def value(text: str) -> Number:
    """Evaluates arithmetic in digits or words.

    Raises:
        CannotDo: the text is not arithmetic, too long, too large, or a division by zero.
    """
    try:
        return whole(text, Arithmetic().sum, "arithmetic", "expression", "12 times 7 or 15% of 80", arithmetic=True)
    except ZeroDivisionError:
        raise CannotDo("One cannot divide by zero.") from None
    except OverflowError:
        raise CannotDo(TOO_LARGE) from None


class Arithmetic:
    """The grammar of expressions, from the loosest binding. Each rule returns None if it does not apply."""

    def __init__(self) -> None:
        self.depth = 0
        self.percent = -1  # position after a percentage without "of"

    def sum(self, reader: Reader) -> Number | None:
        """Parses a sum or difference of products."""
        return self._chain(reader, self.product, SUMS)

    def product(self, reader: Reader) -> Number | None:
        """Parses a product or quotient of powers."""
        return self._chain(reader, self.factor, PRODUCTS)

    def _chain(self, reader: Reader, operand: Callable, operators: dict[str, Callable]) -> Number | None:
        found = operand(reader)
        while found is not None:
            start, percent = reader.place, self.percent
            sign = reader.phrase(*operators)
            other = operand(reader) if sign else None
            if other is None:
                reader.place = start
                return found
            if operators is SUMS and (percent == start or self.percent == reader.place):
                raise CannotDo("A percentage of what? Please say it like 10% of 50.")
            found = _checked(operators[sign](found, other))
        return found

    def factor(self, reader: Reader) -> Number | None:
        """Parses a power with signs; as usual in mathematics, -2 ** 2 is -4."""
        negative, signs = False, 0
        while sign := reader.take(*SIGNS, "+", "plus"):
            negative ^= sign in SIGNS
            signs += 1
        found = self.power(reader)
        if found is None:
            reader.place -= signs
            return None
        return -found if negative else found

    def power(self, reader: Reader) -> Number | None:
        """Parses an item, possibly raised to a power."""
        found = self.item(reader)
        if found is None:
            return None
        while word := reader.take("squared", "cubed"):
            found = power(found, Fraction(2 if word == "squared" else 3))
        start = reader.place
        exponent = self._deeper(self.factor, reader) if reader.phrase(*POWERS) else reader.attempt(_ordinal)
        if exponent is None:
            reader.place = start
        else:
            found = power(found, exponent)
        return self._hundredth(reader, found)

    def _hundredth(self, reader: Reader, found: Number) -> Number:
        """Applies percent and %, except for % between two numbers, which is the remainder."""
        start = reader.place
        sign = reader.phrase(*PERCENT)
        if not sign:
            return found
        place = reader.place
        if sign == "%" and reader.peek() != "of" and self.item(reader) is not None:
            reader.place = start
            return found
        reader.place = place
        self.percent = place if reader.peek() != "of" else -1
        return found / 100

    def item(self, reader: Reader) -> Number | None:
        """Parses a number, a root, or a sum in parentheses."""
        start = reader.place
        found: Number | None = None
        if root := reader.phrase(*ROOTS):
            reader.take("of")
            negative = reader.take(*SIGNS) != ""
            inner = self._deeper(self.item, reader)
            found = None if inner is None else _root(-inner if negative else inner, ROOTS[root])
        elif reader.take("("):
            found = self._deeper(self.sum, reader)
            if self.percent == reader.place:
                self.percent = reader.place + 1
            found = found if reader.take(")") else None
        else:
            found = plain(reader)
        if found is None:
            reader.place = start
        return found

    def _deeper(self, rule: Callable, reader: Reader) -> Number | None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise CannotDo("That is nested too deeply for me.")
        found = rule(reader)
        self.depth -= 1
        return found


def _ordinal(reader: Reader) -> Fraction | None:
    """Parses ordinal exponents: to the third, to the 3rd power."""
    if not reader.phrase("raised to the", "to the"):
        return None
    word = reader.take(*ORDINALS)
    found = Fraction(ORDINALS[word]) if word else plain(reader)
    if not word and not reader.take(*SUFFIXES):
        return None
    reader.take("power")
    return found


def _root(base: Number, degree: int) -> Number:
    """Computes a root; that of a negative number is only real if odd."""
    if base < 0 and degree % 2:
        return -power(-base, Fraction(1, degree))
    return power(base, Fraction(1, degree))


def power(base: Number, exponent: Number) -> Number:
    """Returns base ** exponent; results that would be too large are rejected before they are computed."""
    if base == 0:
        if exponent < 0:
            raise ZeroDivisionError
        return Fraction(0 if exponent else 1)
    if exponent == int(exponent) and isinstance(base, Fraction):
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if abs(exponent) * bits > MOST_BITS and abs(base) != 1:
            raise CannotDo(TOO_LARGE)
        return base ** (int(exponent) % 2 if base == -1 else 1 if base == 1 else int(exponent))
    if base < 0:
        raise CannotDo("The root of a negative number is not a real number.")
    root = float(base) ** float(exponent)
    near = Fraction(round(root)) if root < 1e15 else None
    exact = near is not None and isinstance(exponent, Fraction) and exponent.numerator == 1
    if exact and near is not None and exponent.denominator < 10 and near ** int(exponent.denominator) == base:
        return near
    return _checked(root)


def _checked(found: Number) -> Number:
    """Returns the value; raises CannotDo if it is too large."""
    if isinstance(found, Fraction):
        if max(found.numerator.bit_length(), found.denominator.bit_length()) > MOST_BITS:
            raise CannotDo(TOO_LARGE)
    elif not math.isfinite(found):
        raise CannotDo(TOO_LARGE)
    return found


def shown(found: Number) -> str:
    """Formats a value: integers in full, otherwise about ten digits."""
    if found == int(found) and len(str(abs(int(found)))) <= MOST_DIGITS:
        return f"{int(found):,}"
    try:
        near = float(found)
    except OverflowError:
        digits = str(abs(int(found)))
        return f"about {'-' if found < 0 else ''}{digits[0]}.{digits[1:6]}e+{len(digits) - 1}"
    text = f"{near:,.10g}"
    exact = isinstance(found, Fraction) and Fraction(f"{near:.10g}") == found
    return text if exact else f"about {text}"
