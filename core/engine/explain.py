"""What a call would do, in the small model's words, for a user who is asked to allow it."""

from __future__ import annotations

import json
from typing import Literal

from core.bus.bus import Publisher
from core.llm.errors import ModelError
from core.llm.side import SideQuestion, SideRequests
from core.prompt.sections import template
from core.protocol.events import PermissionExplained
from core.protocol.messages import TextBlock
from core.protocol.views import PermissionRequest

MAX_TOKENS = 500
MAX_CHARS = 20_000
"""Of the call's input; more would say no more."""
Risk = Literal["low", "medium", "high"]
RISKS: dict[str, Risk] = {"low": "low", "medium": "medium", "high": "high"}


async def explain(request: PermissionRequest, side: SideRequests, publisher: Publisher) -> None:
    """Ask, and publish what is said; where that fails, why."""
    call = json.dumps({"tool": request.tool_name, "input": request.input}, ensure_ascii=False, indent=1)[:MAX_CHARS]
    question = SideQuestion(
        source="explain",
        system=template("explain_permission"),
        messages=[{"role": "user", "content": [{"type": "text", "text": f"<call>\n{call}\n</call>"}]}],
        tools=[],
        max_tokens=MAX_TOKENS,
    )
    try:
        answer = await side.ask(question, publisher)
    except ModelError as error:
        publisher.emit(PermissionExplained(request_id=request.id, text=f"No explanation: {error.user_message}"))
        return
    text = "".join(block.text for block in answer.blocks if isinstance(block, TextBlock)).strip()
    first, _, rest = text.partition("\n")
    risk = RISKS.get(first.strip(" .*:").lower())
    said = rest.strip() if risk else text
    publisher.emit(PermissionExplained(request_id=request.id, text=said or "It said nothing.", risk=risk or ""))
