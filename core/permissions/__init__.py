"""Who may do what: modes, rules, the decision (pure) and the broker of pending questions."""
