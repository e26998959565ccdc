"""What `python -m dreamkit` does."""
