"""How hard Hypothesis tries, by `HYPOTHESIS_PROFILE`: `soak` overnight, `few` for a look, `ci` where CI is set."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# No deadlines: the machine is shared, and the first call of a function pays for its imports.
settings.register_profile("default", deadline=None, max_examples=100)
settings.register_profile(
    "ci",
    deadline=None,
    max_examples=50,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("few", settings.get_profile("ci"), max_examples=15)
settings.register_profile("soak", deadline=None, max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))
