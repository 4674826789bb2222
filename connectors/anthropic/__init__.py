"""What Anthropic reports of an organisation: tokens used (`anthropic_usage`) and money charged (`anthropic_costs`).

Both come from the Usage & Cost API of administrators, or from its successor for analytics, or from answers that were
saved. Here belongs: asking, and what the answers' fields mean. Here does not belong: prices, allocation to keys.
"""
