/* test_policy_gradient.c: what policy gradients descend, worked out a second time; their gradients
 * against differences; advantages against sums over all later steps; the clipped Gaussian against
 * the error function of the C library. In double precision. */
#include "distribution_rig.h"

enum { BATCH = 12 };

/* ---- losses ---- */

enum { LOG_PROB, LOG_PROB_OLD, ADVANTAGE, V_OLD, TARGET, INPUTS };
#define V LOG_PROB /* one input serves as either */

/* ratios from 0.4 to 2.4, on both sides of the limits; advantages of both signs */
static void fill_losses(rig *r) {
  for (int k = 0; k < INPUTS; k++)
    for (int i = 0; i < BATCH; i++) r->x[k][i] = 0.9 * sin(1 + 2.3 * i + 1.7 * k);
}

static void losses_are_those_of_the_papers(void **state) {
  (void)state;
  rig r;
  rig_inputs(&r, DEER_SHAPE(BATCH), INPUTS);
  rig_output(&r, deer_policy_gradient(r.g, r.in[LOG_PROB], r.in[ADVANTAGE]));
  rig_output(&r, deer_ppo_surrogate(r.g, r.in[LOG_PROB], r.in[LOG_PROB_OLD], r.in[ADVANTAGE], 0.2));
  rig_output(&r, deer_clipped_value_loss(r.g, r.in[V], r.in[V_OLD], r.in[TARGET], 0.3));
  rig_output(&r, deer_clipped_value_loss(r.g, r.in[V], r.in[V_OLD], r.in[TARGET], 0));
  rig_output(&r, deer_entropy_bonus(r.g, r.in[0], r.in[1], 0.25));
  rig_output(&r, deer_approximate_kl(r.g, r.in[LOG_PROB], r.in[LOG_PROB_OLD]));
  rig_compile(&r);
  fill_losses(&r);
  rig_run(&r);
  int clipped = 0;
  for (int i = 0; i < BATCH; i++) {
    double *const *x = r.x, a = x[ADVANTAGE][i], v = x[V][i], old = x[V_OLD][i], y = x[TARGET][i];
    double ratio = exp(x[LOG_PROB][i]) / exp(x[LOG_PROB_OLD][i]);
    double worst = a > 0 ? fmin(ratio, 1.2) * a : fmax(ratio, 0.8) * a;
    double near = fmin(fmax(v, old - 0.3), old + 0.3), plain = (v - y) * (v - y) / 2;
    clipped += worst != ratio * a;
    assert_near(r.y[0][i], -x[LOG_PROB][i] * a, 1e-14);
    assert_near(r.y[1][i], -worst, 1e-14);
    assert_near(r.y[2][i], fmax(plain, (near - y) * (near - y) / 2), 1e-14);
    assert_near(r.y[3][i], plain, 1e-14);
    assert_near(r.y[4][i], x[0][i] - 0.25 * x[1][i], 1e-14);
    assert_near(r.y[5][i], ratio - 1 - log(ratio), 1e-13);
    assert_true(r.y[5][i] >= 0);
  }
  assert_in_range(clipped, 2, BATCH - 2);
  rig_free(&r);
}

/* the clipped Gaussian has the mean and the log of the deviation in the first two inputs; every
 * third action lies at an end */
static deer_node clipped_gaussian(deer_graph *g, const deer_node *in) {
  const deer_shape shape = DEER_SHAPE(BATCH / 3, 3);
  deer_node wide[3];
  for (int i = 0; i < 3; i++) wide[i] = deer_reshape(g, in[i], shape);
  deer_node action = deer_stop(g, deer_clip(g, deer_scale(g, wide[2], 1.5), -1, 1));
  return deer_clipped_gaussian_log_prob(g, wide[0], wide[1], action);
}

typedef deer_node builder(deer_graph *g, const deer_node *in);

#define BUILD(name, expression)                                                                    \
  static deer_node name(deer_graph *g, const deer_node *in) { return expression; }

BUILD(policy_gradient, deer_policy_gradient(g, in[LOG_PROB], in[ADVANTAGE]))
BUILD(surrogate, deer_ppo_surrogate(g, in[LOG_PROB], in[LOG_PROB_OLD], in[ADVANTAGE], 0.2))
BUILD(value_loss, deer_clipped_value_loss(g, in[V], in[V_OLD], in[TARGET], 0.3))
BUILD(divergence, deer_approximate_kl(g, in[LOG_PROB], in[LOG_PROB_OLD]))
BUILD(bonus, deer_entropy_bonus(g, in[0], in[1], 0.25))

/* through the first `learnt` inputs alone */
static const struct {
  builder *build;
  int learnt;
} losses[] = {{policy_gradient, 1}, {surrogate, 1}, {value_loss, 1},
              {divergence, 2},      {bonus, 2},     {clipped_gaussian, 2}};

static double loss_with(rig *r, deer_real *x, double value) {
  *x = value;
  rig_run(r);
  return *r->y[0];
}

static void gradients_are_those_of_differences(void **state) {
  (void)state;
  for (size_t c = 0; c < sizeof losses / sizeof *losses; c++) {
    rig r;
    deer_node gradients[INPUTS];
    rig_inputs(&r, DEER_SHAPE(BATCH), INPUTS);
    deer_node y = losses[c].build(r.g, r.in);
    deer_node loss = deer_sum(r.g, deer_mul(r.g, y, deer_shift(r.g, y, 2)), DEER_ALL_AXES);
    if (deer_gradients(r.g, loss, r.in, INPUTS, gradients) != DEER_OK) fail_msg("%s", deer_error());
    rig_output(&r, loss);
    for (int i = 0; i < INPUTS; i++) rig_output(&r, gradients[i]);
    rig_output(&r, deer_concat(r.g, r.in, INPUTS, 0)); /* so that every input is there */
    rig_compile(&r);
    fill_losses(&r);
    for (int i = 0; i < INPUTS; i++)
      for (int k = 0; k < BATCH; k++) {
        const double h = 1e-6, x = r.x[i][k];
        double expected = (loss_with(&r, &r.x[i][k], x + h) - loss_with(&r, &r.x[i][k], x - h));
        expected = i < losses[c].learnt ? expected / (2 * h) : 0;
        loss_with(&r, &r.x[i][k], x);
        if (!(fabs(r.y[1 + i][k] - expected) <= 1e-7 * (1 + fabs(expected) + fabs(*r.y[0]))))
          fail_msg("loss %zu, input %d, element %d: expected %.12g, got %.12g", c, i, k, expected,
                   r.y[1 + i][k]);
      }
    rig_free(&r);
  }
}

/* ---- the clipped Gaussian ---- */

static double below(double x) { return 0.5 * erfc(-x * sqrt(0.5)); }

static void clipping_moves_all_that_lies_beyond_to_the_ends(void **state) {
  (void)state;
  enum { ROWS = 200 };
  rig r;
  rig_inputs(&r, DEER_SHAPE(ROWS, 1), 3);
  rig_output(&r, deer_clipped_gaussian_log_prob(r.g, r.in[0], r.in[1], r.in[2]));
  rig_output(&r, deer_gaussian_log_prob(r.g, r.in[0], r.in[1], r.in[2]));
  rig_compile(&r);
  for (int end = -1; end <= 1; end++) {
    for (int i = 0; i < ROWS; i++) {
      r.x[0][i] = 4 * sin(i);
      r.x[1][i] = 1.5 * cos(5 * i) - 0.5;
      r.x[2][i] = end == 0 ? 0.99 * sin(3 * i) : end;
    }
    rig_run(&r);
    for (int i = 0; i < ROWS; i++) {
      double z = (r.x[2][i] - r.x[0][i]) / exp(r.x[1][i]);
      double expected = end == 0 ? r.y[1][i] : below(end * -z);
      /* the library's own logarithm is lost far out, where the square rules */
      if (end == 0)
        assert_near(r.y[0][i], expected, 1e-13);
      else if (expected > 1e-300)
        assert_near(r.y[0][i], log(expected), 3e-9);
      assert_true(isfinite(r.y[0][i]));
    }
  }
  rig_free(&r);
}

static void clipped_draws_are_where_the_density_says(void **state) {
  (void)state;
  enum { DRAWS = 40000 };
  rig r;
  deer_rng stream = deer_rng_seed(3);
  rig_inputs(&r, DEER_SHAPE(DRAWS, 1), 2);
  deer_node noise = deer_random_normal(r.g, &stream, r.shape);
  rig_output(&r, deer_clipped_gaussian_sample(r.g, r.in[0], r.in[1], noise));
  rig_compile(&r);
  for (int i = 0; i < DRAWS; i++) r.x[0][i] = 0.3, r.x[1][i] = log(0.8);
  rig_run(&r);
  double low = 0, high = 0, middle = 0;
  for (int i = 0; i < DRAWS; i++) {
    low += r.y[0][i] == -1, high += r.y[0][i] == 1;
    middle += r.y[0][i] > -1 && r.y[0][i] < 0.3;
  }
  assert_near(low / DRAWS, below(-1.3 / 0.8), 0.01);
  assert_near(high / DRAWS, below(-0.7 / 0.8), 0.01);
  assert_near(middle / DRAWS, 0.5 - below(-1.3 / 0.8), 0.01);
  rig_free(&r);
}

/* ---- advantages ---- */

enum { STEPS = 60 };

typedef struct walk {
  double r[STEPS], v[STEPS], cut[STEPS];
  deer_ending ending[STEPS];
} walk;

static double value_after(const walk *w, int i, int n) {
  if (w->ending[i] == DEER_TERMINATED) return 0;
  return w->ending[i] == DEER_TRUNCATED || i == n - 1 ? w->cut[i] : w->v[i + 1];
}

/* equation 16 as it stands: every later delta of the episode, weighted */
static double advantage(const walk *w, int i, int n, double discount, double lambda) {
  double sum = 0, weight = 1;
  for (int k = i; k < n; k++) {
    sum += weight * (w->r[k] + discount * value_after(w, k, n) - w->v[k]);
    weight *= discount * lambda;
    if (w->ending[k] != DEER_RUNNING) break;
  }
  return sum;
}

static walk make_walk(uint64_t seed) {
  walk w;
  deer_rng rng = deer_rng_seed(seed);
  for (int i = 0; i < STEPS; i++) {
    w.r[i] = deer_rng_normal(&rng), w.v[i] = deer_rng_normal(&rng);
    w.cut[i] = 100 * deer_rng_normal(&rng);
    double u = deer_rng_uniform(&rng);
    w.ending[i] = u < 0.1 ? DEER_TERMINATED : u < 0.2 ? DEER_TRUNCATED : DEER_RUNNING;
  }
  return w;
}

static void advantages_sum_all_later_errors(void **state) {
  (void)state;
  static const double settings[][2] = {{0.99, 0.95}, {0.9, 1}, {0.9, 0}, {1, 1}, {0, 0.5}};
  for (uint64_t seed = 1; seed <= 20; seed++) {
    walk w = make_walk(seed);
    for (int n = 0; n <= STEPS; n += n < 4 ? 1 : 7)
      for (size_t s = 0; s < sizeof settings / sizeof *settings; s++) {
        double got[STEPS], discount = settings[s][0], lambda = settings[s][1];
        deer_trajectory steps = {n, w.r, w.v, w.ending, w.cut};
        deer_gae(&steps, discount, lambda, got);
        for (int i = 0; i < n; i++)
          assert_near(got[i], advantage(&w, i, n, discount, lambda), 1e-12);
      }
  }
}

/* three steps of reward 1: what is expected of each is the return less its value */
static void endings_decide_what_follows(void **state) {
  (void)state;
  const double r[] = {1, 1, 1}, v[] = {10, 20, 30}, cut[] = {0, 0, 8};
  static const double returns[][3] = {{1.75, 1.5, 1}, {2.75, 3.5, 5}, {2.75, 3.5, 5}};
  static const deer_ending endings[] = {DEER_TERMINATED, DEER_TRUNCATED, DEER_RUNNING};
  for (int e = 0; e < 3; e++) {
    double got[3];
    const deer_ending ending[] = {DEER_RUNNING, DEER_RUNNING, endings[e]};
    deer_gae(&(deer_trajectory){3, r, v, ending, cut}, 0.5, 1, got);
    for (int i = 0; i < 3; i++) assert_near(got[i] + v[i], returns[e][i], 1e-15);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(losses_are_those_of_the_papers),
      cmocka_unit_test(gradients_are_those_of_differences),
      cmocka_unit_test(clipping_moves_all_that_lies_beyond_to_the_ends),
      cmocka_unit_test(clipped_draws_are_where_the_density_says),
      cmocka_unit_test(advantages_sum_all_later_errors),
      cmocka_unit_test(endings_decide_what_follows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
