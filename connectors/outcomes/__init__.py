"""Outcomes from a company's own systems: tickets, documents, conversations, by a declared mapping of their fields.

Here belongs: files (this kind) and tables of a database (`database`), and reading both by one mapping. Here does not
belong: what counts as a success and which requests an outcome came out of; the configuration says that.
"""

from connectors.outcomes.files import OutcomesFile

SOURCE = OutcomesFile()

__all__ = ["SOURCE", "OutcomesFile"]
