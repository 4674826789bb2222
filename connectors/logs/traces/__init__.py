"""Traces of model calls in the words of OpenTelemetry's GenAI conventions and of OpenInference, whoever stored them.

Here belongs: attributes, spans in one shape, which of the spans are calls and which tell a call again. Here does not
belong: where spans are stored, and how one asks for them.
"""
