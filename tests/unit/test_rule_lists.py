"""Lists of permission rules on the command line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.settings.rule_lists import split_rules

SPECS = [
    'git commit -m "a, b"', "git diff:*", "f(a) Read(b)", 'echo ")" x', "echo ) x", "echo 'it (is', so", "src/**",
    "(cd a; ls)", "$(date)", "domain:*.python.org", "model:opus", "*",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("", ()),
        (" , ", ()),
        ("Edit Read , Bash", ("Edit", "Read", "Bash")),
        ("Bash(git diff:*),Edit", ("Bash(git diff:*)", "Edit")),
        ('Bash(git commit -m "a, b"), Edit', ('Bash(git commit -m "a, b")', "Edit")),
        ('Bash(echo "a) b c"),Read', ('Bash(echo "a) b c")', "Read")),
        ("Bash(echo don't), Read(x)", ("Bash(echo don't)", "Read(x)")),
        ("Bash(echo ) x)", ("Bash(echo ) x)",)),
        ("Bash(a", ("Bash(a",)),
        ("mcp__a__*,Agent(model:opus)", ("mcp__a__*", "Agent(model:opus)")),
        ("(", ("(",)),
    ],
)
def test_what_is_in_parentheses_belongs_to_the_rule(text: str, rules: tuple[str, ...]) -> None:
    assert split_rules(text) == rules


RULE = st.sampled_from(["Edit", "mcp__x__*"]) | st.sampled_from(SPECS).map(lambda spec: f"Bash({spec})")


@given(st.lists(RULE, max_size=4), st.sampled_from([",", " ", ", ", "\n"]))
def test_a_list_is_taken_apart_as_it_was_put_together(rules: list[str], between: str) -> None:
    assert split_rules(between.join(rules)) == tuple(rules)


@given(st.text(alphabet="ab(),' \"", max_size=30))
def test_nothing_but_separators_is_lost(text: str) -> None:
    kept = "".join(split_rules(text))
    assert [char for char in kept if char not in ", "] == [char for char in text if char not in ", "]
