"""Names of Kubernetes labels as kube-state-metrics writes them, and back.

`eks.amazonaws.com/capacityType` becomes `label_eks_amazonaws_com_capacity_type`: what Prometheus does not allow in a
name becomes `_`, a capital letter gets one before it. Several labels can become one name; the original cannot be read
off. So a label is asked for by its Kubernetes name, and found in either form.

Here belongs: names. Here does not belong: what labels mean.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

_PREFIX = "label_"
_CAPITAL = re.compile(r"([a-z0-9])([A-Z])")
_NOT_ALLOWED = re.compile(r"[^a-z0-9_]")


def chosen(labels: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """The values of those labels that are there and not empty, by their Kubernetes names."""
    found = {_written(name.removeprefix(_PREFIX)): value for name, value in labels.items() if name.startswith(_PREFIX)}
    return {name: found[key] for name in names if found.get(key := _written(name))}


@lru_cache(maxsize=4096)
def _written(name: str) -> str:
    """The form in which names are compared."""
    return _NOT_ALLOWED.sub("_", _CAPITAL.sub(r"\1_\2", name).lower())
