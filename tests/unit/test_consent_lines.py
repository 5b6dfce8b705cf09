"""The lines of a permission prompt that say what an answer would save."""

from __future__ import annotations

import pytest

from core.protocol.views import PermissionRequest, RuleScope
from tui.dialogs.consent import Consent
from tui.dialogs.consent_lines import scope_lines

LONG = "make " + "x" * 80


@pytest.mark.parametrize("allows", ["", "make a", LONG])
@pytest.mark.parametrize("refuses", ["", "make b", LONG])
@pytest.mark.parametrize("width", [60, 120])
def test_no_line_is_empty_and_no_example_is_lost(allows: str, refuses: str, width: int) -> None:
    scope = RuleScope(rules=("Bash(make *)",), allows=allows, refuses=refuses)
    request = PermissionRequest(id="q", tool_use_id="b", tool_name="Bash", input={}, reason="r", scopes=(scope,))
    lines = ["".join(text for text, _style in line) for line in scope_lines(Consent(request, "/work"), width)]
    assert all(line.strip() for line in lines)
    whole = "".join(line.strip() for line in lines).replace(" ", "")
    for word, example in (("allows:", allows), ("stillasks:", refuses)):
        assert (f"{word}{example.replace(' ', '')}" in whole) == bool(example)


def test_a_long_rule_that_repeats_the_command_is_not_shown_twice() -> None:
    command = "cat <<'EOF' > x\n" + "line\n" * 40 + "EOF"
    for rule, is_short in ((f"Bash({command})", True), (f"Bash({command} *)", False), (f"Edit({'x' * 120})", False)):
        scope = RuleScope(rules=(rule,))
        request = PermissionRequest(
            id="q", tool_use_id="b", tool_name="Bash", input={"command": command}, reason="r", scopes=(scope,)
        )
        lines = scope_lines(Consent(request, "/work"), 100)
        assert (len(lines) == 1) is is_short
        assert ("exactly this command" in str(lines)) is is_short
