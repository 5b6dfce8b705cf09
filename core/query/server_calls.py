"""Calls that the server itself carries out: one without its result, or a result without its call, cannot be sent."""

from __future__ import annotations

from core.protocol.messages import Block, OtherBlock

CALL = "server_tool_use"
RESULT_ENDING = "_tool_result"


def paired_server_calls(blocks: list[Block], used: set[str], *, may_pause: bool) -> list[Block]:
    """One answer's blocks without such orphans, which a response that broke off leaves.

    Each first call of an id stays with the first result behind it. ``used`` holds the ids of the calls before, and
    of these afterwards. ``may_pause``: a call at the very end stays without a result, for there the server paused,
    and goes on when it gets it back.
    """
    calls: dict[str, int] = {}
    dropped: set[int] = set()
    for index, block in enumerate(blocks):
        kind = block.data.get("type") if isinstance(block, OtherBlock) else None
        if not isinstance(block, OtherBlock) or not isinstance(kind, str):
            continue
        if kind == CALL:
            dropped.add(index)
            if block.data.get("id") not in used:
                used.add(str(block.data.get("id")))
                calls[str(block.data.get("id"))] = index
                dropped -= {index} if may_pause and index == len(blocks) - 1 else set()
        elif kind.endswith(RESULT_ENDING):
            call = calls.pop(str(block.data.get("tool_use_id")), None)
            dropped = dropped - {call} if call is not None else dropped | {index}
    return [block for index, block in enumerate(blocks) if index not in dropped] if dropped else blocks
