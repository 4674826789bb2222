"""The sample company: a seeded generator of raw exports in the sources' own formats, and the true answer beside them.

Here belongs: the company's story, the writers of each native format, the truth per team computed while generating.
Here does not belong: anything of Farthing's own code. The generator imports no other room, so that the pipeline is
tested against an answer that it did not compute.
"""

from sample.write import Sample, write

__all__ = ["Sample", "write"]
