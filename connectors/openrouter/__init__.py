"""OpenRouter: what an account's models used (`usage`), what that cost (`costs`), and its single requests (`log`).

Here belongs: the activity report that the first two read, and the traces and records of requests.
"""
