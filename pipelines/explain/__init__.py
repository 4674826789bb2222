"""From a figure of the published snapshot down to what it is made of, each level summing to the one above.

Here belongs: reading what a figure was made from, as it was when the snapshot was made, and holding each level against
the one above to the last decimal. Here does not belong: any figure that is computed anew, how an explanation is shown.
"""
