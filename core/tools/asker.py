"""How a call asks the user something."""

from __future__ import annotations

from dataclasses import dataclass

from core.bus.bus import Publisher
from core.host.ids import IdSource
from core.permissions.broker import Broker
from core.protocol.inquiries import PlanRequest, QuestionRequest, UserQuestion
from core.protocol.ops import AnswerPlan, AnswerQuestion


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks in the name of one call. Cancelling withdraws what is asked."""

    broker: Broker
    publisher: Publisher
    ids: IdSource
    tool_use_id: str

    async def ask(self, questions: tuple[UserQuestion, ...]) -> AnswerQuestion:
        """What the user says to the questions."""
        request = QuestionRequest(
            id=self.ids.uuid(),
            tool_use_id=self.tool_use_id,
            questions=questions,
            agent=self.publisher.subagent,
            agent_label=self.publisher.label,
        )
        return await self.broker.question(request, self.publisher)

    async def propose(self, plan: str, path: str) -> AnswerPlan:
        """Whether the user approves the plan."""
        request = PlanRequest(id=self.ids.uuid(), tool_use_id=self.tool_use_id, plan=plan, path=path)
        return await self.broker.propose(request, self.publisher)
