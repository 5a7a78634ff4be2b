"""Charts of times, estimates and risks: everything in its place, whatever the numbers are."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.drawing.pictures import NAMESPACE, of_class, read, titles, words_of
from windtunnel.domain.experiments import Estimate, FailureImpact
from windtunnel.drawing.axes import LogAxis
from windtunnel.drawing.distribution import WIDE, Bin, Times, binned, distribution
from windtunnel.drawing.risks import ranked, risk_of, risks
from windtunnel.drawing.verdicts import fine_duration
from windtunnel.drawing.whiskers import bars, gap

TIMES = st.lists(st.floats(0.0, 1e9), min_size=1, max_size=30)


def _picture(bins: list[Bin], *marks: tuple[str, float]) -> str:
    return str(distribution([Times("base", "accent", bins, marks)], "Times", "time"))


@given(TIMES)
def test_every_time_is_in_a_bin_and_every_bin_in_the_picture(times: list[float]) -> None:
    bins = binned(times)
    assert sum(many for *_, many in bins) == len(times)
    for low, high, many in bins[1:]:
        assert many == sum(low * (1 + 1e-9) <= time < high * (1 + 1e-9) for time in times)
    picture = _picture(bins, ("p50", times[0]), ("p95", times[-1]), ("p99", times[-1]))
    for hint in of_class(picture, "ch-hint"):
        left, wide = float(hint.get("x", "")), float(hint.get("width", ""))
        assert 0 < left <= left + wide <= WIDE
        assert float(hint.get("height", "")) >= 0
    places = [float(words.get("x", "")) for words in of_class(picture, "ch-mark-words")]
    assert len(places) == 3
    assert all(one + 40 < other for one, other in pairwise(places))


def test_a_picture_says_its_numbers() -> None:
    picture = _picture(binned([100.0] * 3 + [1_000.0]), ("p50", 100.0))
    assert any("75.0 %, 3 tasks" in words for words in titles(picture))
    assert words_of(picture, "ch-mark-words") == ["p50 100 ms"]
    assert words_of(picture, "ch-name") == ["base"]
    assert read(picture).get("aria-label") == "Times"
    assert distribution([Times("", "accent", [], ())], "Times", "time") == ""


def test_ticks_are_round_and_have_room() -> None:
    axis = LogAxis(90.0, 4e7, 0.0, 880.0)
    words = [word for _, word in axis.time_ticks()]
    assert words[0] == "100 ms"
    assert {"10 s", "2 min", "2 h"} <= set(words)
    places = [place for place, _ in axis.time_ticks()]
    assert all(other - one >= 74 for one, other in pairwise(places))
    assert axis.at(1.0) == 0.0
    assert axis.at(1e12) == 880.0


def test_a_bar_ends_at_its_mean_and_its_whisker_at_the_interval() -> None:
    picture = str(bars([("accent", Estimate(0.5, 0.4, 0.6))], 1.0))
    (bar,) = of_class(picture, "ch-bar")
    assert float(bar.get("width", "")) == 115.0
    (whisker,) = of_class(picture, "ch-whisker")
    assert (whisker.get("d") or "").startswith("M97 8.5H143")
    assert read(picture).get("aria-hidden") == "true"
    assert next(of_class(str(bars([("accent", Estimate(0, 0, 0))], 0.0)), "ch-bar")).get("width") == "0"


def test_a_difference_stands_on_its_side_of_zero() -> None:
    def dot(mean: float) -> float:
        picture = str(gap(Estimate(mean, mean - 1, mean + 1), "none"))
        return float(next(of_class(picture, "ch-dot")).get("cx", ""))

    assert dot(-5.0) < 120 == dot(0.0) < dot(5.0)


CHANCES = st.floats(0.0, 1.0)
MODES = st.lists(st.builds(FailureImpact, st.sampled_from("abc"), CHANCES, CHANCES, st.just("prior")), max_size=12)


@given(MODES)
def test_points_of_risk_hide_no_other(modes: list[FailureImpact]) -> None:
    worst = ranked(modes)
    assert [risk_of(mode) for mode in worst] == sorted(map(risk_of, modes), reverse=True)
    picture = str(risks(worst, [mode.code for mode in worst], "Risks"))
    points = [(float(p.get("cx", "")), float(p.get("cy", ""))) for p in of_class(picture, "ch-point")]
    assert len(points) == sum(risk_of(mode) > 0 for mode in modes)
    assert all(
        (x - left) ** 2 + (y - top) ** 2 > 300 for place, (x, y) in enumerate(points) for left, top in points[:place]
    )
    assert len(list(read(picture).iter(f"{NAMESPACE}path"))) > 3


def test_measured_times_have_three_digits() -> None:
    shown = [
        fine_duration(time) for time in (0.0, 0.123, 5.271, 48.26, 367.0, 2_041.0, 13_000.0, 59_960.0, 7_500_000.0)
    ]
    assert shown == ["0 ms", "0.12 ms", "5.27 ms", "48.3 ms", "367 ms", "2.04 s", "13.0 s", "1 min", "2 h 5 min"]
