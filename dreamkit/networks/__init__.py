"""Pretrained networks: how they are built, found, fetched and looked through."""
