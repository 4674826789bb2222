"""What every test process needs before its first import."""

import sys

# PySpark takes a main module without a file for its own doctests and then asks for a Spark installation.
# The workers that run tests in parallel have such a main module.
if not hasattr(sys.modules["__main__"], "__file__"):
    sys.modules["__main__"].__file__ = __file__
