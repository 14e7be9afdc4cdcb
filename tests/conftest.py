"""What all tests share: how hypothesis searches."""

import os

from hypothesis import settings

# No deadlines: a busy machine is no defect. In CI the same examples every time, at home new ones.
settings.register_profile("home", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "home")
