"""Benchmarks: one command measures the budgets, prints them beside the figures and writes JSON. Never a timed test."""
