"""Arithmetic, never run as code: the text becomes a syntax tree of which only numbers and operators are followed."""

import ast
import math
import operator
import re
from fractions import Fraction

from . import CannotDo, World, skill
from .numerals import LARGE, SMALL, number

LONGEST = 200  # characters
MOST_BITS = 4_000  # of a whole number on the way; about 1,200 digits
MOST_DIGITS = 40  # of an answer that is shown whole

REFUSAL = "I can only add, subtract, multiply, divide, take powers and roots."
TOO_LARGE = "That number is too large for me."
WORDS = (
    (r"\b(?:the )?(square|cube) root of\b", r" \1root "),
    (r"\b(?:raised )?to the power (?:of )?", " ** "),
    (r"\bto the (\w+?)(?:th|rd|nd)\b", r" ** \1 "),
    (r"\bsquared\b", " ** 2 "),
    (r"\bcubed\b", " ** 3 "),
    (r"\b(?:percent|per cent)\b|%(?=\s*of\b)", " /100 "),
    (r"%\s*$", " /100 "),
    (r"\bplus\b|\badded to\b", " + "),
    (r"\bminus\b|\bless\b", " - "),
    (r"\btimes\b|\bmultiplied by\b|[x\u00d7](?=\s*[\d(])|\bof\b", " * "),
    (r"\bdivided by\b|\bover\b|\u00f7", " / "),
    (r"\bmod(?:ulo)?\b", " % "),
    (r"\^", "**"),
)
BINARY = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
ROOTS = {"squareroot": 2, "cuberoot": 3}
_NUMERAL = re.compile(rf"\b(?:{'|'.join([*SMALL, *LARGE])})(?:[ -]+(?:and )?(?:{'|'.join([*SMALL, *LARGE])}))*\b")


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
    asks={"expression": "What shall I calculate?"},
)
def calculate(slots: dict[str, str], world: World) -> str:
    """The value of an arithmetic expression."""
    text = slots["expression"]
    return f"{' '.join(text.split())} = {shown(value(text))}"


def value(text: str) -> Fraction | float:
    """The value of arithmetic in digits or words.

    Raises:
        CannotDo: it is anything else, too long, too large, or a division by zero.
    """
    if len(text) > LONGEST:
        raise CannotDo(f"That is longer than the {LONGEST} characters that I can work out.")
    source = symbols(text)
    try:
        tree = ast.parse(source, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise CannotDo(f"I cannot work out {shortened(text)!r}. {REFUSAL}") from None
    try:
        return _value(tree.body)
    except ZeroDivisionError:
        raise CannotDo("One cannot divide by zero.") from None
    except OverflowError:
        raise CannotDo(TOO_LARGE) from None


def symbols(text: str) -> str:
    """The text with numbers in digits and signs for words: twelve times 7 -> 12 * 7."""
    source = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text.lower()).strip(" ?=.")
    source = _NUMERAL.sub(lambda match: str(number(match[0])), source)
    for pattern, sign in WORDS:
        source = re.sub(pattern, sign, source)
    # "squareroot 16" takes the next number or parenthesis.
    return re.sub(r"(squareroot|cuberoot)\s+([\d.]+)", r"\1(\2)", source).strip()


def _value(node: ast.AST) -> Fraction | float:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        if isinstance(node.value, float) and not math.isfinite(node.value):
            raise CannotDo(TOO_LARGE)
        return Fraction(str(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = _value(node.operand)
        return -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        return power(_value(node.left), _value(node.right))
    if isinstance(node, ast.BinOp) and type(node.op) in BINARY:
        return _checked(BINARY[type(node.op)](_value(node.left), _value(node.right)))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ROOTS and len(node.args) == 1:
        return power(_value(node.args[0]), Fraction(1, ROOTS[node.func.id]))
    raise CannotDo(REFUSAL)


def power(base: Fraction | float, exponent: Fraction | float) -> Fraction | float:
    """base ** exponent, refused before it is computed if it would be too large."""
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
    whole = Fraction(round(root)) if root < 1e15 else None
    exact = whole is not None and isinstance(exponent, Fraction) and exponent.numerator == 1
    if exact and whole is not None and exponent.denominator < 10 and whole ** int(exponent.denominator) == base:
        return whole
    return _checked(root)


def _checked(found: Fraction | float) -> Fraction | float:
    """The value, if it is not too large to go on with."""
    if isinstance(found, Fraction):
        if max(found.numerator.bit_length(), found.denominator.bit_length()) > MOST_BITS:
            raise CannotDo(TOO_LARGE)
    elif not math.isfinite(found):
        raise CannotDo(TOO_LARGE)
    return found


def shown(found: Fraction | float) -> str:
    """The value as it is answered: whole where it is, else about ten digits."""
    if found == int(found) and len(str(abs(int(found)))) <= MOST_DIGITS:
        return f"{int(found):,}"
    try:
        near = float(found)
    except OverflowError:
        whole = str(abs(int(found)))
        return f"about {'-' if found < 0 else ''}{whole[0]}.{whole[1:6]}e+{len(whole) - 1}"
    text = f"{near:,.10g}"
    exact = isinstance(found, Fraction) and Fraction(f"{near:.10g}") == found
    return text if exact else f"about {text}"


def shortened(text: str, most: int = 40) -> str:
    """The text on one line, cut where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 3] + "..."
