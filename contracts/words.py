"""Words that a staged fact holds and that more than one room has to know.

Here belongs: a word that one room writes and another one reads. Here does not belong: words of one room's own.
"""

OWN_ADDRESS = "self_hosted_openai"
"""What the provider is called where a log says OpenAI and the address called is of the company's own network: OpenAI
through a proxy where OpenAI's list knows the model, and else a server of the company's own."""
