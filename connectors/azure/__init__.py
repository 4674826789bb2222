"""Microsoft Azure: what it charged, what its model services counted, and what its list asks.

Here belongs: Cost Management exports and reports (`bill`), Azure Monitor's counts of model deployments (`usage`), the
retail price list (`prices`), and how all three name models, units and machines.
Here does not belong: reading files in general (`connectors.bills`, `connectors.focus`), allocation, currency.
"""
