"""The cloud region that an endpoint lies in, where its host name tells it, in the words of the cloud's price list.

Here belongs: hosts of the clouds that price models by region. Here does not belong: guessing from anything else. A host
that names no region (a company's own gateway, an Azure resource by its own name) has none: nobody knows it.
"""

import re
from functools import lru_cache
from urllib.parse import urlsplit

_AWS = re.compile(
    r"(?:^|\.)(?:bedrock-runtime|bedrock-mantle|bedrock|runtime\.sagemaker)(?:-fips)?"
    r"\.(?P<region>[a-z]{2,4}(?:-[a-z]+)+-\d+)\.(?:vpce\.amazonaws\.com|amazonaws\.com(?:\.cn)?|api\.aws)$"
)
_GOOGLE = re.compile(
    r"^(?:(?P<region>[a-z]+(?:-[a-z]+)+\d+)-aiplatform\.googleapis\.com"
    r"|aiplatform\.(?P<rep>[a-z]+(?:-[a-z]+)+\d+)\.rep\.googleapis\.com)$"
)
_AZURE = re.compile(
    r"^(?:(?P<region>[a-z]+\d*)\.api\.cognitive\.microsoft\.com"
    r"|[^.]+\.(?P<serverless>[a-z]+\d*)\.(?:models\.ai\.azure\.com|inference\.ml\.azure\.com))$"
)


@lru_cache(4096)  # a log names few endpoints, millions of times
def region_of(api_base: str | None) -> str | None:
    """The region in an endpoint's host name, such as us-east-1, europe-west4 or eastus2; None where it names none."""
    if not api_base:
        return None
    address = api_base if "//" in api_base else f"//{api_base}"
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return None
    found = (pattern.search(host) for pattern in (_AWS, _GOOGLE, _AZURE))
    return next((next(filter(None, match.groups())) for match in found if match), None)
