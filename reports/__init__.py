"""Reports: what people see. Statement view-model, templates, charts, delivery with its outbox.

Here belongs: turning the rows of one team into a document, and a document into mail, once.
Here does not belong: reading the lake. A report is handed its team's rows and nothing else.
"""
