"""What has to be said about Amazon Bedrock's invocation logs before they can be read."""

from typing import ClassVar

from pydantic import Field

from connectors.logs.settings import PATH, StoredLogSettings


class BedrockLogSettings(StoredLogSettings):
    """The logs that one account delivers to S3 in one region."""

    leaves_out: ClassVar[str] = "*/data/*"  # bodies too large for the log: prompts and answers alone

    location: str = Field(
        min_length=1,
        description="Folder of an account and region: s3://bucket/prefix/AWSLogs/111122223333/"
        "BedrockModelInvocationLogs/us-east-1.",
    )
    layout: str = Field(
        default="{date:%Y/%m/%d}/*.json.gz",
        description="Which files hold a UTC day, below the location; AWS files by day and hour. "
        "`AWSLogs/*/{date:%Y/%m/%d}/*.json.gz` reads every account and region of a bucket, listing all of it.",
    )
    team_id_field: str = Field(
        default="team", pattern=PATH, description="Key of the request's metadata that names the team."
    )
    profiles: dict[str, str] = Field(
        default={},
        description="Models behind what the account has named itself, by ARN or its last part: application inference "
        "profiles, provisioned throughput, custom models.",
    )
