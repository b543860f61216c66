"""A gate before a result: a question, options, each with its why. Choose first; then everything is told.

    Predict("b sleeps. Is an IPI lost?", {"It is.": "No: IRR waits.", "It waits.": "Right."}, answer="It waits.")

Where widgets run it is live (`live.predict`); elsewhere the question stands there with the answer folded. Nothing is
counted or kept. Does not model: scores.
"""

from collections.abc import Mapping
from string import ascii_uppercase
from typing import Any

from avickit.errors import AvicError
from avickit.show.looks import Look
from avickit.show.tags import box, cell, element, fold, head, panel, row, table, text
from avickit.show.view import LiveForm, View

FEWEST, MOST = 2, 8
ANSWER = "\N{CHECK MARK} answer"
WORDS = {
    "label": "Predict",
    "answer": ANSWER,
    "chosen": "your choice",
    "hide": "hide the answer",
    "said": "You chose {chosen}. The answer is {answer}.",
    "lost": "The kernel is gone; choosing and hiding work all the same.",
    "help": "Tab and Enter, or the letter, choose; Escape hides the answer",
}
"""What the live form says."""
FOLDED = "the answer, and each why"


class Predict(View):
    """A question, its options in order with their whys, and which of them is the answer; all plain text.

    Raises AvicError if there are fewer than 2 or more than 8 options, an empty text, or an answer that is no option.
    """

    title = "Predict"

    def __init__(self, question: str, options: Mapping[str, str], answer: str) -> None:
        if not FEWEST <= len(options) <= MOST:
            raise AvicError.of("options", len(options), f"{FEWEST} to {MOST}, each with its why")
        worded("question", question)
        for option, why in options.items():
            worded("option", option)
            worded(f"the why of {option!r}", why)
        if answer not in options:
            raise AvicError.of("answer", answer, "one of the options: " + "; ".join(options))
        self._chosen = ""
        self.question = question
        self.options, self.answer = dict(options), answer

    @property
    def chosen(self) -> str:
        """The option that was chosen, "" before; set it and a live view shows all whys, set "" and it hides them."""
        return self._chosen

    @chosen.setter
    def chosen(self, option: str) -> None:
        if option and option not in self.options:
            raise AvicError.of("option", option, "one of: " + "; ".join(self.options))
        self._chosen = option
        if self._live is not None:
            self._live.chosen = list(self.options).index(option) if option else -1

    @property
    def text(self) -> str:
        """The question and the options, as text; not the answer."""
        lines = [f"Predict: {self.question}", *(f"  {letter}  {option}" for letter, option, _ in lettered(self))]
        return "\n".join([*lines, "(choose one; then .reveal() tells the answer and each why)"])

    @property
    def html(self) -> str:
        """The question and the options; folded, the answer and each why."""
        return panel(asked(self) + fold(FOLDED, told(self)))

    def reveal(self) -> Look:
        """The answer and each why, without choosing."""
        lines = [self.text.partition("\n")[0]]
        for letter, option, why in lettered(self):
            lines += [f"{'*' if option == self.answer else ' '} {letter}  {option}", f"       {why}"]
        return Look([("\n".join([*lines, "* is the answer"]), panel(asked(self) + told(self)))])

    def live_form(self) -> LiveForm:
        """The gate as data for the browser."""
        options = list(self.options)
        data = {"question": self.question, "options": lettered(self), "answer": options.index(self.answer)}
        chosen = options.index(self._chosen) if self._chosen else -1
        return LiveForm("predict", {"data": {**data, "words": WORDS}, "chosen": chosen})

    def widget(self) -> Any:
        """A widget that follows the gate, and is followed by it. Raises ImportError where widgets do not run."""
        from avickit.show.live.predict import live

        return live(self)


def worded(thing: str, said: object) -> None:
    """Raise AvicError unless it is a text that says something."""
    if not isinstance(said, str) or not said.strip():
        raise AvicError.of(thing, said, "a text that is not empty")


def lettered(gate: Predict) -> list[tuple[str, str, str]]:
    """Letter, option, why."""
    return [(letter, *pair) for letter, pair in zip(ascii_uppercase, gate.options.items(), strict=False)]


def asked(gate: Predict) -> str:
    """The question and the options as HTML."""
    rows = [row([head(letter, "row"), cell(option, left=True)]) for letter, option, _ in lettered(gate)]
    columns = [head("option"), head("what you may expect")]
    return element("b", text(f"Predict: {gate.question}")) + table("", columns, rows, prose=True)


def told(gate: Predict) -> str:
    """The whys as HTML, the answer marked by a word and a hue."""
    rows = []
    for letter, option, why in lettered(gate):
        right = option == gate.answer
        cells = [
            head(letter, "row", option),
            cell(ANSWER if right else "no", left=True),
            box("td", text(why), left=True),
        ]
        rows.append(row(cells, "bluish green" if right else ""))
    return table("", [head("option"), head("is it?"), head("why")], rows, prose=True)
