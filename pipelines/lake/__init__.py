"""The lake: where everything that arrives and everything that is computed is kept, and how it is published.

Here belongs: landing, Delta tables replaced slice by slice, the journal of deliveries, the one-writer lock, the
snapshot that finance opens; a local folder and an object store alike.
Here does not belong: what the rows mean, which slices are stale, Dagster, the SQL engines.
"""

from pipelines.lake.deliveries import DELIVERED, IN_TROUBLE, WITHDRAWN, Delivery
from pipelines.lake.errors import LakeError, LakeLockedError, NotPublishedError, SchemaChangedError
from pipelines.lake.lake import Lake
from pipelines.lake.publish import Publication
from pipelines.lake.published import Snapshot
from pipelines.lake.slices import Slice
from pipelines.limits import Limits

__all__ = [
    "DELIVERED",
    "IN_TROUBLE",
    "WITHDRAWN",
    "Delivery",
    "Lake",
    "LakeError",
    "LakeLockedError",
    "Limits",
    "NotPublishedError",
    "Publication",
    "SchemaChangedError",
    "Slice",
    "Snapshot",
]
