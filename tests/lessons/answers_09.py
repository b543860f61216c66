"""Answers to the exercises of notebook 09, as functions of the input."""

from avickit.lessons import e09_option as e09
from tests.lessons.answers import Right, Wrong

YES, NO = ("yes", "on", "true", "enable", "1"), ("no", "off", "false", "disable", "0")


def boolean(word: str) -> str:
    for words, answer in ((NO, "off"), (YES, "on")):
        if word and any(known.startswith(word) for known in words):
            return answer
    return "invalid"


def last_wins(option: str, on: bool = False) -> bool:
    for item in option.split(","):
        name, equals, value = item.partition("=")
        if name.removeprefix("no-") == "avic":
            said = boolean(value) if equals else "on" if name == "avic" else "off"
            on = {"on": True, "off": False}.get(said, on)
    return on


def broken(*options: str) -> set[str]:
    return {option for option in options if "," in option and last_wins(option)}


RIGHT: list[Right] = [(e09.BOOL, boolean), (e09.OPTION, last_wins), (e09.BROKEN, broken)]
WRONG: list[Wrong] = [
    (e09.BOOL, lambda word: "on" if word in YES else "off" if word in NO else "invalid", "not what Xen makes of it"),
    (e09.BOOL, lambda word: "on" if word == "o" else boolean(word), "not what Xen makes of it"),
    (e09.BOOL, lambda word: boolean(word.lower()), "not what Xen makes of it"),
    (e09.BOOL, lambda word: True, "not one of"),
    (e09.OPTION, lambda option: "avic" in option, "the boot log says"),
    (e09.OPTION, lambda option: last_wins(option.split(",")[0]), "the boot log says"),
    (e09.OPTION, lambda option: option.count("no-") == 0 and last_wins(option), "the boot log says"),
    (e09.OPTION, lambda option: 1, "neither True nor False"),
    (e09.BROKEN, lambda *options: set(), "the two parsers disagree"),
    (e09.BROKEN, lambda *options: set(options), "both parsers say the same"),
    (e09.BROKEN, lambda *options: {"svm"}, "each as it stands behind svm="),
]
