"""What the assistant reads out of a value: all of it, or it asks. Tables of texts with what they mean; no network."""

import datetime
import json
from types import SimpleNamespace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pytest
import tzlocal
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.chatbot import grammar, sources, tags, values
from apps.chatbot.memory import Memory
from apps.chatbot.skills import CannotDo, World, chance, clock, known, local_now, places, units
from apps.chatbot.skills.calculator import shown, value
from apps.chatbot.skills.durations import duration, later, until
from apps.chatbot.skills.numerals import number
from apps.chatbot.skills.places import find
from apps.chatbot.skills.spoken import Spoken
from apps.chatbot.skills.when import day, moment
from shared import InputError

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime.datetime(2026, 11, 25, 15, 30, tzinfo=BERLIN)  # a Wednesday
ASKED = "?"  # the expected answer is a question; what follows is a part of it
many = settings(deadline=None, max_examples=100, derandomize=True)


def check(read, expected):
    """That a reading is the expected one, or the question that is expected in its place."""
    try:
        found = read()
    except CannotDo as question:
        assert str(expected).startswith(ASKED), f"asked: {question}"
        assert expected[1:] in str(question)
    else:
        assert found == expected


NUMBERS = {
    "minus 10": -10,
    "-10": -10,
    "\u221210": -10,
    "\u201310": -10,
    "- 10": -10,
    "negative twenty-five": -25,
    "minus two point five": -2.5,
    "twelve hundred": 1200,
    "two hundred and five": 205,
    "one million two hundred thousand and seven": 1_200_007,
    "two and a half": 2.5,
    "two and three quarters": 2.75,
    "two and a half million": 2_500_000,
    "half a dozen": 6,
    "half a million": 500_000,
    "three quarters of an": 0.75,
    "1,000": 1000,
    "1,000.5": 1000.5,
    "1/2": 0.5,
    "3 1/2": 3.5,
    "1\u00bd": 1.5,
    "three point one four": 3.14,
    "1e6": 1_000_000,
    "a couple of": 2,
    "a": 1,
    "007": 7,
    "1.000,5": "?1.000,5",
    "1,5": "?1,5",
    "1,00,000": "?1,00,000",
    "1.000.000": "?1.000.000",
    "five three": "?'three'",
    "ten fifteen": "?'fifteen'",
    "10-15": "?10 and 15. Which one",
    "two or three": "?2 and 3. Which one",
    "minus minus 5": "?'minus 5'",
    "a few": "?'few'",
    "twenty hundred": "?'hundred'",
    "two thousand five million": "?'five million'",
    "3/0": "?divide by zero",
    "1e999": "?too large",
    "9" * 250: "?longer than",
    "\u0663": "?",
    "blue": "?'blue'",
    "": "?no words for a number",
}


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_is_read_with_its_sign_and_wholly(text):
    check(lambda: number(text), NUMBERS[text])


ARITHMETIC = {
    "five - three": "2",
    "five-three": "2",
    "five \u2013 three": "2",
    "5 \u2212 3": "2",
    "twenty-five minus five": "20",
    "5 minus minus 3": "8",
    "minus 4 times 3": "-12",
    "3 x 4": "12",
    "3x4": "12",
    "3 \u00d7 4 \u00f7 2": "6",
    "2 to the power of 10": "1,024",
    "2 to the power of minus 2": "0.25",
    "2 to the third": "8",
    "2 ** 3 ** 2": "512",
    "-2 ** 2": "-4",
    "cube root of -27": "-3",
    "the square root of (16 + 9)": "5",
    "20 percent of 50": "10",
    "20 percent of 50 minus 5": "5",
    "200 * 10%": "20",
    "10 % 3": "1",
    "half of 10": "5",
    "two thirds of 9": "6",
    "three times four and a half": "13.5",
    "twelve hundred / 4": "300",
    "1,000 / 4": "250",
    "50 + 10%": "?percentage of what",
    "10% + 5%": "?percentage of what",
    "2 + 3 apples": "?'apples'",
    "2 +": "?'+'",
    "3 4": "?'4'",
    "2(3)": "?'( 3 )'",
    "(3": "?'( 3'",
    "5!": "?'!'",
    "5 and 3": "?'and 3'",
    "1,5 * 2": "?1,5",
    "10 divided by 0": "?divide by zero",
    "0 ** -1": "?divide by zero",
    "9**9**9": "?too large",
    "ten to the power of one hundred thousand": "?too large",
    "square root of -4": "?not a real number",
}


@pytest.mark.parametrize("text", ARITHMETIC)
def test_arithmetic_is_read_wholly(text):
    check(lambda: shown(value(text)), ARITHMETIC[text])


HOUR = 3600
DURATIONS = {
    "an hour and a half": 1.5 * HOUR,
    "an hour and three quarters": 1.75 * HOUR,
    "an hour and three minutes": HOUR + 180,
    "three quarters of an hour": 0.75 * HOUR,
    "1h30": 1.5 * HOUR,
    "one hour thirty": 1.5 * HOUR,
    "3 1/2 hours": 3.5 * HOUR,
    "a couple of minutes": 120,
    "another ten minutes please": 600,
    "10-minute": 600,
    "two weeks and 3 days": 17 * 24 * HOUR,
    "twelve hundred seconds": 1200,
    "10-15 minutes": "?10 and 15. Which one",
    "ten to fifteen minutes": "?10 and 15. Which one",
    "minus five minutes": "?longer than nothing",
    "two hours minus ten minutes": "?'minus ten minutes'",
    "ten minutes five minutes": "?'five minutes'",
    "ten minutes or so": "?'or so'",
    "a few minutes": "?'a few minutes'",
    "1:30": "?'1 : 30'",
    "ten": "?10 what",
    "1.5 seconds": "?whole seconds",
    "minutes": "?'minutes'",
    "an hour and": "?'and'",
}


@pytest.mark.parametrize("text", DURATIONS)
def test_a_duration_is_read_wholly(text):
    check(lambda: duration(text), DURATIONS[text])


MOMENTS = {
    "the day after tomorrow": "2026-11-27 09:00",
    "the day after tomorrow at 8": "2026-11-27 08:00",
    "march 5 at 10 am": "2027-03-05 10:00",
    "march the 5th, 2028 at 10:15 am": "2028-03-05 10:15",
    "the 24th at 6 pm": "2026-12-24 18:00",
    "the twenty fourth of december at six in the evening": "2026-12-24 18:00",
    "on the first at noon": "2026-12-01 12:00",
    "2026-12-24 18:00": "2026-12-24 18:00",
    "2026-12-24T18:00": "2026-12-24 18:00",
    "24.12.2026 at 18.00": "2026-12-24 18:00",
    "24/12/2026 at 8 am": "2026-12-24 08:00",
    "december 24 18:00": "2026-12-24 18:00",
    "friday the 27th at 8 pm": "2026-11-27 20:00",
    "friday the 25th": "2026-12-25 09:00",
    "29 february 2028 at noon": "2028-02-29 12:00",
    "9 at night": "2026-11-25 21:00",
    "9 o'clock in the evening": "2026-11-25 21:00",
    "18.30": "2026-11-25 18:30",
    "at 18h30": "2026-11-25 18:30",
    "half past six in the evening": "2026-11-25 18:30",
    "half past six pm": "2026-11-25 18:30",
    "a quarter to seven in the morning": "2026-11-26 06:45",
    "ten to six pm": "2026-11-25 17:50",
    "at seven oh five pm": "2026-11-25 19:05",
    "5 P.M. tomorrow": "2026-11-26 17:00",
    "noon": "2026-11-26 12:00",
    "half past noon": "2026-11-26 12:30",
    "midnight": "2026-11-26 00:00",
    "at 12 at night": "2026-11-26 00:00",
    "12 am": "2026-11-26 00:00",
    "tonight at 1": "2026-11-26 01:00",
    "in an hour and a half": "2026-11-25 17:00",
    "an hour from now": "2026-11-25 16:30",
    "ten minutes": "2026-11-25 15:40",
    "in two days at 9": "2026-11-27 09:00",
    "in a month": "2026-12-25 15:30",
    "on monday at 8": "2026-11-30 08:00",
    "monday next week at 10": "2026-11-30 10:00",
    "friday this week at 10": "2026-11-27 10:00",
    "next tuesday at quarter to 8": "2026-12-01 07:45",
    "tomorrow morning at 9": "2026-11-26 09:00",
    "tomorrow afternoon at 3": "2026-11-26 15:00",
    "today at 5": "2026-11-25 17:00",
    "14:00": "2026-11-26 14:00",
    # An answer to a question is one more line.
    "on christmas eve at 18:00": "2026-12-24 18:00",
    "easter monday": "2027-03-29 09:00",
    "new year's day 2028 at noon": "2028-01-01 12:00",
    "july 4 next year": "2027-07-04 09:00",
    "a week from today at noon": "2026-12-02 12:00",
    "tomorrow at 5\nin the afternoon": "2026-11-26 17:00",
    "tomorrow at 5\n17:30": "2026-11-26 17:30",
    "next friday\n4 december": "2026-12-04 09:00",
    "next friday at 10\nnext week": "2026-12-04 10:00",
    "today\nat 6 pm": "2026-11-25 18:00",
    "at 9\ntomorrow": "2026-11-26 09:00",
    "tomorrow at 5\nin ten minutes": "2026-11-25 15:40",
    # What can be two moments, or none.
    "half past six": "?18:30 today or 06:30 tomorrow",
    "quarter to seven": "?18:45 today or 06:45 tomorrow",
    "at 9": "?21:00 today or 09:00 tomorrow",
    "at 12": "?00:00 tomorrow or 12:00 tomorrow",
    "tomorrow at 5": "?05:00 tomorrow or 17:00 tomorrow",
    "next friday": "?Friday, 27 November, or Friday, 4 December",
    "on wednesday at 17:00": "?today, or Wednesday, 2 December",
    "tomorrow at midnight": "?between two days",
    "friday night at 1": "?between two days",
    "at 12 in the morning": "?12:00 is not in the morning",
    "tomorrow morning at 15:00": "?15:00 is not in the morning",
    "5.12": "?a time or a date",
    "3/4": "?March or in April",
    "friday the 28th at 8 pm": "?Saturday, 28 November is no Friday",
    "30th of february": "?February has no day 30",
    "february 29": "?whole date",
    "the 31st": "?whole date",
    "2026-13-01": "?no month 13",
    "9999-12-31 23:00": "?100 years away",
    "25:00": "?no time 25:00",
    "at 9:75": "?no minute 75",
    "today at 14:00": "?is past",
    "yesterday at 9": "?is past",
    "two hours ago": "?is past",
    "last friday": "?is past",
    "last christmas": "?is past",
    "2020-01-01": "?is past",
    "monday this week": "?is past",
    "today": "?what time today",
    "march": "?Which day in March",
    "next week": "?which day of next week",
    "in 5": "?'in 5'",
    "half six": "?'half six'",
    "every monday at 9": "?'every monday at 9'",
    "not monday": "?'not monday'",
    "monday or tuesday": "?'or tuesday'",
    "tomorrow at 9 and 10": "?'and 10'",
    "9-10 am": "?'- 10 am'",
    "tomorrow at 9 CET": "?'CET'",
    "by friday": "?'by friday'",
    "tomorrow at": "?'at'",
    "tomorrow on friday at noon at 9 am": "?two different times",
    "in two hours at 9": "?two different times",
}


@pytest.mark.parametrize("text", MOMENTS)
def test_a_moment_is_the_one_that_was_said_or_is_asked_back(text):
    check(lambda: f"{moment(text, NOW):%Y-%m-%d %H:%M}", MOMENTS[text])


DAYS = {  # text: the next such day, the last one
    "christmas": ("2026-12-25", "2025-12-25"),
    "the last christmas": ("2025-12-25", "2025-12-25"),
    "christmas last year": ("2025-12-25", "2025-12-25"),
    "easter": ("2027-03-28", "2026-04-05"),
    "easter 2024": ("2024-03-31", "2024-03-31"),
    "new years eve": ("2026-12-31", "2025-12-31"),
    "yesterday": ("2026-11-24", "2026-11-24"),
    "friday": ("2026-11-27", "2026-11-20"),
    "last friday": ("2026-11-20", "2026-11-20"),
    "wednesday": ("?today, or Wednesday, 2 December", "2026-11-18"),
    "next friday": ("?Friday, 27 November, or Friday, 4 December", "?Friday, 27 November, or Friday, 4 December"),
    "the 24th": ("2026-12-24", "2026-11-24"),
    "july 4": ("2027-07-04", "2026-07-04"),
    "4 july 1999": ("1999-07-04", "1999-07-04"),
    "a week ago": ("2026-11-18", "2026-11-18"),
    "in three weeks": ("2026-12-16", "2026-12-16"),
    "next week\nmonday": ("2026-11-30", "2026-11-23"),
    "at 9": ("?Which day", "?Which day"),
    "my birthday": ("?'my birthday'", "?'my birthday'"),
}


@pytest.mark.parametrize("text", DAYS)
def test_a_day_is_the_next_one_or_the_last_one_by_that_name(text):
    for past, expected in enumerate(DAYS[text]):
        check(lambda past=bool(past): f"{day(text, NOW, past)}", expected)


AT_OTHER_TIMES = [
    ("at 9", "2026-11-25 07:00", "2026-11-25 09:00"),
    ("tonight at 1", "2026-11-25 00:30", "2026-11-25 01:00"),
    ("midnight", "2026-11-25 00:00", "2026-11-26 00:00"),
    ("the 24th at 6 pm", "2026-12-24 17:59", "2026-12-24 18:00"),
    ("the 24th at 6 pm", "2026-12-24 18:00", "2027-01-24 18:00"),
    ("december 24 at 6 pm", "2026-12-24 18:01", "2027-12-24 18:00"),
    ("next wednesday at 10 am", "2026-11-25 07:00", "2026-12-02 10:00"),
    ("on wednesday at 10 am", "2026-11-25 12:00", "2026-12-02 10:00"),
    ("on wednesday at 10 am", "2026-11-25 07:00", "?today, or Wednesday, 2 December"),
    ("in a month", "2027-01-31 12:00", "?no day 31"),
    ("february 29", "2027-12-01 12:00", "?whole date"),
    ("february 29 at noon", "2028-01-01 12:00", "2028-02-29 12:00"),
    # The clocks of Berlin go forward on 28 March 2027 at 2:00 and back on 25 October 2026 at 3:00.
    ("tomorrow at 9", "2027-03-27 20:00", "2027-03-28 09:00"),
    ("tomorrow at 02:30", "2027-03-27 20:00", "?clocks go forward"),
    ("in twelve hours", "2027-03-27 20:00", "2027-03-28 09:00"),
    ("in twelve hours", "2026-10-24 20:00", "2026-10-25 07:00"),
    ("in a day", "2026-10-24 20:00", "2026-10-25 20:00"),
]


@pytest.mark.parametrize("text, now, expected", AT_OTHER_TIMES)
def test_a_moment_is_found_from_any_other_now(text, now, expected):
    at = datetime.datetime.fromisoformat(now).replace(tzinfo=BERLIN)
    check(lambda: f"{moment(text, at):%Y-%m-%d %H:%M}", expected)


PLACES = {
    "Australia": ("Canberra, the capital of Australia", 11),
    "USA": ("Washington, the capital of the United States", -5),
    "the United States": ("Washington", -5),
    "Russia": ("Moscow, the capital of Russia", 3),
    "Brazil": ("Bras\u00edlia", -3),
    "Canada": ("Ottawa", -5),
    "China": ("Beijing", 8),
    "Indonesia": ("Jakarta", 7),
    "India": ("India", 5.5),
    "Germany": ("Germany", 1),
    "uk": ("the United Kingdom", 0),
    "Kazakhstan": ("Kazakhstan", 5),
    "est": ("EST (UTC-5)", -5),
    "CET": ("CET (UTC+1)", 1),
    "gmt": ("GMT", 0),
    "GMT+2": ("UTC+2", 2),
    "UTC \u2212 5": ("UTC-5", -5),
    "utc+5:30": ("UTC+5:30", 5.5),
    "eastern time": ("Eastern Time", -5),
    "Europe/Berlin": ("Europe/Berlin", 1),
    "nyc": ("New York City", -5),
    "Tokio": ("Tokyo, Japan", 9),
    "z\u00fcrich": ("Z\u00fcrich", 1),
    "lord howe": ("Lord Howe", 11),
    "hyderabad": ("Hyderabad, India", 5.5),
    "portland": ("Portland, Oregon", -8),
    "portland maine": ("Portland, Maine", -5),
    "san jose in costa rica": ("San Jos\u00e9, Costa Rica", -6),
    "california": ("California", -8),
    "Tokoyo\nyes": ("Tokyo", 9),
    "cst": "?Chicago, Beijing or Havana",
    "IST": "?Delhi, Dublin or Jerusalem",
    "GMT+20": "?no time zone",
    "georgia": "?Georgia or Georgia, the state",
    "washington": "?several",
    "cambridge": "?Cambridge, the United Kingdom or",
    "valencia": "?Valencia, Venezuela or Valencia, Spain",
    "texas": "?several times",
    "Tokoyo": "?Do you mean Tokyo?",
    "tokyo and london": "?I know no city",
    "berlin blorp": "?I know no city",
    "Xyzzy": "?I know no city or country called Xyzzy",
}


@pytest.mark.parametrize("text", PLACES)
def test_a_place_has_the_time_of_its_capital_or_is_asked_back(text):
    def read():
        name, zone = find(text, NOW)
        return name, NOW.astimezone(zone).utcoffset() / datetime.timedelta(hours=1)

    if isinstance(PLACES[text], str):
        check(read, PLACES[text])
    else:
        (shown_name, offset), (name, hours) = read(), PLACES[text]
        assert shown_name.startswith(name) and offset == hours


def due(memory, now):
    return [(kind, text) for kind, (text, _) in memory.due(now)]


def test_every_country_has_the_time_of_a_city_of_its_own():
    """The capital's, for each country whose capital GeoNames has: in no case that of another part of the country."""
    countries = places._countries()
    smallest_first = sorted(places._geonames()["cities"], key=lambda city: city["population"])
    cities = {(city["countrycode"], city["name"]): city["timezone"] for city in smallest_first}
    assert len(countries) > 240
    for code, country in countries.items():
        assert not country.capital or country.zones[0] == cities[code, country.capital], country.name
    without = [country.name for country in countries.values() if not country.capital and country.several(NOW)]
    assert len(without) < 5  # of which the city is asked for


QUANTITIES = {
    # amount | unit | target
    "minus 10|celsius|fahrenheit": "-10 celsius = 14 fahrenheit.",
    "\u221210|celsius|fahrenheit": "-10 celsius = 14 fahrenheit.",
    "10 below zero|celsius|fahrenheit": "10 below zero celsius = 14 fahrenheit.",
    "300|K|celsius": "300 K = 26.85 celsius.",
    "300|k|c": "300 k = 26.85 c.",
    "20|\u00b0C|\u00b0F": "20 \u00b0C = 68 \u00b0F.",
    "a difference of 10|celsius|fahrenheit": "a difference of 10 celsius = 18 fahrenheit.",
    "10|celsius warmer|kelvin": "10 celsius warmer = 10 kelvin.",
    "5|celsius per hour|fahrenheit per hour": "5 celsius per hour = 9 fahrenheit per hour.",
    "5|kWh|J": "5 kWh = 18,000,000 J.",
    "5|kwh|J": "5 kwh = 18,000,000 J.",
    "5|GB|MB": "5 GB = 5,000 MB.",
    "100|Mb|MB": "100 Mb = 12.5 MB.",
    "5 foot 11||cm": "5 foot 11 = 180.34 cm.",
    "5|foot 11|cm": "5 foot 11 = 180.34 cm.",
    "5|'11\"|cm": "5'11\" = 180.34 cm.",
    "5'11\"||cm": "5'11\" = 180.34 cm.",
    "5 feet 11|inches|cm": "5 feet 11 inches = 180.34 cm.",
    "-5|foot 11|cm": "-5 foot 11 = -180.34 cm.",
    "11|stone 4|kg": "11 stone 4 = 71.6676 kg.",
    "7|pounds and 3 ounces|kg": "7 pounds and 3 ounces = 3.2602 kg.",
    "a|mile and a half|km": "a mile and a half = 2.41402 km.",
    "two and a half|miles|km": "2.5 miles = 4.02336 km.",
    "5|Mg|kg": "5 Mg (megagram) = 5,000 kg.",
    "5|mg|g": "5 mg = 0.005 g.",
    "5|KM|miles": "5 KM = 3.10686 miles.",
    "8|ounces|ml": "8 ounces = 236.588 ml.",
    "8|ounces|grams": "8 ounces = 226.796 grams.",
    "10|c|m/s": "10 c = 2,997,920,000 m/s.",
    "60|miles an hour|km/h": "60 miles an hour = 96.5606 km/h.",
    "5|m\u00b2|square feet": "5 m\u00b2 = 53.8196 square feet.",
    "9.81|m/s2|ft/s^2": "9.81 m/s2 = 32.185 ft/s^2.",
    "1234567|m|km": "1,234,567 m = 1,234.57 km.",
    "5|imperial gallons|litres": "5 imperial gallons = 22.7305 litres.",
    "5|MG|kg": "?MG (megagauss)",
    "100|mhz|Hz": "?millihertz or megahertz",
    "500|mb|gb": "?megabyte or megabit",
    "2|tons|kg": "?short ton or metric ton",
    "5|ft2|m2": "?2 inches, or feet to the power of 2",
    "20|degrees|fahrenheit": "?Celsius or Fahrenheit",
    "5|degrees|bytes": "?they measure different things",
    "5|min|mm": "?they measure different things",
    "60|rpm|Hz": "?they measure different things",
    "10|kg|km": "?One cannot turn kg (kilogram) into km (kilometer)",
    "-300|celsius|kelvin": "?absolute zero",
    "5 celsius|3 celsius|kelvin": "?add up temperatures",
    "5|blorps|km": "?'blorps'",
    "5|miles or so|km": "?'or so'",
    "5|miles|km and feet": "?'and feet'",
    "5|feet per|m": "?'per'",
    "5-10|miles|km": "?5 and 10. Which one",
    "1,5|miles|km": "?1,5",
    "5||km": "?Of which unit",
    "5|miles|": "?Into which unit",
    "|miles|km": "?How many",
}


@pytest.mark.parametrize("text", QUANTITIES)
def test_a_quantity_is_converted_wholly(text):
    slots = dict(zip(("amount", "unit", "target"), text.split("|"), strict=True))
    check(lambda: units.convert_units(slots, None), QUANTITIES[text])


# A request and what the network has marked in it


MESSAGES = [
    ("minus 10 celsius in fahrenheit", "convert_units", {"amount": "10", "unit": "celsius"}, {"amount": "minus 10"}),
    ("convert -10 celsius to fahrenheit", "convert_units", {"amount": "10", "unit": "celsius"}, {"amount": "-10"}),
    ("convert 5 and a half miles to km", "convert_units", {"amount": "5", "unit": "miles"}, {"amount": "5 and a half"}),
    ("how many feet are a mile and a half", "convert_units", {"amount": "a", "unit": "mile"},
     {"unit": "mile and a half"}),
    ("what is 5 foot 11 in cm", "convert_units", {"amount": "5", "unit": "foot"}, {"unit": "foot 11"}),
    ("is a difference of 10 celsius 18 fahrenheit", "convert_units", {"amount": "10", "unit": "celsius 18 fahrenheit"},
     {"amount": "difference of 10"}),
    ("what is five - three", "calculate", {"expression": "five"}, {"expression": "five - three"}),
    ("what is 3 plus 4 times 2", "calculate", {"expression": "3 plus 4"}, {"expression": "3 plus 4 times 2"}),
    ("what is the square root of 16", "calculate", {"expression": "16"}, {"expression": "square root of 16"}),
    ("set a timer for an hour and a half", "set_timer", {"duration": "an hour"}, {"duration": "an hour and a half"}),
    ("wake me in 10-15 minutes", "set_timer", {"duration": "15 minutes"}, {"duration": "10-15 minutes"}),
    ("remind me to go tomorrow at 9", "set_reminder", {"task": "go", "moment": "at 9"}, {"moment": "tomorrow at 9"}),
    ("remind me to go at 9 pm", "set_reminder", {"task": "go", "moment": "at 9"}, {"moment": "at 9 pm"}),
    ("remind me on the 24th of december to go", "set_reminder", {"moment": "24th", "task": "go"},
     {"moment": "24th of december"}),
    ("i am sure to go at 9 , remind me", "set_reminder", {"task": "go", "moment": "at 9"}, {"moment": "at 9"}),
    ("good morning , the time in rome", "get_time", {"city": "rome"}, {"city": "rome"}),
    ("what time is it in gmt -2", "get_time", {"city": "gmt"}, {"city": "gmt -2"}),
    ("remind me to call the day after tomorrow", "set_reminder", {"task": "call the", "moment": "day after tomorrow"},
     {"task": "call", "moment": "the day after tomorrow"}),
    ("est time", "get_time", {}, {"city": "est"}),
    ("the date in New York", "get_date", {}, {"city": "New York"}),
    ("could you kindly tell us the time", "get_time", {}, {}),
    ("GMT+2 time", "get_time", {}, {"city": "GMT+2"}),
    ("est time tomorrow", "get_time", {}, "?'tomorrow'"),
    ("what time is it in the xyzzy", "get_time", {}, "?'xyzzy'"),
    ("cancel the ten minute timer", "set_timer", {"duration": "ten minute"}, "?'cancel'"),
    ("convert minus celsius", "convert_units", {"unit": "celsius"}, "?'minus'"),
    ("what day is it tomorrow", "get_date", {}, "?'tomorrow'"),
    ("what was the time in rome two hours ago", "get_time", {"city": "rome"}, "?'two hours ago'"),
    ("do not set a timer for ten minutes", "set_timer", {"duration": "ten minutes"}, "?'not'"),
    ("set a timer for ten minutes every day", "set_timer", {"duration": "ten minutes"}, "?'every'"),
    ("cancel the 10 minute timer", "cancel_timer", {}, "?'10 minute'"),
    ("delete my second note", "clear_notes", {}, "?'second'"),
    ("delete my reminder for tomorrow", "clear_reminders", {}, "?'tomorrow'"),
    ("flip 3 coins", "flip_coin", {}, "?'3'"),
    # a value of a slot that the skill has not
    ("roll 3 dice", "roll_dice", {"amount": "3"}, "?'3'"),
    ("stop the pasta timer", "cancel_timer", {"task": "pasta"}, "?'pasta'"),
    ("delete my notes about rome", "clear_notes", {"city": "rome"}, "?'rome'"),
    ("the time in Rome", "get_time", {"target": "Rome"}, {"city": "Rome"}),
    # dates and times of something else than now
    ("what day is it on 29 February 2027", "get_date", {"moment": "29 February"}, {"moment": "29 February 2027"}),
    ("what day is christmas eve", "get_date", {"moment": "christmas"}, {"moment": "christmas eve"}),
    ("what date was last friday", "get_date", {"moment": "friday"}, {"moment": "last friday"}),
    ("what is the date after christmas", "get_date", {"moment": "christmas"}, "?'after'"),
    ("what day is christmas", "get_date", {}, "?'christmas'"),
    ("what day is the concert", "get_date", {}, "?'concert'"),
    ("what date will it be on monday in Rome", "get_date", {"city": "Rome"}, "?'monday'"),
    ("tell me what time the shop closes", "get_time", {}, "?'shop closes'"),
    ("how many weeks until christmas", "count_days", {"moment": "christmas"}, "?'weeks'"),
    ("my train leaves , waht tme is it mate", "get_time", {}, {}),
    ("is it monday today", "get_date", {}, {}),
]  # fmt: skip


def found_slots(slots):
    return [SimpleNamespace(name=name, value=value) for name, value in slots]


@pytest.mark.parametrize("message, skill, slots, expected", MESSAGES)
def test_what_the_network_has_not_marked_is_added_or_asked_back(message, skill, slots, expected):
    spoken = Spoken(message, found_slots(slots.items()))

    def read():
        spoken.find_place(known()[skill])
        spoken.check(known()[skill])
        return spoken.values()

    check(read, expected if isinstance(expected, str) else slots | expected)


def test_of_several_slots_with_one_name_none_is_dropped():
    height = [("amount", "5"), ("unit", "feet"), ("amount", "11"), ("unit", "inches"), ("target", "cm")]
    read = Spoken("5 feet 11 inches in cm", found_slots(height)).values()
    assert units.convert_units(read, None) == "5 feet 11 inches = 180.34 cm."
    apart = [("moment", "tomorrow"), ("task", "go"), ("moment", "at 9")]
    assert Spoken("tomorrow i go , at 9", found_slots(apart)).values()["moment"] == "tomorrow at 9"
    elsewhere = Spoken("time in rome", found_slots([("city", "rome"), ("city", "oslo")])).values()
    assert elsewhere == {"city": "rome oslo"}  # though one of them is not in the text
    cities = Spoken("time in rome and oslo", found_slots([("city", "rome"), ("city", "oslo")])).values()
    check(lambda: find(cities["city"], NOW), "?I know no city or country called rome and oslo")
    timers = [("duration", "10 minutes"), ("duration", "5 minutes")]
    asked = Spoken("a timer for 10 minutes and one for 5 minutes", found_slots(timers)).values()
    check(lambda: duration(asked["duration"]), "?'and one for 5 minutes'")


def test_of_the_built_in_requests_nothing_is_asked_back_and_nothing_is_added():
    skills, random = known(), np.random.default_rng(0)
    for words, found, intent in (grammar.request(random, "test", skills) for _ in range(600)):
        if intent in skills:
            slots = [(name, " ".join(words[first:last])) for name, first, last in tags.spans(found)]
            spoken = Spoken(" ".join(words), found_slots(slots))
            spoken.find_place(skills[intent])
            spoken.check(skills[intent])
            assert spoken.values() == dict(slots), words


# Reminders and timers across clock changes


@pytest.fixture
def world():
    return World(Memory(), np.random.default_rng(0), known(), now=lambda: NOW)


@pytest.mark.parametrize("evening", ["2026-10-24T20:00", "2027-03-27T20:00"])
def test_a_reminder_for_tomorrow_at_9_rings_at_9_across_a_clock_change(evening, tmp_path, world):
    now = datetime.datetime.fromisoformat(evening).replace(tzinfo=BERLIN)
    world.memory, world.now = Memory(tmp_path / "memory.json"), lambda: now
    answer = world.skills["set_reminder"].run({"task": "go", "moment": "tomorrow at 9"}, world)
    assert "at 09:00" in answer
    again = Memory(tmp_path / "memory.json")
    nine = (now + datetime.timedelta(days=1)).replace(hour=9)  # by the clock on the wall
    hours = until(nine, now) / HOUR
    assert hours == (14 if now.month == 10 else 12)
    assert again.due(later(now, hours * HOUR - 1)) == []
    assert due(again, later(now, hours * HOUR)) == [("reminders", "go")]


@pytest.mark.parametrize("evening", ["2026-10-25T01:30", "2027-03-28T01:30"])
def test_a_timer_for_two_hours_takes_two_hours_across_a_clock_change(evening, tmp_path, world):
    now = datetime.datetime.fromisoformat(evening).replace(tzinfo=BERLIN)
    world.memory, world.now = Memory(tmp_path / "memory.json"), lambda: now
    world.skills["set_timer"].run({"duration": "two hours"}, world)
    again = Memory(tmp_path / "memory.json")
    assert world.skills["list_timers"].run({}, world) == "The timer rings in 2 hours."
    assert again.due(later(now, 2 * HOUR - 1)) == [] and due(again, later(now, 2 * HOUR)) == [("timers", "")]


def test_of_an_hour_that_comes_twice_each_keeps_its_own_place(tmp_path):
    memory = Memory(tmp_path / "memory.json")
    first, second = (datetime.datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=fold) for fold in (0, 1))
    memory.add("timers", "second", second)
    memory.add("timers", "first", first)
    again = Memory(tmp_path / "memory.json")
    assert [text for text, _ in again.entries("timers")] == ["first", "second"]
    assert [at.utcoffset() for _, at in again.entries("timers")] == [first.utcoffset(), second.utcoffset()]
    assert due(again, later(first, 60)) == [("timers", "first")]


def test_a_memory_file_keeps_the_wall_clock_and_old_files_keep_their_offset(tmp_path):
    path = tmp_path / "memory.json"
    old = {"text": "old", "at": "2026-10-25T09:00:00+02:00"}
    moved = {
        "text": "moved",
        "at": "2026-10-25T09:00:00+02:00",
        "zone": "Europe/Berlin",
    }  # its rules have changed since
    path.write_text(json.dumps({"reminders": [moved, old]}))
    entries = Memory(path).entries("reminders")
    assert [(text, at.isoformat()) for text, at in entries] == [
        ("old", "2026-10-25T09:00:00+02:00"),
        ("moved", "2026-10-25T09:00:00+01:00"),
    ]
    for broken in ({"at": "2026-10-25T09:00:00"}, {"at": "2026-10-25T09:00:00+01:00", "zone": "Nowhere/At All"}):
        path.write_text(json.dumps({"reminders": [{"text": "x"} | broken]}))
        with pytest.raises(InputError, match="which is damaged"):
            Memory(path)


def test_the_time_here_has_the_rules_of_its_zone(monkeypatch):
    monkeypatch.setattr(tzlocal, "get_localzone", lambda: BERLIN)
    assert local_now().tzinfo is BERLIN

    def nameless():
        raise ZoneInfoNotFoundError("CET-1CEST")

    monkeypatch.setattr(tzlocal, "get_localzone", nameless)
    assert local_now().utcoffset() == datetime.datetime.now().astimezone().utcoffset()


def test_a_count_of_dice_is_a_whole_number(world):
    assert chance.roll_dice({"count": "two"}, world).count("+") == 1
    for count in ("-3", "2.5", "2-3", "two three", "0"):
        with pytest.raises(CannotDo):
            chance.roll_dice({"count": count}, world)
    assert clock.get_time({"city": "here"}, world) == "It is 15:30 on Wednesday."


# Rasa's entities

TEXT = "wake me in Rome at 9 am"
ENTITIES = {
    "one entity": ([{"start": 11, "end": 15, "entity": "city", "value": "Rome"}], "O O O B-city O O O"),
    "a synonym as the value": (
        [{"start": 11, "end": 15, "entity": "city", "value": "the capital"}],
        "O O O B-city O O O",
    ),
    "several in any order": (
        [{"start": 19, "end": 23, "entity": "time"}, {"start": 11, "end": 15, "entity": "city"}],
        "O O O B-city O B-time I-time",
    ),
    "none": ([], "O O O O O O O"),
    "a part of a word": ([{"start": 11, "end": 14, "entity": "city"}], "line 1: city from 11 to 14 is 'Rom'"),
    "a space too much": ([{"start": 11, "end": 16, "entity": "city"}], "whole words"),
    "before the text": ([{"start": -4, "end": 15, "entity": "city"}], "whole words"),
    "backwards": ([{"start": 15, "end": 11, "entity": "city"}], "whole words"),
    "no name": ([{"start": 11, "end": 15}], "start, end and entity"),
    "a truth as a number": ([{"start": True, "end": 15, "entity": "city"}], "start, end and entity"),
    "a role": ([{"start": 11, "end": 15, "entity": "city", "role": "to"}], "'role', which would not be learned"),
    "an overlap": (
        [{"start": 11, "end": 15, "entity": "city"}, {"start": 8, "end": 15, "entity": "place"}],
        "do not overlap",
    ),
    "an object": ({"city": "Rome"}, "a list of objects"),
    "nothing": (None, "a list of objects"),
}


def json_tags(row, tmp_path):
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps({"text": TEXT, "intent": "x"} | row) if isinstance(row, dict) else row)
    try:
        return " ".join(sources.read_path(path)[0].tags)
    except InputError as refused:
        assert f"{path}, line 1" in str(refused)
        return str(refused)


@pytest.mark.parametrize("name", ENTITIES)
def test_entities_are_read_as_slots_or_refused_with_file_and_line(name, tmp_path):
    entities, expected = ENTITIES[name]
    assert expected in json_tags({"entities": entities}, tmp_path)


def test_no_annotation_of_a_request_is_passed_over(tmp_path):
    city = [{"start": 11, "end": 15, "entity": "city"}]
    assert "not both" in json_tags({"entities": city, "slots": {"city": "Rome"}}, tmp_path)
    assert json_tags({"entities": [], "slots": {"city": "Rome"}}, tmp_path) == "O O O B-city O O O"
    assert "'labels', which would not be learned" in json_tags({"labels": city}, tmp_path)
    assert json_tags({"id": 5, "language": "en", "comment": ""}, tmp_path) == "O O O O O O O"
    for name, given_value in (("city", "Rome"), ("slot", {}), ("confidence", 0.5), ("labels", None)):
        assert f"{name!r}, which would not be learned" in json_tags({name: given_value}, tmp_path)
    twice = '{"text": "from Rome to Oslo", "intent": "x", "slots": {"city": "Rome", "city": "Oslo"}}'
    assert "'city' comes twice" in json_tags(twice, tmp_path)


# What holds for every value

ONES = str.split(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
TENS = str.split("- - twenty thirty forty fifty sixty seventy eighty ninety")


def in_words(whole, hyphen="-"):
    """A number as it is written in English."""
    for scale, word in ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if whole >= scale:
            head, rest = divmod(whole, scale)
            joint = " and " if rest < 100 else " "
            return f"{in_words(head, hyphen)} {word}" + (joint + in_words(rest, hyphen) if rest else "")
    if whole < 20:
        return ONES[whole]
    return TENS[whole // 10] + (hyphen + ONES[whole % 10] if whole % 10 else "")


@given(st.integers(0, 10**12 - 1), st.sampled_from(["-", " "]), st.sampled_from(["", "minus ", "-"]))
@many
def test_a_number_in_words_comes_back(whole, hyphen, sign):
    assert number(sign + in_words(whole, hyphen)) == (-whole if sign else whole)
    assert number(f"{sign}{whole:,}") == (-whole if sign else whole)


DAY_FORMS = ["%Y-%m-%d", "%d.%m.%Y", "%B %d, %Y", "%B %d %Y", "the %d of %B %Y", "on %A, %d %B %Y", "%d %b %Y"]
TIME_FORMS = ["%H:%M", "at %H:%M", "at %H.%M", "at %I:%M %p", "%I:%M%p"]


@given(
    st.datetimes(datetime.datetime(2026, 11, 26), datetime.datetime(2029, 12, 31)),
    st.sampled_from(DAY_FORMS),
    st.sampled_from(TIME_FORMS),
    st.booleans(),
)
@many
def test_a_date_and_a_time_come_back_from_every_form(at, day, time, day_first):
    at = at.replace(second=0, microsecond=0)
    skipped = at.replace(tzinfo=BERLIN).astimezone(datetime.UTC).astimezone(BERLIN).replace(tzinfo=None) != at
    midnight = at.hour == 0 and at.minute == 0 and "%p" in time  # 12 am is asked back beside a day
    if skipped or midnight:
        return
    parts = [f"{at:{day}}", f"{at:{time}}"]
    text = " ".join(parts if day_first else parts[::-1])
    assert moment(text, NOW).replace(tzinfo=None) == at


READERS = {
    "amount": number,
    "expression": value,
    "duration": duration,
    "moment": lambda text: moment(text, NOW),
    "unit": lambda text: units.unit(text),
    "city": lambda text: find(text, NOW),
}
SLOTS, SEEDS = st.sampled_from(sorted(READERS)), st.integers(0, 2**32 - 1)
DRAWN = {name: values.DRAWN[name] for name in ("amount", "expression", "duration", "moment")} | {
    "unit": lambda random: values.units(random)["target"],
    "city": lambda random: str(random.choice(values.listed()["city"])),
}


@given(SLOTS, SEEDS)
@many
def test_every_value_of_the_built_in_requests_is_understood(slot, seed):
    """Some are questions in themselves, such as 12 in the evening; no word of theirs is unknown."""
    text = DRAWN[slot](np.random.default_rng(seed))
    try:
        READERS[slot](text)
    except CannotDo as question:
        assert "did not understand" not in str(question) and "I know no" not in str(question), text


@given(SLOTS, SEEDS, st.integers(0, 50), st.sampled_from(["blorp", "\u20ac", "not"]))
@many
def test_a_word_that_is_not_understood_is_never_skipped(slot, seed, place, strange):
    words = DRAWN[slot](np.random.default_rng(seed)).split()
    words.insert(place % (len(words) + 1), strange)
    with pytest.raises(CannotDo):
        READERS[slot](" ".join(words))


@given(SEEDS, st.sampled_from(["-", "minus ", "\u2212"]))
@many
def test_a_sign_is_never_skipped(seed, sign):
    random = np.random.default_rng(seed)
    if (text := values.amount(random))[0] not in "-mn":
        assert number(sign + text) == -number(text)
    with pytest.raises(CannotDo):
        duration(sign + values.duration(random))
    with pytest.raises(CannotDo):
        moment(sign + values.moment(random), NOW)


VOCABULARY = str.split(
    "a an and at on in the of to past half quarter one two five twelve twenty hundred thousand 1 9 12 24th 30 18.30 "
    "2026 : - / , + * % ( ) minute minutes hour hours day week month march may friday next this tomorrow today tonight "
    "morning evening night am pm o'clock noon midnight minus plus times percent squared point dozen third blorp not"
)


@given(SLOTS, st.lists(st.sampled_from(VOCABULARY), max_size=7))
@settings(deadline=None, max_examples=250, derandomize=True)
def test_any_words_are_a_value_or_a_question(slot, words):
    try:
        found = READERS[slot](" ".join(words))
    except CannotDo as question:
        assert 0 < len(str(question)) < 250
        return
    assert words and not {"blorp", "not"} & set(words)
    if slot == "moment":
        assert until(found, NOW) > 0
    if slot == "duration":
        assert found > 0


@given(SLOTS, st.text(max_size=30))
@settings(deadline=None, max_examples=150, derandomize=True)
def test_any_text_is_a_value_or_a_question(slot, text):
    try:
        READERS[slot](text)
    except CannotDo as question:
        assert str(question)
