"""Amazon Bedrock's model invocation logs, as AWS delivers them to S3.

Here belongs: what an invocation's record means. Here does not belong: bills and price lists (`connectors.aws`).
"""

from connectors.bedrock.source import BedrockLog

SOURCE = BedrockLog()

__all__ = ["SOURCE", "BedrockLog"]
