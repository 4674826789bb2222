"""Documentation that follows from the code: the data dictionary, the settings, the README's tables.

Here belongs: rendering what contracts, schema and registry say. Here does not belong: prose, which is written by hand.
"""

from pipelines.documents.pages import generated_pages
from pipelines.documents.write import stale_pages, write_pages

__all__ = ["generated_pages", "stale_pages", "write_pages"]
