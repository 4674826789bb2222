"""Configuration: one file, `farthing.yml`, typed, validated whole, every problem with its line and remedy.

Here belongs: the file's schema, reading it with line numbers, secrets by reference, cross-references.
Here does not belong: defaults hidden elsewhere, the environment read anywhere but in `secrets`.
"""

from pipelines.config.load import load
from pipelines.config.problems import ConfigError, Problem
from pipelines.config.schema import Config

__all__ = ["Config", "ConfigError", "Problem", "load"]
