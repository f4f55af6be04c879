"""Hypothesis profiles: quick by default, thorough with HYPOTHESIS_PROFILE=thorough."""

import os

from hypothesis import HealthCheck, settings

_ALWAYS = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("quick", max_examples=12, derandomize=True, **_ALWAYS)
settings.register_profile("thorough", max_examples=300, **_ALWAYS)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
