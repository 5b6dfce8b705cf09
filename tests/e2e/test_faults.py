"""A server that fails in every way, seen in the window: each retry and why, and the right answer in the end."""

from __future__ import annotations

import json
from typing import Any

from tests.e2e.children import ESCAPE, Machine, Server, leave, say, text, tools

READY = "It reads and searches on its own"
TALL = (120, 100)


def failing(kind: str, **fields: Any) -> dict[str, Any]:
    """A reply that never comes to its end."""
    words = [{"type": "text", "text": "Words that are cut off on their way, and never seen again."}]
    return {"blocks": words, "fault": {"kind": kind, **fields}}


def http(status: int, kind: str, message: str) -> dict[str, Any]:
    return failing("http", status=status, error_type=kind, message=message)


FAULTS: list[tuple[dict[str, Any], str]] = [
    (http(529, "overloaded_error", "Overloaded"), "Overloaded (529 overloaded_error)"),
    (http(429, "rate_limit_error", "Slow down"), "Slow down (429 rate_limit_error)"),
    (http(500, "api_error", "Internal"), "Internal (500 api_error)"),
    (failing("page", status=502, message="<html><title>502 Bad Gateway</title></html>"), "502 Bad Gateway (502)"),
    (failing("reset_before"), "The connection broke off"),
    (failing("reset_after", after=4), "The connection broke off"),
    (failing("sse_error", after=4, error_type="overloaded_error", message="Full"), "overloaded_error while streaming"),
    (failing("silent_end", after=4), "ended before it was complete"),
    (failing("garbled", after=4, error_type="content_block_delta", message="{"), "The response was garbled"),
]


def test_every_fault_is_shown_and_the_work_is_done(machine: Machine, server: Server) -> None:
    machine.repository()
    replies: list[dict[str, Any]] = []
    for number, (reply, _why) in enumerate(FAULTS):
        replies += [reply, tools(("Bash", {"command": f"echo {number} >> ran.txt"}))]
    broken = tools(("Bash", {"command": "echo kept >> ran.txt"}))
    broken["blocks"].append({"type": "text", "text": "Cut."})
    broken["fault"] = {"kind": "reset_after", "after": 8}
    broken["chunk_size"] = 400
    url = server.start(*replies, broken, text("Everything is done."))
    child = machine.start(url, "--allowedTools", "Bash", size=TALL)
    child.read_until(READY)
    say(child, "do it")
    for _reply, why in FAULTS:
        child.read_until(why)
    child.read_until("Everything is done.")
    screen = "\n".join(child.rows)
    assert screen.count("1 of 8 attempts failed") == len(FAULTS) + 1
    assert (machine.project / "ran.txt").read_text().split() == [*map(str, range(len(FAULTS))), "kept"]
    assert leave(child) == 0
    assert server.rejections == [] and b"Traceback" not in child.output


def test_a_row_of_overloads_counts_on_in_one_line_and_ends_with_another_model(machine: Machine, server: Server) -> None:
    machine.repository()
    busy = http(529, "overloaded_error", "Overloaded")
    settings = machine.home / "agent-tui" / "config" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"fallbackModel": "claude-sonnet-5-5"}))
    url = server.start(busy, busy, busy, text("From another one."), text("From the first."))
    child = machine.start(url)
    child.read_until(READY)
    say(child, "hello")
    child.read_until("Overloaded · again in")
    child.read_until("attempt 2 of 8")
    child.read_until("From another one.")
    child.read_until("3 of 8 attempts failed: Overloaded (529 overloaded_error) ×3.")
    assert child.shows("claude-sonnet-5-5 answers for the rest of this turn")
    say(child, "and now")
    child.read_until("From the first.")
    models = [request["body"]["model"] for request in server.prompts]
    assert models == ["claude-opus-5-5"] * 3 + ["claude-sonnet-5-5", "claude-opus-5-5"]
    assert leave(child) == 0


def test_the_wait_can_be_left_and_what_was_typed_goes_along(machine: Machine, server: Server) -> None:
    machine.repository()
    limited = [http(429, "rate_limit_error", "Slow") for _ in range(2)]
    for reply, seconds in zip(limited, ("300", "4"), strict=True):
        reply["fault"]["headers"] = {"retry-after": seconds}
    child = machine.start(server.start(*limited, text("Here it is.")))
    child.read_until(READY)
    say(child, "hello there")
    child.read_until("Rate limit reached · again in 299 s")
    child.send(ESCAPE)
    child.read_until("Interrupted.")
    say(child, "once more")
    child.read_until("Rate limit reached · again in")
    say(child, "and briefly")
    child.read_until("Here it is.")
    said = json.dumps(server.prompts[-1]["body"]["messages"])
    assert len(server.prompts) == 3 and all(words in said for words in ("hello there", "once more", "and briefly"))
    assert leave(child) == 0
    assert server.rejections == []


def test_lines_without_a_window_tell_each_attempt(machine: Machine, server: Server) -> None:
    machine.repository()
    busy = http(529, "overloaded_error", "Overloaded")
    child = machine.start(server.start(busy, busy, text("At last.")), "--plain", "hello")
    child.read_until("Attempt 1 of 8 failed: Overloaded (529 overloaded_error). Again")
    child.read_until("Attempt 2 of 8 failed: Overloaded (529 overloaded_error). Again")
    child.read_until("At last.")
