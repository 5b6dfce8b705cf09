"""AskUserQuestion: questions with options that the user answers before the call ends."""

from __future__ import annotations

from pydantic import Field, field_validator

from core.permissions.access import Access
from core.protocol.inquiries import QuestionAnswer, QuestionOption, UserQuestion
from core.protocol.ops import AnswerQuestion
from core.protocol.views import ToolDisplay
from core.tools.base import DeclinedError, Tool, ToolError, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolState

MAX_HEADER = 12
"""Characters."""


class Option(ToolInput):
    label: str = Field(min_length=1)
    description: str = ""


class Question(ToolInput):
    question: str = Field(min_length=1)
    header: str = Field(min_length=1, max_length=MAX_HEADER, description="The topic in a word")
    options: list[Option] = Field(min_length=2, max_length=4)
    multiSelect: bool = False  # noqa: N815

    @field_validator("options")
    @classmethod
    def _labels_differ(cls, options: list[Option]) -> list[Option]:
        labels = [option.label.strip() for option in options]
        if not all(labels) or len(set(labels)) < len(labels):
            raise ValueError("each option needs a label of its own")
        return options


class AskUserQuestionInput(ToolInput):
    questions: list[Question] = Field(min_length=1, max_length=4)


class AskUserQuestion(Tool[AskUserQuestionInput]):
    """Runs alone: the user is asked one thing at a time. A message that the user sends instead withdraws it."""

    name = "AskUserQuestion"
    input_type = AskUserQuestionInput
    interrupt_behavior = "cancel"
    always_load = True

    def touches(self, arguments: AskUserQuestionInput, state: ToolState) -> Access:
        return Access(verdict="allow", reason="it only asks", asks_user=True)

    async def run(self, arguments: AskUserQuestionInput, context: ToolContext) -> ToolResult:
        if context.asker is None:
            raise ToolError(
                "There is nobody to ask in this run.",
                "Decide by yourself and say what you assumed, or end with what is open.",
            )
        questions = tuple(_question(question) for question in arguments.questions)
        reply = await context.asker.ask(questions)
        if not reply.answers:
            reason = f" They say: {reply.comment}" if reply.comment else ""
            raise DeclinedError(f"The user did not want to answer.{reason}", ends_turn=not reply.comment)
        return _result(questions, reply)


def _question(question: Question) -> UserQuestion:
    options = tuple(QuestionOption(label=option.label, description=option.description) for option in question.options)
    return UserQuestion(
        question=question.question, header=question.header, options=options, multi_select=question.multiSelect
    )


def _result(questions: tuple[UserQuestion, ...], reply: AnswerQuestion) -> ToolResult:
    """What was answered, in words for the model and as data for the window."""
    missing = (QuestionAnswer(),) * max(0, len(questions) - len(reply.answers))
    pairs = list(zip(questions, (*reply.answers, *missing), strict=False))
    parts = ["The user answered."]
    for question, answer in pairs:
        said = [f"- {label}" for label in answer.chosen]
        if answer.text:
            said.append(f"- in their own words: {answer.text}")
        parts.append("\n".join([question.question, *(said or ["- (no answer)"])]))
    if reply.comment:
        parts.append(f"They add: {reply.comment}")
    told = [{"question": q.question, "chosen": list(a.chosen), "text": a.text} for q, a in pairs]
    return ToolResult(
        content="\n\n".join(parts), display=ToolDisplay(details={"answers": told, "comment": reply.comment})
    )
