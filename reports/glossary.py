"""What the words on a statement mean.

Here belongs: one short text for each term, in the order in which a reader meets them. Here does not belong: figures.
"""

DEFINITIONS = {
    "Effective cost": (
        "What was bought, at the price paid for it, with prepaid commitments spread over what they cover. "
        "Every figure here is effective cost unless it says otherwise."
    ),
    "Model APIs": (
        "Bill lines that name a model, and what was used of throughput that is paid by the hour (provisioned). "
        "A provider's other lines, such as search or storage, are under Other."
    ),
    "Unused commitment, unused throughput": (
        "What was committed to, or provisioned, and nobody used. It goes to its owner, by the company's policy, or to "
        "a residual."
    ),
    "Allocation": "Every line of the bill goes to exactly one team or to a named residual: none is lost, none doubled.",
    "Residual": (
        "Cost that no rule could give to a team: idle GPUs that no one held, usage without an owner or a price, "
        "bill lines without usage behind them."
    ),
    "Idle": "GPU time that a team held while nothing ran on it. It is paid for and buys nothing.",
    "Under-used": (
        "GPU time with work on it that leaves much of the GPU free. It is an opportunity, not waste, "
        "and is never added to idle cost."
    ),
    "Unknown": (
        "GPU time whose state no sample tells: none came, or none that says how well a busy GPU was used. "
        "It is called neither idle nor effective."
    ),
    "Bill and log": (
        "The bill is what the provider charges. The log is what the gateway recorded, at the prices known for it."
    ),
}
