/* test_distributions.c: continuous distributions: densities against plain formulas and numeric
 * integrals, draws against their moments, and every gradient against finite differences, in double
 * precision. */
#include "distribution_rig.h"

enum { POINTS = 4001, DRAWS = 40000 };

/* sum of y over a grid of POINTS with steps dx: the rule of trapezoids */
static double integral(const double *y, const double *x) {
  double sum = 0;
  for (int i = 1; i < POINTS; i++) sum += (y[i] + y[i - 1]) / 2 * (x[i] - x[i - 1]);
  return sum;
}

/* Checks a family of two parameters on a line: in[0] and in[1] belong to p, in[2] and in[3] to q,
 * in[4] is the action. Outputs: log p, log q, entropy, divergence (each may be left out with an
 * entropy or divergence equal to log p). The grid goes from `low` to `high`. */
typedef struct line {
  double p[2], q[2], low, high, tolerance;
} line;

static void check_line(rig *r, const line *l) {
  static double density[POINTS], plogp[POINTS], ratio[POINTS];
  rig_compile(r);
  for (int i = 0; i < POINTS; i++) {
    for (int k = 0; k < 2; k++) r->x[k][i] = l->p[k], r->x[2 + k][i] = l->q[k];
    r->x[4][i] = l->low + (l->high - l->low) * i / (POINTS - 1);
  }
  rig_run(r);
  for (int i = 0; i < POINTS; i++) {
    density[i] = exp(r->y[0][i]);
    plogp[i] = -density[i] * r->y[0][i];
    ratio[i] = density[i] * (r->y[0][i] - r->y[1][i]);
  }
  assert_near(integral(density, r->x[4]), 1, l->tolerance);
  if (r->n_out > 2) assert_near(r->y[2][0], integral(plogp, r->x[4]), l->tolerance);
  if (r->n_out > 3) assert_near(r->y[3][0], integral(ratio, r->x[4]), l->tolerance);
  rig_free(r);
}

/* mean and variance of the first column of DRAWS rows, within four standard deviations */
static void assert_moments(const deer_real *draws, double mean, double variance, double fourth) {
  double m = 0, v = 0;
  for (int i = 0; i < DRAWS; i++) m += draws[i] / DRAWS;
  for (int i = 0; i < DRAWS; i++) v += (draws[i] - m) * (draws[i] - m) / DRAWS;
  assert_near(m, mean, 4 * sqrt(variance / DRAWS) / (1 + fabs(mean)));
  assert_near(v, variance, 4 * sqrt((fourth - variance * variance) / DRAWS) / (1 + variance));
}

/* ---- Gaussian ---- */

static void gaussian_by_integrals(void **state) {
  (void)state;
  rig r;
  rig_inputs(&r, DEER_SHAPE(POINTS, 1), 5);
  rig_output(&r, deer_gaussian_log_prob(r.g, r.in[0], r.in[1], r.in[4]));
  rig_output(&r, deer_gaussian_log_prob(r.g, r.in[2], r.in[3], r.in[4]));
  rig_output(&r, deer_gaussian_entropy(r.g, r.in[1]));
  rig_output(&r, deer_gaussian_kl(r.g, r.in[0], r.in[1], r.in[2], r.in[3]));
  check_line(&r, &(line){{0.7, -0.4}, {-0.3, 0.5}, -9, 11, 1e-9});
}

static void gaussian_is_that_of_the_formula(void **state) {
  (void)state;
  rig r;
  rig_inputs(&r, DEER_SHAPE(20, 3), 3);
  rig_output(&r, deer_gaussian_log_prob(r.g, r.in[0], r.in[1], r.in[2]));
  rig_compile(&r);
  for (int k = 0; k < 3; k++)
    for (int i = 0; i < 60; i++) r.x[k][i] = sin(1 + 2 * i + 5 * k);
  rig_run(&r);
  for (int row = 0; row < 20; row++) {
    double expected = 0;
    for (int i = 3 * row; i < 3 * row + 3; i++) {
      const double s = exp(r.x[1][i]), d = r.x[2][i] - r.x[0][i];
      expected += log(exp(-d * d / (2 * s * s)) / (s * sqrt(2 * PI)));
    }
    assert_near(r.y[0][row], expected, 1e-13);
  }
  rig_free(&r);
}

static void gaussian_draws_have_their_moments(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 3; seed++) {
    rig r;
    deer_rng stream = deer_rng_seed(seed);
    rig_inputs(&r, DEER_SHAPE(DRAWS, 1), 2);
    deer_node noise = deer_random_normal(r.g, &stream, r.shape);
    rig_output(&r, deer_gaussian_sample(r.g, r.in[0], r.in[1], noise));
    rig_compile(&r);
    for (int i = 0; i < DRAWS; i++) r.x[0][i] = -2, r.x[1][i] = log(3);
    rig_run(&r);
    assert_moments(r.y[0], -2, 9, 3 * 81);
    rig_free(&r);
  }
}

/* ---- squashed Gaussian ---- */

/* log of the density of one number by the change of variables as it is written */
static double squashed_plain(double mean, double log_std, double noise) {
  const double u = mean + exp(log_std) * noise, a = tanh(u);
  return -noise * noise / 2 - log_std - log(2 * PI) / 2 - log((1 - a) * (1 + a));
}

static void squashed_is_that_of_the_formula(void **state) {
  (void)state;
  rig r;
  rig_inputs(&r, DEER_SHAPE(200, 2), 3);
  deer_squashed s = deer_squashed_gaussian_sample(r.g, r.in[0], r.in[1], r.in[2]);
  rig_output(&r, s.log_prob);
  rig_output(&r, s.action);
  rig_output(&r, deer_squashed_gaussian_log_prob(r.g, r.in[0], r.in[1], s.action));
  rig_compile(&r);
  for (int i = 0; i < 400; i++) {
    r.x[0][i] = 1.5 * sin(i);
    r.x[1][i] = cos(3 * i) - 0.5;
    r.x[2][i] = 2 * sin(7 * i);
  }
  rig_run(&r);
  for (int row = 0; row < 200; row++) {
    double expected = 0;
    for (int i = 2 * row; i < 2 * row + 2; i++) {
      expected += squashed_plain(r.x[0][i], r.x[1][i], r.x[2][i]);
      assert_near(r.y[1][i], tanh(r.x[0][i] + exp(r.x[1][i]) * r.x[2][i]), 1e-14);
    }
    assert_near(r.y[0][row], expected, 1e-9);
    /* back from the action, where it is not at the very end */
    if (fabs(r.y[1][2 * row]) < 0.9999 && fabs(r.y[1][2 * row + 1]) < 0.9999)
      assert_near(r.y[2][row], expected, 1e-9);
  }
  rig_free(&r);
}

/* the divergence is that of the Gaussians: tanh loses nothing */
static void squashed_by_integrals(void **state) {
  (void)state;
  static double density[POINTS], ratio[POINTS];
  rig r;
  rig_inputs(&r, DEER_SHAPE(POINTS, 1), 5);
  deer_squashed s = deer_squashed_gaussian_sample(r.g, r.in[0], r.in[1], r.in[4]);
  rig_output(&r, s.log_prob);
  rig_output(&r, deer_squashed_gaussian_log_prob(r.g, r.in[2], r.in[3], s.action));
  rig_output(&r, s.action);
  rig_output(&r, deer_gaussian_kl(r.g, r.in[0], r.in[1], r.in[2], r.in[3]));
  rig_compile(&r);
  const double given[4] = {0.4, -0.8, -0.1, -0.5};
  for (int i = 0; i < POINTS; i++) {
    for (int k = 0; k < 4; k++) r.x[k][i] = given[k];
    r.x[4][i] = -7 + 14.0 * i / (POINTS - 1);
  }
  rig_run(&r);
  for (int i = 0; i < POINTS; i++) {
    density[i] = exp(r.y[0][i]);
    ratio[i] = density[i] * (r.y[0][i] - r.y[1][i]);
  }
  assert_near(integral(density, r.y[2]), 1, 1e-5);
  assert_near(integral(ratio, r.y[2]), r.y[3][0], 1e-5);
  rig_free(&r);
}

static double clipped(double x) { return x < -1 ? -1 : x > 1 ? 1 : x; }

/* mean and deviation of f(mean + std z) by the midpoint rule, in steps that are small where f bends
 */
static deer_moments plain_moments(double (*f)(double), double mean, double std) {
  enum { CELLS = 400000 };
  double first = 0, second = 0, h = 20.0 / CELLS;
  for (int i = 0; i < CELLS; i++) {
    double z = -10 + h * (i + 0.5), x = f(mean + std * z);
    double weight = h * exp(-z * z / 2) / sqrt(2 * PI);
    first += weight * x;
    second += weight * x * x;
  }
  return (deer_moments){first, sqrt(second - first * first)};
}

static void bounded_moments_are_integrals(void **state) {
  (void)state;
  static const double given[][2] = {{0, 1},    {0.3, 0.05}, {-0.9, 0.5}, {1.5, 0.4},
                                    {-3, 0.8}, {0.2, 2.9},  {0.7, 7.3}};
  for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
    const double mean = given[i][0], std = given[i][1];
    deer_moments clip = deer_clipped_gaussian_moments(mean, std);
    deer_moments squash = deer_squashed_gaussian_moments(mean, std);
    deer_moments plain_clip = plain_moments(clipped, mean, std);
    deer_moments plain_squash = plain_moments(tanh, mean, std);
    assert_near(clip.mean, plain_clip.mean, 1e-9);
    assert_near(clip.std, plain_clip.std, 1e-7);
    assert_near(squash.mean, plain_squash.mean, 1e-9);
    assert_near(squash.std, plain_squash.std, 1e-7);
  }
  /* where hardly anything is left of the Gaussian */
  deer_moments far = deer_clipped_gaussian_moments(5, 0.01), none = {0};
  assert_true(far.mean == 1 && far.std < 1e-6);
  none = deer_clipped_gaussian_moments(0.5, 0);
  assert_true(none.mean == 0.5 && none.std < 1e-11);
  none = deer_squashed_gaussian_moments(0.5, exp(-20));
  assert_near(none.mean, tanh(0.5), 1e-14);
  assert_true(none.std < 1e-8);
}

/* 1 - tanh(u)^2 is 4 exp(-2 |u|) out there, and 0 in every floating-point number */
static void squashed_is_finite_far_out(void **state) {
  (void)state;
  rig r;
  rig_inputs(&r, DEER_SHAPE(4, 1), 3);
  deer_squashed s = deer_squashed_gaussian_sample(r.g, r.in[0], r.in[1], r.in[2]);
  deer_node slope, at_end = deer_squashed_gaussian_log_prob(r.g, r.in[0], r.in[1], s.action);
  deer_gradients(r.g, deer_sum(r.g, s.log_prob, DEER_ALL_AXES), &r.in[0], 1, &slope);
  rig_output(&r, s.log_prob);
  rig_output(&r, slope);
  rig_output(&r, at_end);
  rig_compile(&r);
  const double far[4] = {400, -400, 40, -40};
  memcpy(r.x[0], far, sizeof far);
  rig_run(&r);
  for (int i = 0; i < 4; i++) {
    assert_near(r.y[0][i], -log(2 * PI) / 2 - log(4) + 2 * fabs(far[i]), 1e-14);
    assert_near(r.y[1][i], far[i] > 0 ? 2 : -2, 1e-14);
    /* an action of exactly 1 counts as 1 - 1e-6 */
    const double u = atanh(1 - 1e-6), d = fabs(far[i]) - u;
    assert_near(r.y[2][i], -d * d / 2 - log(2 * PI) / 2 - log(1e-6 * (2 - 1e-6)), 1e-9);
  }
  rig_free(&r);
}

/* ---- Beta ---- */

static void beta_by_integrals(void **state) {
  (void)state;
  const line cases[] = {{{2.5, 4}, {3, 1.5}, 1e-9, 1 - 1e-9, 1e-6},
                        {{7, 3.2}, {2, 2}, 1e-9, 1 - 1e-9, 1e-6},
                        {{1, 1}, {1.5, 2}, 1e-9, 1 - 1e-9, 3e-3}};
  for (int i = 0; i < 3; i++) {
    rig r;
    rig_inputs(&r, DEER_SHAPE(POINTS, 1), 5);
    rig_output(&r, deer_beta_log_prob(r.g, r.in[0], r.in[1], r.in[4]));
    rig_output(&r, deer_beta_log_prob(r.g, r.in[2], r.in[3], r.in[4]));
    rig_output(&r, deer_beta_entropy(r.g, r.in[0], r.in[1]));
    rig_output(&r, deer_beta_kl(r.g, r.in[0], r.in[1], r.in[2], r.in[3]));
    check_line(&r, &cases[i]);
  }
}

static void beta_is_that_of_the_formula(void **state) {
  (void)state;
  rig r;
  rig_inputs(&r, DEER_SHAPE(20, 2), 3);
  rig_output(&r, deer_beta_log_prob(r.g, r.in[0], r.in[1], r.in[2]));
  rig_output(&r, deer_beta_mode(r.g, r.in[0], r.in[1]));
  rig_compile(&r);
  for (int i = 0; i < 40; i++) {
    r.x[0][i] = 1.1 + exp(2 * sin(i));
    r.x[1][i] = 1.1 + exp(2 * cos(3 * i));
    r.x[2][i] = 0.5 + 0.49 * sin(5 * i);
  }
  rig_run(&r);
  for (int row = 0; row < 20; row++) {
    double expected = 0;
    for (int i = 2 * row; i < 2 * row + 2; i++) {
      const double a = r.x[0][i], b = r.x[1][i], x = r.x[2][i];
      expected += (a - 1) * log(x) + (b - 1) * log(1 - x);
      expected -= lgamma(a) + lgamma(b) - lgamma(a + b);
      /* the density has no slope at the mode */
      const double mode = r.y[1][i];
      assert_near((a - 1) / mode - (b - 1) / (1 - mode), 0, 1e-10);
    }
    assert_near(r.y[0][row], expected, 1e-12);
  }
  rig_free(&r);
}

static void beta_draws_have_their_moments(void **state) {
  (void)state;
  const double cases[][2] = {{2, 5}, {0.5, 0.5}, {40, 3}};
  for (int c = 0; c < 3; c++) {
    rig r;
    deer_rng stream = deer_rng_seed(17);
    rig_inputs(&r, DEER_SHAPE(DRAWS, 1), 2);
    rig_output(&r, deer_beta_sample(r.g, r.in[0], r.in[1], &stream));
    rig_compile(&r);
    const double a = cases[c][0], b = cases[c][1], n = a + b;
    for (int i = 0; i < DRAWS; i++) r.x[0][i] = a, r.x[1][i] = b;
    rig_run(&r);
    for (int i = 0; i < DRAWS; i++) assert_true(r.y[0][i] >= 1e-6 && r.y[0][i] <= 1 - 1e-6);
    const double variance = a * b / (n * n * (n + 1));
    const double excess =
        6 * ((a - b) * (a - b) * (n + 1) - a * b * (n + 2)) / (a * b * (n + 2) * (n + 3));
    assert_moments(r.y[0], a / n, variance, (excess + 3) * variance * variance);
    rig_free(&r);
  }
}

/* ---- Gumbel-softmax ---- */

static void gumbel_softmax_lies_on_the_simplex(void **state) {
  (void)state;
  enum { ROWS = 20000 };
  rig r;
  deer_rng stream = deer_rng_seed(23);
  rig_inputs(&r, DEER_SHAPE(ROWS, 3), 1);
  deer_node noise = deer_random_gumbel(r.g, &stream, r.shape);
  deer_node soft = deer_gumbel_softmax_sample(r.g, r.in[0], noise, 0.5, false);
  deer_node hard = deer_gumbel_softmax_sample(r.g, r.in[0], noise, 0.5, true);
  deer_node slopes[2], weights = deer_constant(r.g, r.shape, 1);
  weights = deer_add(r.g, deer_square(r.g, r.in[0]), weights);
  const deer_node both[] = {soft, hard};
  for (int i = 0; i < 2; i++) {
    deer_node loss = deer_sum(r.g, deer_mul(r.g, both[i], deer_stop(r.g, weights)), DEER_ALL_AXES);
    deer_gradients(r.g, loss, &r.in[0], 1, &slopes[i]);
  }
  rig_output(&r, soft);
  rig_output(&r, hard);
  rig_output(&r, slopes[0]);
  rig_output(&r, slopes[1]);
  rig_compile(&r);
  const double logits[3] = {0.5, -1, 1.2};
  for (int i = 0; i < 3 * ROWS; i++) r.x[0][i] = logits[i % 3];
  rig_run(&r);
  double counts[3] = {0}, total = 0;
  for (int i = 0; i < 3 * ROWS; i += 3) {
    const deer_real *y = r.y[0] + i, *h = r.y[1] + i;
    assert_near(y[0] + y[1] + y[2], 1, 1e-14);
    int best = 0;
    for (int k = 1; k < 3; k++) best = y[k] > y[best] ? k : best;
    for (int k = 0; k < 3; k++) assert_near(h[k], k == best, 1e-15);
    for (int k = 0; k < 3; k++) assert_near(r.y[3][i + k], r.y[2][i + k], 1e-14);
    counts[best]++;
  }
  for (int k = 0; k < 3; k++) total += exp(logits[k]);
  for (int k = 0; k < 3; k++) {
    const double p = exp(logits[k]) / total;
    assert_near(counts[k] / ROWS, p, 4 * sqrt(p * (1 - p) / ROWS));
  }
  rig_free(&r);
}

/* over the triangle of (y0, y1, 1 - y0 - y1), in the coordinates s = logit y0 and t = logit of y1's
 * share of the rest, in which it has no sharp corners */
static void gumbel_softmax_density_integrates_to_one(void **state) {
  (void)state;
  enum { SIDE = 160 };
  rig r;
  rig_inputs(&r, DEER_SHAPE(SIDE * SIDE, 3), 2);
  rig_output(&r, deer_gumbel_softmax_log_prob(r.g, r.in[0], r.in[1], 0.8));
  rig_compile(&r);
  static double area[SIDE * SIDE];
  const double logits[3] = {0.5, -1, 0.2}, step = 50.0 / SIDE;
  for (int i = 0; i < SIDE * SIDE; i++) {
    const double s = -25 + step * (i / SIDE + 0.5), t = -25 + step * (i % SIDE + 0.5);
    const double a = 1 / (1 + exp(-s)), b = 1 / (1 + exp(-t)), rest = 1 / (1 + exp(s));
    r.x[1][3 * i] = a;
    r.x[1][3 * i + 1] = rest * b;
    r.x[1][3 * i + 2] = rest / (1 + exp(t));
    area[i] = a * rest * rest * b / (1 + exp(t)) * step * step;
    for (int k = 0; k < 3; k++) r.x[0][3 * i + k] = logits[k];
  }
  rig_run(&r);
  double sum = 0;
  for (int i = 0; i < SIDE * SIDE; i++) sum += exp(r.y[0][i]) * area[i];
  assert_near(sum, 1, 1e-6);
  rig_free(&r);
}

/* ---- gradients ---- */

enum { WIDE = 3 };

typedef deer_node builder(deer_graph *g, const deer_node *in);

#define BUILD(name, expression)                                                                    \
  static deer_node name(deer_graph *g, const deer_node *in) { return expression; }

static deer_node first_thing(deer_graph *g, deer_node like) {
  const int batch = deer_node_shape(g, like).dim[0];
  return deer_argmax_last(g, deer_constant(g, DEER_SHAPE(batch, WIDE), 1));
}

BUILD(categorical_log_prob, deer_categorical_log_prob(g, in[0], first_thing(g, in[0])))
BUILD(categorical_entropy, deer_categorical_entropy(g, in[0]))
BUILD(categorical_kl, deer_categorical_kl(g, in[0], in[1]))
BUILD(bernoulli_log_prob, deer_bernoulli_log_prob(g, in[0], deer_stop(g, deer_sign(g, in[1]))))
BUILD(bernoulli_entropy, deer_bernoulli_entropy(g, in[0]))
BUILD(bernoulli_kl, deer_bernoulli_kl(g, in[0], in[1]))
BUILD(gaussian_sample, deer_gaussian_sample(g, in[0], in[1], in[2]))
BUILD(gaussian_log_prob, deer_gaussian_log_prob(g, in[0], in[1], in[2]))
BUILD(gaussian_entropy, deer_gaussian_entropy(g, in[0]))
BUILD(gaussian_kl, deer_gaussian_kl(g, in[0], in[1], in[2], in[3]))
BUILD(squashed_action, deer_squashed_gaussian_sample(g, in[0], in[1], in[2]).action)
BUILD(squashed_sample, deer_squashed_gaussian_sample(g, in[0], in[1], in[2]).log_prob)
BUILD(squashed_log_prob, deer_squashed_gaussian_log_prob(g, in[0], in[1], in[2]))
BUILD(beta_log_prob, deer_beta_log_prob(g, in[0], in[1], in[2]))
BUILD(beta_entropy, deer_beta_entropy(g, in[0], in[1]))
BUILD(beta_kl, deer_beta_kl(g, in[0], in[1], in[2], in[3]))
BUILD(beta_mode, deer_beta_mode(g, in[0], in[1]))
BUILD(relaxed_sample, deer_gumbel_softmax_sample(g, in[0], in[1], 0.7, false))
BUILD(relaxed_log_prob, deer_gumbel_softmax_log_prob(g, in[0], in[1], 0.7))

static const struct {
  builder *build;
  int n_in;
  double low, high; /* of the inputs */
} slopes[] = {
    {categorical_log_prob, 1, -2, 2},
    {categorical_entropy, 1, -2, 2},
    {categorical_kl, 2, -2, 2},
    {bernoulli_log_prob, 2, -2, 2},
    {bernoulli_entropy, 1, -2, 2},
    {bernoulli_kl, 2, -2, 2},
    {gaussian_sample, 3, -1, 1},
    {gaussian_log_prob, 3, -1, 1},
    {gaussian_entropy, 1, -1, 1},
    {gaussian_kl, 4, -1, 1},
    {squashed_action, 3, -1, 1},
    {squashed_sample, 3, -1, 1},
    {squashed_log_prob, 3, -0.9, 0.9},
    {beta_log_prob, 3, 0.1, 0.9},
    {beta_entropy, 2, 0.5, 3},
    {beta_kl, 4, 0.5, 3},
    {beta_mode, 2, 1.5, 3},
    {relaxed_sample, 2, -1, 1},
    {relaxed_log_prob, 2, 0.1, 0.9},
};

static double loss_with(rig *r, deer_real *x, double value) {
  *x = value;
  rig_run(r);
  return *r->y[0];
}

/* of a weighted sum of the outputs, to every element of every input */
static void gradients_are_those_of_differences(void **state) {
  (void)state;
  for (size_t c = 0; c < sizeof slopes / sizeof *slopes; c++) {
    rig r;
    rig_inputs(&r, DEER_SHAPE(2, WIDE), slopes[c].n_in);
    deer_node y = slopes[c].build(r.g, r.in), gradients[MOST_IN];
    deer_node loss = deer_sum(r.g, deer_mul(r.g, y, deer_square(r.g, y)), DEER_ALL_AXES);
    if (deer_gradients(r.g, loss, r.in, r.n_in, gradients) != DEER_OK) fail_msg("%s", deer_error());
    rig_output(&r, loss);
    for (int i = 0; i < r.n_in; i++) rig_output(&r, gradients[i]);
    rig_compile(&r);
    for (int i = 0; i < r.n_in; i++)
      for (int k = 0; k < 2 * WIDE; k++)
        r.x[i][k] = slopes[c].low +
                    (slopes[c].high - slopes[c].low) * (0.5 + 0.5 * sin(1 + 3.7 * k + 1.3 * i));
    for (int i = 0; i < r.n_in; i++)
      for (int k = 0; k < 2 * WIDE; k++) {
        const double h = 1e-5, middle = r.x[i][k];
        const double difference =
            loss_with(&r, &r.x[i][k], middle + h) - loss_with(&r, &r.x[i][k], middle - h);
        loss_with(&r, &r.x[i][k], middle);
        const double got = r.y[1 + i][k], expected = difference / (2 * h);
        if (!(fabs(got - expected) <= 1e-7 * (1 + fabs(expected) + fabs(*r.y[0]))))
          fail_msg("case %zu, input %d, element %d: expected %.12g, got %.12g", c, i, k, expected,
                   got);
      }
    rig_free(&r);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gaussian_by_integrals),
      cmocka_unit_test(gaussian_is_that_of_the_formula),
      cmocka_unit_test(gaussian_draws_have_their_moments),
      cmocka_unit_test(squashed_is_that_of_the_formula),
      cmocka_unit_test(squashed_by_integrals),
      cmocka_unit_test(squashed_is_finite_far_out),
      cmocka_unit_test(bounded_moments_are_integrals),
      cmocka_unit_test(beta_by_integrals),
      cmocka_unit_test(beta_is_that_of_the_formula),
      cmocka_unit_test(beta_draws_have_their_moments),
      cmocka_unit_test(gumbel_softmax_lies_on_the_simplex),
      cmocka_unit_test(gumbel_softmax_density_integrates_to_one),
      cmocka_unit_test(gradients_are_those_of_differences),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
