"""What Amazon Bedrock's models are called: names on bills and price lists, and the identifiers of the price book.

A name is compared by its words in the alphabet's order and its digits in their own: `Claude4.6Sonnet`, `Claude Sonnet
4.6 (Amazon Bedrock Edition)` and `anthropic.claude-sonnet-4-6` are one. A name that the table lacks stays what it is:
it has no price, and bill and price list still meet.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Routing = Literal["global", "geo"]

MODELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "anthropic.claude-3-haiku-20240307-v1:0": ("Claude3Haiku",),
        "anthropic.claude-3-sonnet-20240229-v1:0": ("Claude3Sonnet",),
        "anthropic.claude-3-opus-20240229-v1:0": ("Claude3Opus",),
        "anthropic.claude-3-5-haiku-20241022-v1:0": ("Claude3.5Haiku",),
        "anthropic.claude-3-5-sonnet-20240620-v1:0": ("Claude3.5Sonnet",),
        "anthropic.claude-3-5-sonnet-20241022-v2:0": ("Claude3.5Sonnetv2",),
        "anthropic.claude-3-7-sonnet-20250219-v1:0": ("Claude3.7Sonnet",),
        "anthropic.claude-sonnet-4-20250514-v1:0": ("Claude4Sonnet",),
        "anthropic.claude-opus-4-20250514-v1:0": ("Claude4Opus",),
        "anthropic.claude-opus-4-1-20250805-v1:0": ("Claude4.1Opus",),
        "anthropic.claude-haiku-4-5-20251001-v1:0": ("Claude4.5Haiku",),
        "anthropic.claude-sonnet-4-5-20250929-v1:0": ("Claude4.5Sonnet",),
        "anthropic.claude-opus-4-5-v1:0": ("Claude4.5Opus",),
        "anthropic.claude-sonnet-4-6-v1:0": ("Claude4.6Sonnet",),
        "anthropic.claude-opus-4-6-v1:0": ("Claude4.6Opus",),
        "anthropic.claude-opus-4-7-v1:0": ("Claude4.7Opus",),
        "anthropic.claude-opus-4-8-v1:0": ("Claude4.8Opus",),
        "anthropic.claude-sonnet-5": ("Claude5Sonnet",),
        "anthropic.claude-opus-5": ("Claude5Opus",),
        "anthropic.claude-fable-5": ("Claude5Fable",),
        "anthropic.claude-fable-5-1": ("Claude5.1Fable",),
        "anthropic.claude-fable-5-2": ("Claude5.2Fable",),
        "anthropic.claude-mythos-5-2": ("Claude5.2Mythos",),
        "anthropic.claude-haiku-5-5": ("Claude5.5Haiku",),
        "anthropic.claude-sonnet-5-5": ("Claude5.5Sonnet",),
        "anthropic.claude-opus-5-5": ("Claude5.5Opus",),
        "amazon.nova-micro-v1:0": ("NovaMicro",),
        "amazon.nova-lite-v1:0": ("NovaLite",),
        "amazon.nova-pro-v1:0": ("NovaPro",),
        "amazon.nova-premier-v1:0": ("NovaPremier",),
        "amazon.nova-sonic-v1:0": ("NovaSonic",),
        "us.amazon.nova-2-lite-v1:0": ("Nova2.0Lite",),
        "amazon.nova-2-sonic-v1:0": ("Nova2.0Sonic",),
        "amazon.titan-embed-text-v1": (
            "TitanEmbeddingsG1-Text",
            "TitanEmbeddings-Text",
        ),
        "amazon.titan-embed-text-v2:0": (
            "TitanEmbeddingV2-Text",
            "Titan Text Embeddings V2",
        ),
        "amazon.titan-text-express-v1": (
            "TitanTextG1-Express",
            "TitanText-Express",
        ),
        "amazon.titan-text-lite-v1": (
            "TitanTextG1-Lite",
            "TitanText-Lite",
        ),
        "deepseek.r1-v1:0": (
            "DeepSeek-R1",
            "R1",
        ),
        "google.gemma-3-4b-it": (
            "Gemma-3-4B-IT",
            "Gemma 3 4B",
        ),
        "google.gemma-3-12b-it": (
            "Gemma-3-12B-IT",
            "Gemma 3 12B",
        ),
        "google.gemma-3-27b-it": (
            "Gemma-3-27B-IT",
            "Gemma 3 27B",
        ),
        "meta.llama3-8b-instruct-v1:0": ("Llama3-8B",),
        "meta.llama3-70b-instruct-v1:0": ("Llama3-70B",),
        "meta.llama3-1-8b-instruct-v1:0": ("Llama3-1-8B",),
        "meta.llama3-1-70b-instruct-v1:0": ("Llama3-1-70B",),
        "meta.llama3-2-1b-instruct-v1:0": ("Llama3-2-1B",),
        "meta.llama3-2-3b-instruct-v1:0": ("Llama3-2-3B",),
        "meta.llama3-2-11b-instruct-v1:0": ("Llama3-2-11B",),
        "meta.llama3-2-90b-instruct-v1:0": ("Llama3-2-90B",),
        "meta.llama3-3-70b-instruct-v1:0": ("Llama3-3-70B",),
        "meta.llama4-maverick-17b-instruct-v1:0": ("Llama4-Maverick-17B",),
        "meta.llama4-scout-17b-instruct-v1:0": ("Llama4-Scout-17B",),
        "mistral.mistral-7b-instruct-v0:2": ("Mistral7B",),
        "mistral.mixtral-8x7b-instruct-v0:1": ("Mixtral8x7B",),
        "mistral.mistral-small-2402-v1:0": ("MistralSmall",),
        "mistral.mistral-large-2402-v1:0": ("MistralLarge",),
        "mistral.mistral-large-3-675b-instruct": ("Mistral-Large-3",),
        "mistral.pixtral-large-2502-v1:0": (
            "PixtralLarge2502",
            "PixtralLarge",
        ),
        "mistral.devstral-2-123b": ("Devstral-2-123B",),
        "mistral.magistral-small-2509": ("Magistral-Small-2509",),
        "mistral.ministral-3-3b-instruct": ("Ministral-3-3B",),
        "mistral.ministral-3-8b-instruct": ("Ministral-3-8B",),
        "mistral.ministral-3-14b-instruct": ("Ministral-3-14B",),
        "mistral.voxtral-mini-3b-2507": ("Voxtral-Mini-3B-2507",),
        "mistral.voxtral-small-24b-2507": ("Voxtral-Small-24B-2507",),
        "us.moonshotai.kimi-k3": ("KimiK3",),
        "us.moonshotai.kimi-k3.1": ("KimiK3.1",),
        "nvidia.nemotron-nano-9b-v2:0": (
            "NVIDIA-Nemotron-Nano-9B-v2",
            "Nemotron-Nano-9B-v2",
        ),
        "nvidia.nemotron-nano-3-30b:0": ("Nemotron-Nano-3-30B",),
        "nvidia.nemotron-super-3-120b:0": ("Nemotron-Super-3-120B",),
        "openai.gpt-oss-20b-1:0": ("GPT-OSS-20B",),
        "openai.gpt-oss-120b-1:0": ("GPT-OSS-120B",),
        "openai.gpt-5.4": ("GPT-5.4",),
        "openai.gpt-5.5": ("GPT-5.5",),
        "openai.gpt-5.6-luna": ("GPT-5.6-Luna",),
        "openai.gpt-5.6-sol": ("GPT-5.6-Sol",),
        "openai.gpt-5.6-terra": ("GPT-5.6-Terra",),
        "openai.gpt-6-astra": ("GPT-6-Astra",),
        "openai.gpt-6-luna": ("GPT-6-Luna",),
        "openai.gpt-6-sol": ("GPT-6-Sol",),
        "openai.gpt-6.1-sol": ("GPT-6.1-Sol",),
        "openai.gpt-6.1-terra": ("GPT-6.1-Terra",),
        "qwen.qwen3-32b-v1:0": ("Qwen3-32B",),
        "qwen.qwen3-coder-30b-a3b-v1:0": ("Qwen3-Coder-30B-a3b",),
        "qwen.qwen3-coder-480b-a35b-v1:0": ("Qwen3-Coder-480B-a35b",),
        "qwen.qwen3-vl-235b-a22b-v1:0": ("Qwen3-VL-235B-a22b",),
        "writer.palmyra-x4-v1:0": ("Palmyra-X4",),
        "writer.palmyra-x5-v1:0": ("Palmyra-X5",),
        "us.zai.glm-5.3": ("GLM-5.3",),
    }
)
"""Identifiers that the price list finds, and what bills and price lists call the model."""

_VENDOR = re.compile(r"(?:(?:global|us|eu|apac|jp|au|in)\.)?[a-z][a-z0-9]*\.(?=[a-z])")
_DECORATION = re.compile(r"\(amazon bedrock edition\)|\b(?:instruct|amazon|anthropic|meta|model)\b|\.0(?!\d)")

Key = tuple[str, str]


def model_id(name: str, routing: Routing | None) -> str:
    """The identifier of a model that a bill or price list names; the name itself where it is not known.

    Calls that AWS routes anywhere in the world have a price, and so an identifier, of their own.
    """
    known = _BY_KEY.get(_key(name))
    if known is None:
        return name.replace("(Amazon Bedrock Edition)", "").strip()
    return f"global.{known.removeprefix('us.')}" if routing == "global" else known


def _key(name: str) -> Key:
    """Digits in the order in which they are written, words in that of the alphabet: vendors turn names around."""
    bare = re.sub(r"v(?=\d)", " v", _DECORATION.sub("", _VENDOR.sub("", name, count=1).lower()))
    return "-".join(re.findall(r"\d+", bare)), "-".join(sorted(re.findall(r"[a-z]+", bare)))


def _table() -> Mapping[Key, str]:
    table: dict[Key, str] = {}
    for identifier, names in MODELS.items():
        bare = re.sub(r"-v\d+(:\d+)?$|:\d+$", "", identifier)
        table.update({_key(name): identifier for name in (identifier, bare, *names)})
    return MappingProxyType(table)


_BY_KEY = _table()
