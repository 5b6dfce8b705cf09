"""What is said to a tool's questions: laws over any sequence of steps, then the steps of a user."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.protocol.inquiries import QuestionAnswer, QuestionOption, UserQuestion
from tui.dialogs.answering import Answering


def question(labels: str, *, several: bool = False) -> UserQuestion:
    options = tuple(QuestionOption(label=label) for label in labels)
    return UserQuestion(question=f"Which of {labels}?", header=labels, options=options, multi_select=several)


QUESTIONS = st.lists(
    st.builds(question, st.sampled_from(("ab", "abc", "abcd")), several=st.booleans()),
    min_size=1,
    max_size=4,
)
STEPS = st.lists(st.tuples(st.sampled_from(("mark", "say", "move", "go")), st.integers(-3, 6)), max_size=30)


@given(QUESTIONS, STEPS)
def test_whatever_is_done_the_answers_fit_the_questions(
    questions: list[UserQuestion], steps: list[tuple[str, int]]
) -> None:
    state = Answering(questions)
    for what, number in steps:
        before = state.answers
        if what == "go":
            state.go(state.step + number)
            assert state.answers == before, "looking at another question changes no answer"
        elif not state.is_review:
            if what == "mark":
                state.mark(abs(number) % state.other)
            elif what == "say":
                state.say("words" * (number % 2))
            else:
                state.move(number)
            others = [place for place in range(len(questions)) if place != state.step]
            assert all(state.answer_of(place) == before[place] for place in others)
            assert 0 <= state.at <= state.other
        assert 0 <= state.step <= (len(questions) if len(questions) > 1 else 0)
        assert state.is_complete == all(answer.chosen or answer.text for answer in state.answers)
        for asked, answer in zip(questions, state.answers, strict=True):
            labels = [option.label for option in asked.options]
            assert list(answer.chosen) == [label for label in labels if label in answer.chosen], "in their order, once"
            assert asked.multi_select or len(answer.chosen) + bool(answer.text) <= 1


def test_one_answer_replaces_the_other_where_only_one_is_possible() -> None:
    state = Answering([question("ab")])
    state.mark(0)
    state.mark(1)
    assert state.answers == (QuestionAnswer(chosen=("b",)),)
    state.say("neither")
    assert state.answers == (QuestionAnswer(text="neither"),)
    state.say("")
    assert not state.is_complete
    state.mark(0)
    assert state.answers == (QuestionAnswer(chosen=("a",)),)


def test_of_several_each_is_marked_and_taken_back() -> None:
    state = Answering([question("abc", several=True)])
    for place in (2, 0, 1, 0):
        state.mark(place)
    state.say("and more")
    assert state.answers == (QuestionAnswer(chosen=("b", "c"), text="and more"),)
    assert [state.is_marked(place) for place in range(4)] == [False, True, True, True]


def test_the_cursor_stands_on_the_answer_when_one_comes_back() -> None:
    state = Answering([question("ab"), question("abc")])
    state.mark(1)
    state.go(1)
    assert state.at == 0
    state.go(0)
    assert state.at == 1
    state.go(9)
    assert state.is_review
