"""What callers give, checked before any work starts: one rule for each argument's name."""
