"""One prompt without a window: what is printed in each format, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.engine.headless import OutputFormat, run_headless
from core.llm.errors import ModelError
from core.llm.scripted import Reply, ScriptedModel, call, in_order, say
from core.protocol.usage import Usage
from core.settings.schema import Settings
from tests.fakes.engines import allowing, denying, make_launch
from tests.fakes.wire import NEW, thought

DONE = Reply([say("All is well.")])
MODEL_FIELDS = {
    "inputTokens", "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens", "webSearchRequests", "costUSD",
    "contextWindow", "maxOutputTokens",
}  # fmt: skip
RESULT_FIELDS = {
    "type", "subtype", "is_error", "result", "session_id", "num_turns", "duration_ms", "duration_api_ms",
    "total_cost_usd", "usage", "modelUsage", "permission_denials", "stop_reason",
}  # fmt: skip


def read(path: str = "a.txt") -> dict[str, Any]:
    return call("Read", "r1", file_path=path)


class Run:
    """Runs prompts in one folder and reads what they print."""

    def __init__(self, cwd: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._cwd, self._home, self._capsys = cwd, home, capsys
        self.errors = ""
        self.resume: str | None = None

    def __call__(self, form: OutputFormat, replies: list[Reply], **settings: Any) -> tuple[int, str]:
        launch = make_launch(self._cwd, self._home, is_attended=False, resume=self.resume)
        model = ScriptedModel(in_order(replies))
        code = run_headless(Settings(**settings), launch, "Is all well?", form, model=model)
        out, self.errors = self._capsys.readouterr()
        return code, out

    def lines(self, replies: list[Reply], **settings: Any) -> list[dict[str, Any]]:
        _code, out = self("stream-json", replies, **settings)
        return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def run(tmp_path: Path, isolated_machine: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    (tmp_path / "a.txt").write_text("one\n")
    return Run(tmp_path, isolated_machine, capsys)


def test_text_is_the_last_answer_alone(run: Run) -> None:
    assert run("text", [Reply([thought(), say("Looking."), read()]), DONE]) == (0, "All is well.\n")
    assert run.errors == ""


def test_text_of_several_blocks_is_joined(run: Run) -> None:
    assert run("text", [Reply([say("First."), say("Second.")])]) == (0, "First.\nSecond.\n")


def test_json_is_one_record(run: Run) -> None:
    code, out = run("json", [Reply([read()]), DONE])
    record = json.loads(out)
    assert code == 0
    assert record.keys() >= RESULT_FIELDS
    assert (record["type"], record["subtype"], record["is_error"]) == ("result", "success", False)
    assert (record["result"], record["num_turns"], record["stop_reason"]) == ("All is well.", 2, "end_turn")
    assert record["usage"]["output_tokens"] > 0
    assert record["modelUsage"][NEW]["costUSD"] == record["total_cost_usd"] > 0
    assert record["modelUsage"][NEW].keys() == MODEL_FIELDS
    assert record["modelUsage"][NEW]["outputTokens"] == record["usage"]["output_tokens"]
    assert record["permission_denials"] == []


def test_what_is_asked_beside_the_conversation_is_in_the_account_and_nowhere_else(run: Run) -> None:
    search = Reply([call("WebSearch", "s", query="pep 8")])
    lines = run.lines([search, Reply([say("Found.")]), DONE], rules=allowing("WebSearch"))
    result, small = lines[-1], "claude-haiku-5-5"
    assert set(result["modelUsage"]) == {NEW, small}
    costs = [used["costUSD"] for used in result["modelUsage"].values()]
    assert abs(sum(costs) - result["total_cost_usd"]) < 1e-9 and min(costs) > 0
    assert {line["message"]["model"] for line in lines if line["type"] == "assistant"} == {NEW}


def test_a_compaction_is_a_boundary_in_the_stream_and_in_the_account(run: Run) -> None:
    full = Usage(input_tokens=60_000, output_tokens=10)
    script = [Reply([read()], usage=full), Reply([say("They read a file.")]), DONE]
    lines = run.lines(script, context_window=60_000, autocompact_buffer=1, warning_buffer=1, background_agents=False)
    (boundary,) = [line for line in lines if line.get("subtype") == "compact_boundary"]
    assert boundary["compact_metadata"]["trigger"] == "auto" and boundary["compact_metadata"]["pre_tokens"] > 60_000
    assert lines[-1]["result"] == "All is well."
    assert lines[-1]["modelUsage"][NEW]["outputTokens"] > lines[-1]["usage"]["output_tokens"], "the summary too"
    run.resume = "latest"
    assert "compact_boundary" not in str(run.lines([DONE])), "that was the run before"


def test_stream_json_is_a_record_for_each_message(run: Run) -> None:
    lines = run.lines([Reply([thought(), say("Looking."), read()]), DONE])
    kinds = [(line["type"], line.get("subtype")) for line in lines]
    assert kinds[0] == ("system", "init")
    assert kinds[-1] == ("result", "success")
    init = lines[0]
    assert init.keys() >= {"session_id", "model", "cwd", "tools", "mcp_servers"}
    assert init["model"] == NEW and "Read" in init["tools"]
    blocks = [
        (line["type"], block["type"])
        for line in lines
        if line["type"] in ("assistant", "user")
        for block in line["message"]["content"]
    ]
    assert blocks == [
        ("assistant", "thinking"),
        ("assistant", "text"),
        ("assistant", "tool_use"),
        ("user", "tool_result"),
        ("assistant", "text"),
    ]
    for line in lines:
        assert line["session_id"] == init["session_id"]
        if line["type"] in ("assistant", "user"):
            assert line["parent_tool_use_id"] is None
            assert line["message"]["role"] == line["type"]


def test_messages_of_a_stream_carry_the_id_of_the_response(run: Run) -> None:
    """Records of one response belong together by ``message.id``, as in the API."""
    lines = run.lines([Reply([say("Looking."), read()]), DONE])
    ids = [line["message"].get("id") for line in lines if line["type"] == "assistant"]
    assert ids[0] == ids[1] != ids[2]
    assert all(ids)


def test_a_result_that_is_no_text_keeps_its_form(run: Run) -> None:
    lines = run.lines([Reply([read("none.txt")]), DONE])
    (result,) = [line["message"]["content"][0] for line in lines if line["type"] == "user"]
    assert (result["tool_use_id"], result["is_error"]) == ("r1", True)


def test_retries_are_records(run: Run) -> None:
    lines = run.lines([Reply(error=ModelError("overloaded", "Busy.", retry_after_s=0.01)), DONE])
    (retry,) = [line for line in lines if line.get("subtype") == "api_retry"]
    assert (retry["attempt"], retry["retry_delay_ms"], retry["max_retries"]) == (1, 10, 7)
    assert "error_status" in retry


def test_what_a_fallback_says_is_signed_by_it(run: Run) -> None:
    busy = [Reply(error=ModelError("overloaded", "Busy.", retry_after_s=0.01)) for _ in range(3)]
    lines = run.lines([*busy, DONE], fallback_models=("claude-sonnet-5-5",))
    assert [line["message"]["model"] for line in lines if line["type"] == "assistant"] == ["claude-sonnet-5-5"]
    assert any("overloaded" in line.get("text", "") for line in lines), "the notice is a record too"


FAILURES: dict[str, tuple[list[Reply], dict[str, Any], str]] = {
    "limit": ([Reply([read()]), Reply([read()])], {"max_turns": 1}, "error_max_turns"),
    "error": ([Reply(error=ModelError("auth", "No key.", "Set one."))], {}, "error_during_execution"),
    "refusal": ([Reply([say("I")], stop_reason="refusal")], {}, "error_during_execution"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_what_fails_is_an_error_in_every_format(run: Run, case: str) -> None:
    replies, settings, subtype = FAILURES[case]
    code, out = run("json", list(replies), **settings)
    record = json.loads(out)
    assert (code, record["is_error"], record["subtype"]) == (1, True, subtype)
    code, out = run("text", list(replies), **settings)
    assert code == 1
    assert run.errors.startswith("agent-tui: ")
    lines = run.lines(list(replies), **settings)
    assert (lines[-1]["type"], lines[-1]["subtype"]) == ("result", subtype)


def test_what_nobody_allowed_is_refused_and_listed(run: Run, tmp_path: Path) -> None:
    touch = Reply([call("Bash", "b1", command="touch made")])
    _code, out = run("json", [touch, DONE])
    record = json.loads(out)
    assert record["permission_denials"] == [
        {"tool_name": "Bash", "tool_use_id": "b1", "tool_input": {"command": "touch made"}}
    ]
    assert record["subtype"] == "success"
    assert not (tmp_path / "made").exists()
    run("json", [touch, DONE], rules=allowing("Bash(touch made)"))
    assert (tmp_path / "made").exists()


def test_what_a_rule_or_the_mode_refused_is_listed_too(run: Run) -> None:
    touch = Reply([call("Bash", "b1", command="touch made")])
    for settings in ({"rules": denying("Bash(touch *)")}, {"mode": "plan"}):
        _code, out = run("json", [touch, DONE], **settings)
        assert [denial["tool_use_id"] for denial in json.loads(out)["permission_denials"]] == ["b1"]


def test_what_an_earlier_run_said_is_not_said_again(run: Run) -> None:
    run("text", [Reply([read()]), Reply([say("The first answer.")])])
    run.resume = "latest"
    code, out = run("text", [Reply(error=ModelError("auth", "No key."))])
    assert (code, out) == (1, "")
    lines = run.lines([DONE])
    texts = [block for line in lines if "message" in line for block in line["message"]["content"]]
    assert texts == [{"type": "text", "text": "All is well."}]
    assert lines[0]["subtype"] == "init"


def test_the_session_id_leads_back_to_the_session(run: Run) -> None:
    _code, out = run("json", [DONE])
    run.resume = json.loads(out)["session_id"]
    code, out = run("json", [DONE])
    assert (code, json.loads(out)["session_id"]) == (0, run.resume)
