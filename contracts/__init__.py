"""The tables' contracts: read once from `sql/<layer>/<table>.yml`, used by every room.

Here belongs: the shape of a contract, the loader, and what follows from a contract alone (the Arrow schema, rows
held against it).
Here does not belong: anything about one table (that is its YAML), checks being run, files, engines.
"""

from contracts.conform import ContractBrokenError, conform
from contracts.contract import Check, Column, Contract, Layer, Severity
from contracts.load import all_contracts, contract, sql_root
from contracts.made_of import MadeOf, MadeOfRows, Modelled, Ratio

__all__ = [
    "Check",
    "Column",
    "Contract",
    "ContractBrokenError",
    "Layer",
    "MadeOf",
    "MadeOfRows",
    "Modelled",
    "Ratio",
    "Severity",
    "all_contracts",
    "conform",
    "contract",
    "sql_root",
]
