"""The lists of open weights and of published throughputs hold together, and the price book knows the names."""

from genai_prices.data import providers

from pipelines.gpu_types import gpu_memory, gpu_types
from pipelines.open_models import open_models, reference_of, reference_throughputs, weights_key


def test_every_name_is_one_of_the_price_book_and_stands_for_one_model() -> None:
    known = {weights_key(model.id) for provider in providers for model in provider.models}
    names = [name for model in open_models().values() for name in model.names]
    assert len(names) == len(set(names))
    assert set(names) <= known
    # each is sold by several, so that there is a cheapest
    for model in open_models().values():
        sellers = {p.id for p in providers for m in p.models if weights_key(m.id) in model.names}
        assert sellers, model.id


def test_a_free_trial_and_another_s_fine_tune_are_not_the_same_weights() -> None:
    names = open_models()["llama-3.3-70b"].names
    assert weights_key("meta-llama/Llama-3.3-70B-Instruct") in names
    assert weights_key("meta-llama/llama-3.3-70b-instruct:free") not in names
    assert weights_key("tokyotech-llm/Llama-3.3-Swallow-70B-Instruct-v0.4") not in names


def test_a_reference_is_of_a_known_model_and_gpu_and_says_where_it_is_from() -> None:
    types = set(gpu_types().values())
    for one in reference_throughputs():
        assert one.model in open_models()
        assert one.gpu in types
        assert one.gpu in gpu_memory()
        assert len(one.source) > 20
    assert reference_of("llama-2-70b", "NVIDIA H200", "fp8").output_tokens_per_second == 34_800  # type: ignore[union-attr]
    assert reference_of("llama-2-70b", "Tesla T4", "fp8") is None
    assert reference_of("llama-2-70b", "NVIDIA H200", "fp16") is None
    assert reference_of("llama-2-70b", "NVIDIA B200", "fp8") is None
