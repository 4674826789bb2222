"""Which model an invocation asked for: an identifier, or an ARN that leads to one.

Here belongs: ARNs. Here does not belong: prices, and what a model is called on bills (`connectors.aws.bedrock_models`).
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

_ARN = re.compile(r"arn:aws[a-z-]*:bedrock:[a-z0-9-]*:\d*:(?P<kind>[a-z-]+)/(?P<name>.+)", re.ASCII)
_NAMES_A_MODEL = frozenset({"foundation-model", "inference-profile"})
_PROVISIONED = "provisioned-model"


class Asked(NamedTuple):
    """What an invocation asked for.

    `model` is the identifier that prices know, with the prefix of its routing (`us.`, `global.`), or what stands in for
    it. `resource` is the ARN of what the account has named itself. `is_provisioned`: throughput paid by the hour.
    """

    model: str | None
    resource: str | None = None
    is_provisioned: bool = False


def asked_for(model_id: str | None, profiles: Mapping[str, str], answered: str | None) -> Asked:
    """What the log's `modelId` means.

    Args:
        model_id: an identifier, or the ARN of a model, an inference profile, provisioned throughput or a custom model.
        profiles: the models behind ARNs of the account's own, by ARN or last part.
        answered: the model that the answer itself names, for ARNs that tell nothing.

    Returns:
        A system's inference profile and a foundation model name their model. An ARN of the account's own that
        `profiles` lacks and no answer explains stands for itself, as `application-inference-profile/x1`: such usage
        has no price until somebody says what it is.
    """
    found = _ARN.fullmatch(model_id or "")
    if found is None or model_id is None:
        return Asked(model_id or answered)
    kind, name = found["kind"], found["name"]
    if kind in _NAMES_A_MODEL:
        return Asked(name)
    known = profiles.get(model_id) or profiles.get(name) or answered
    return Asked(known or f"{kind}/{name}", model_id, is_provisioned=kind == _PROVISIONED)
