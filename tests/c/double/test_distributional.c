/* test_distributional.c: the losses over distributions of returns against plain loops, and where
 * their gradients go. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 3, N = 5, M = 4 };

static deer_program *compiled(deer_graph *g, const deer_node *outputs, int n) {
  deer_program *program;
  if (deer_compile(g, outputs, n, &program) != DEER_OK) fail_msg("%s", deer_error());
  deer_graph_free(g);
  return program;
}

static void fill(deer_program *p, deer_node node, int n, double low, double high, uint64_t seed) {
  deer_rng rng = deer_rng_seed(seed);
  deer_real *data = deer_program_data(p, node);
  for (int i = 0; i < n; i++) data[i] = low + (high - low) * deer_rng_uniform(&rng);
}

/* ---- quantiles ---- */

static double quantile_loss(const double *q, const double *tau, const double *target, double k) {
  double loss = 0;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++) {
      const double u = target[j] - q[i], size = fabs(u);
      const double huber = size <= k ? u * u / 2 : k * (size - k / 2);
      loss += fabs(tau[i] - (u < 0)) * (k > 0 ? huber / k : size) / M;
    }
  return loss;
}

/* with given and with the usual probabilities, for three thresholds */
static void quantile_huber_is_its_formula(void **state) {
  (void)state;
  static const double thresholds[] = {0, 0.5, 1};
  for (int k = 0; k < 6; k++) {
    deer_graph *g = deer_graph_new();
    deer_node q = deer_input(g, "q", DEER_DTYPE_REAL, DEER_SHAPE(BATCH, N));
    deer_node tau = deer_input(g, "tau", DEER_DTYPE_REAL, DEER_SHAPE(BATCH, N));
    deer_node target = deer_input(g, "target", DEER_DTYPE_REAL, DEER_SHAPE(BATCH, M));
    deer_node used = deer_add(g, k < 3 ? deer_scale(g, tau, 0) : tau, deer_scale(g, tau, 0));
    deer_node out[5] = {
        deer_quantile_huber(g, q, k < 3 ? DEER_NONE : used, target, thresholds[k % 3])};
    out[4] = used;
    deer_node loss = deer_sum(g, out[0], DEER_ALL_AXES);
    assert_int_equal(deer_gradients(g, loss, (deer_node[]){q, tau, target}, 3, out + 1), DEER_OK);
    deer_program *p = compiled(g, out, 5);
    fill(p, q, BATCH * N, -2, 2, 1);
    fill(p, tau, BATCH * N, 0, 1, 2);
    fill(p, target, BATCH * M, -2, 2, 3);
    deer_program_run(p);
    for (int b = 0; b < BATCH; b++) {
      double taus[N];
      for (int i = 0; i < N; i++)
        taus[i] = k < 3 ? (i + 0.5) / N : ((deer_real *)deer_program_data(p, tau))[b * N + i];
      double *row = (deer_real *)deer_program_data(p, q) + b * N;
      const double *targets = (deer_real *)deer_program_data(p, target) + b * M;
      const double wanted = quantile_loss(row, taus, targets, thresholds[k % 3]);
      assert_true(fabs(((deer_real *)deer_program_data(p, out[0]))[b] - wanted) < 1e-13);
      for (int i = 0; i < N; i++) {
        const double kept = row[i], step = 1e-6;
        row[i] = kept + step;
        const double above = quantile_loss(row, taus, targets, thresholds[k % 3]);
        row[i] = kept - step;
        const double below = quantile_loss(row, taus, targets, thresholds[k % 3]);
        row[i] = kept;
        const double slope = ((deer_real *)deer_program_data(p, out[1]))[b * N + i];
        assert_true(fabs(slope - (above - below) / (2 * step)) < 1e-8);
      }
    }
    for (int i = 0; i < BATCH * N; i++)
      assert_true(((deer_real *)deer_program_data(p, out[2]))[i] == 0);
    for (int i = 0; i < BATCH * M; i++)
      assert_true(((deer_real *)deer_program_data(p, out[3]))[i] == 0);
    deer_program_free(p);
  }
}

/* at its minimum the quantiles are those of the targets: a hundred numbers from 0 to 99 */
static void quantiles_are_found(void **state) {
  (void)state;
  deer_real q[4] = {0};
  deer_graph *g = deer_graph_new();
  deer_node v = deer_variable(g, "q", q, 4),
            target = deer_reshape(g, deer_arange(g, 100), DEER_SHAPE(1, 100));
  deer_node loss =
      deer_quantile_huber(g, deer_reshape(g, v, DEER_SHAPE(1, 4)), DEER_NONE, target, 0);
  deer_node gradient;
  assert_int_equal(deer_gradients(g, deer_sum(g, loss, DEER_ALL_AXES), &v, 1, &gradient), DEER_OK);
  deer_node step = deer_assign(g, v, deer_sub(g, v, gradient));
  deer_program *p = compiled(g, &step, 1);
  for (int i = 0; i < 2000; i++) deer_program_run(p);
  for (int i = 0; i < 4; i++) assert_true(fabs(q[i] - (12.5 + 25 * i)) < 1.5);
  deer_program_free(p);
}

/* ---- atoms ---- */

enum { ATOMS = 11 };
static const deer_support support = {-2, 3, ATOMS};

/* algorithm 1 of the paper, line by line */
static void project(const double *p, double r, double discount, double *m) {
  const double gap = 0.5;
  memset(m, 0, ATOMS * sizeof *m);
  for (int j = 0; j < ATOMS; j++) {
    const double tz = fmin(3, fmax(-2, r + discount * (-2 + gap * j))), b = (tz + 2) / gap;
    const int l = (int)floor(b), u = (int)ceil(b);
    if (l == u)
      m[l] += p[j];
    else
      m[l] += p[j] * (u - b), m[u] += p[j] * (b - l);
  }
}

static void projection_is_algorithm_1(void **state) {
  (void)state;
  enum { ROWS = 6 };
  deer_graph *g = deer_graph_new();
  deer_node r = deer_input(g, "r", DEER_DTYPE_REAL, DEER_SHAPE(ROWS));
  deer_node discount = deer_input(g, "discount", DEER_DTYPE_REAL, DEER_SHAPE(ROWS));
  deer_node logits = deer_input(g, "logits", DEER_DTYPE_REAL, DEER_SHAPE(ROWS, ATOMS));
  deer_node p_t = deer_softmax(g, logits, 1), out[4];
  out[0] = deer_categorical_projection(g, &support, r, discount, p_t);
  out[1] = p_t;
  out[2] = deer_support_values(g, &support);
  deer_node loss = deer_sum(g, deer_square(g, out[0]), DEER_ALL_AXES);
  assert_int_equal(deer_gradients(g, loss, &logits, 1, &out[3]), DEER_OK);
  deer_program *p = compiled(g, out, 4);
  fill(p, logits, ROWS * ATOMS, -2, 2, 4);
  /* between atoms, on atoms, terminal, beyond both ends */
  memcpy(deer_program_data(p, r), (deer_real[]){0.3, 0.5, 1.2, 9, -9, 0}, ROWS * sizeof(deer_real));
  memcpy(deer_program_data(p, discount), (deer_real[]){0.9, 1, 0, 0.5, 0.5, 1},
         ROWS * sizeof(deer_real));
  deer_program_run(p);
  for (int b = 0; b < ROWS; b++) {
    double wanted[ATOMS], total = 0;
    project((deer_real *)deer_program_data(p, p_t) + b * ATOMS,
            ((deer_real *)deer_program_data(p, r))[b],
            ((deer_real *)deer_program_data(p, discount))[b], wanted);
    for (int i = 0; i < ATOMS; i++) {
      const double got = ((deer_real *)deer_program_data(p, out[0]))[b * ATOMS + i];
      assert_true(fabs(got - wanted[i]) < 1e-13);
      assert_true(((deer_real *)deer_program_data(p, out[3]))[b * ATOMS + i] == 0);
      total += got;
    }
    assert_true(fabs(total - 1) < 1e-13);
  }
  for (int i = 0; i < ATOMS; i++)
    assert_true(((deer_real *)deer_program_data(p, out[2]))[i] == -2 + 0.5 * i);
  deer_program_free(p);
}

/* ---- mistakes ---- */

static void mistakes_are_named(void **state) {
  (void)state;
  for (int i = 0; i < 6; i++) {
    deer_graph *g = deer_graph_new();
    deer_node q = deer_input(g, "q", DEER_DTYPE_REAL, DEER_SHAPE(BATCH, N));
    deer_node t = deer_input(g, "t", DEER_DTYPE_REAL, DEER_SHAPE(BATCH + 1, M));
    deer_node v = deer_input(g, "v", DEER_DTYPE_REAL, DEER_SHAPE(BATCH));
    const deer_support few = {0, 1, 1}, turned = {1, 1, 5};
    deer_node wrong = i == 0   ? deer_quantile_huber(g, q, DEER_NONE, t, 1)
                      : i == 1 ? deer_quantile_huber(g, v, DEER_NONE, q, 1)
                      : i == 2 ? deer_quantile_huber(g, q, DEER_NONE, q, -1)
                      : i == 3 ? deer_support_values(g, &few)
                      : i == 4 ? deer_support_values(g, &turned)
                               : deer_categorical_projection(g, &support, v, v, q);
    static const char *const parts[] = {"3 and 4 in the batch", "1 and 2 axes", "threshold",
                                        "got 1 from 0 to 1",    "from 1 to 1",  "expand("};
    assert_int_equal(wrong.id, 0);
    assert_int_not_equal(deer_graph_status(g), DEER_OK);
    if (!strstr(deer_error(), parts[i])) fail_msg("%s", deer_error());
    deer_graph_free(g);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quantile_huber_is_its_formula),
      cmocka_unit_test(quantiles_are_found),
      cmocka_unit_test(projection_is_algorithm_1),
      cmocka_unit_test(mistakes_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
