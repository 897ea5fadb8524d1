"""Ordinal models: against R's ordinal, a posterior on a grid, arviz, and closed forms."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from evaluation.stats.ratings import (
    Rounds,
    Votes,
    clmm,
    effective_draws,
    gibbs_chain,
    likelihood,
    mixing,
    ordinal_comparisons,
    ordinal_methods,
    posterior,
    posterior_differences,
    rhat,
)

# Bitterness of wine, 8 bottles by 9 judges: Randall, Biometrical Journal 31 (1989), table 5 grouped
# into five grades; bottles 5 to 8 are warm, 3, 4, 7 and 8 had contact with the skins.
WINE = np.array(
    [
        [2, 1, 2, 3, 2, 3, 1, 2, 1],
        [3, 2, 3, 2, 3, 2, 1, 2, 2],
        [3, 1, 3, 3, 4, 3, 2, 2, 3],
        [4, 3, 2, 2, 3, 2, 2, 3, 2],
        [4, 2, 5, 3, 3, 2, 2, 3, 3],
        [4, 3, 5, 2, 3, 4, 3, 3, 2],
        [5, 5, 4, 5, 3, 5, 2, 3, 4],
        [5, 4, 4, 3, 3, 4, 3, 4, 4],
    ]
)
BOTTLE, JUDGE = (index.ravel() for index in np.indices(WINE.shape))
WARM, CONTACT = (BOTTLE >= 4).astype(float), (BOTTLE // 2 % 2).astype(float)


def study(seed: int, raters: int = 16, sources: int = 10, methods: int = 3) -> Votes:
    """Three fifths of all votes; method effects 0, 0.7, 1.4 on the logit scale."""
    rng = np.random.default_rng(seed)
    whole = (index.ravel() for index in np.indices((raters, sources, methods)))
    kept = rng.random(raters * sources * methods) < 0.6
    rater, source, method = (index[kept] for index in whole)
    latent = 0.7 * method + rng.normal(0, 0.9, raters)[rater] + rng.normal(0, 0.6, sources)[source]
    latent += rng.normal(0, 0.6, (raters, methods))[rater, method] + rng.logistic(0, 1, len(rater))
    value = 1.0 + np.digitize(latent, [-1.5, 0, 1.2, 2.5])
    return Votes(rater, source, source, method, value, raters, sources, sources, methods)


class TestCumulativeLinkMixedModel:
    @pytest.mark.slow
    def test_one_random_effect_agrees_with_ordinal(self) -> None:
        """R 4.2.2, ordinal 2022.11-16: clmm(rating ~ temp + contact + (1|judge), wine)."""
        found = clmm(WINE.ravel() - 1, np.stack([WARM, CONTACT], 1), {"judge": JUDGE})
        error = np.sqrt(found.covariance.diagonal())
        assert found.cuts == pytest.approx([-1.623667, 1.513365, 4.228527, 6.088773], abs=5e-5)
        assert found.effect == pytest.approx([3.062997, 1.834885], abs=5e-5)
        assert error[4:] == pytest.approx([0.595376, 0.512529], abs=5e-5)
        assert error[:4] == pytest.approx([0.682441, 0.603753, 0.808966, 0.972454], abs=5e-5)
        assert found.log_likelihood == pytest.approx(-81.565409, abs=1e-5)
        assert found.spread["judge"] == pytest.approx(1.131133, abs=5e-5)
        assert found.mode[[0, 6]] == pytest.approx([1.696178, -1.910973], abs=1e-4)

    @pytest.mark.slow
    def test_two_random_effects_and_probit_agree_with_ordinal(self) -> None:
        """As above: clmm(rating ~ contact + (1|judge) + (1|bottle), wine, link = "probit")."""
        factors = {"judge": JUDGE, "bottle": BOTTLE}
        found = clmm(WINE.ravel() - 1, CONTACT[:, None], factors, link="probit")
        assert found.effect == pytest.approx([0.992367], abs=5e-5)
        assert found.covariance[4, 4] ** 0.5 == pytest.approx(0.641305, abs=5e-5)
        assert found.log_likelihood == pytest.approx(-90.481083, abs=1e-5)
        assert found.spread == pytest.approx({"judge": 0.646140, "bottle": 0.814243}, abs=5e-5)

    @pytest.mark.slow
    def test_a_variance_at_zero_stays_there(self) -> None:
        """As above, (1|judge) + (1|bottle) with temperature: ordinal says 0 for bottles."""
        factors = {"judge": JUDGE, "bottle": BOTTLE}
        found = clmm(WINE.ravel() - 1, np.stack([WARM, CONTACT], 1), factors)
        assert found.spread["bottle"] < 1e-3
        assert found.covariance[4, 4] ** 0.5 == pytest.approx(0.595391, abs=5e-5)

    @pytest.mark.slow
    def test_methods_of_an_incomplete_study_agree_with_ordinal(self) -> None:
        """As above: value ~ method + (1|rater) + (1|source) + (1|rater:method), gradTol 1e-6."""
        found = ordinal_methods(study(5), terms=("rater", "source", "rater:method"))
        assert found.effect == pytest.approx([0, 0.440962, 1.153327], abs=5e-5)
        assert np.sqrt(found.covariance.diagonal())[1:] == pytest.approx(
            [0.384794, 0.392868], abs=5e-5
        )
        wanted = {"rater": 0.787349, "source": 0.667035, "rater:method": 0.762439}
        assert found.fitted.spread == pytest.approx(wanted, abs=5e-5)
        assert found.fitted.log_likelihood == pytest.approx(-457.06317, abs=1e-5)

    @pytest.mark.slow
    def test_pairs_are_differences_with_student_s_t(self) -> None:
        found = ordinal_methods(study(5), terms=("rater", "source", "rater:method"))
        last = ordinal_comparisons(found)[-1]
        cov = found.covariance
        error = np.sqrt(cov[1, 1] + cov[2, 2] - 2 * cov[1, 2])
        assert (last.a, last.b, found.freedom) == (1, 2, 9)
        assert last.difference == pytest.approx(1.153327 - 0.440962, abs=1e-4)
        assert last.p == pytest.approx(2 * stats.t.sf(last.difference / error, 9))

    @pytest.mark.slow
    def test_which_method_is_named_first_does_not_matter(self) -> None:
        votes, terms = study(3), ("rater", "source")
        swapped = votes._replace(method=2 - votes.method)
        one, other = (ordinal_methods(v, terms=terms) for v in (votes, swapped))
        assert one.effect[2] - one.effect[0] == pytest.approx(
            other.effect[0] - other.effect[2], abs=1e-4
        )

    @pytest.mark.slow
    def test_a_method_with_the_best_grade_only_has_no_estimate(self) -> None:
        votes = study(4)
        best = votes._replace(value=np.where(votes.method == 2, 5.0, votes.value))
        found = ordinal_methods(best, terms=("rater",))
        assert not found.fitted.converged
        assert all(np.isnan(pair.difference) for pair in ordinal_comparisons(found))

    @pytest.mark.parametrize("value", [3.0, None])
    def test_nothing_to_compare_is_said(self, value: float | None) -> None:
        votes = study(4)
        alike = votes._replace(value=np.full(len(votes.value), 3.0))
        alone = votes.where(votes.method == 0)
        with pytest.raises(ValueError, match="need two grades and two methods"):
            ordinal_methods(alike if value else alone)


class TestLink:
    @pytest.mark.parametrize("link", ["logit", "probit"])
    def test_derivatives_are_those_of_the_log_probability(self, link: str) -> None:
        """Central differences of the value; far out in both tails too."""
        cuts, eta = np.array([-1.0, 0.5, 2.0]), np.linspace(-6, 6, 13)
        for grade in range(4):
            at, low, high = (
                likelihood(np.full(13, grade), cuts, eta + move, link) for move in (0, -1e-5, 1e-5)
            )
            assert at.slope == pytest.approx((high.value - low.value) / 2e-5, abs=1e-6)
            assert at.curvature == pytest.approx((low.slope - high.slope) / 2e-5, abs=1e-6)

    def test_grades_share_all_probability(self) -> None:
        cuts, eta = np.array([-1.0, 0.5]), np.array([-2.0, 0.0, 3.0])
        shares = [np.exp(likelihood(np.full(3, g), cuts, eta, "logit").value) for g in range(3)]
        assert sum(shares) == pytest.approx(1)


class TestBayes:
    @pytest.mark.slow
    def test_draws_are_of_the_posterior_on_a_grid(self) -> None:
        """Two groups, three grades, no random effects: beta_0, beta_1, theta_1 integrated on a grid
        with the prior N(0, 5^2) of the betas and a flat one of theta_1 > 0."""
        counts = np.array([[6, 4, 2], [2, 4, 9]])
        group, grade = (
            np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape)
        )
        axes = np.linspace(-2.5, 2.5, 101), np.linspace(-1.5, 3.5, 101), np.linspace(0.02, 3, 100)
        first, second, cut = np.meshgrid(*axes, indexing="ij")
        log = -(first**2 + second**2) / 50
        for counted, beta in zip(counts, (first, second), strict=True):
            edges = [0 * cut, stats.norm.cdf(-beta), stats.norm.cdf(cut - beta), 0 * cut + 1]
            log += sum(
                n * np.log(b - a) for n, (a, b) in zip(counted, pairwise(edges), strict=True)
            )
        weight = np.exp(log - log.max())
        wanted = [float((weight * x).sum() / weight.sum()) for x in (first, second, cut)]
        chain = gibbs_chain(grade, group, {}, np.random.default_rng(1), Rounds(12_000, 300))
        got = [*chain.effect.mean(axis=0), chain.cuts[:, 1].mean()]
        assert got == pytest.approx(wanted, abs=0.02)
        spread = np.sqrt((weight * (second - wanted[1]) ** 2).sum() / weight.sum())
        assert chain.effect[:, 1].std() == pytest.approx(spread, rel=0.05)

    @pytest.mark.slow
    def test_it_agrees_with_maximum_likelihood_where_there_is_much_data(self) -> None:
        """Means of differences against those of the probit mixed model, within a third of the
        posterior's deviation: priors and Laplace's approximation differ by less. The mean vote of
        a new rater on a new source: E Phi(a + s X) = Phi(a / sqrt(1 + s^2)) for standard normal X.
        """
        votes, terms = study(6, raters=30, sources=12), ("rater", "source")
        rngs = [np.random.default_rng(seed) for seed in (1, 2)]
        found = posterior(votes, rngs, draws=400, warm_up=200, terms=terms)
        fitted = ordinal_methods(votes, terms=terms, link="probit")
        grades, spread = np.unique(votes.value), sum(s**2 for s in fitted.fitted.spread.values())
        above = stats.norm.cdf((fitted.effect[:, None] - fitted.fitted.cuts) / np.sqrt(1 + spread))
        expected = grades[0] + above @ np.diff(grades)
        for one in posterior_differences(found):
            gap = expected[one.b] - expected[one.a]
            assert abs(one.mean - gap) < (one.high - one.low) / 4 / 3
            assert one.low < gap < one.high

    def test_the_generators_decide_and_nothing_else(self) -> None:
        votes = study(7, raters=6, sources=5)

        def draw(seed: int) -> np.ndarray:
            rngs = [np.random.default_rng([seed, chain]) for chain in range(2)]
            return posterior(votes, rngs, draws=20, warm_up=10).score

        assert np.array_equal(draw(1), draw(1))
        assert not np.array_equal(draw(1), draw(2))

    @pytest.mark.slow
    def test_ranks_of_truths_drawn_from_the_prior_are_even(self) -> None:
        """Simulation-based calibration (Talts et al. 2018): 60 studies whose effects and sigma are
        drawn from the priors; the rank of each true difference among the draws is uniform."""
        shares = []
        for seed in range(60):
            rng = np.random.default_rng([9, seed])
            rater, method = (index.ravel() for index in np.indices((15, 2)))
            beta, sigma = rng.normal(0, 5, 2), abs(rng.standard_t(3))
            latent = beta[method] + rng.normal(0, sigma, 15)[rater] + rng.normal(0, 1, 30)
            grade = (latent > 0).astype(int)
            if len(np.unique(grade)) < 2:
                continue
            chain = gibbs_chain(grade, method, {"rater": rater}, rng, Rounds(500, 200))
            shares.append(np.mean(chain.effect[:, 1] - chain.effect[:, 0] < beta[1] - beta[0]))
        assert len(shares) > 30
        assert stats.kstest(shares, "uniform").pvalue > 0.01

    def test_votes_that_are_all_alike_are_said(self) -> None:
        votes = study(4)
        with pytest.raises(ValueError, match="all votes are alike"):
            posterior(
                votes._replace(value=np.ones(len(votes.value))), [np.random.default_rng(0)] * 2
            )


class TestChains:
    @pytest.mark.parametrize(
        ("apart", "reduction", "draws"), [(0.0, 1.0058454147, 973.3), (0.3, 1.0262124995, 360.5)]
    )
    def test_rhat_and_effective_draws_agree_with_arviz(
        self, apart: float, reduction: float, draws: float
    ) -> None:
        """arviz 0.21.0, rhat and ess of the same chains; their sums of lags end one lag later."""
        rng = np.random.default_rng(1)
        chains, noise = np.zeros((4, 1000)), rng.normal(size=(4, 1000))
        for t in range(1, 1000):
            chains[:, t] = 0.6 * chains[:, t - 1] + noise[:, t]
        chains += apart * np.array([0, 0, 1, 2])[:, None]
        assert rhat(chains) == pytest.approx(reduction, abs=1e-9)
        assert effective_draws(chains) == pytest.approx(draws, rel=0.02)

    def test_chains_that_stand_apart_have_not_met(self) -> None:
        drawn = np.random.default_rng(0).normal(size=(2, 500, 1))
        apart = drawn + np.array([0.0, 3.0])[:, None, None]
        assert not mixing(apart).met
        assert mixing(apart - apart.mean(axis=1, keepdims=True)).met
