/* test_ops.c: every registered op keeps its promises: what it computes, its gradient, the gradient
 * of its gradient, and a clear message for shapes that do not fit. Runs on the double build. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "graph/op.h"
#include "tensor/blas.h"
#include "tensor/fill.h"

#include "ops_cases.h"
#include "ops_mistakes.h"

#define N_EXAMPLES   (int)(sizeof examples / sizeof *examples)
#define MAX_ELEMENTS 1024

/* ---- one example, built ----
 * y = op(x...), loss = sum(y w), h = sum over x and w of sum(gradient v) */

typedef struct trial {
  const example *e;
  int n_in;
  deer_graph *g;
  deer_program *program;
  deer_node in[MAX_INPUTS], y, loss, h;
  /* what is differentiated: the real inputs, then w */
  int n;
  deer_node x[MAX_INPUTS + 1], v[MAX_INPUTS + 1], first[MAX_INPUTS + 1], second[MAX_INPUTS + 1];
  deer_real block[MAX_ELEMENTS]; /* memory of an input of kind 'v' */
} trial;

static bool is_real(char kind) { return kind == 'r' || kind == 'v'; }

static size_t count_of(const trial *t, deer_node node) {
  const deer_shape shape = deer_node_shape(t->g, node);
  return deer_shape_count(&shape);
}

static deer_node add_input(trial *t, int i) {
  char name[16];
  snprintf(name, sizeof name, "x%d", i);
  const deer_shape shape = t->e->in[i];
  switch (t->e->kinds[i]) {
  case 'v':
    return deer_variable(t->g, name, t->block, (int)deer_shape_count(&shape));
  case 'u':
    return deer_input(t->g, name, DEER_DTYPE_U8, shape);
  case 'i':
    return deer_input(t->g, name, DEER_DTYPE_I32, shape);
  default:
    return deer_input(t->g, name, DEER_DTYPE_REAL, shape);
  }
}

static deer_node weighted_sum(deer_graph *g, deer_node a, deer_node b) {
  return deer_sum(g, deer_mul(g, a, b), DEER_ALL_AXES);
}

/* y, loss and first gradients */
static void build_first(trial *t) {
  deer_graph *g = t->g;
  for (int i = 0; i < t->n_in; i++) {
    t->in[i] = add_input(t, i);
    if (is_real(t->e->kinds[i])) t->x[t->n++] = t->in[i];
  }
  t->y = t->e->build(g, t->in, t->e);
  const bool real = deer_node_dtype(g, t->y) == DEER_DTYPE_REAL;
  const deer_node w = deer_input(g, "w", DEER_DTYPE_REAL, deer_node_shape(g, t->y));
  t->x[t->n++] = w;
  t->loss = weighted_sum(g, real ? t->y : deer_cast(g, t->y), w);
  deer_gradients(g, t->loss, t->x, t->n, t->first);
}

/* h and the second gradients */
static void build_second(trial *t) {
  deer_graph *g = t->g;
  for (int i = 0; i < t->n; i++) {
    t->v[i] = deer_input(g, "v", DEER_DTYPE_REAL, deer_node_shape(g, t->x[i]));
    const deer_node term = weighted_sum(g, t->first[i], t->v[i]);
    t->h = i == 0 ? term : deer_add(g, t->h, term);
  }
  deer_gradients(g, t->h, t->x, t->n, t->second);
}

static void compile(trial *t) {
  deer_node outputs[3 + 2 * (MAX_INPUTS + 1)];
  int n = 0;
  outputs[n++] = t->y;
  outputs[n++] = t->loss;
  outputs[n++] = t->h;
  for (int i = 0; i < t->n; i++) {
    outputs[n++] = t->first[i];
    outputs[n++] = t->second[i];
  }
  if (deer_compile(t->g, outputs, n, &t->program) != DEER_OK)
    fail_msg("%s: %s", t->e->op, deer_error());
}

static deer_real *data_of(trial *t, deer_node node) {
  for (int i = 0; i < t->n_in; i++)
    if (t->in[i].id == node.id && t->e->kinds[i] == 'v') return t->block;
  deer_real *data = deer_program_data(t->program, node);
  if (!data) fail_msg("%s: a node has no memory", t->e->op);
  return data;
}

/* ---- numbers: real inputs are all different and keep away from kinks at 0, 1 and -1 ---- */

static void fill_reals(trial *t, deer_rng *rng) {
  size_t total = 0, at = 0;
  double values[MAX_ELEMENTS];
  for (int i = 0; i < t->n - 1; i++) total += count_of(t, t->x[i]);
  assert_true(total <= MAX_ELEMENTS);
  const bool preset = t->e->low == 0 && t->e->high == 0;
  const double low = preset ? -2 : t->e->low, high = preset ? 2 : t->e->high;
  for (size_t i = 0; i < total; i++)
    values[i] = low + (high - low) * ((double)i + 0.37) / (double)total;
  for (size_t i = total; i > 1; i--) {
    const size_t k = (size_t)deer_rng_below(rng, i);
    const double kept = values[k];
    values[k] = values[i - 1];
    values[i - 1] = kept;
  }
  for (int i = 0; i < t->n - 1; i++)
    for (size_t k = 0; k < count_of(t, t->x[i]); k++) data_of(t, t->x[i])[k] = values[at++];
}

static void fill_weights(trial *t, deer_node node, deer_rng *rng) {
  for (size_t k = 0; k < count_of(t, node); k++)
    data_of(t, node)[k] = 2 * deer_rng_uniform(rng) - 1;
}

static void fill_integers(trial *t, int i, deer_rng *rng) {
  void *data = deer_program_data(t->program, t->in[i]);
  for (size_t k = 0; k < count_of(t, t->in[i]); k++) {
    const uint64_t value = deer_rng_below(rng, (uint64_t)t->e->below);
    if (t->e->kinds[i] == 'u')
      ((uint8_t *)data)[k] = (uint8_t)value;
    else
      ((int32_t *)data)[k] = (int32_t)value;
  }
}

static void fill(trial *t) {
  /* a kernel that leaves an element out is found by what lay there before */
  memset(deer_program_data(t->program, t->y), 0xff,
         count_of(t, t->y) * deer_dtype_size(deer_node_dtype(t->g, t->y)));
  deer_rng rng = deer_rng_seed(7);
  for (int i = 0; i < t->n_in; i++)
    if (!is_real(t->e->kinds[i])) fill_integers(t, i, &rng);
  fill_reals(t, &rng);
  fill_weights(t, t->x[t->n - 1], &rng);
  for (int i = 0; i < t->n; i++) fill_weights(t, t->v[i], &rng);
}

/* ---- checks ---- */

static double element(deer_dtype dtype, const void *data, size_t i) {
  if (dtype == DEER_DTYPE_U8) return ((const uint8_t *)data)[i];
  return dtype == DEER_DTYPE_I32 ? ((const int32_t *)data)[i]
                                 : (double)((const deer_real *)data)[i];
}

static void expect_near(const trial *t, const char *what, size_t i, double got, double wanted,
                        double tolerance) {
  if (fabs(got - wanted) <= tolerance) return;
  fail_msg("%s, example %d: %s, element %zu: got %.12g, expected %.12g", t->e->op,
           (int)(t->e - examples), what, i, got, wanted);
}

static void check_forward(trial *t) {
  double in[MAX_INPUTS][MAX_ELEMENTS], out[MAX_ELEMENTS];
  for (int i = 0; i < t->n_in; i++) {
    const bool real = is_real(t->e->kinds[i]);
    const void *data = real ? data_of(t, t->in[i]) : deer_program_data(t->program, t->in[i]);
    for (size_t k = 0; k < count_of(t, t->in[i]); k++)
      in[i][k] = element(deer_node_dtype(t->g, t->in[i]), data, k);
  }
  const size_t n = count_of(t, t->y);
  assert_true(n <= MAX_ELEMENTS);
  for (size_t k = 0; k < n; k++) out[k] = NAN;
  if (t->e->whole) t->e->whole(t->e, (const double *const[]){in[0], in[1], in[2]}, out);
  for (size_t k = 0; k < n; k++) {
    if (t->e->each) out[k] = t->e->each((double[]){in[0][k], in[1][k], in[2][k]}, t->e);
    const double got = element(deer_node_dtype(t->g, t->y), deer_program_data(t->program, t->y), k);
    expect_near(t, "forward", k, got, out[k], 1e-13 * (1 + fabs(out[k])));
  }
}

static double run_for(trial *t, deer_node scalar, deer_real *x, double value) {
  *x = value;
  deer_program_run(t->program);
  return *data_of(t, scalar);
}

/* fourth-order central difference of `scalar` by the element at x */
static double difference(trial *t, deer_node scalar, deer_real *x) {
  const double step = 1e-4, middle = *x;
  const double near = run_for(t, scalar, x, middle + step) - run_for(t, scalar, x, middle - step);
  const double far =
      run_for(t, scalar, x, middle + 2 * step) - run_for(t, scalar, x, middle - 2 * step);
  *x = middle;
  return (8 * near - far) / (12 * step);
}

/* gradient nodes against differences of the scalar they belong to */
static void check_gradient(trial *t, const char *what, deer_node scalar,
                           const deer_node *gradient) {
  for (int i = t->e->stopped ? t->n - 1 : 0; i < t->n; i++) {
    double analytic[MAX_ELEMENTS], largest = 1e-3;
    const size_t n = count_of(t, t->x[i]);
    deer_program_run(t->program);
    assert_int_equal(n, count_of(t, gradient[i]));
    for (size_t k = 0; k < n; k++) {
      analytic[k] = data_of(t, gradient[i])[k];
      largest = fmax(largest, fabs(analytic[k]));
    }
    for (size_t k = 0; k < n; k++)
      expect_near(t, what, k, analytic[k], difference(t, scalar, data_of(t, t->x[i]) + k),
                  1e-6 * largest);
  }
}

static void check_zero(trial *t) {
  deer_program_run(t->program);
  for (int i = 0; i < t->n - 1; i++)
    for (size_t k = 0; k < count_of(t, t->x[i]); k++)
      expect_near(t, "stopped gradient", k, data_of(t, t->first[i])[k], 0, 0);
}

/* ops met in an example that passed */
static bool proved[256];

static bool text_has_op(const deer_graph *g, const char *op) {
  char wanted[64];
  snprintf(wanted, sizeof wanted, "= %s(", op);
  char *text = deer_graph_text(g);
  assert_non_null(text);
  const bool found = strstr(text, wanted) != NULL;
  deer_free(text);
  return found;
}

static void prove(const deer_graph *g, const char *op) {
  if (!text_has_op(g, op)) fail_msg("the example of %s does not use it", op);
  for (int i = 0; deer_op_at(i); i++)
    if (strcmp(deer_op_at(i)->name, op) == 0) proved[i] = true;
}

static void try_example(const example *e) {
  trial t = {.e = e, .n_in = (int)strlen(e->kinds), .g = deer_graph_new()};
  assert_non_null(t.g);
  build_first(&t);
  build_second(&t);
  compile(&t);
  fill(&t);
  deer_program_run(t.program);
  check_forward(&t);
  check_gradient(&t, "gradient", t.loss, t.first);
  check_gradient(&t, "second gradient", t.h, t.second);
  if (e->constant || e->stopped) check_zero(&t);
  prove(t.g, e->op);
  deer_program_free(t.program);
  deer_graph_free(t.g);
}

static void examples_hold(void **state) {
  (void)state;
  for (int i = 0; i < N_EXAMPLES; i++) try_example(&examples[i]);
}

/* ---- what lies outside of the examples ---- */

static void gamma_functions_at_their_ends(void **state) {
  (void)state;
  deer_real x[6] = {0, -1, 1e-30, 1e30, INFINITY, NAN};
  deer_graph *g = deer_graph_new();
  deer_node v = deer_variable(g, "x", x, 6);
  deer_node out[3] = {deer_lgamma(g, v), deer_polygamma(g, v, 0), deer_polygamma(g, v, 1)};
  deer_program *program;
  assert_int_equal(deer_compile(g, out, 3, &program), DEER_OK);
  deer_program_run(program);
  const deer_real *l = deer_program_data(program, out[0]), *d = deer_program_data(program, out[1]);
  const deer_real *t = deer_program_data(program, out[2]);
  assert_true(l[0] == INFINITY && isnan(l[1]) && l[4] == INFINITY && isnan(l[5]));
  assert_true(fabs(l[2] - log(1e30)) < 1e-12 && fabs(l[3] / (1e30 * (log(1e30) - 1)) - 1) < 1e-14);
  assert_true(isnan(d[0]) && isnan(d[1]) && d[4] == INFINITY && isnan(d[5]));
  assert_true(fabs(d[2] / -1e30 - 1) < 1e-14 && fabs(d[3] - log(1e30)) < 1e-12);
  assert_true(fabs(t[2] / 1e60 - 1) < 1e-14 && fabs(t[3] / 1e-30 - 1) < 1e-14 && t[4] == 0);
  deer_program_free(program);
  deer_graph_free(g);
}

/* ---- assign has no result to differentiate, so it has a test of its own ---- */

static void assign_stores_at_the_end(void **state) {
  (void)state;
  deer_real x[3] = {1, 2, 3}, y[3] = {10, 20, 30};
  deer_graph *g = deer_graph_new();
  deer_node a = deer_variable(g, "a", x, 3), b = deer_variable(g, "b", y, 3);
  deer_node sum = deer_add(g, a, b);
  /* both read the values from before the run, although a is assigned first */
  deer_node out[] = {deer_assign(g, a, deer_scale(g, a, 2)), deer_assign(g, b, sum), sum};
  deer_program *program;
  assert_int_equal(deer_compile(g, out, 3, &program), DEER_OK);
  deer_program_run(program);
  for (int i = 0; i < 3; i++) {
    assert_true(x[i] == 2 * (i + 1));
    assert_true(y[i] == 11 * (i + 1));
    assert_true(((deer_real *)deer_program_data(program, sum))[i] == 11 * (i + 1));
  }
  prove(g, "assign");
  deer_program_free(program);
  deer_graph_free(g);
}

/* ---- random ops give other values at each run, so they too have a test of their own ---- */

static void random_ops_draw_from_their_stream(void **state) {
  (void)state;
  deer_rng stream = deer_rng_seed(9), copy = stream;
  deer_real scale = 2;
  deer_graph *g = deer_graph_new();
  deer_node factor = deer_variable(g, "factor", &scale, 1);
  deer_node out[] = {deer_random_uniform(g, &stream, DEER_SHAPE(2, 3)),
                     deer_random_normal(g, &stream, DEER_SHAPE(2, 3)),
                     deer_random_gumbel(g, &stream, DEER_SHAPE(2, 3)), DEER_NONE};
  deer_node wide = deer_expand(g, factor, DEER_SHAPE(1, 1), DEER_AXIS(0));
  wide = deer_expand(g, deer_reshape(g, wide, DEER_SCALAR), DEER_SHAPE(2, 3), 0);
  deer_node loss = deer_sum(g, deer_mul(g, wide, out[1]), DEER_ALL_AXES);
  assert_int_equal(deer_gradients(g, loss, &factor, 1, &out[3]), DEER_OK);
  deer_program *program;
  assert_int_equal(deer_compile(g, out, 4, &program), DEER_OK);
  void (*const fills[])(deer_rng *, deer_real *, size_t) = {deer_fill_uniform, deer_fill_normal,
                                                            deer_fill_gumbel};
  for (int run = 0; run < 2; run++) {
    deer_program_run(program);
    deer_real wanted[6], sum = 0;
    for (int i = 0; i < 3; i++) {
      fills[i](&copy, wanted, 6);
      assert_memory_equal(deer_program_data(program, out[i]), wanted, sizeof wanted);
      for (int k = 0; i == 1 && k < 6; k++) sum += wanted[k];
    }
    /* the gradient is taken through the very numbers of this run */
    assert_true(fabs(*(deer_real *)deer_program_data(program, out[3]) - sum) < 1e-14);
  }
  for (int i = 0; i < 3; i++) {
    static const char *const names[] = {"random_uniform", "random_normal", "random_gumbel"};
    prove(g, names[i]);
  }
  deer_program_free(program);
  deer_graph_free(g);
}

/* the means and variances of the gamma distribution are its shape */
static void gamma_draws_have_their_moments(void **state) {
  (void)state;
  enum { N = 40000 };
  static deer_real wanted[N];
  const double shapes[] = {0.05, 0.5, 1, 2.5, 30};
  for (int i = 0; i < 5; i++) {
    deer_rng stream = deer_rng_seed(3), copy = stream;
    deer_graph *g = deer_graph_new();
    deer_node shape = deer_constant(g, DEER_SHAPE(N), shapes[i]);
    deer_node y = deer_random_gamma(g, &stream, shape);
    deer_program *program;
    assert_int_equal(deer_compile(g, &y, 1, &program), DEER_OK);
    deer_program_run(program);
    const deer_real *draws = deer_program_data(program, y);
    for (int k = 0; k < N; k++) wanted[k] = shapes[i];
    deer_fill_gamma(&copy, wanted, wanted, N);
    assert_memory_equal(draws, wanted, sizeof wanted);
    double mean = 0, variance = 0;
    for (int k = 0; k < N; k++) assert_true(draws[k] > 0), mean += draws[k] / N;
    for (int k = 0; k < N; k++) variance += (draws[k] - mean) * (draws[k] - mean) / N;
    /* four standard deviations of each; the fourth moment is 3 shape^2 + 6 shape */
    assert_true(fabs(mean - shapes[i]) < 4 * sqrt(shapes[i] / N));
    assert_true(fabs(variance - shapes[i]) < 4 * sqrt((2 * shapes[i] + 6) * shapes[i] / N));
    prove(g, "random_gamma");
    deer_program_free(program);
    deer_graph_free(g);
  }
  deer_rng stream = deer_rng_seed(1);
  deer_real odd[4] = {0, -1, NAN, INFINITY};
  deer_fill_gamma(&stream, odd, odd, 4);
  for (int i = 0; i < 4; i++) assert_true(isnan(odd[i]));
}

static void every_op_has_an_example(void **state) {
  (void)state;
  int missing = 0;
  for (int i = 0; deer_op_at(i); i++) {
    if (proved[i]) continue;
    print_error("op %s has no line in tests/conform/ops_cases.h\n", deer_op_at(i)->name);
    missing++;
  }
  assert_int_equal(missing, 0);
}

/* ---- where there are two derivatives, the documented one is taken ---- */

/* gradient of sum(build(a, b)) to a and b in g[0] and g[1] */
static void gradients_at(deer_node (*build)(deer_graph *, const deer_node *, const example *),
                         const example *e, double a, double b, double *gradient) {
  deer_graph *g = deer_graph_new();
  deer_real values[2] = {a, b};
  deer_node v[2] = {deer_variable(g, "a", values, 1), deer_variable(g, "b", values + 1, 1)};
  deer_node out[2], loss = deer_sum(g, build(g, v, e), DEER_ALL_AXES);
  deer_program *program;
  assert_int_equal(deer_gradients(g, loss, v, 2, out), DEER_OK);
  assert_int_equal(deer_compile(g, out, 2, &program), DEER_OK);
  deer_program_run(program);
  for (int i = 0; i < 2; i++) gradient[i] = *(deer_real *)deer_program_data(program, out[i]);
  deer_program_free(program);
  deer_graph_free(g);
}

static void kinks_are_as_documented(void **state) {
  (void)state;
  const example bounds = {.s = {-1, 1}}, huber_1 = {.s = {1}};
  double d[2];
  gradients_at(build_min, &bounds, 3, 3, d);
  assert_true(d[0] == 1 && d[1] == 0);
  gradients_at(build_max, &bounds, 3, 3, d);
  assert_true(d[0] == 1 && d[1] == 0);
  gradients_at(build_relu, &bounds, 0, 0, d);
  assert_true(d[0] == 0);
  gradients_at(build_abs, &bounds, 0, 0, d);
  assert_true(d[0] == 0);
  gradients_at(build_clip, &bounds, 1, 0, d);
  assert_true(d[0] == 1);
  gradients_at(build_clip, &bounds, 1.5, 0, d);
  assert_true(d[0] == 0);
  gradients_at(build_leaky_relu, &huber_1, 0, 0, d);
  assert_true(d[0] == 1);
  gradients_at(build_pow, &bounds, -2, 3, d);
  assert_true(d[0] == 12 && d[1] == 0);
  gradients_at(build_pow, &bounds, 0, 1, d);
  assert_true(d[0] == 1 && d[1] == 0);
  gradients_at(build_huber, &huber_1, 1, 0, d);
  assert_true(d[0] == 1);
  gradients_at(build_huber, &huber_1, -40, 0, d);
  assert_true(d[0] == -1);
}

/* no exception, no endless loop: numbers that are none */
static void what_has_no_inverse_is_not_a_number(void **state) {
  (void)state;
  const deer_real matrices[][4] = {
      {1, 2, 2, 1}, {0, 0, 0, 0}, {-1, 0, 0, 1}, {NAN, 0, 0, 1}, {1, 0, 0, INFINITY}};
  deer_graph *g = deer_graph_new();
  deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(2, 2)), y = deer_spd_inverse(g, x);
  deer_program *program;
  assert_int_equal(deer_compile(g, &y, 1, &program), DEER_OK);
  for (size_t i = 0; i < sizeof matrices / sizeof *matrices; i++) {
    memcpy(deer_program_data(program, x), matrices[i], sizeof matrices[i]);
    deer_program_run(program);
    for (int k = 0; k < 4; k++) assert_true(isnan(((deer_real *)deer_program_data(program, y))[k]));
  }
  deer_program_free(program);
  deer_graph_free(g);
}

/* a gradient of 6 x is scaled, and clipped, on its way to x; values stay */
static void gradients_are_changed_on_the_way(void **state) {
  (void)state;
  deer_graph *g = deer_graph_new();
  deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(3)), out[4];
  out[0] = deer_scale(g, deer_square(g, deer_scale_gradient(g, x, -0.5)), 3);
  out[1] = deer_scale(g, deer_square(g, deer_clip_gradient(g, x, 9)), 3);
  for (int i = 0; i < 2; i++)
    deer_gradients(g, deer_sum(g, out[i], DEER_ALL_AXES), &x, 1, &out[2 + i]);
  deer_program *program;
  assert_int_equal(deer_compile(g, out, 4, &program), DEER_OK);
  memcpy(deer_program_data(program, x), (deer_real[]){-2, 1, 2}, 3 * sizeof(deer_real));
  deer_program_run(program);
  const deer_real wanted[4][3] = {{12, 3, 12}, {12, 3, 12}, {6, -3, -6}, {-9, 6, 9}};
  for (int i = 0; i < 4; i++)
    assert_memory_equal(deer_program_data(program, out[i]), wanted[i], sizeof wanted[i]);
  deer_program_free(program);
  deer_graph_free(g);
}

static void running_statistics_follow(void **state) {
  (void)state;
  deer_graph *g = deer_graph_new();
  deer_real mean[2] = {1, -1}, variance[2] = {4, 9};
  deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(3, 2));
  deer_batch_norm_spec spec = {.epsilon = 1e-3, .rate = 0.25};
  spec.mean = deer_variable(g, "mean", mean, 2);
  spec.variance = deer_variable(g, "variance", variance, 2);
  deer_node next[2], y = deer_batch_norm(g, x, &spec, &next[0], &next[1]);
  deer_node out[] = {y, deer_assign(g, spec.mean, next[0]), deer_assign(g, spec.variance, next[1])};
  deer_program *program;
  assert_int_equal(deer_compile(g, out, 3, &program), DEER_OK);
  memcpy(deer_program_data(program, x), (deer_real[]){0, 2, 3, 2, 6, 2}, 6 * sizeof(deer_real));
  deer_program_run(program);
  /* means 3 and 2, unbiased variances 9 and 0 */
  assert_true(mean[0] == 1.5 && mean[1] == -0.25);
  assert_true(fabs(variance[0] - 5.25) < 1e-14 && variance[1] == 6.75);
  deer_program_free(program);
  deer_graph_free(g);
}

/* along the rows, the columns, and in windows */
static void ties_go_to_the_first(void **state) {
  (void)state;
  const deer_real values[8] = {1, 5, 5, 2, 3, 5, 3, 2};
  static const deer_real wanted[5][8] = {{0, 1, 0, 0, 0, 1, 0, 0},
                                         {0, 1, 1, 1, 1, 0, 0, 0},
                                         {1, 0, 0, 0, 0, 0, 0, 1},
                                         {1, 1, 0, 1, 0, 0, 1, 0},
                                         {0, 1, 1, 0, 0, 0, 0, 0}};
  deer_graph *g = deer_graph_new();
  deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(2, 4));
  deer_node y[5] = {deer_max_axis(g, x, 1), deer_max_axis(g, x, 0), deer_min_axis(g, x, 1),
                    deer_min_axis(g, x, 0)};
  y[4] = deer_maxpool2d(g, deer_reshape(g, x, DEER_SHAPE(1, 1, 2, 4)), 2, 2,
                        (deer_window){2, 2, 0, 0});
  deer_node gradient[5];
  for (int i = 0; i < 5; i++)
    deer_gradients(g, deer_sum(g, y[i], DEER_ALL_AXES), &x, 1, &gradient[i]);
  deer_program *program;
  assert_int_equal(deer_compile(g, gradient, 5, &program), DEER_OK);
  memcpy(deer_program_data(program, x), values, sizeof values);
  deer_program_run(program);
  for (int i = 0; i < 5; i++)
    assert_memory_equal(deer_program_data(program, gradient[i]), wanted[i], sizeof wanted[i]);
  deer_program_free(program);
  deer_graph_free(g);
}

/* ---- mistakes ---- */

static void mistakes_are_named(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
    const mistake *m = &mistakes[i];
    deer_graph *g = deer_graph_new();
    const inputs in = make_inputs(g);
    deer_node wrong = m->build(g, &in);
    const deer_status status = deer_graph_status(g);
    if (wrong.id != 0 || (status != DEER_ESHAPE && status != DEER_EINVAL))
      fail_msg("mistake %zu in %s...): status %d", i, m->op, (int)status);
    const char *parts[] = {m->what, m->op, m->input};
    for (int k = 0; k < 3; k++)
      if (!strstr(deer_error(), parts[k]))
        fail_msg("mistake %zu: no \"%s\" in \"%s\"", i, parts[k], deer_error());

    /* nothing later crashes or hides the first message */
    deer_node later = deer_relu(g, deer_add(g, wrong, in.a)), gradient;
    assert_int_equal(later.id, 0);
    assert_int_equal(deer_gradients(g, later, &in.a, 1, &gradient), status);
    deer_program *program;
    assert_int_equal(deer_compile(g, &later, 1, &program), status);
    assert_non_null(strstr(deer_error(), m->op));
    assert_null(program);
    deer_graph_free(g);
  }
}

int main(void) {
  deer_blas_start();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(examples_hold),
      cmocka_unit_test(assign_stores_at_the_end),
      cmocka_unit_test(random_ops_draw_from_their_stream),
      cmocka_unit_test(gamma_draws_have_their_moments),
      cmocka_unit_test(gamma_functions_at_their_ends),
      cmocka_unit_test(gradients_are_changed_on_the_way),
      cmocka_unit_test(running_statistics_follow),
      cmocka_unit_test(every_op_has_an_example),
      cmocka_unit_test(kinks_are_as_documented),
      cmocka_unit_test(what_has_no_inverse_is_not_a_number),
      cmocka_unit_test(ties_go_to_the_first),
      cmocka_unit_test(mistakes_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
