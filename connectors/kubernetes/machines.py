"""Which machine a node is, and how it was bought, by what its cloud wrote into the node.

Here belongs: the forms of the clouds. Here does not belong: Prometheus.
"""

import re
from collections.abc import Mapping

PURCHASE_LABELS = (
    "eks.amazonaws.com/capacityType",
    "karpenter.sh/capacity-type",
    "cloud.google.com/gke-spot",
    "cloud.google.com/gke-preemptible",
    "cloud.google.com/gke-provisioning",
    "kubernetes.azure.com/scalesetpriority",
)
_PURCHASED = {
    **dict.fromkeys(("spot", "preemptible", "true"), "spot"),  # gke-spot and gke-preemptible say `true`
    **dict.fromkeys(("on_demand", "regular", "standard"), "on_demand"),
    **dict.fromkeys(("reserved", "reservation", "capacity_block"), "reserved"),
}
_FORMS = (
    (re.compile(r"aws://[^/]*/[^/]*/(i-[0-9a-f]+)"), str),
    (re.compile(r"gce://[^/]*/[^/]*/([^/]+)"), str),
    (re.compile(r"azure://(/subscriptions/.+)"), str.lower),  # bills write its parts in either case
    (re.compile(r"(?:oci://)?(ocid1\.instance\..+)"), str),
)


def instance_id(provider_id: str) -> str | None:
    """The machine as bills name it, or None where the form is not known.

    AWS: the instance, `i-0abc`. Google Cloud: the instance's name. Azure: the whole resource id in lower case; of a
    scale set it ends with `/virtualmachines/3`, where bills may name the scale set only. Oracle: the OCID.
    """
    for form, cased in _FORMS:
        if found := form.fullmatch(provider_id):
            return cased(found[1])
    return None


def purchase_option(labels: Mapping[str, str]) -> str | None:
    """How the machine was bought, by the labels of `PURCHASE_LABELS`; None where none of them tells.

    A label that says spot wins: a preemptible machine also has the label of an ordinary one.
    """
    said = {_PURCHASED.get(labels[name].lower().replace("-", "_")) for name in PURCHASE_LABELS if name in labels}
    return next((option for option in ("spot", "reserved", "on_demand") if option in said), None)
