/* moments.c: means and deviations of bounded Gaussian actions, as plain numbers. */
#include "rl/distribution.h"

#include <math.h>

static const double root_2 = 1.4142135623730951, root_2_pi = 2.5066282746310002;

static double density(double z) { return exp(-0.5 * z * z) / root_2_pi; }
static double below(double z) { return 0.5 * erfc(-z / root_2); }

/* With y = (x - mean) / std for the clipped x: a standard normal number that is cut off at a and b,
 * where all of what lies beyond is. */
deer_moments deer_clipped_gaussian_moments(double mean, double std) {
  if (std < 1e-12) std = 1e-12;
  const double a = (-1 - mean) / std, b = (1 - mean) / std;
  const double at_a = below(a), at_b = below(-b), inside = below(b) - at_a;
  const double first = density(a) - density(b) + a * at_a + b * at_b;
  const double second = inside + a * density(a) - b * density(b) + a * a * at_a + b * b * at_b;
  const double left = second - first * first;
  return (deer_moments){mean + std * first, std * sqrt(left > 0 ? left : 0)};
}

/* The trapezoid rule converges like exp(-2 pi d / h) for a function that is analytic within d of
 * the real line: tanh(mean + std z) within pi / (2 std). */
deer_moments deer_squashed_gaussian_moments(double mean, double std) {
  const double centre = tanh(mean), h = 1.0 / (std > 2 ? ceil(8 * std) : 16);
  const int n = (int)ceil(9 / h);
  double first = 0, second = 0;
  for (int i = -n; i <= n; i++) {
    const double x = tanh(mean + std * h * i) - centre, weight = h * density(h * i);
    first += weight * x;
    second += weight * x * x;
  }
  const double left = second - first * first;
  return (deer_moments){centre + first, sqrt(left > 0 ? left : 0)};
}
