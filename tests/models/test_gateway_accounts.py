"""Which accounts a log speaks of: cases small enough to see the answer."""

from collections.abc import Mapping
from datetime import date

from models.gateway_accounts import in_the_log, most_alike

MONDAY, TUESDAY = date(2026, 10, 5), date(2026, 10, 6)
Used = Mapping[str, Mapping[tuple[str, date], int]]


def test_an_account_is_the_log_s_when_half_of_its_tokens_are_there() -> None:
    logged = {("m", MONDAY): 50}
    assert in_the_log({"half": {("m", MONDAY): 100}}, logged) == {"half"}
    assert in_the_log({"less": {("m", MONDAY): 101}}, logged) == set()


def test_what_the_largest_account_used_is_no_evidence_for_a_smaller_one() -> None:
    used: Used = {"gateway": {("m", MONDAY): 1000}, "direct": {("m", MONDAY): 20}}
    assert in_the_log(used, {("m", MONDAY): 950}) == {"gateway"}


def test_a_model_that_the_log_has_does_not_make_a_day_that_it_has_not() -> None:
    used: Used = {"direct": {("m", TUESDAY): 100}}
    assert in_the_log(used, {("m", MONDAY): 1000}) == set()


def test_several_accounts_can_be_the_log_s() -> None:
    used: Used = {"one": {("m", MONDAY): 600}, "two": {("m", MONDAY): 300, ("n", MONDAY): 100}}
    assert in_the_log(used, {("m", MONDAY): 900, ("n", MONDAY): 100}) == {"one", "two"}


def test_days_on_which_the_log_has_nothing_are_no_evidence_against_anybody() -> None:
    used: Used = {
        "gateway": {("m", MONDAY): 600, ("m", TUESDAY): 60},
        "other": {("m", MONDAY): 400, ("m", TUESDAY): 40},
    }
    assert in_the_log(used, {("m", TUESDAY): 100}) == {"gateway", "other"}


def test_a_log_is_most_alike_who_used_most_of_its_models() -> None:
    used: Used = {"one": {("m", MONDAY): 900}, "two": {("m", MONDAY): 30, ("n", MONDAY): 200}}
    assert most_alike(used, {("m", MONDAY): 100, ("n", MONDAY): 50}) == {"one"}
    assert most_alike(used, {("elsewhere", MONDAY): 100}) == set()


def test_an_account_without_use_is_not_the_log_s() -> None:
    assert in_the_log({"idle": {}}, {("m", MONDAY): 10}) == set()
