"""OpenAI's own account of an organisation: what was used (`usage`) and what it cost (`costs`).

Here belongs: the organisation's usage and cost endpoints, and what their answers mean. Here does not belong: prices,
and the requests themselves (a gateway's log has those).
"""
