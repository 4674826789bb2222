"""What one success costs in theory: retries, people behind the machine, agents whose context grows.

Here belongs: closed forms, to plan with and to hold measured figures against. Here does not belong: anything measured.
All costs are in one currency; probabilities are exact fractions or floats from 0 to 1.
"""

from fractions import Fraction


def cost_per_success_of_retries(success_cost: Fraction, failure_cost: Fraction, success_ratio: Fraction) -> Fraction:
    """Expected cost of one success, tried independently until it comes: (c_s p + c_f (1 - p)) / p.

    Geometric distribution: 1/p attempts, of which all but the last fail. Raises ValueError when nothing ever succeeds.
    """
    if not 0 < success_ratio <= 1:
        raise ValueError(f"a success ratio of {success_ratio} is none; more than 0 and at most 1 was expected")
    return (success_cost * success_ratio + failure_cost * (1 - success_ratio)) / success_ratio


def capped_retries(attempt_cost: Fraction, success_ratio: Fraction, most: int) -> tuple[Fraction, Fraction]:
    """Expected cost of a case and its chance of success, with at most `most` attempts: c(1-(1-p)^K)/p and 1-(1-p)^K.

    Raises ValueError as above, and for less than one attempt.
    """
    if not 0 < success_ratio <= 1 or most < 1:
        raise ValueError(f"{most} attempts with a success ratio of {success_ratio}: neither may be zero")
    succeeds = 1 - (1 - success_ratio) ** most
    return attempt_cost * succeeds / success_ratio, succeeds


def cost_with_people(machine_cost: Fraction, human_cost: Fraction, success_ratio: Fraction) -> Fraction:
    """Cost of a case that people finish where the machine fails: c_ai + (1 - p) c_h."""
    return machine_cost + (1 - success_ratio) * human_cost


def break_even_success_ratio(machine_cost: Fraction, human_cost: Fraction) -> Fraction:
    """The success ratio from which on the machine is worth its cost: c_ai / c_h. Raises ValueError without people's."""
    if human_cost <= 0:
        raise ValueError(f"people's cost of {human_cost} saves nothing; more than zero was expected")
    return machine_cost / human_cost


def agent_input_tokens(steps: int, first_tokens: int, growth_tokens: int) -> int:
    """Input tokens of an agent that sends all it has at every step: n s + d n (n - 1) / 2."""
    return steps * first_tokens + growth_tokens * steps * (steps - 1) // 2


def context_growth_ratio(steps: int, first_tokens: int, growth_tokens: int) -> Fraction:
    """Part of these tokens that is there because the context grew."""
    whole = agent_input_tokens(steps, first_tokens, growth_tokens)
    return Fraction(whole - steps * first_tokens, whole)
