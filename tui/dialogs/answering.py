"""What has been said to a tool's questions so far: pure state that a prompt, or lines of text, fill."""

from __future__ import annotations

from collections.abc import Sequence

from core.protocol.inquiries import QuestionAnswer, UserQuestion


class Answering:
    """One question at a time; each may be answered anew until all are sent.

    With several questions a last step follows them, in which the answers are looked over. The place behind the last
    option is that of the user's own words.
    """

    def __init__(self, questions: Sequence[UserQuestion]) -> None:
        self.questions = tuple(questions)
        self.step = 0
        """Number of the question that is shown; past the last one all are looked over."""
        self.at = 0
        """The option under the cursor."""
        self.comment = ""
        self._chosen: list[frozenset[int]] = [frozenset() for _ in self.questions]
        self._words = ["" for _ in self.questions]

    @property
    def is_review(self) -> bool:
        """Whether the answers are looked over."""
        return self.step == len(self.questions)

    @property
    def question(self) -> UserQuestion:
        """The question that is shown."""
        return self.questions[self.step]

    @property
    def other(self) -> int:
        """The place of the user's own words."""
        return len(self.question.options)

    @property
    def words(self) -> str:
        """The user's own words to the question that is shown."""
        return self._words[self.step]

    @property
    def is_complete(self) -> bool:
        """Whether every question has an answer."""
        return all(self.is_answered(step) for step in range(len(self.questions)))

    def is_answered(self, step: int) -> bool:
        """Whether anything is said to a question."""
        return bool(self._chosen[step] or self._words[step])

    def is_marked(self, place: int) -> bool:
        """Whether an option of the question that is shown is part of its answer."""
        return bool(self.words) if place == self.other else place in self._chosen[self.step]

    def move(self, by: int) -> None:
        """Move the cursor, from the last option to the first."""
        self.at = (self.at + by) % (self.other + 1)

    def go(self, step: int) -> None:
        """Show another question, as far as there is one; the cursor stands on its answer."""
        last = len(self.questions) if len(self.questions) > 1 else 0
        self.step = min(max(step, 0), last)
        marked = [] if self.is_review else [place for place in range(self.other + 1) if self.is_marked(place)]
        self.at = marked[0] if marked else 0

    def mark(self, place: int) -> None:
        """Choose an option; of several that may be chosen, take a chosen one back."""
        before = self._chosen[self.step]
        if self.question.multi_select:
            self._chosen[self.step] = before ^ {place}
        else:
            self._chosen[self.step], self._words[self.step] = frozenset({place}), ""
        self.at = place

    def say(self, words: str) -> None:
        """Answer in the user's own words; where only one answer is possible they are it. Empty: take them back."""
        self._words[self.step] = words
        if words and not self.question.multi_select:
            self._chosen[self.step] = frozenset()

    def answer_of(self, step: int) -> QuestionAnswer:
        """The answer to one question."""
        labels = [option.label for option in self.questions[step].options]
        return QuestionAnswer(
            chosen=tuple(labels[place] for place in sorted(self._chosen[step])), text=self._words[step]
        )

    @property
    def answers(self) -> tuple[QuestionAnswer, ...]:
        """All answers, in the order of the questions."""
        return tuple(self.answer_of(step) for step in range(len(self.questions)))
