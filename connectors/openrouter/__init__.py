"""OpenRouter's activity report: what an account's models used (`usage`) and what credits that cost (`costs`).

Here belongs: the one endpoint that both read. Here does not belong: single requests (a gateway's log has those).
"""
