"""What every test process needs before its first import."""

import sys

from hypothesis import settings

# How long one example takes is the machine's business: speed is measured in benchmarks, never in tests.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# PySpark takes a main module without a file for its own doctests and then asks for a Spark installation.
# The workers that run tests in parallel have such a main module.
if not hasattr(sys.modules["__main__"], "__file__"):
    sys.modules["__main__"].__file__ = __file__
