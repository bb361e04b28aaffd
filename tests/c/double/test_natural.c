/* test_natural.c: Hessian-vector products against differences of gradients, conjugate gradients
 * against the matrix, line search on functions whose answer is known; in double precision. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void assert_near(double got, double expected, double tolerance) {
  if (!(fabs(got - expected) <= tolerance * (1 + fabs(expected))))
    fail_msg("expected %.15g, got %.15g", expected, got);
}

/* ---- a small network with two inputs, three hidden units, one output; 13 parameters ---- */

enum { SIZE = 13, BATCH = 5 };

typedef struct network {
  deer_real p[SIZE], v[SIZE];
  deer_node x, loss, gradient, product;
  deer_program *program;
} network;

static deer_node output_of(deer_graph *g, deer_node p, deer_node x) {
  deer_node w = deer_view(g, p, 0, DEER_SHAPE(2, 3)), b = deer_view(g, p, 6, DEER_SHAPE(3));
  deer_node w2 = deer_view(g, p, 9, DEER_SHAPE(3, 1)), b2 = deer_view(g, p, 12, DEER_SHAPE(1));
  deer_node bias = deer_expand(g, b, DEER_SHAPE(BATCH, 3), DEER_AXIS(1));
  deer_node h = deer_tanh(g, deer_add(g, deer_matmul(g, x, w, false, false), bias));
  deer_node y = deer_matmul(g, h, w2, false, false);
  return deer_add(g, y, deer_expand(g, b2, DEER_SHAPE(BATCH, 1), DEER_AXIS(1)));
}

/* kl: that of unit Gaussians around the output, from themselves; else a loss that is no square */
static void build(network *n, bool kl) {
  deer_graph *g = deer_graph_new();
  deer_node p = deer_variable(g, "p", n->p, SIZE), v = deer_variable(g, "v", n->v, SIZE);
  n->x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(BATCH, 2));
  deer_node y = output_of(g, p, n->x);
  deer_node each = kl ? deer_scale(g, deer_square(g, deer_sub(g, y, deer_stop(g, y))), 0.5)
                      : deer_exp(g, deer_sub(g, deer_square(g, y), y));
  n->loss = deer_mean(g, each, DEER_ALL_AXES);
  assert_int_equal(deer_gradients(g, n->loss, &p, 1, &n->gradient), DEER_OK);
  n->product = deer_fisher_vector_product(g, n->loss, p, v);
  deer_node outputs[] = {n->loss, n->gradient, n->product};
  if (deer_compile(g, outputs, 3, &n->program) != DEER_OK) fail_msg("%s", deer_error());
  deer_graph_free(g);
  deer_real *x = deer_program_data(n->program, n->x);
  for (int i = 0; i < 2 * BATCH; i++) x[i] = sin(1 + 3 * i);
  for (int i = 0; i < SIZE; i++) n->p[i] = 0.7 * cos(2 * i);
  for (int i = 0; i < SIZE; i++) n->v[i] = sin(5 * i + 2);
}

static const deer_real *run(network *n, deer_node node) {
  deer_program_run(n->program);
  return deer_program_data(n->program, node);
}

static void hessian_products_are_those_of_differences(void **state) {
  (void)state;
  network n;
  build(&n, false);
  const double h = 1e-5;
  double more[SIZE], less[SIZE], got[SIZE];
  memcpy(got, run(&n, n.product), sizeof got);
  for (int i = 0; i < SIZE; i++) n.p[i] += h * n.v[i];
  memcpy(more, run(&n, n.gradient), sizeof more);
  for (int i = 0; i < SIZE; i++) n.p[i] -= 2 * h * n.v[i];
  memcpy(less, run(&n, n.gradient), sizeof less);
  for (int i = 0; i < SIZE; i++) assert_near(got[i], (more[i] - less[i]) / (2 * h), 1e-8);
  deer_program_free(n.program);
}

/* the Fisher matrix of unit Gaussians is the mean of J^T J, J the slopes of the output */
static void divergence_from_itself_gives_the_fisher_matrix(void **state) {
  (void)state;
  network n;
  build(&n, true);
  double expected[SIZE] = {0};
  deer_graph *g = deer_graph_new();
  deer_node p = deer_variable(g, "p", n.p, SIZE);
  deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(BATCH, 2));
  deer_node y = output_of(g, p, x), slopes[BATCH];
  for (int i = 0; i < BATCH; i++) {
    deer_node one = deer_sum(g, deer_slice(g, y, 0, i, 1), DEER_ALL_AXES);
    assert_int_equal(deer_gradients(g, one, &p, 1, &slopes[i]), DEER_OK);
  }
  deer_program *program;
  assert_int_equal(deer_compile(g, slopes, BATCH, &program), DEER_OK);
  memcpy(deer_program_data(program, x), deer_program_data(n.program, n.x),
         2 * BATCH * sizeof(deer_real));
  deer_program_run(program);
  for (int i = 0; i < BATCH; i++) {
    const deer_real *j = deer_program_data(program, slopes[i]);
    double along = 0;
    for (int k = 0; k < SIZE; k++) along += j[k] * n.v[k];
    for (int k = 0; k < SIZE; k++) expected[k] += j[k] * along / BATCH;
  }
  const deer_real *got = run(&n, n.product);
  for (int k = 0; k < SIZE; k++) {
    assert_near(got[k], expected[k], 1e-12);
    assert_true(((const deer_real *)deer_program_data(n.program, n.gradient))[k] == 0);
  }
  deer_program_free(program);
  deer_program_free(n.program);
  deer_graph_free(g);
}

static void mistakes_reach_the_graph(void **state) {
  (void)state;
  deer_real p[2] = {0};
  deer_graph *g = deer_graph_new();
  deer_node x = deer_variable(g, "p", p, 2);
  assert_int_equal(deer_fisher_vector_product(g, x, x, x).id, 0);
  assert_int_equal(deer_graph_status(g), DEER_ESHAPE);
  assert_non_null(strstr(deer_error(), "not a real scalar"));
  deer_graph_free(g);
}

/* ---- conjugate gradients ---- */

enum { N = 24 };

typedef struct matrix {
  double a[N][N];
  int calls;
} matrix;

/* B B^T + I / 4 */
static void fill(matrix *m) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      m->a[i][j] = i == j ? 0.25 : 0;
      for (int k = 0; k < N; k++) m->a[i][j] += sin(i * 7 + k) * sin(j * 7 + k) / N;
    }
  m->calls = 0;
}

static void multiply(void *context, const deer_real *v, deer_real *product) {
  matrix *m = context;
  m->calls++;
  for (int i = 0; i < N; i++) {
    product[i] = 0;
    for (int j = 0; j < N; j++) product[i] += m->a[i][j] * v[j];
  }
}

static void equations_are_solved(void **state) {
  (void)state;
  matrix m;
  fill(&m);
  deer_real work[3 * N], x[N], b[N], expected[N];
  for (int i = 0; i < N; i++) expected[i] = cos(3 * i);
  multiply(&m, expected, b);
  m.calls = 0;
  deer_conjugate system = {N, multiply, &m, 10 * N, 1e-13, work};
  int iterations;
  assert_int_equal(deer_conjugate_gradient(&system, b, x, &iterations), DEER_OK);
  for (int i = 0; i < N; i++) assert_near(x[i], expected[i], 1e-10);
  assert_true(iterations == m.calls && iterations <= 2 * N);
  /* no more iterations than allowed, and the tolerance is relative to b */
  system.most = 3;
  assert_int_equal(deer_conjugate_gradient(&system, b, x, &iterations), DEER_OK);
  assert_int_equal(iterations, 3);
  system = (deer_conjugate){N, multiply, &m, 10 * N, 0.1, work};
  assert_int_equal(deer_conjugate_gradient(&system, b, x, &iterations), DEER_OK);
  assert_in_range(iterations, 1, N / 2);
  double left = 0, all = 0;
  multiply(&m, x, expected);
  for (int i = 0; i < N; i++) left += pow(b[i] - expected[i], 2), all += b[i] * b[i];
  assert_true(left <= 0.01 * all * (1 + 1e-12) && left > 0);
}

static void impossible_equations_end(void **state) {
  (void)state;
  matrix m;
  memset(&m, 0, sizeof m);
  deer_real work[3 * N], x[N], b[N] = {0};
  deer_conjugate system = {N, multiply, &m, 10, 1e-10, work};
  int iterations;
  for (int i = 0; i < N; i++) x[i] = 9;
  assert_int_equal(deer_conjugate_gradient(&system, b, x, &iterations), DEER_OK);
  assert_int_equal(iterations, 0);
  for (int i = 0; i < N; i++) assert_true(x[i] == 0);
  /* no curvature anywhere: the first direction ends it */
  b[3] = 1;
  assert_int_equal(deer_conjugate_gradient(&system, b, x, &iterations), DEER_OK);
  assert_int_equal(iterations, 0);
  m.a[3][3] = NAN;
  assert_int_equal(deer_conjugate_gradient(&system, b, x, &iterations), DEER_EDATA);
  assert_non_null(strstr(deer_error(), "iteration 1"));
}

/* a step of the natural gradient through the graph: damped Fisher matrix times x is the gradient */
static void multiply_fisher(void *context, const deer_real *v, deer_real *product) {
  network *n = context;
  memcpy(n->v, v, sizeof n->v);
  memcpy(product, run(n, n->product), SIZE * sizeof *product);
  for (int i = 0; i < SIZE; i++) product[i] += 0.1 * v[i];
}

static void programs_can_multiply(void **state) {
  (void)state;
  network n;
  build(&n, true);
  deer_real work[3 * SIZE], x[SIZE], b[SIZE], back[SIZE];
  for (int i = 0; i < SIZE; i++) b[i] = sin(i);
  int iterations;
  deer_conjugate system = {SIZE, multiply_fisher, &n, 50, 1e-12, work};
  uint64_t calls = deer_alloc_calls();
  assert_int_equal(deer_conjugate_gradient(&system, b, x, &iterations), DEER_OK);
  assert_true(deer_alloc_calls() == calls);
  multiply_fisher(&n, x, back);
  for (int i = 0; i < SIZE; i++) assert_near(back[i], b[i], 1e-10);
  /* the matrix has the rank of the batch and the damping: one more iteration, but for rounding */
  assert_in_range(iterations, 1, BATCH + 3);
  deer_program_free(n.program);
}

/* ---- line search ---- */

typedef struct valley {
  deer_real x[2];
  double most; /* allowed length of x[0] */
  int calls;
} valley;

static double valley_loss(void *context, bool *allowed) {
  valley *v = context;
  v->calls++;
  *allowed = v->x[0] <= v->most;
  if (v->x[0] > 6) return NAN;
  return (v->x[0] - 1) * (v->x[0] - 1) + v->x[1] * v->x[1];
}

static void line_search_shortens_until_it_helps(void **state) {
  (void)state;
  const deer_real start[2] = {0, 0}, direction[2] = {8, 0};
  valley v = {.most = 100};
  deer_line line = {2, v.x, start, direction, 0.5, 10, 0, 16, valley_loss, &v};
  /* 8 is no number, 4 and 2 do not help, 1 does */
  assert_true(deer_line_search(&line) == 0.125);
  assert_true(v.x[0] == 1 && v.x[1] == 0);
  assert_int_equal(v.calls, 5);
  /* the slope promises 16 per unit: 0.9 of it is had from 1/64 on */
  line.ratio = 0.9;
  assert_true(deer_line_search(&line) == 1.0 / 64);
  assert_true(v.x[0] == 0.125);
  /* what is not allowed is passed over however good it is */
  line.ratio = 0;
  v.most = 0.5;
  assert_true(deer_line_search(&line) == 1.0 / 16);
  assert_true(v.x[0] == 0.5);
  /* nothing found: back at the start */
  line.most = 3;
  assert_true(deer_line_search(&line) == 0);
  assert_true(v.x[0] == 0 && v.x[1] == 0);
  /* standing still is no progress */
  const deer_real nowhere[2] = {0, 0};
  line.direction = nowhere;
  assert_true(deer_line_search(&line) == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hessian_products_are_those_of_differences),
      cmocka_unit_test(divergence_from_itself_gives_the_fisher_matrix),
      cmocka_unit_test(mistakes_reach_the_graph),
      cmocka_unit_test(equations_are_solved),
      cmocka_unit_test(impossible_equations_end),
      cmocka_unit_test(programs_can_multiply),
      cmocka_unit_test(line_search_shortens_until_it_helps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
