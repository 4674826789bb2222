"""Answers of a Prometheus server: what they say of themselves, and that nothing partial is kept."""

import json
from typing import Any

import pytest

from connectors.base import IncompleteDeliveryError, SourceError
from connectors.dcgm import DcgmSource
from tests.connectors.dcgm.written import WINDOW, answer, epoch, labels, parse, rows, series, settings
from tests.connectors.faulty_server import Clock, FaultyServer, json_answer

UTIL = "DCGM_FI_DEV_GPU_UTIL"
URL = "http://prometheus"
QUERY = "/api/v1/query_range"


def fetch(server: FaultyServer, **over: Any) -> list[bytes]:
    found = []
    for page in DcgmSource(sleep=Clock().sleep).fetch(settings(url=server.url, **over), WINDOW):
        with page.body.open() as stream:
            found.append(stream.read())
    return found


def test_every_step_of_the_day_is_asked_for_once_and_never_more_than_a_server_answers(server: FaultyServer) -> None:
    server.route(QUERY, json_answer(answer()))
    fetch(server, chunk_hours=6, step_seconds=30)
    asked = [(int(r.query["start"][0]), int(r.query["end"][0]), int(r.query["step"][0])) for r in server.requests]
    steps = [at for start, end, step in asked for at in range(start, end + 1, step)]
    assert steps == list(range(epoch("00:00"), epoch("00:00") + 86_400, 30))
    assert [(end - start) // step + 1 for start, end, step in asked] == [720] * 4


def test_the_query_names_the_metrics_and_the_settings_own_matchers(server: FaultyServer) -> None:
    server.route(QUERY, json_answer(answer()))
    fetch(server, chunk_hours=24, selector='cluster="prod"', tenant="team-1", username="u", password="p")
    (request,) = server.requests
    query = request.query["query"][0]
    assert query.startswith('label_replace(avg_over_time(DCGM_FI_PROF_SM_ACTIVE{cluster="prod"}[59999ms])')
    assert ' or {__name__=~"DCGM_FI_DEV_FB_USED|' in query
    assert query.endswith(',cluster="prod"}')
    sent = {name.lower(): value for name, value in request.headers.items()}
    assert (sent["x-scope-orgid"], sent["authorization"]) == ("team-1", "Basic dTpw")


@pytest.mark.parametrize("whole", [False, True])
def test_a_partial_answer_is_never_committed(server: FaultyServer, whole: bool) -> None:
    partial = answer(series(UTIL, labels(0), [("10:00", 1)]), warnings=["store 3 did not answer"])
    server.route(QUERY, json_answer(partial))
    with pytest.raises(IncompleteDeliveryError, match=r"partial.*store 3"):
        parse(partial, url=URL) if whole else fetch(server)


def test_infos_are_no_warnings() -> None:
    assert len(rows(answer(series(UTIL, labels(0), [("10:00", 1)]), infos=["a remark"]), url=URL)) == 1


def test_an_error_in_an_answer_with_status_200_is_told(server: FaultyServer) -> None:
    server.route(QUERY, json_answer(b'{"status":"error","errorType":"execution","error":"too many samples"}'))
    with pytest.raises(SourceError, match="could not answer: too many samples"):
        fetch(server)


@pytest.mark.parametrize(
    "body", [b'{"status":"success","data":{"resultType":"vector","result":[]}}', b"[]", b'{"hits": 3}']
)
def test_what_is_no_matrix_is_refused(server: FaultyServer, body: bytes) -> None:
    server.route(QUERY, json_answer(body))
    with pytest.raises(SourceError):
        fetch(server)


def test_not_a_number_and_infinity_are_told_apart() -> None:
    parsed = parse(answer(series(UTIL, labels(0), [("10:00", "NaN"), ("10:01", "+Inf"), ("10:02", "7")])), url=URL)
    assert parsed.rows["gpu_util_ratio"].to_pylist() == [None, None, 0.07]
    assert [(reject.reason, reject.row) for reject in parsed.rejects] == [("out_of_range", 2)]
    assert f"{UTIL} of GPU-0001-0000 is inf, which is no reading" in parsed.rejects[0].detail
    assert json.loads(parsed.rejects[0].payload)["UUID"] == "GPU-0001-0000"


def test_instants_with_fractions_of_a_second_keep_their_milliseconds() -> None:
    found = answer({"metric": {"__name__": UTIL, **labels(0)}, "values": [[epoch("10:00") + 0.546, "7"]]})
    assert rows(found, url=URL)[0]["sampled_at"].microsecond == 546_000


def test_a_series_that_cannot_be_read_is_refused_and_the_others_are_kept() -> None:
    nobody = {name: value for name, value in labels(1).items() if name != "UUID"}
    found = answer(
        {"metric": {"__name__": UTIL, **labels(2)}, "histograms": []},
        series(UTIL, nobody, [("10:00", 1), ("10:01", 1)]),
        {"metric": {"__name__": UTIL, **labels(3)}, "values": [[epoch("10:00")], [epoch("10:01"), None]]},
        series(UTIL, labels(0), [("10:00", 1)]),
    )
    parsed = parse(found, url=URL)
    assert parsed.rows["gpu_index"].to_pylist() == [0]
    assert [(reject.reason, reject.row) for reject in parsed.rejects] == [
        ("unreadable_series", 1),
        ("no_gpu_uuid", 2),
        ("unreadable_value", 4),
        ("unreadable_value", 5),
    ]
    assert json.loads(parsed.rejects[1].payload)["Hostname"] == "node-1"


def test_a_server_without_gpu_metrics_is_told_by_the_probe(server: FaultyServer) -> None:
    server.route("/api/v1/label/__name__/values", json_answer(b'{"status":"success","data":[]}'))
    with pytest.raises(SourceError, match="holds no metric of dcgm-exporter"):
        DcgmSource().probe(settings(url=server.url))
