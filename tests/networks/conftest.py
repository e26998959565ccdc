"""What the tests of networks share."""

import functools

import pytest

from dreamkit.networks import backbone


@pytest.fixture
def fresh_loader(monkeypatch):
    """`load_backbone` has forgotten what it loaded in other tests."""
    monkeypatch.setattr(backbone, "_load", functools.lru_cache(backbone._load.__wrapped__))
