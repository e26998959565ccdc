"""Grading: submitted notebooks run in a sandbox, and their answers are checked outside it."""
