"""An endpoint's region is read from a host that names it, and from nothing else."""

import pytest

from connectors.logs.regions import region_of


@pytest.mark.parametrize(
    ("api_base", "region"),
    [
        ("https://bedrock-runtime.us-west-2.amazonaws.com/model/m/converse", "us-west-2"),
        ("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("https://vpce-0a1-b2.bedrock-runtime.eu-central-1.vpce.amazonaws.com:443", "eu-central-1"),
        ("runtime.sagemaker.ap-southeast-2.amazonaws.com/endpoints/e", "ap-southeast-2"),
        ("https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4", "europe-west4"),
        ("https://aiplatform.us-central1.rep.googleapis.com", "us-central1"),
        ("https://eastus2.api.cognitive.microsoft.com/openai", "eastus2"),
        ("https://ours.swedencentral.models.ai.azure.com", "swedencentral"),
    ],
)
def test_a_host_that_names_its_region_tells_it(api_base, region):
    assert region_of(api_base) == region


@pytest.mark.parametrize(
    "api_base",
    [
        None,
        "",
        "https://api.openai.com/v1",
        "https://aiplatform.googleapis.com/v1/projects/p/locations/global",
        "https://our-resource.openai.azure.com",
        "https://bedrock-runtime.us-west-2.amazonaws.com.example.org",
        "https://gateway.example.com/bedrock-runtime.us-west-2.amazonaws.com",
        "http://[broken",
    ],
)
def test_a_host_that_does_not_is_nowhere(api_base):
    assert region_of(api_base) is None
