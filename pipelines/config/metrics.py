"""The section `metrics`: measures of the company's own, which pools can be split by."""

from pydantic import Field

from pipelines.config.strict import Slug, Strict, Words


class Metric(Strict):
    """Weights of teams by month or by day, from a file that somebody keeps: seats, tickets, headcount.

    The file is CSV or Parquet, with the columns `team`, `month` (2026-10) or `date` (2026-10-05), and `weight`.
    """

    id: Slug = Field(description="Name by which pools ask for it.")
    location: Words = Field(description="The file, .csv or .parquet, relative to this one.")
