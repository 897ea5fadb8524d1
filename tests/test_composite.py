"""Composites: what is known is recovered, gaps are named, and too little is refused."""

import numpy as np
import pytest
from composite_data import Made, simple
from metric_contests import perm_both, swap_accuracies

from dreamix.core.errors import UserError
from evaluation.stats.composite import (
    STATISTICS,
    Gain,
    HeldOutPredictions,
    Learned,
    learn_composite,
    metric_agreement,
    number,
    sentence,
    verdict,
)
from evaluation.stats.meta import correlate
from evaluation.stats.resampling import Resampling

NAN = np.nan
NOISE = [1.0, 1.0, 2.0, np.inf, np.inf]
NAMES = ["a", "b", "c", "d", "e"]
ITEM, _, ACCURACY, WITHIN, GLOBAL = STATISTICS


def learned(made: Made, names: list[str] | None = None, **options: object) -> Learned:
    draws = {"permutations": 300, "resamples": 100}
    draws |= {name: options.pop(name) for name in draws if name in options}
    settings = {"sources": made.sources, **options}
    names = names or NAMES[: len(made.metrics)]
    resampling = Resampling(np.random.default_rng(0), **draws)  # type: ignore[arg-type]
    return learn_composite(made.metrics, made.votes, names=names, resampling=resampling, **settings)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def made() -> Made:
    return simple(0, NOISE)


@pytest.fixture(scope="module")
def found(made: Made) -> Learned:
    return learned(made)


@pytest.mark.slow
def test_known_weights_are_recovered() -> None:
    """Votes are 3 + 0.5 z1 + 0.25 z2 + noise of deviation 0.1, and three metrics are noise alone.

    A weight's standard error is 0.1 / sqrt 300 = 0.006; tolerance: four of them.
    """
    rng = np.random.default_rng(3)
    z = rng.normal(size=(5, 3, 100))
    votes = 3 + 0.5 * z[0] + 0.25 * z[1] + 0.1 * rng.normal(size=(3, 100))
    metrics = z * np.array([10, 0.1, 1, 1, 1])[:, None, None]
    found = learned(Made(metrics, votes, votes, np.arange(100) // 4))
    sizes = np.std(z, axis=(1, 2))
    assert found.model.weights / sizes == pytest.approx([0.5, 0.25, 0, 0, 0], abs=0.024)
    assert found.model.intercept == pytest.approx(3, abs=0.1)
    assert found.rmse == pytest.approx(0.1, abs=0.02)
    assert verdict(found.gains[0], found.hindsight[0]) == "better"


class TestGains:
    def test_values_are_those_of_the_single_functions(self, made: Made, found: Learned) -> None:
        scores = found.held_out.scores
        for gain, hindsight in zip(found.gains, found.hindsight, strict=True):
            assert gain.composite == pytest.approx(
                metric_agreement(scores, made.votes, gain.statistic)
            )
            rival = made.metrics[NAMES.index(hindsight.rival)]
            assert hindsight.single == pytest.approx(
                metric_agreement(rival, made.votes, gain.statistic)
            )
            assert gain.delta == pytest.approx(gain.composite - gain.single)
            assert gain.low < gain.delta < gain.high
        assert [gain.statistic for gain in found.gains] == list(STATISTICS)
        item = correlate(scores, made.votes, level="item").value
        assert found.gains[0].composite == pytest.approx(item)

    def test_uncorrected_p_is_that_of_the_paired_permutation_tests(self, made: Made) -> None:
        """Drawn there with another stream: equal but for 4000 random swaps."""
        found = learned(made, permutations=4000)
        rng = np.random.default_rng(1)
        for gain in found.hindsight:
            rival, scores = made.metrics[NAMES.index(gain.rival)], found.held_out.scores
            options = {"sources": made.sources, "rng": rng, "permutations": 4000}
            if gain.statistic == ACCURACY:
                test = swap_accuracies(scores, rival, made.votes, **options)  # type: ignore[arg-type]
            else:
                _, level, kind, constants = gain.statistic
                test = perm_both(
                    scores, rival, made.votes, level=level, kind=kind, constants=constants,
                    **options,  # type: ignore[arg-type]
                )  # fmt: skip
            assert gain.p_swaps == pytest.approx(test.p_two_sided, abs=0.03)
            assert gain.p >= gain.p_swaps

    def test_verdicts(self, found: Learned) -> None:
        gain = found.gains[0]

        def said(p: float, delta: float, hindsight: float) -> str:
            over = [gain._replace(p=p, delta=d) for d in (delta, hindsight)]
            return verdict(*over)

        assert said(0.04, 0.1, 0.01) == "better"
        assert said(0.04, 0.1, -0.01) == "not shown to be better"
        assert said(0.06, 0.1, 0.1) == "not shown to be better"
        assert said(0.04, -0.1, -0.1) == "worse"
        assert said(NAN, NAN, NAN) == "not comparable"

    def test_items_whose_votes_are_equal_are_left_out_within_items(self, made: Made) -> None:
        votes = made.votes.copy()
        votes[:, 5] = 3.0
        found = learned(made._replace(votes=votes))
        assert [gain.cells for gain in found.gains] == [105, 105, 108, 108, 108]


class TestSaid:
    GAIN = Gain(ITEM, "conse_t", 20, 0.712, 0.66, 0.052, -0.01, 0.104, 0.0912, 0.03, 108)

    def test_the_sentence_says_what_the_numbers_say(self, found: Learned) -> None:
        over = self.GAIN._replace(rival="clip_t", single=0.69, delta=0.022, low=-0.05, high=0.08)
        one = found._replace(gains=(self.GAIN,), hindsight=(over,))
        assert sentence(one, "alignment") == (
            "On held-out videos, the composite follows people on alignment with r = 0.71 (within "
            "an edit, 12 source videos); the best single metric, conse_t, reaches 0.66; the "
            "difference is 0.05 [-0.01, 0.10], p = 0.091: the composite is not shown to be better. "
            "Compared with the best in hindsight, clip_t with 0.69, it gains 0.02 [-0.05, 0.08]."
        )

    def test_simulated_raters_are_not_people(self, found: Learned) -> None:
        said = sentence(found, "quality", simulated=True)
        assert said.startswith("SIMULATED: On held-out videos, the composite follows simulated ")
        assert "people" not in said


class TestGaps:
    def test_metrics_that_cannot_be_used_are_named(self, made: Made) -> None:
        metrics = np.concatenate([made.metrics, made.metrics[:1], made.votes[None]])
        metrics[1, :, :12] = NAN
        metrics[2] = 0.3
        metrics[5] = NAN
        names = [*NAMES, "nothing", "composite.quality"]
        found = learned(made._replace(metrics=metrics), names)
        assert found.names == ("a", "d", "e")
        assert found.left_out == {
            "b": "has no value on 33% of the rated edits, more than 20%",
            "c": "is 0.3 everywhere",
            "nothing": "has no value on 100% of the rated edits, more than 20%",
            "composite.quality": "is a composite itself",
        }

    def test_more_gaps_can_be_let_in(self, made: Made) -> None:
        metrics = made.metrics.copy()
        metrics[1, :, :12] = NAN
        found = learned(made._replace(metrics=metrics), missing=0.4)
        assert "b" in found.names
        assert found.imputed["b"] == 36
        assert found.unpredicted == 36

    @pytest.mark.slow
    def test_gaps_are_counted_and_get_no_number(self, made: Made) -> None:
        metrics = made.metrics.copy()
        metrics[0, :, :3] = NAN
        metrics[1, 0, 4] = np.inf
        found = learned(made._replace(metrics=metrics))
        assert found.imputed == {"a": 9, "b": 1}
        assert found.unpredicted == 10
        assert np.isnan(found.held_out.votes[:, :3]).all()
        assert np.isnan(found.held_out.votes[0, 4])
        assert found.gains[2].cells == 98
        assert any(note.startswith("10 of 108 rated clips get no number") for note in found.notes)

    def test_a_good_metric_with_gaps_is_not_passed_over_in_silence(self, made: Made) -> None:
        metrics = made.metrics.copy()
        metrics[4] = made.votes
        metrics[4, :, :12] = NAN
        found = learned(made._replace(metrics=metrics))
        assert "e was left out, yet has r = 1.00 where it has values." in found.notes

    @pytest.mark.slow
    def test_items_without_votes_are_no_part_of_it(self, made: Made, found: Learned) -> None:
        pad = np.zeros((5, 3, 4))
        votes = np.concatenate([made.votes, np.full((3, 4), NAN)], axis=1)
        sources = np.append(made.sources, [0, 90, 91, 92])
        more = Made(np.concatenate([made.metrics, pad], axis=2), votes, votes, sources)
        again = learned(more)
        assert again.held_out.votes.shape == (3, 40)
        assert np.isnan(again.held_out.votes[:, 36:]).all()
        np.testing.assert_allclose(again.held_out.votes[:, :36], found.held_out.votes)
        assert again.gains == found.gains
        assert (again.sources, again.items) == (12, 36)

    def test_votes_of_raters_are_averaged(self, made: Made, found: Learned) -> None:
        off = np.array([-0.5, 0.5, NAN])
        again = learned(made._replace(votes=made.votes[:, :, None] + off))
        np.testing.assert_allclose(again.held_out.votes, found.held_out.votes, atol=1e-9)


class TestTooLittle:
    def test_few_sources_teach_nothing(self) -> None:
        for sources, said in ((1, "1 source video"), (7, "7 source videos")):
            with pytest.raises(UserError, match=f" of {said}: it takes at least"):
                learned(simple(0, NOISE, sources=sources, edits=12))

    def test_few_cells_teach_nothing(self) -> None:
        with pytest.raises(UserError, match="no composite of quality can be learned from 36 rated"):
            learned(simple(0, NOISE, edits=1), axis="quality")

    def test_equal_votes_teach_nothing(self, made: Made) -> None:
        with pytest.raises(UserError, match=r"all mean votes are 4\.00"):
            learned(made._replace(votes=np.full(made.votes.shape, 4.0)))

    def test_no_votes_teach_nothing(self, made: Made) -> None:
        with pytest.raises(UserError, match="from 0 rated clips of 0 source videos"):
            learned(made._replace(votes=np.full(made.votes.shape, NAN)))

    def test_no_metric_of_use_is_said_with_reasons(self, made: Made) -> None:
        flat = made._replace(metrics=np.ones((2, *made.votes.shape)))
        with pytest.raises(UserError, match="a: is 1 everywhere; b: is 1 everywhere"):
            learned(flat)

    def test_shapes_and_names_that_do_not_fit(self, made: Made) -> None:
        with pytest.raises(ValueError, match="need the same cells"):
            learned(made._replace(metrics=made.metrics[:, :2]))
        with pytest.raises(ValueError, match="one name of its own"):
            learned(made, ["a", "a", "b", "c", "d"])
        with pytest.raises(ValueError, match="one source an item"):
            learned(made._replace(sources=made.sources[:3]))

    def test_one_method_is_judged_between_edits_alone(self) -> None:
        found = learned(simple(0, NOISE, sources=20, systems=1))
        assert [gain.statistic for gain in found.gains] == [WITHIN, GLOBAL]
        assert found.gains[0].composite > 0.3
        assert np.isnan([found.unseen.item, found.unseen.within]).all()
        assert np.isnan(found.unseen.level_error).all()
        assert found.notes[0].startswith("One method")
        assert "within a method" in sentence(found, "quality")

    def test_few_methods_and_sources_are_said(self, found: Learned) -> None:
        assert found.notes[0].startswith("3 methods: it may have learned which is which.")
        assert found.notes[1] == "12 source videos: intervals are too narrow."

    def test_metrics_of_the_wrong_direction_know_nothing(self, made: Made) -> None:
        """All weights are 0: every correlation is 0 and rmse that of the mean vote."""
        found = learned(made._replace(metrics=-made.metrics[:1]))
        assert not found.model.weights.any()
        assert found.gains[0].composite == 0
        assert found.rmse == pytest.approx(found.rmse_mean)


def test_what_it_learned_of_methods_alone_does_not_pass_for_more() -> None:
    """The metric names the method, and nothing else: nothing is left within a method."""
    made = simple(4, [np.inf])
    name = np.array([0.0, 1, 2])[:, None] + 1e-6 * np.random.default_rng(0).normal(size=(3, 36))
    votes = made.votes + np.array([-1.0, 0, 1])[:, None]
    found = learned(made._replace(metrics=name[None], votes=votes))
    assert found.gains[0].composite > 0.6
    assert abs(found.gains[3].composite) < 0.3


@pytest.mark.slow
def test_equal_seeds_give_equal_results(made: Made, found: Learned) -> None:
    again = learned(made)
    assert again.gains == found.gains
    assert isinstance(again.held_out, HeldOutPredictions)
    np.testing.assert_array_equal(again.held_out.votes, found.held_out.votes)


def test_a_correlation_that_rounds_to_zero_has_no_sign() -> None:
    told = [number(value) for value in (-0.004, 0.0, -0.006, float("nan"))]
    assert told == ["0.00", "0.00", "-0.01", "undefined"]
