"""Amazon Web Services: bills, prices, spot prices and commitments, each a kind of its own.

Here belongs: how AWS writes them. Here does not belong: FOCUS files (`connectors.focus` reads those).
"""
