"""Native bills of the clouds: files of millions of lines, read by DuckDB, one statement a file.

Here belongs: what every native bill needs, whoever wrote it: columns by name in any spelling, exact numbers, refused
lines with their payload, bounded memory. Here does not belong: what a provider's columns mean (its own folder says
that, as a `Shape`), and FOCUS files (`connectors.focus` reads those).
"""

from connectors.bills.names import Names, json_object, literal
from connectors.bills.parse import Bill, parse_bill
from connectors.bills.shape import Lookup, Rule, Shape

__all__ = ["Bill", "Lookup", "Names", "Rule", "Shape", "json_object", "literal", "parse_bill"]
