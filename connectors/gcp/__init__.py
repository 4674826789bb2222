"""Google Cloud: the billing export (`gcp_bill`) and the list prices of the Cloud Billing catalog (`gcp_prices`).

Here belongs: what Google's columns, credits, commitments and SKU descriptions mean, and how its APIs are asked.
Here does not belong: reading large files (`connectors.bills`), FOCUS files (`connectors.focus`), converting currencies.
"""
