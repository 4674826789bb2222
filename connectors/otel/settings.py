"""What has to be said about files of traces before they can be read."""

from pydantic import Field

from connectors.logs.settings import StoredLogSettings
from connectors.logs.traces.settings import TraceSettings


class OtelSettings(TraceSettings, StoredLogSettings):
    """Spans that a collector or a store of traces has written to files."""

    layout: str = Field(
        default="{date}/*",
        description="Which files hold a UTC day, below the location. A span is written when it has ended: "
        "`folders_after` reaches for the next days' files.",
    )
