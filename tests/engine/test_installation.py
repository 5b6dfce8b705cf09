"""Who asks, as the API is told."""

from __future__ import annotations

import stat
from pathlib import Path

from core.engine.installation import user_id
from core.llm.scripted import Reply, say
from core.llm.side import SideQuestion
from core.protocol.ops import WarmUp
from tests.fakes.engines import running


def test_it_is_made_once_and_for_nobody_elses_eyes(tmp_path: Path) -> None:
    data = tmp_path / "data"
    first = user_id(data, "s1")
    assert user_id(data, "s1") == first != user_id(data, "s2")
    (file,) = data.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().strip() in first
    assert len(user_id(data, "s" * 500)) == 256


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    for damage in (b"", b"\0\0", b"me@example.org\n", b"x" * 5_000):
        (tmp_path / "installation").write_bytes(damage)
        made = user_id(tmp_path, "s")
        assert user_id(tmp_path, "s") == made and "example" not in made


def test_a_disk_that_fails_costs_nothing_but_stability(tmp_path: Path) -> None:
    (tmp_path / "installation").mkdir()
    (tmp_path / "installation" / "x").touch()
    (tmp_path / "file").touch()
    for data in (tmp_path, tmp_path / "file"):
        assert user_id(data, "s") != user_id(data, "s")


async def test_every_request_of_a_session_carries_it(tmp_path: Path, isolated_machine: Path) -> None:
    replies = [Reply([say("Hi.")]) for _ in range(4)]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.do(WarmUp())
        await rig.prompt("one")
        question = SideQuestion(source="explain", system="", messages=[], tools=[], max_tokens=10)
        await rig.engine.calls.services.side.ask(question, rig.engine.calls.publisher)
        session = rig.engine.session_id
        sent = rig.requests
    async with running(replies, tmp_path, isolated_machine, resume="latest") as rig:
        await rig.prompt("two")
        sent += rig.requests
    assert {str(request.metadata) for request in sent} == {str(sent[0].metadata)}
    assert sent[0].metadata is not None and sent[0].metadata["user_id"].endswith(f"_session_{session}")
