"""Settings of an AWS bill: where the export lies, and how long closed months are read again."""

from pydantic import Field

from connectors.base import StoredSourceSettings


class AwsBillSettings(StoredSourceSettings):
    """One export of AWS Data Exports (CUR 2.0 or FOCUS) or one legacy Cost and Usage Report."""

    kind: str = Field(default="aws_bill", pattern="^aws_bill$", description="Which connector reads it.")
    location: str = Field(
        min_length=1,
        description="The export's own folder: s3://bucket/prefix/export, or a copy of it in a folder.",
    )
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$", description="Lines in any other currency are refused.")
    trailing_months: int = Field(
        default=1, ge=0, le=12, description="Closed months that are pulled again early in a month."
    )
    restated_through_day: int = Field(
        default=15, ge=1, le=31, description="Last day of the month on which the trailing months are pulled again."
    )
