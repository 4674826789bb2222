"""What every test process needs before its first import."""

import os
import sys

from hypothesis import settings

# How long one example takes is the machine's business: speed is measured in benchmarks, never in tests.
settings.register_profile("untimed", deadline=None)
# The suite answers the same twice: its random examples are the same until their test changes. Others are sought with
# FARTHING_EXPLORE=1, and what they find becomes an example that is named.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("untimed" if os.environ.get("FARTHING_EXPLORE") else "repeatable")

# PySpark takes a main module without a file for its own doctests and then asks for a Spark installation.
# The workers that run tests in parallel have such a main module.
if not hasattr(sys.modules["__main__"], "__file__"):
    sys.modules["__main__"].__file__ = __file__
