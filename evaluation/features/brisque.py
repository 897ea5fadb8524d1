"""BRISQUE: technical quality of a frame from the statistics of its local contrast, no reference.

Mittal, Moorthy and Bovik 2012, "No-reference image quality assessment in the spatial domain". Same
numbers as the package brisque 0.2.0, from which the regressor comes (`weights/README.md`). Where it
departs from the paper it is followed: luma of weights .2125/.7154/.0721 in 0..1, zeros beyond the
border, no smoothing before halving, and the asymmetric fit also for the first pair of features.
"""

import hashlib
from functools import cache
from importlib import resources
from io import BytesIO

import cv2
import numpy as np

from dreamix.core.errors import DoesNotApply
from evaluation.features.base import MODELS, ModelSpec
from evaluation.settings import ModelSettings

SMALLEST = 16  # pixels; at half the size the 7x7 window still fits
ROUNDING = 1e-9  # of normalised luma
LUMA = np.array([[0.2125, 0.7154, 0.0721]]) / 255


class Brisque:
    """The features and the regressor: a radial epsilon-SVR, evaluated as libsvm does."""

    def __init__(self, settings: ModelSettings) -> None:
        with np.load(BytesIO(_weights())) as arrays:
            self.support = arrays["support"]  # (770, 36)
            self.coefficients = arrays["coefficients"]  # (770,)
            self.rho, self.gamma = float(arrays["rho"]), float(arrays["gamma"])
            self.low, self.high = arrays["low"], arrays["high"]  # (36,), ranges in training

    def scores(self, frames: np.ndarray) -> np.ndarray:
        """Return float64 (n,), lower is better, about 0 to 100, for uint8 RGB (n, h, w, 3).

        A flat frame has no statistics: it raises `DoesNotApply`, and so do frames under 16 pixels.
        """
        if min(frames.shape[1:3]) < SMALLEST:
            size = f"{frames.shape[1]}x{frames.shape[2]}"
            raise DoesNotApply(f"frames of {size} pixels are under the {SMALLEST} BRISQUE needs")
        found = np.stack([frame_features(frame) for frame in frames])
        flat = (frames == frames[:, :1, :1]).all(axis=(1, 2, 3)) | ~np.isfinite(found).all(axis=1)
        if flat.any():
            raise DoesNotApply(f"frame {flat.argmax()} is flat: it has no local contrast to judge")
        return self.regress(-1 + 2 * (found - self.low) / (self.high - self.low))

    def regress(self, scaled: np.ndarray) -> np.ndarray:
        """Return float64 (n,): sum of c_i exp(-gamma |x - s_i|^2), minus rho, for x (n, 36)."""
        squares = (scaled**2).sum(1)[:, None] + (self.support**2).sum(1)
        apart = squares - 2 * scaled @ self.support.T
        values: np.ndarray = np.exp(-self.gamma * apart) @ self.coefficients - self.rho
        return values


def frame_features(frame: np.ndarray) -> np.ndarray:
    """Return float64 (36,): 18 features at full and 18 at half size; not finite if it is flat."""
    luma = cv2.transform(frame.astype(np.float64), LUMA)
    half = cv2.resize(luma, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_CUBIC)
    return np.concatenate([scale_features(luma), scale_features(half)])


def scale_features(luma: np.ndarray) -> np.ndarray:
    """Return float64 (18,): 2 of the normalised luma, 4 of each product with a neighbour."""
    x = normalised(luma)
    # Neighbours: right, below, below right, below left.
    pairs = (
        (x[:, :-1], x[:, 1:]),
        (x[:-1], x[1:]),
        (x[:-1, :-1], x[1:, 1:]),
        (x[1:, :-1], x[:-1, 1:]),
    )
    fits = np.array([moments(x), *(moments(a * b) for a, b in pairs)])
    shape, skew, left, right = fit(*fits.T)
    products = np.stack([shape, skew, left, right], axis=1)[1:]
    return np.concatenate([[shape[0], (left[0] + right[0]) / 2], products.ravel()])


def normalised(luma: np.ndarray) -> np.ndarray:
    """Return luma (h, w) less its local mean, divided by its local deviation (eq. 1 to 3)."""
    mean = _blur(luma)
    deviation = np.sqrt(np.abs(_blur(luma * luma) - mean * mean))
    normal: np.ndarray = (luma - mean) / (deviation + 1 / 255)
    return normal


def moments(x: np.ndarray) -> tuple[float, float, float, float]:
    """Return the mean of |x| and of x^2, and the mean of x^2 left and right of zero.

    In a flat patch x is zero but for rounding, whose sign is the machine's; such pixels count to
    the right, where the package has exact zeros.
    """
    count = np.count_nonzero(x < -ROUNDING)
    left_squares = cv2.norm(np.minimum(x, 0), cv2.NORM_L2SQR)
    squares = cv2.norm(x, cv2.NORM_L2SQR)
    with np.errstate(invalid="ignore", divide="ignore"):
        left = np.divide(left_squares, count)
        right = np.divide(squares - left_squares, x.size - count)
    return cv2.norm(x, cv2.NORM_L1) / x.size, squares / x.size, float(left), float(right)


def fit(
    absolute: np.ndarray, square: np.ndarray, left: np.ndarray, right: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return shape, mean, left and right variance of asymmetric generalised Gaussians, by moments.

    Eq. 7 to 11; the shape is looked for between 0.2 and 10, as in the authors' code.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.sqrt(left) / np.sqrt(right)
        wanted = absolute**2 / square * (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1) ** 2
    shape = np.interp(wanted, *_shapes())
    spread = _log_gamma(2 / shape) - (_log_gamma(1 / shape) + _log_gamma(3 / shape)) / 2
    return shape, (np.sqrt(right) - np.sqrt(left)) * np.exp(spread), left, right


@cache
def _shapes() -> tuple[np.ndarray, np.ndarray]:
    """Return G(2/a)^2 / (G(1/a) G(3/a)), which rises with the shape a, and a itself."""
    shape = np.geomspace(0.2, 10, 20000)
    return np.exp(2 * _log_gamma(2 / shape) - _log_gamma(1 / shape) - _log_gamma(3 / shape)), shape


def _blur(image: np.ndarray) -> np.ndarray:
    """Return `image` under a 7x7 Gaussian of 7/6 pixels, zeros beyond the border."""
    kernel = np.exp(-(np.arange(-3, 4) ** 2) / (2 * (7 / 6) ** 2))
    kernel /= kernel.sum()
    return cv2.sepFilter2D(image, -1, kernel, kernel, borderType=cv2.BORDER_CONSTANT)


def _weights() -> bytes:
    return resources.files("evaluation.features.weights").joinpath("brisque.npz").read_bytes()


def _problem(settings: ModelSettings) -> str | None:
    return None


def _identity(settings: ModelSettings) -> str:
    return f"brisque, weights {hashlib.sha256(_weights()).hexdigest()[:16]}"


MODELS.add("brisque", ModelSpec(_problem, _identity, Brisque))


def _log_gamma(x: np.ndarray) -> np.ndarray:
    from scipy.special import gammaln  # a third of a second, which listing metrics can do without

    values: np.ndarray = gammaln(x)
    return values
