"""For all tests: how many examples Hypothesis tries. `--hypothesis-profile=thorough` tries ten times as many."""

from hypothesis import settings

settings.register_profile("default", max_examples=100, deadline=None)
settings.register_profile("thorough", max_examples=1_000, deadline=None)
settings.load_profile("default")
