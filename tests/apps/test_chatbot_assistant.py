"""What the assistant does with requests that are given as understood: intents and slots in place of a network."""

import datetime
import re

import numpy as np
import pytest

from apps.chatbot import assistant, baselines, grammar, sources, variation
from apps.chatbot.data import Data, Part
from apps.chatbot.memory import MOST, Memory, default_path
from apps.chatbot.options import Chat
from apps.chatbot.predict import Frame, Slot
from apps.chatbot.skills import Confirm, Skill, World, known, manners
from apps.chatbot.sources import Request
from shared import InputError
from tests.commands import ROOT

EVENING = datetime.datetime(2026, 11, 25, 20, 15, tzinfo=datetime.UTC)  # a Wednesday
EXAMPLES = ROOT / "apps" / "chatbot" / "examples"


class Given:
    """Stands in for the network: (intent, slots, confidence) by message; others are out of scope."""

    def __init__(self, frames):
        self.frames = frames
        self.encoder = type("Encoder", (), {"max_words": 48})()

    def understand(self, texts):
        intent, slots, *chance = self.frames.get(texts[0], ("out_of_scope", {}))
        found = tuple(Slot(name, value, 1.0, 0, 1) for name, value in slots.items())
        return [Frame(intent, *(chance or [1.0]), not chance or chance[0] >= 0.75, found)]


@pytest.fixture
def talk():
    """Starts a talk with one entry of each kind in the memory, at a quarter past eight in the evening."""

    def started(frames, **more):
        world = World(Memory(), np.random.default_rng(0), known(), now=lambda: EVENING)
        for kind, text in KEPT.items():
            world.memory.add(kind, text, EVENING + datetime.timedelta(days=1))
        return assistant.Assistant(Given(frames), world.skills | more, world)

    return started


KEPT = {"notes": "buy milk", "reminders": "call anna", "timers": "tea", "alarms": ""}
DELETING = {
    "clear_notes": ("notes", {}),
    "remove_note": ("notes", {"note": "the milk"}),
    "clear_reminders": ("reminders", {}),
    "cancel_reminder": ("reminders", {"task": "call anna"}),
    "cancel_timer": ("timers", {"name": "tea"}),
    "cancel_alarm": ("alarms", {}),
}


def texts(found, kind):
    return [text for text, _ in found.world.memory.entries(kind)]


@pytest.mark.parametrize("intent", known())
def test_no_single_message_deletes_anything_whatever_is_understood(intent, talk):
    _, slots = DELETING.get(intent, ("", {}))
    found = talk({"alpha": (intent, slots), "beta": ("list_notes", {}), "gamma": (intent, slots)})
    for message in ("alpha", "beta", "gamma"):
        found.answer(message)
    assert all(set(texts(found, kind)) >= {text} for kind, text in KEPT.items())


@pytest.mark.parametrize(
    "said, intent, word",
    [
        ("delete milk from my reminders", "clear_reminders", "milk"),
        ("Delete all milk notes", "clear_notes", "milk"),
        ("please delete all of bob's notes", "clear_notes", "bob"),
        ("clear all notes and reminders", "clear_notes", "reminders"),
    ],
)
def test_a_word_that_limits_what_to_delete_is_not_ignored(said, intent, word, talk):
    answer = talk({said: (intent, {})}).answer(said).answer
    assert answer.startswith("I did not understand") and word in answer


def test_ordinary_words_around_a_request_to_delete_everything_are_no_limits(talk):
    for said in ("could you delete all my notes now please", "Delete ALL the notes!", "throw away all notes, thanks"):
        assert talk({said: ("clear_notes", {})}).answer(said).answer.startswith("Shall I delete the note"), said


@pytest.mark.parametrize("intent", DELETING)
@pytest.mark.parametrize("said", ["yes", "Yes, please!", "ok", "sure, delete them", "go ahead"])
def test_a_yes_to_the_question_deletes_what_it_named(intent, said, talk):
    kind, slots = DELETING[intent]
    found = talk({"alpha": (intent, slots)})
    assert found.answer("alpha").answer.startswith("Shall I delete the ")
    turn = found.answer(said)
    assert turn.answer.startswith("Deleted the ") and turn.did == intent
    assert [texts(found, other) for other in KEPT] == [[] if other == kind else [KEPT[other]] for other in KEPT]


@pytest.mark.parametrize(
    "said, answer",
    [
        ("no", "All right, I change nothing."),
        ("don't!", "All right, I change nothing."),
        ("Maybe later.", "All right, I change nothing."),
        ("yes?", "That was not a yes, so I changed nothing."),
        ("maybe", "That was not a yes, so I changed nothing."),
        ("yes, but not the milk", "That was not a yes, so I changed nothing."),
        ("what time is it", "That was not a yes, so I changed nothing. It is 20:15 on Wednesday."),
        ("...", "That was not a yes, so I changed nothing."),
    ],
)
def test_after_a_no_or_anything_else_all_is_kept_and_a_later_yes_is_no_answer(said, answer, talk):
    found = talk({"alpha": ("clear_notes", {}), "what time is it": ("get_time", {})})
    found.answer("alpha")
    assert found.answer(said).answer == answer
    assert found.answer("yes").answer == assistant.UNSURE
    assert texts(found, "notes") == ["buy milk"]


def test_what_was_added_after_the_question_is_not_deleted_with_the_rest(talk):
    found = talk({"alpha": ("clear_notes", {})})
    assert found.answer("alpha").answer == "Shall I delete the note 'buy milk'? Yes or no?"
    found.world.memory.add("notes", "from another chat", EVENING)
    found.answer("yes")
    assert texts(found, "notes") == ["from another chat"]


def test_a_question_about_many_entries_says_how_many_and_which(talk):
    found = talk({"alpha": ("clear_notes", {})})
    for number in range(6):
        found.world.memory.add("notes", f"note {number}", EVENING + datetime.timedelta(days=2, minutes=number))
    expected = "Shall I delete 7 notes (buy milk; note 0; note 1; note 2; note 3; and 2 more)? Yes or no?"
    assert found.answer("alpha").answer == expected


def test_a_skill_of_one_s_own_can_ask_before_it_acts(talk):
    sent = []
    each = Skill("send", lambda slots, world: Confirm("Send it?", lambda: sent.append(1) or "Sent."), ("send",), {}, {})
    found = talk({"alpha": ("send", {})}, send=each)
    assert found.answer("alpha").answer == "Send it?" and found.answer("no").answer == "All right, I change nothing."
    assert found.answer("alpha").answer == "Send it?" and found.answer("yes").answer == "Sent." and sent == [1]


def test_one_note_is_found_by_its_words_or_its_place_and_of_several_it_is_asked_which(talk):
    found = talk(
        {
            "alpha": ("remove_note", {"note": "milk"}),
            "the almond one": ("follow_up", {"note": "almond"}),
            "beta": ("remove_note", {"note": "cheese"}),
            "gamma": ("remove_note", {"which": "last"}),
            "delta": ("remove_note", {"which": "ninth"}),
            "omega": ("remove_note", {}),
        }
    )
    found.world.memory.add("notes", "almond milk", EVENING + datetime.timedelta(days=2))
    assert found.answer("alpha").answer == "Which note do you mean, 'buy milk' or 'almond milk'?"
    assert found.answer("almond milk").answer == "Shall I delete the note 'almond milk'? Yes or no?"
    assert "There is no note about 'cheese'." in found.answer("beta").answer
    assert found.answer("gamma").answer == "Shall I delete the note 'almond milk'? Yes or no?"
    assert "There is no ninth note: you have 2." in found.answer("delta").answer
    assert found.answer("omega").answer == "Which note? Say a word of it."
    assert texts(found, "notes") == ["buy milk", "almond milk"]


def test_cancel_it_means_what_was_added_or_listed_last(talk):
    frames = {
        "add milk to my notes": ("add_note", {"note": "milk"}),
        "timer": ("set_timer", {"duration": "ten minutes"}),
        "cancel it": ("cancel_last", {}),
        "list": ("list_reminders", {}),
    }
    found = talk(frames)
    assert found.answer("cancel it").answer.startswith("You have 1 note, 1 reminder,")
    assert found.answer("add milk to my notes").answer == "Noted: milk"
    assert found.answer("cancel it").answer == "Shall I delete the note 'milk'? Yes or no?"
    assert found.answer("yes").answer == "Deleted the note 'milk'."
    assert found.answer("cancel it").answer.startswith("You have 1 note, 1 reminder,")
    found.answer("timer")
    assert found.answer("cancel it").answer == "Shall I delete the timer? Yes or no?"
    found.answer("list")
    assert found.answer("cancel it").answer == "Shall I delete the reminder 'call anna'? Yes or no?"
    assert (texts(found, "notes"), len(texts(found, "timers"))) == (["buy milk"], 2)


def test_a_full_memory_refuses_a_note_and_drops_none(talk, monkeypatch):
    monkeypatch.setattr("apps.chatbot.skills.entries.MOST", 1)
    found = talk({"alpha": ("add_note", {"note": "bread"})})
    assert MOST > 1 and "There are already 1 notes" in found.answer("alpha").answer
    assert texts(found, "notes") == ["buy milk"]


# Questions about slots


def test_an_answer_in_free_text_is_kept_whole_whatever_else_it_resembles(talk):
    found = talk(
        {
            "alpha": ("add_note", {}),
            "call the landlord at 5": ("set_reminder", {"task": "call the landlord"}),
            "beta": ("set_reminder", {"moment": "tomorrow"}),
            "to buy eggs": ("add_note", {}, 0.8),
            "what time is it": ("get_time", {}),
        }
    )
    assert found.answer("alpha").answer == "What shall I write down?"
    assert found.answer("call the landlord at 5").answer == "Noted: call the landlord at 5"
    assert found.answer("beta").answer == "Of what shall I remind you?"
    assert "remind you to buy eggs tomorrow," in found.answer("to buy eggs").answer
    found.answer("alpha")
    assert found.answer("what time is it").did == "get_time"  # a whole request of another kind


def test_a_value_that_answers_the_question_is_taken_though_it_looks_like_a_request(talk):
    frames = {
        "alpha": ("set_timer", {}),
        "12 minutes": ("set_reminder", {"task": "minutes"}),
        "roll a die": ("roll_dice", {}),
    }
    found = talk(frames)
    assert found.answer("alpha").answer == "For how long?"
    assert "rings in 12 minutes" in found.answer("12 minutes").answer
    found.answer("alpha")
    assert found.answer("roll a die").did == "roll_dice"


@pytest.mark.parametrize("said", ["never mind", "Cancel that, please.", "no", "forget it"])
def test_an_open_question_can_be_dropped(said, talk):
    found = talk({"alpha": ("add_note", {}), "beta": ("follow_up", {})})
    found.answer("alpha")
    assert found.answer(said).answer == "All right, I leave it."
    assert found.thread.asked == "" and texts(found, "notes") == ["buy milk"]


def test_at_six_in_the_evening_is_asked_back_and_the_answer_completes_it(talk):
    frames = {
        "wake me at six": ("set_alarm", {"moment": "at six"}),
        "in the morning": ("follow_up", {"moment": "in the morning"}),
        "pm": ("out_of_scope", {}),
    }
    found = talk(frames)
    for said, expected in (("in the morning", "06:00"), ("pm", "18:00")):
        assert found.answer("wake me at six").answer == "Do you mean 06:00 tomorrow or 18:00 tomorrow?"
        assert found.answer(said).answer == f"The alarm rings tomorrow, Thursday, 26 November, at {expected}."


def test_a_duration_fills_the_moment_of_a_skill_that_has_no_duration(talk):
    found = talk({"wake me in ten minutes": ("set_alarm", {"duration": "ten minutes"})})
    assert found.answer("wake me in ten minutes").answer == "The alarm rings today, Wednesday, 25 November, at 20:25."


@pytest.mark.parametrize(
    "message, slots, expected",
    [
        ("remember that my bike is in the garage", {"note": "my bike"}, "my bike is in the garage"),
        ("remember that anna lives in oslo.", {"note": "anna lives", "city": "oslo"}, "anna lives in oslo"),
        ("add milk to my notes", {"note": "milk"}, "milk"),
        ("add milk to my shopping list , please", {"note": "milk"}, "milk"),
        ("put two eggs on the list", {"count": "two", "note": "eggs"}, "two eggs"),
        ("note that milk is on the list", {"note": "milk is on the list"}, "milk is on the list"),
    ],
)
def test_a_note_is_kept_to_its_end_without_the_words_around_it(message, slots, expected, talk):
    found = talk({message: ("add_note", slots)})
    assert found.answer(message).answer == f"Noted: {expected}"


@pytest.mark.parametrize(
    "message, frame, answer",
    [
        ("remember that my bike is in the garage", ("add_note", {}, 0.6), "Noted: my bike is in the garage"),
        (
            "could you note that i parked on level 2?",
            ("add_note", {"note": "parked on level 2"}),
            "Noted: i parked on level 2",
        ),
        ("Note to self: call the landlord", ("add_note", {"note": "self"}, 0.5), "Noted: call the landlord"),
        ("scratch milk off my list", ("remove_note", {}, 0.5), "Shall I delete the note 'buy milk'? Yes or no?"),
        ("Good evening!", ("follow_up", {"amount": "evening"}, 0.4), "Good evening! What can I do for you?"),
        ("whats 15% of 80", ("calculate", {"expression": "15% of 80"}, 0.5), "15% of 80 = 12"),
        ("15% of 80", ("follow_up", {"expression": "15% of 80"}, 0.7), "15% of 80 = 12"),
        ("remember me", ("add_note", {}, 0.6), assistant.UNSURE),
        ("what is the meaning of life", ("calculate", {}, 0.6), assistant.UNSURE),
        ("remember that my bike is in the garage", ("out_of_scope", {}, 0.6), assistant.UNSURE),
    ],
)
def test_what_has_the_form_of_a_pattern_is_understood_though_the_network_is_in_doubt(message, frame, answer, talk):
    assert talk({message: frame}).answer(message).answer == answer


@pytest.mark.parametrize("between", ["delete my notes", "thanks"])
def test_an_open_question_ends_once_another_request_was_carried_out(between, talk):
    frames = {
        "remind me in 20 minutes": ("set_reminder", {"duration": "20 minutes"}),
        "delete my notes": ("clear_notes", {}),
        "thanks": ("thank", {}),
        "wake me tomorrow at 7 am": ("set_alarm", {"moment": "tomorrow at 7 am"}, 0.8),
    }
    found = talk(frames)
    assert found.answer("remind me in 20 minutes").answer == "Of what shall I remind you?"
    found.answer(between)
    found.answer("yes")
    assert found.answer("wake me tomorrow at 7 am").did == "set_alarm"
    assert texts(found, "reminders") == ["call anna"] and len(texts(found, "alarms")) == 2


@pytest.mark.parametrize("said", ["yes", "ok", "Yes?", "sure", "nah"])
def test_a_bare_yes_or_no_is_no_free_text(said, talk):
    found = talk({"alpha": ("add_note", {}), "milk": ("follow_up", {})})
    found.answer("alpha")
    assert found.answer(said).answer == "What shall I write down?"
    assert texts(found, "notes") == ["buy milk"] and found.answer("milk").answer == "Noted: milk"


@pytest.mark.parametrize(
    "said", ["don't delete my notes", "Please do not delete my notes!", "I don\u2019t want you to remove my notes"]
)
def test_a_request_not_to_delete_changes_nothing(said, talk):
    found = talk({said: ("clear_notes", {})})
    assert found.answer(said).answer == assistant.KEPT
    assert found.answer("yes").answer == assistant.UNSURE and texts(found, "notes") == ["buy milk"]


def test_other_negations_are_requests(talk):
    said = "don't forget that the gym is closed"
    frames = {said: ("add_note", {"note": "the gym is closed"}), "alpha": ("add_note", {})}
    assert talk(frames).answer(said).did == "add_note"
    found = talk(frames)
    found.answer("alpha")
    assert found.answer("don't delete the backup").answer == "Noted: don't delete the backup"


# Which entry is meant


@pytest.mark.parametrize(
    "said, frame, which",
    [
        ("delete the plumber note", ("remove_note", {"which": "plumber"}), "the note 'ask the plumber'"),
        ("delete the plumber note", ("clear_notes", {}), "the note 'ask the plumber'"),
        ("delete my last note", ("remove_note", {"which": "last"}), "the note 'ask the plumber'"),
        ("Please delete the anna reminder.", ("cancel_reminder", {}), "the reminder 'call anna'"),
        ("cancel the first reminder", ("cancel_reminder", {}), "the reminder 'call anna'"),
        ("cancel the 7 am alarm", ("cancel_alarm", {}), "the alarm for Friday, 27 November, at 07:00"),
        ("cancel the alarm for 7 am", ("cancel_alarm", {"moment": "7"}), "the alarm for Friday, 27 November, at 07:00"),
        ("cancel the second alarm", ("cancel_alarm", {}), "the alarm for Friday, 27 November, at 07:00"),
    ],
)
def test_the_words_around_the_wanted_one_are_not_searched(said, frame, which, talk):
    found = talk({said: frame})
    found.world.memory.add("notes", "ask the plumber", EVENING + datetime.timedelta(days=2))
    found.world.memory.add("alarms", "", EVENING.replace(day=27, hour=7, minute=0))
    assert found.answer(said).answer == f"Shall I delete {which}? Yes or no?"


def test_of_several_alarms_or_timers_it_is_asked_which_and_all_times_are_shown(talk):
    frames = {
        "cancel my alarm": ("cancel_alarm", {}),
        "cancel all alarms": ("cancel_alarm", {}),
        "stop the timer": ("cancel_timer", {}),
    }
    found = talk(frames)
    found.world.memory.add("alarms", "", EVENING.replace(day=27, hour=7, minute=0))
    found.world.memory.add("timers", "", EVENING + datetime.timedelta(minutes=2))
    listed = "Thursday, 26 November, at 20:15; Friday, 27 November, at 07:00"
    assert found.answer("cancel my alarm").answer == f"Which alarm do you mean: {listed}? Or all of them?"
    assert found.answer("the 7 am one").answer == (
        "Shall I delete the alarm for Friday, 27 November, at 07:00? Yes or no?"
    )
    assert found.answer("cancel all alarms").answer.endswith(f"Shall I delete 2 alarms ({listed})? Yes or no?")
    question = "Which timer do you mean: unnamed, over at 20:17:00; tea? Or all of them?"
    assert found.answer("stop the timer").answer.endswith(question)
    assert found.answer("the tea one").answer == "Shall I delete the tea timer? Yes or no?"


@pytest.mark.parametrize(
    "said, what",
    [("all of them", "2 timers (tea; egg)"), ("the second one", "the egg timer"), ("egg", "the egg timer")],
)
def test_which_timer_is_answered_by_its_name_or_place_or_all(said, what, talk):
    found = talk({"stop the timer": ("cancel_timer", {}), said: ("follow_up", {})})
    found.world.memory.add("timers", "egg", EVENING + datetime.timedelta(days=2))
    assert found.answer("stop the timer").answer == "Which timer do you mean: tea; egg? Or all of them?"
    assert found.answer(said).answer == f"Shall I delete {what}? Yes or no?"


def test_without_entries_it_says_so_and_delete_everything_asks_what(talk):
    frames = {"delete everything": ("cancel_last", {}), "alpha": ("remove_note", {"which": "first"})}
    found = talk(frames | {"beta": ("remove_note", {"note": "milk"})})
    expected = "You have 1 note, 1 reminder, 1 timer and 1 alarm. What shall I delete? Say, for example: "
    assert found.answer("delete everything").answer == f"{expected}delete all notes."
    found.world.memory.drop("notes", found.world.memory.entries("notes"))
    assert found.answer("alpha").answer == found.answer("beta").answer == "You have no notes."


# Places and times


@pytest.mark.parametrize("said", ["whats the time in new york", "time in New York City please"])
def test_the_longest_place_around_the_marked_word_wins(said, talk):
    found = talk({said: ("get_time", {"city": re.findall("(?i)new", said)[0]})})
    assert "New York" in found.answer(said).answer


def test_a_word_of_time_is_no_place(talk):
    said, other = "what day is it tomorrow", "what time is it tomorrow"
    found = talk({said: ("get_date", {"city": "tomorrow"}), other: ("get_time", {"city": "tomorrow"})})
    assert found.answer(said).answer == "Tomorrow: Thursday, 26 November 2026."
    assert found.answer(other).answer == "I can only tell what time it is now, here or in a city."


def test_a_word_of_time_after_a_place_is_no_part_of_its_name(talk):
    said, other = "what time is it in rome tomorrow", "what day is it in salt lake city tomorrow"
    found = talk(
        {said: ("get_time", {"city": "rome tomorrow"}), other: ("get_date", {"city": "salt lake city tomorrow"})}
    )
    assert found.answer(said).answer == "I can only tell what time it is now, here or in a city."
    assert found.answer(other).answer == "Tomorrow in Salt Lake City: Thursday, 26 November 2026."


@pytest.mark.parametrize(
    "said, frame, answer",
    [
        ("What day is Christmas?", ("get_date", {}), "Christmas: Friday, 25 December 2026."),
        ("what day is christmas on", ("get_date", {}), "Christmas: Friday, 25 December 2026."),
        ("what day does new year's eve fall on", ("get_date", {}), "New year's eve: Thursday, 31 December 2026."),
        ("what day is the 4th of july", ("get_date", {}, 0.4), "The 4th of july: Sunday, 4 July 2027."),
        ("what day was july 4", ("get_date", {}), "July 4: Saturday, 4 July 2026."),
        ("what day was yesterday", ("out_of_scope", {}), "Yesterday: Tuesday, 24 November 2026."),
        ("what is tomorrow's date", ("get_date", {}), "Tomorrow: Thursday, 26 November 2026."),
        ("when is halloween", ("out_of_scope", {}), "Halloween: Sunday, 31 October 2027."),
        ("what date is next monday", ("get_date", {}), "Next monday: Monday, 30 November 2026."),
        ("what date is next friday", ("get_date", {}), "Do you mean Friday, 27 November, or Friday, 4 December?"),
        ("the date of easter in tokyo", ("get_date", {"moment": "easter", "city": "tokyo"}),
         "Easter in Tokyo: Sunday, 28 March 2027."),
        ("how many days until christmas", ("convert_units", {}, 0.7), "30 days until Friday, 25 December 2026."),
        ("days to go till tomorrow", ("out_of_scope", {}), "1 day until Thursday, 26 November 2026."),
        ("how many days until the 25th", ("count_days", {}), "That is today: Wednesday, 25 November 2026."),
        ("how many days until 2026-11-20", ("count_days", {}), "Friday, 20 November 2026 was 5 days ago."),
        ("what day is it", ("get_date", {}), "It is Wednesday, 25 November 2026."),
        ("what date is the second sunday of december", ("get_date", {"moment": "the second sunday of december"}),
         "I did not understand 'of december' in 'the second sunday of december'. Please say a day like tomorrow, next "
         "friday, march 5, or christmas."),
    ],
)  # fmt: skip
def test_the_date_of_a_named_day_is_told_whatever_the_network_says(said, frame, answer, talk):
    assert talk({said: frame}).answer(said).answer == answer


@pytest.mark.parametrize(
    "said, intent",
    [
        ("what day is the concert", "get_date"),
        ("what day is thanksgiving", "get_date"),
        ("when is my birthday", "get_date"),
        ("what time is the meeting", "get_time"),
        ("how long until 6 pm", "count_days"),
        ("how many days until the concert", "count_days"),
        ("what time will it be tomorrow", "get_time"),
    ],
)
def test_what_is_no_known_day_is_never_answered_with_now(said, intent, talk):
    answer = talk({said: (intent, {})}).answer(said).answer
    assert not re.search(r"\d\d:\d\d|Wednesday|25|\bdays until", answer), answer


@pytest.mark.parametrize("intent", ["remove_note", "out_of_scope", "clear_notes"])
@pytest.mark.parametrize(
    "said",
    ["delete milk from my notes", "Take the milk off my notes, please.", "could you erase milk from the shopping list"],
)
def test_a_note_is_deleted_from_the_notes_or_the_list_whatever_the_network_says(said, intent, talk):
    assert talk({said: (intent, {})}).answer(said).answer == "Shall I delete the note 'buy milk'? Yes or no?"


@pytest.mark.parametrize(
    "said", ["delete all of them from my notes", "remove it from my list", "take the last one off my list"]
)
def test_what_is_no_word_of_a_note_is_not_searched_in_the_notes(said, talk):
    assert "There is no note" not in talk({said: ("out_of_scope", {})}).answer(said).answer


def test_a_unit_answers_what_a_bare_number_counts(talk):
    found = talk({"alpha": ("set_timer", {}), "5": ("follow_up", {"amount": "5"}), "minutes": ("list_timers", {})})
    found.answer("alpha")
    assert found.answer("5").answer == "5 what: seconds, minutes, hours or days?"
    assert "rings in 5 minutes" in found.answer("minutes").answer


def test_an_hour_after_for_is_a_time_and_the_answer_says_of_which_day(talk):
    frames = {"set an alarm for 7": ("set_alarm", {}), "wake me for 7": ("set_alarm", {"moment": "for 7"})}
    found = talk(frames)
    for said in frames:
        assert found.answer(said).answer == "Do you mean 07:00 tomorrow or 19:00 tomorrow?"
    found.world.now = lambda: EVENING.replace(hour=0, minute=2)
    rings = "The alarm rings today, Wednesday, 25 November, at 07:00."
    assert found.answer("set an alarm for 7").answer == rings
    already = "There is already an alarm for Wednesday, 25 November, at 07:00."
    assert found.answer("wake me for 7").answer == already and len(texts(found, "alarms")) == 2


def test_an_equal_reminder_is_not_stored_again(talk):
    found = talk({"alpha": ("set_reminder", {"task": "go", "moment": "tomorrow"})})
    assert found.answer("alpha").answer.startswith("I will remind you to go tomorrow, Thursday,")
    assert found.answer("alpha").answer.startswith("There is already a reminder to go for Thursday,")
    assert texts(found, "reminders").count("go") == 1


def test_what_was_due_while_no_chat_ran_is_announced_with_its_time():
    def said(minutes):
        return assistant.announced("reminders", ("go", EVENING - datetime.timedelta(minutes=minutes)), EVENING)

    assert [said(0), said(12)] == ["Reminder: go", "Reminder: go (It was due at 20:03.)"]
    assert said(24 * 60) == "Reminder: go (It was due on Tuesday, 24 November, at 20:15.)"


def test_a_damaged_memory_is_described_without_the_name_of_an_exception(tmp_path):
    (tmp_path / "memory.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"which is damaged\. "):
        Memory(tmp_path / "memory.json")


@pytest.mark.parametrize(
    "name", [each for each in known() if len(manners.SLOT.findall(known()[each].patterns[0])) == 0]
)
def test_the_examples_of_help_without_slots_are_understood_whatever_the_network_says(name, talk):
    said = manners.example(known()[name])
    assert talk({said: ("set_timer", {})}).answer(said).did == name


@pytest.mark.parametrize(
    "said, intent",
    [
        ("remove everything from my shopping list", "clear_notes"),
        ("scratch everything off my list", "clear_notes"),
        ("delete everything", "cancel_last"),
        ("cancel the reminder to call anna", "cancel_reminder"),
        ("delete the note about milk", "remove_note"),
        ("set an alarm at 9 pm", "set_alarm"),
    ],
)
def test_a_request_that_a_form_decides_answers_no_open_question(said, intent, talk):
    found = talk({"alpha": ("set_reminder", {"moment": "tomorrow"})})
    found.answer("alpha")
    assert found.answer(said).did == intent and found.thread.asked == ""
    assert texts(found, "reminders") == ["call anna"]


def test_remind_me_in_20_minutes_is_a_reminder_whatever_the_network_says_and_keeps_a_task_already_said(talk):
    message = "remind me in 20 minutes"
    found = talk({message: ("set_timer", {"duration": "20 minutes"}), "alpha": ("set_reminder", {"task": "go"})})
    turn = found.answer(message)
    assert (
        turn.did == "set_reminder" and turn.answer == "Of what shall I remind you?" and not texts(found, "timers")[1:]
    )
    found.answer("call bob")
    assert found.answer("alpha").answer == "When?"
    found.answer(message)
    assert texts(found, "reminders") == ["call bob", "go", "call anna"]


def test_a_note_needs_no_more_than_its_first_word(talk):
    found = talk(
        {
            "note milk": ("follow_up", {}, 0.4),
            "add oat milk to my notes": ("clear_notes", {}),
            "Note: call 5 plumbers": ("set_timer", {"duration": "5"}),
        }
    )
    assert found.answer("note milk").answer == "Noted: milk"
    assert found.answer("add oat milk to my notes").answer == "Noted: oat milk"
    assert found.answer("Note: call 5 plumbers").answer == "Noted: call 5 plumbers"


# What it says


def test_help_shows_requests_and_no_templates(talk):
    own = Skill("cook", lambda slots, world: "", ("a recipe for {dish}",), {"dish": ["soup"]}, {})
    found = talk({"help": ("show_help", {})})
    found.world.skills = {**found.world.skills, "cook": own}
    said = found.answer("help").answer
    assert not re.search(r"[{}]", said) and "  what time is it in Tokyo" in said and "  a recipe for soup" in said
    assert len(said.splitlines()) == len(found.world.skills)


@pytest.mark.parametrize(
    "hour, greeting",
    [(3, "Hello!"), (5, "Good morning!"), (12, "Good afternoon!"), (18, "Good evening!"), (23, "Hello!")],
)
def test_the_greeting_fits_the_hour(hour, greeting, talk):
    found = talk({"hi": ("greet", {})})
    found.world.now = lambda: EVENING.replace(hour=hour)
    assert found.answer("hi").answer.startswith(greeting)


def test_from_before_are_only_values_of_earlier_messages(talk):
    frames = {
        "minus 10 celsius in fahrenheit": (
            "convert_units",
            {"amount": "10", "unit": "celsius", "target": "fahrenheit"},
        ),
        "and 20": ("follow_up", {"amount": "20"}),
        "time in tokyo": ("get_time", {}),
        "alpha": ("set_reminder", {"moment": "tomorrow at 5", "task": "go"}),
        "pm": ("follow_up", {}),
    }
    found = talk(frames)
    first = assistant.debugged(found.answer("minus 10 celsius in fahrenheit"))  # the sign was added to the slot
    assert "from before" not in first
    assert "[from before: unit='celsius'  target='fahrenheit']" in assistant.debugged(found.answer("and 20"))
    assert "from before" not in assistant.debugged(found.answer("time in tokyo"))  # the city was found in the message
    found.answer("alpha")
    assert "[from before: moment='tomorrow at 5'  task='go']" in assistant.debugged(found.answer("pm"))


# Where notes are


def test_notes_belong_to_the_user_and_not_to_the_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GALLERY_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("GALLERY_USER", str(tmp_path / "user"))
    assert assistant.memory_file(Chat()) == tmp_path / "user" / "chatbot" / "memory.json"
    assert str(assistant.memory_file(Chat(memory="own.json"))) == "own.json"
    older = Memory(tmp_path / "runs" / "chatbot" / "memory.json")
    older.add("notes", "of the old place", EVENING)
    moved = Memory(assistant.memory_file(Chat()))
    assert moved.entries("notes") == older.entries("notes") and "were copied" in capsys.readouterr().err
    moved.drop("notes", moved.entries("notes"))
    assert Memory(assistant.memory_file(Chat())).entries("notes") == []  # copied once only
    monkeypatch.delenv("GALLERY_USER")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_path("chatbot") == tmp_path / "data" / "keras_rnn_gallery" / "chatbot" / "memory.json"


# How people vary what they ask


def test_a_slip_keeps_the_first_letter_and_most_of_the_word():
    random = np.random.default_rng(0)
    for _ in range(200):
        found = variation.slip("reminder", random)
        assert found[0] == "r" and abs(len(found) - 8) <= 1 and len(set(found) ^ set("reminder")) <= 2


def test_variation_is_seeded_and_touches_no_value_but_free_text():
    pieces = [("what is the time in ", ""), ("buenos aires", "city"), (" and don't forget ", ""), ("watering", "task")]

    def varied(seed):
        random = np.random.default_rng(seed)
        return [variation.mistyped(variation.reworded(pieces, random), random) for _ in range(50)]

    assert varied(1) == varied(1) != varied(2)
    assert {row[1] for row in varied(1)} == {pieces[1]}
    assert len({row[0] for row in varied(1)}) > 2 and len({row[3] for row in varied(1)}) > 1


def test_a_pattern_can_lack_a_slot_that_is_asked_for():
    assert grammar.lacking("set a timer for {duration}", ["duration"]) == "set a timer"
    assert grammar.lacking("set a timer for {duration}", ["name"]) == ""
    assert grammar.lacking("{dish} please", ["dish"]) == grammar.lacking("note {note}", ["note"]) == ""


def test_the_example_requests_are_of_known_intents():
    for name in ("everyday.jsonl", "my_requests.jsonl"):
        found = sources.read_path(EXAMPLES / name)
        assert {request.intent for request in found} <= {*known(), "out_of_scope", "follow_up"}
    assert "cooking_time" in known(str(EXAMPLES / "my_skills.py"))


# The baseline of the slots


def test_the_linear_tagger_reads_neighbouring_words_and_keeps_to_iob():
    def request(text, *tags):
        return Request(text.split(), list(tags), "i", "")

    ways = [("x", "y"), ("y", "x"), ("x", "x"), ("y", "y")]
    train = [request(f"from {one} to {other}", "O", "B-a", "O", "B-b") for one, other in ways]
    train += [request(f"to {one} from {other}", "O", "B-b", "O", "B-a") for one, other in ways]
    test = [request("from z to w", *["O"] * 4), request("to w from z", *["O"] * 4)]
    parts = [Part(some, [], np.array([]), []) for some in (train * 5, train, test)]
    assert baselines.linear_tags(Data(*parts, info={})) == [["O", "B-a", "O", "B-b"], ["O", "B-b", "O", "B-a"]]


def test_the_best_path_of_the_linear_tagger_is_valid_iob():
    names = ["B-a", "I-a", "I-b", "O"]
    emissions = np.array([[1, 9, 0, 0], [0, 1, 9, 0], [2, 3, 9, 0.0]])  # I-a at the start, I-b after another
    (found,) = baselines.paths(emissions, [Request(["x"] * 3, [], "i", "")], np.zeros((5, 4)), 0.0, names)
    assert found == ["B-a", "I-a", "I-a"]
