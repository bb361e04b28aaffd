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

/* ---- mistakes: a status, and a message that names the op and its inputs ---- */

/* inputs every mistake may use */
typedef struct inputs {
  deer_node a, b, vector, scalar, picture, filters, index, bytes;
} inputs;

typedef struct mistake {
  const char *what, *op, *input; /* parts of the message */
  deer_node (*build)(deer_graph *g, const inputs *in);
} mistake;

#define WRONG(name, expression)                                                                    \
  static deer_node wrong_##name(deer_graph *g, const inputs *in) { return expression; }

WRONG(add, deer_add(g, in->a, in->b))
WRONG(add_rank, deer_add(g, in->a, in->vector))
WRONG(where, deer_where(g, in->a, in->a, in->b))
WRONG(mul_dtype, deer_mul(g, in->index, in->index))
WRONG(exp_dtype, deer_exp(g, in->bytes))
WRONG(scale, deer_scale(g, in->a, NAN))
WRONG(scale_dtype, deer_scale(g, in->index, 2))
WRONG(shift, deer_shift(g, in->a, INFINITY))
WRONG(clip, deer_clip(g, in->a, 2, 1))
WRONG(clip_nan, deer_clip(g, in->a, NAN, 1))
WRONG(leaky_relu, deer_leaky_relu(g, in->a, INFINITY))
WRONG(elu, deer_elu(g, in->a, NAN))
WRONG(elu_dtype, deer_elu(g, in->index, 1))
WRONG(pow, deer_pow(g, in->a, in->b))
WRONG(equal, deer_equal(g, in->a, in->vector))
WRONG(scale_gradient, deer_scale_gradient(g, in->a, NAN))
WRONG(clip_gradient, deer_clip_gradient(g, in->a, -1))
WRONG(layer_norm, deer_layer_norm(g, in->a, DEER_NONE, DEER_NONE, 0))
WRONG(layer_norm_gain,
      deer_layer_norm(g, in->b, deer_reshape(g, in->scalar, DEER_SHAPE(1)), in->vector, 1))
WRONG(layer_norm_rank, deer_layer_norm(g, in->scalar, DEER_NONE, DEER_NONE, 1))
WRONG(batch_norm_rank,
      deer_batch_norm(g, in->vector, &(deer_batch_norm_spec){.epsilon = 1}, NULL, NULL))
WRONG(batch_norm_rate,
      deer_batch_norm(g, in->a, &(deer_batch_norm_spec){.epsilon = 1, .rate = 2}, NULL, NULL))
WRONG(huber, deer_huber(g, in->a, 0))
WRONG(cast, deer_cast(g, in->a))
WRONG(matmul, deer_matmul(g, in->a, in->b, false, false))
WRONG(matmul_t, deer_matmul(g, in->a, in->b, true, true))
WRONG(matmul_rank, deer_matmul(g, in->a, in->vector, false, false))
WRONG(matmul_dtype, deer_matmul(g, in->a, in->index, false, false))
WRONG(matmul_mixed, deer_matmul(g, deer_reshape(g, in->a, DEER_SHAPE(1, 2, 3)), in->b, false, true))
WRONG(matmul_batch, deer_matmul(g, deer_reshape(g, in->a, DEER_SHAPE(2, 1, 3)),
                                deer_reshape(g, in->b, DEER_SHAPE(4, 3, 1)), false, false))
WRONG(matmul_inner, deer_matmul(g, deer_reshape(g, in->a, DEER_SHAPE(2, 3, 1)),
                                deer_reshape(g, in->b, DEER_SHAPE(2, 3, 2)), false, false))
#define ONE ((deer_window){1, 1, 0, 0})
WRONG(conv_rank, deer_conv2d(g, in->a, in->filters, ONE))
WRONG(conv_channels,
      deer_conv2d(g, in->picture, deer_reshape(g, in->filters, DEER_SHAPE(6, 2, 2, 2)), ONE))
WRONG(conv_large, deer_conv2d(g, in->filters, in->picture, ONE))
WRONG(conv_most, deer_conv2d(g, deer_expand(g, in->scalar, DEER_SHAPE(1, 1, 5000, 5000), 0),
                             deer_constant(g, DEER_SHAPE(1, 1, 5000, 5000), 0), ONE))
WRONG(conv_stride, deer_conv2d(g, in->picture, in->filters, (deer_window){0, 1, 0, 0}))
WRONG(conv_pad, deer_conv2d(g, in->picture, in->filters, (deer_window){1, 1, 0, -1}))
WRONG(conv_far, deer_conv2d(g, in->picture, in->filters, (deer_window){1, 1, 1 << 24, 1 << 24}))
WRONG(conv_farther, deer_conv2d(g, in->picture, in->filters, (deer_window){1, 1, INT32_MAX, 0}))
WRONG(conv_dtype,
      deer_conv2d(g, deer_input(g, "x", DEER_DTYPE_I32, DEER_SHAPE(2, 3, 6, 5)), in->filters, ONE))
WRONG(conv_bytes, deer_conv2d(g, in->picture,
                              deer_input(g, "bytes", DEER_DTYPE_U8, DEER_SHAPE(4, 3, 2, 2)), ONE))
WRONG(conv1d_rank, deer_conv1d(g, in->a, in->filters, 1, 0))
WRONG(transpose_rank, deer_conv2d_transpose(g, in->a, in->filters, ONE))
WRONG(transpose_filters, deer_conv2d_transpose(g, in->picture, in->filters, ONE))
WRONG(transpose_pad, deer_conv2d_transpose(g, in->picture, in->filters, (deer_window){1, 1, 9, 0}))
WRONG(transpose_stride,
      deer_conv2d_transpose(g, deer_slice(g, in->picture, 1, 0, 3),
                            deer_slice(g, in->filters, 0, 0, 3), (deer_window){-1, 1, 0, 0}))
WRONG(conv_bias,
      deer_graph_add(g, &deer_op_conv2d, (deer_node[]){in->picture, in->filters, in->vector}, 3,
                     &(deer_attr){.number = {1, 1}, .mask = DEER_CONV_BIAS}))
WRONG(conv_gate,
      deer_graph_add(g, &deer_op_conv2d, (deer_node[]){in->picture, in->filters, in->picture}, 3,
                     &(deer_attr){.number = {1, 1}, .mask = DEER_CONV_GATE}))
WRONG(conv_few, deer_graph_add(g, &deer_op_conv2d, &in->picture, 1, NULL))
WRONG(conv_many,
      deer_graph_add(g, &deer_op_conv2d, (deer_node[]){in->picture, in->filters, in->vector}, 3,
                     &(deer_attr){.number = {1, 1}}))
WRONG(pool_rank, deer_maxpool2d(g, in->a, 2, 2, ONE))
WRONG(pool_large, deer_maxpool2d(g, in->picture, 7, 2, ONE))
WRONG(pool_zero, deer_maxpool2d(g, in->picture, 2, 0, ONE))
WRONG(pool_stride, deer_maxpool2d(g, in->picture, 2, 2, (deer_window){1, 0, 0, 0}))
WRONG(pool_pad, deer_avgpool2d(g, in->picture, 2, 3, (deer_window){1, 1, 2, 0}))
WRONG(pool_dtype, deer_avgpool2d(g, in->bytes, 2, 3, ONE))
WRONG(sum_axis, deer_sum(g, in->a, DEER_AXIS(2)))
WRONG(sum_dtype, deer_sum(g, in->index, 1))
WRONG(mean_axis, deer_mean(g, in->scalar, DEER_AXIS(0)))
WRONG(expand_axis, deer_expand(g, in->vector, DEER_SHAPE(2, 3), DEER_AXIS(2)))
WRONG(expand_dim, deer_expand(g, in->vector, DEER_SHAPE(2, 4), DEER_AXIS(1)))
WRONG(expand_few, deer_expand(g, in->a, DEER_SHAPE(2, 3), DEER_AXIS(0)))
WRONG(expand_many, deer_expand(g, in->vector, DEER_SHAPE(3, 3), 3))
WRONG(expand_zero, deer_expand(g, in->scalar, DEER_SHAPE(0), 0))
WRONG(expand_huge, deer_expand(g, in->scalar, DEER_SHAPE(65536, 65536), 0))
WRONG(max_scalar, deer_max_last(g, in->scalar))
WRONG(max_dtype, deer_max_last(g, in->index))
WRONG(argmax_scalar, deer_argmax_last(g, in->scalar))
WRONG(min_scalar, deer_min_last(g, in->scalar))
WRONG(max_axis, deer_max_axis(g, in->a, 2))
WRONG(min_axis, deer_min_axis(g, in->a, -1))
WRONG(argmax_axis, deer_argmax(g, in->scalar, 0))
WRONG(argmin_axis, deer_argmin(g, in->a, 3))
WRONG(softmax_axis, deer_softmax(g, in->a, 2))
WRONG(softmax_dtype, deer_softmax(g, in->index, 0))
WRONG(log_softmax_axis, deer_log_softmax(g, in->scalar, 0))
WRONG(logsumexp_axis, deer_logsumexp(g, in->a, -2))
WRONG(logsumexp_dtype, deer_logsumexp(g, in->index, 1))
WRONG(cumsum_axis, deer_cumsum(g, in->a, 2, false))
WRONG(cumsum_dtype, deer_cumsum(g, in->index, 0, true))
WRONG(var_axis, deer_var(g, in->a, DEER_AXIS(2)))
WRONG(std_dtype, deer_std(g, in->index, 1))
WRONG(one_hot_dtype, deer_one_hot(g, in->a, 3))
WRONG(one_hot_zero, deer_one_hot(g, in->index, 0))
WRONG(rows_dtype, deer_rows(g, in->a, in->a))
WRONG(rows_table, deer_rows(g, in->scalar, in->index))
WRONG(rows_axes, deer_rows(g, deer_reshape(g, in->b, DEER_SHAPE(4, 3, 1, 1, 1, 1)), in->index))
WRONG(put_rows_shape, deer_put_rows(g, in->b, in->index, 4))
WRONG(put_rows_dtype, deer_put_rows(g, in->index, in->index, 4))
WRONG(put_rows_zero, deer_put_rows(g, deer_reshape(g, in->a, DEER_SHAPE(2, 1, 3)), in->index, 0))
WRONG(stack_none, deer_stack(g, &in->a, 0, 0))
WRONG(stack_axis, deer_stack(g, &in->a, 1, 3))
WRONG(stack_shape, deer_stack(g, (deer_node[]){in->a, in->b}, 2, 0))
WRONG(take_dtype, deer_take(g, in->a, in->a))
WRONG(take_rows, deer_take(g, in->b, in->index))
WRONG(take_rank, deer_take(g, in->vector, in->index))
WRONG(take_scalar, deer_take(g, in->scalar, in->index))
WRONG(put_shape, deer_put(g, in->a, in->index, 4))
WRONG(put_length, deer_put(g, deer_take(g, in->a, in->index), in->index, 0))
WRONG(gather, deer_gather(g, in->a, in->index))
WRONG(reshape, deer_reshape(g, in->a, DEER_SHAPE(7)))
WRONG(axes, deer_transpose(g, in->a, (int[]){0, 0}))
WRONG(axes_range, deer_transpose(g, in->a, (int[]){0, 2}))
WRONG(axes_negative, deer_transpose(g, in->a, (int[]){-1, 0}))
WRONG(concat_none, deer_concat(g, &in->a, 0, 0))
WRONG(concat_dim, deer_concat(g, (deer_node[]){in->a, in->b}, 2, 1))
WRONG(concat_rank, deer_concat(g, (deer_node[]){in->a, in->vector}, 2, 0))
WRONG(concat_dtype, deer_concat(g, (deer_node[]){in->a, in->index}, 2, 1))
WRONG(concat_axis, deer_concat(g, (deer_node[]){in->a, in->a}, 2, 2))
WRONG(concat_scalar, deer_concat(g, (deer_node[]){in->scalar, in->scalar}, 2, 0))
WRONG(slice_axis, deer_slice(g, in->a, -1, 0, 1))
WRONG(slice_start, deer_slice(g, in->a, 1, -1, 2))
WRONG(slice_end, deer_slice(g, in->a, 1, 2, 2))
WRONG(slice_length, deer_slice(g, in->a, 1, 1, 0))
WRONG(slice_far, deer_slice(g, in->a, 1, INT32_MAX, INT32_MAX))
WRONG(pad_axis, deer_pad(g, in->a, 2, 0, 4))
WRONG(pad_short, deer_pad(g, in->a, 1, 0, 2))
WRONG(pad_start, deer_pad(g, in->a, 1, 2, 4))
WRONG(pad_least, deer_pad(g, in->a, 1, 0, INT32_MIN))
WRONG(view_end, deer_view(g, in->vector, 1, DEER_SHAPE(3)))
WRONG(view_start, deer_view(g, in->vector, -1, DEER_SHAPE(1)))
WRONG(view_rank, deer_view(g, in->a, 0, DEER_SHAPE(3)))
WRONG(pack_end, deer_pack(g, &in->a, (int[]){3}, 1, 8))
WRONG(pack_dtype, deer_pack(g, &in->index, (int[]){0}, 1, 8))
WRONG(assign, deer_assign(g, in->a, in->a))

static const mistake mistakes[] = {
    {"differ", "add(", "b [4, 3]", wrong_add},
    {"differ", "add(", "vector [3]", wrong_add_rank},
    {"differ", "where(", "b [4, 3]", wrong_where},
    {"int32", "mul(", "index [2, 1]", wrong_mul_dtype},
    {"uint8", "exp(", "bytes [3]", wrong_exp_dtype},
    {"finite", "scale(", "a [2, 3]", wrong_scale},
    {"int32", "scale(", "index", wrong_scale_dtype},
    {"finite", "shift(", "a [2, 3]", wrong_shift},
    {"low 2", "clip(", "a [2, 3]", wrong_clip},
    {"nan", "clip(", "a [2, 3]", wrong_clip_nan},
    {"finite", "leaky_relu(", "a [2, 3]", wrong_leaky_relu},
    {"finite", "elu(", "a [2, 3]", wrong_elu},
    {"int32", "elu(", "index", wrong_elu_dtype},
    {"differ", "pow(", "b [4, 3]", wrong_pow},
    {"differ", "equal(", "vector [3]", wrong_equal},
    {"finite", "scale_gradient(", "a [2, 3]", wrong_scale_gradient},
    {"-1", "clip_gradient(", "a [2, 3]", wrong_clip_gradient},
    {"epsilon", "layer_norm", "0", wrong_layer_norm},
    {"axis 1", "expand(", "[1]", wrong_layer_norm_gain},
    {"scalar", "layer_norm", "axis", wrong_layer_norm_rank},
    {"[batch", "batch_norm", "1 axes", wrong_batch_norm_rank},
    {"rate", "batch_norm", "2", wrong_batch_norm_rate},
    {"threshold", "huber", "0", wrong_huber},
    {"uint8 or int32", "cast(", "a [2, 3]", wrong_cast},
    {"3 columns", "matmul(", "b [4, 3]", wrong_matmul},
    {"transposed", "matmul(", "b [4, 3]", wrong_matmul_t},
    {"matrix", "matmul(", "vector [3]", wrong_matmul_rank},
    {"int32", "matmul(", "index", wrong_matmul_dtype},
    {"batch of matrices", "matmul(", "[1, 2, 3]", wrong_matmul_mixed},
    {"2 matrices", "matmul(", "[4, 3, 1]", wrong_matmul_batch},
    {"1 columns", "matmul(", "[2, 3, 2]", wrong_matmul_inner},
    {"[batch", "conv2d(", "a [2, 3]", wrong_conv_rank},
    {"2 channels", "conv2d(", "picture [2, 3, 6, 5]", wrong_conv_channels},
    {"do not fit into", "conv2d(", "picture [2, 3, 6, 5]", wrong_conv_large},
    {"more than 16777216", "conv2d(", "expand", wrong_conv_most},
    {"0 and 1", "conv2d(", "picture", wrong_conv_stride},
    {"0 and -1", "conv2d(", "picture", wrong_conv_pad},
    {"padded picture", "conv2d(", "picture", wrong_conv_far},
    {"2147483647 and 0", "conv2d(", "picture", wrong_conv_farther},
    {"input 1 must be", "conv2d(", "x [2, 3, 6, 5]", wrong_conv_dtype},
    {"input 2 must be", "conv2d(", "bytes [4, 3, 2, 2]", wrong_conv_bytes},
    {"[batch", "conv2d(", "a [2, 3]", wrong_conv1d_rank},
    {"[batch", "conv2d_transpose", "filters", wrong_transpose_rank},
    {"input 2 must be", "conv2d_input(", "picture", wrong_transpose_filters},
    {"-11 by 6", "conv2d_transpose", "-11", wrong_transpose_pad},
    {"would be", "conv2d_transpose", "-3", wrong_transpose_stride},
    {"4 elements", "conv2d(", "vector [3]", wrong_conv_bias},
    {"shape of the result", "conv2d(", "filters", wrong_conv_gate},
    {"expected 2 inputs", "conv2d(", "picture", wrong_conv_few},
    {"expected 2 inputs", "conv2d(", "vector [3]", wrong_conv_many},
    {"[batch", "maxpool2d(", "a [2, 3]", wrong_pool_rank},
    {"7 by 2", "maxpool2d(", "picture", wrong_pool_large},
    {"2 by 0", "maxpool2d(", "picture", wrong_pool_zero},
    {"1 and 0", "maxpool2d(", "picture", wrong_pool_stride},
    {"2 and 0 is not smaller", "sumpool2d(", "picture", wrong_pool_pad},
    {"must be", "sumpool2d(", "bytes", wrong_pool_dtype},
    {"axis", "sum(", "a [2, 3]", wrong_sum_axis},
    {"int32", "sum(", "index", wrong_sum_dtype},
    {"axis", "sum(", "scalar []", wrong_mean_axis},
    {"mask", "expand(", "vector [3]", wrong_expand_axis},
    {"axis 1 of [2, 4]", "expand(", "vector [3]", wrong_expand_dim},
    {"axes", "expand(", "a [2, 3]", wrong_expand_few},
    {"axis 1", "expand(", "vector [3]", wrong_expand_many},
    {"at least 1", "expand(", "scalar", wrong_expand_zero},
    {"elements", "expand(", "scalar", wrong_expand_huge},
    {"scalar", "max_last(", "scalar []", wrong_max_scalar},
    {"int32", "max_last(", "index", wrong_max_dtype},
    {"scalar", "argmax_last(", "scalar []", wrong_argmax_scalar},
    {"scalar", "min_last(", "scalar []", wrong_min_scalar},
    {"axis 2", "max_axis", "2 axes", wrong_max_axis},
    {"axis -1", "min_axis", "2 axes", wrong_min_axis},
    {"axis 0", "argmax", "0 axes", wrong_argmax_axis},
    {"axis 3", "argmin", "2 axes", wrong_argmin_axis},
    {"axis 2", "softmax", "2 axes", wrong_softmax_axis},
    {"int32", "softmax(", "transpose", wrong_softmax_dtype},
    {"axis 0", "log_softmax", "0 axes", wrong_log_softmax_axis},
    {"axis -2", "logsumexp", "2 axes", wrong_logsumexp_axis},
    {"int32", "logsumexp(", "index [2, 1]", wrong_logsumexp_dtype},
    {"0 to 1", "cumsum(", "a [2, 3]", wrong_cumsum_axis},
    {"int32", "cumsum(", "index [2, 1]", wrong_cumsum_dtype},
    {"axis", "sum(", "a [2, 3]", wrong_var_axis},
    {"int32", "sum(", "index [2, 1]", wrong_std_dtype},
    {"int32", "put(", "[2, 3, 1]", wrong_one_hot_dtype},
    {"at least 1", "put(", "[2, 1, 1]", wrong_one_hot_zero},
    {"int32", "rows(", "a [2, 3]", wrong_rows_dtype},
    {"scalar", "rows(", "scalar []", wrong_rows_table},
    {"7 axes", "rows(", "index [2, 1]", wrong_rows_axes},
    {"begin", "put_rows(", "b [4, 3]", wrong_put_rows_shape},
    {"float", "put_rows(", "index [2, 1]", wrong_put_rows_dtype},
    {"at least 1", "put_rows(", "[2, 1, 3]", wrong_put_rows_zero},
    {"parts", "stack", "0", wrong_stack_none},
    {"axis 3", "stack", "2 axes", wrong_stack_axis},
    {"axis 1", "concat(", "[1, 4, 3]", wrong_stack_shape},
    {"must be int32", "take(", "a [2, 3]", wrong_take_dtype},
    {"axis 0", "take(", "b [4, 3]", wrong_take_rows},
    {"axes", "take(", "vector [3]", wrong_take_rank},
    {"scalar", "take(", "scalar []", wrong_take_scalar},
    {"index", "put(", "index [2, 1]", wrong_put_shape},
    {"at least 1", "put(", "index [2, 1]", wrong_put_length},
    {"axes", "take(", "a [2, 3]", wrong_gather},
    {"[7]", "reshape(", "a [2, 3]", wrong_reshape},
    {"twice", "transpose(", "a [2, 3]", wrong_axes},
    {"0 to 1", "transpose(", "a [2, 3]", wrong_axes_range},
    {"got -1", "transpose(", "a [2, 3]", wrong_axes_negative},
    {"part", "concat", "0", wrong_concat_none},
    {"axis 0", "concat(", "b [4, 3]", wrong_concat_dim},
    {"axes", "concat(", "vector [3]", wrong_concat_rank},
    {"int32", "concat(", "index", wrong_concat_dtype},
    {"0 to 1", "concat(", "a [2, 3]", wrong_concat_axis},
    {"scalar", "concat(", "scalar []", wrong_concat_scalar},
    {"-1", "slice(", "a [2, 3]", wrong_slice_axis},
    {"2 from -1", "slice(", "a [2, 3]", wrong_slice_start},
    {"2 from 2", "slice(", "a [2, 3]", wrong_slice_end},
    {"0 from 1", "slice(", "a [2, 3]", wrong_slice_length},
    {"inside", "slice(", "a [2, 3]", wrong_slice_far},
    {"0 to 1", "pad(", "a [2, 3]", wrong_pad_axis},
    {"length 2", "pad(", "a [2, 3]", wrong_pad_short},
    {"3 from 2", "pad(", "a [2, 3]", wrong_pad_start},
    {"inside", "pad(", "a [2, 3]", wrong_pad_least},
    {"outside", "view(", "vector [3]", wrong_view_end},
    {"outside", "view(", "vector [3]", wrong_view_start},
    {"flat", "view(", "a [2, 3]", wrong_view_rank},
    {"block", "pack(", "a [2, 3]", wrong_pack_end},
    {"block", "pack(", "index", wrong_pack_dtype},
    {"variable", "assign", "target", wrong_assign},
};

static inputs make_inputs(deer_graph *g) {
  return (inputs){
      .a = deer_input(g, "a", DEER_DTYPE_REAL, DEER_SHAPE(2, 3)),
      .b = deer_input(g, "b", DEER_DTYPE_REAL, DEER_SHAPE(4, 3)),
      .vector = deer_input(g, "vector", DEER_DTYPE_REAL, DEER_SHAPE(3)),
      .scalar = deer_input(g, "scalar", DEER_DTYPE_REAL, DEER_SCALAR),
      .picture = deer_input(g, "picture", DEER_DTYPE_REAL, DEER_SHAPE(2, 3, 6, 5)),
      .filters = deer_input(g, "filters", DEER_DTYPE_REAL, DEER_SHAPE(4, 3, 2, 2)),
      .index = deer_input(g, "index", DEER_DTYPE_I32, DEER_SHAPE(2, 1)),
      .bytes = deer_input(g, "bytes", DEER_DTYPE_U8, DEER_SHAPE(3)),
  };
}

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
      cmocka_unit_test(gradients_are_changed_on_the_way),
      cmocka_unit_test(running_statistics_follow),
      cmocka_unit_test(every_op_has_an_example),
      cmocka_unit_test(kinks_are_as_documented),
      cmocka_unit_test(ties_go_to_the_first),
      cmocka_unit_test(mistakes_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
