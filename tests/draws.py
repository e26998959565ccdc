"""How hypothesis draws cases: the same in every `make test`, others in every `make test-all`."""

from hypothesis import HealthCheck, settings

few = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
many = settings(few, derandomize=False)
