/* test_kernels.c: the kernels in float: how close to the truth, what they make of NaN and infinity,
 * large shapes, and that running a program allocates nothing and repeats its bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "graph/graph.h"
#include "graph/map.h"
#include "tensor/blas.h"
#include "tensor/sums.h"
#include "tensor/target.h"

/* ---- running a small graph ---- */

typedef deer_node unary(deer_graph *g, deer_node x);
typedef deer_node binary(deer_graph *g, deer_node a, deer_node b);

static deer_program *compiled(deer_graph *g, const deer_node *outputs, int n) {
  deer_program *program;
  if (deer_compile(g, outputs, n, &program) != DEER_OK) fail_msg("%s", deer_error());
  return program;
}

/* y = op(x) over n elements */
static void run_unary(unary *op, const deer_real *x, deer_real *y, int n) {
  deer_graph *g = deer_graph_new();
  deer_node in = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(n)), out = op(g, in);
  deer_program *p = compiled(g, &out, 1);
  memcpy(deer_program_data(p, in), x, (size_t)n * sizeof *x);
  deer_program_run(p);
  memcpy(y, deer_program_data(p, out), (size_t)n * sizeof *y);
  deer_program_free(p);
  deer_graph_free(g);
}

static deer_real run_binary(binary *op, deer_real a, deer_real b) {
  deer_graph *g = deer_graph_new();
  deer_node x = deer_input(g, "a", DEER_DTYPE_REAL, DEER_SCALAR);
  deer_node y = deer_input(g, "b", DEER_DTYPE_REAL, DEER_SCALAR), out = op(g, x, y);
  deer_program *p = compiled(g, &out, 1);
  *(deer_real *)deer_program_data(p, x) = a;
  *(deer_real *)deer_program_data(p, y) = b;
  deer_program_run(p);
  const deer_real result = *(deer_real *)deer_program_data(p, out);
  deer_program_free(p);
  deer_graph_free(g);
  return result;
}

/* ---- closeness of the vector functions ---- */

/* distance to the truth in units of the last place of a float; programs count subnormals as zero */
static double ulps(float got, double truth) {
  if (fabs(truth) < (double)FLT_MIN) return fabs((double)got) <= (double)FLT_MIN ? 0 : INFINITY;
  const float nearest = (float)truth;
  const double unit = (double)(nextafterf(fabsf(nearest), INFINITY) - fabsf(nearest));
  return fabs((double)got - truth) / unit;
}

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double softplus(double x) { return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }
static double elu(double x) { return x > 0 ? x : expm1(x); }
static deer_node elu_1(deer_graph *g, deer_node x) { return deer_elu(g, x, 1); }

#define SWEEP 40001

static void expect_close(unary *op, double (*truth)(double), double low, double high,
                         double limit) {
  deer_real *x = deer_alloc_array(SWEEP, sizeof *x), *y = deer_alloc_array(SWEEP, sizeof *y);
  assert_true(x && y);
  for (int i = 0; i < SWEEP; i++) x[i] = (deer_real)(low + (high - low) * i / (SWEEP - 1));
  run_unary(op, x, y, SWEEP);
  for (int i = 0; i < SWEEP; i++)
    if (!(ulps(y[i], truth((double)x[i])) <= limit))
      fail_msg("f(%.9g) is %.9g, expected %.9g: %.1f ulp", (double)x[i], (double)y[i],
               truth((double)x[i]), ulps(y[i], truth((double)x[i])));
  deer_free(x);
  deer_free(y);
}

static void functions_are_close(void **state) {
  (void)state;
  expect_close(deer_exp, exp, -87, 88.7, 3);
  expect_close(deer_exp, exp, -1e-3, 1e-3, 3);
  expect_close(deer_exp, exp, -110, -87, 3);
  expect_close(deer_log, log, 2e-38, 1e-30, 3);
  expect_close(deer_log, log, 0.5, 2, 3);
  expect_close(deer_log, log, 1, 3e38, 3);
  expect_close(deer_tanh, tanh, -12, 12, 3);
  expect_close(deer_tanh, tanh, -1e-4, 1e-4, 3);
  expect_close(deer_sigmoid, sigmoid, -87, 30, 3);
  expect_close(deer_sqrt, sqrt, 0, 1e30, 0.5);
  expect_close(deer_expm1, expm1, -90, 88.7, 3);
  expect_close(deer_expm1, expm1, -1e-3, 1e-3, 3);
  expect_close(deer_log1p, log1p, -0.9999, 2, 3);
  expect_close(deer_log1p, log1p, -1e-3, 1e-3, 3);
  expect_close(deer_log1p, log1p, 1, 3e38, 3);
  expect_close(deer_softplus, softplus, -86, 100, 3);
  expect_close(elu_1, elu, -20, 20, 3);
  expect_close(deer_sin, sin, -3.1, 3.1, 2.2);
  expect_close(deer_cos, cos, -4.7, 4.7, 2.2);
}

/* far from 0, in units of the largest result: near a root they are a small part of it */
static void waves_are_close_far_out(void **state) {
  (void)state;
  static deer_real x[SWEEP], y[SWEEP];
  for (int k = 0; k < 4; k++) {
    const double reach = k < 2 ? 1e4 : 1e6;
    for (int i = 0; i < SWEEP; i++) x[i] = (deer_real)(reach * (2.0 * i / (SWEEP - 1) - 1));
    run_unary(k % 2 ? deer_cos : deer_sin, x, y, SWEEP);
    for (int i = 0; i < SWEEP; i++) {
      const double truth = k % 2 ? cos((double)x[i]) : sin((double)x[i]);
      assert_true(fabs((double)y[i] - truth) <= 2.2 * 0x1p-24);
    }
  }
}

static void powers_are_close(void **state) {
  (void)state;
  deer_rng rng = deer_rng_seed(3);
  enum { N = 20000 };
  static deer_real a[N], b[N], out[N];
  for (int i = 0; i < N; i++) {
    a[i] = (deer_real)exp(80 * (deer_rng_uniform(&rng) - 0.5));
    b[i] = (deer_real)(20 * (deer_rng_uniform(&rng) - 0.5));
    if (i % 2) a[i] = -a[i], b[i] = (deer_real)round((double)b[i]);
  }
  deer_map_kernel(DEER_MAP_pow)((const deer_real *[]){a, b}, out, N, (double[]){0, 0});
  for (int i = 0; i < N; i++) {
    const double truth = pow((double)a[i], (double)b[i]);
    if (fabs(truth) > (double)FLT_MAX)
      assert_true(isinf(out[i]) && (out[i] < 0) == (truth < 0));
    else if (fabs(truth) > (double)FLT_MIN)
      assert_true(ulps(out[i], truth) <= 0.51);
  }
}

/* every pair of these is as libm has it */
static void powers_at_the_ends(void **state) {
  (void)state;
  const deer_real v[] = {0,    -0.0F, 1,     -1,    2,      -2,     0.5F,     -0.5F,     3,
                         -3,   1.5F,  -1.5F, 1e30F, -1e30F, NAN,    INFINITY, -INFINITY, 100,
                         -100, 1e10F, 3e38F, 33,    -33,    1e-30F, 16777215, 16777216,  -16777216};
  const int n = sizeof v / sizeof *v;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      const deer_real got = run_binary(deer_pow, v[i], v[j]), wanted = powf(v[i], v[j]);
      if (isnan(wanted) ? !isnan(got)
                        : got != wanted && !(fabsf(got - wanted) <= 1e-7F * fabsf(wanted)) &&
                              !(fabsf(wanted) < FLT_MIN && got == 0))
        fail_msg("pow(%g, %g) is %g, not %g", (double)v[i], (double)v[j], (double)got,
                 (double)wanted);
      if (!isnan(wanted)) assert_int_equal(signbit(got) != 0, signbit(wanted) != 0);
    }
}

static void functions_at_the_ends(void **state) {
  (void)state;
  const deer_real in[6] = {100, -200, INFINITY, -INFINITY, 0, 1};
  deer_real y[6];
  run_unary(deer_exp, in, y, 6);
  assert_true(isinf(y[0]) && y[1] == 0 && isinf(y[2]) && y[3] == 0 && y[4] == 1);
  run_unary(deer_tanh, in, y, 6);
  assert_true(y[0] == 1 && y[1] == -1 && y[2] == 1 && y[3] == -1 && y[4] == 0);
  run_unary(deer_sigmoid, in, y, 6);
  assert_true(y[0] == 1 && y[1] == 0 && y[2] == 1 && y[3] == 0 && y[4] == 0.5F);
  run_unary(deer_log, in, y, 6);
  assert_true(isnan(y[1]) && isinf(y[2]) && isnan(y[3]) && isinf(y[4]) && y[4] < 0 && y[5] == 0);
  run_unary(deer_expm1, in, y, 6);
  assert_true(isinf(y[0]) && y[1] == -1 && isinf(y[2]) && y[3] == -1 && y[4] == 0);
  run_unary(deer_log1p, in, y, 6);
  assert_true(isnan(y[1]) && isinf(y[2]) && isnan(y[3]) && y[4] == 0);
  run_unary(deer_softplus, in, y, 6);
  assert_true(y[0] == 100 && y[1] == 0 && isinf(y[2]) && y[3] == 0 && y[4] == (float)log(2));
  run_unary(deer_sin, in, y, 6);
  assert_true(isnan(y[2]) && isnan(y[3]) && y[4] == 0);
  run_unary(deer_cos, in, y, 6);
  assert_true(isnan(y[2]) && isnan(y[3]) && y[4] == 1);
  run_unary(deer_sqrt, in, y, 6);
  assert_true(y[0] == 10 && isnan(y[1]) && isinf(y[2]) && y[4] == 0);
}

/* an element's bits depend neither on its place nor on its neighbours */
static void bits_do_not_depend_on_the_place(void **state) {
  (void)state;
  unary *const ops[] = {deer_exp,   deer_log,   deer_tanh, deer_sigmoid, deer_sqrt,
                        deer_expm1, deer_log1p, deer_sin,  deer_cos,     deer_softplus};
  deer_real x[53], all[53], one;
  deer_rng rng = deer_rng_seed(3);
  for (int i = 0; i < 53; i++) x[i] = (deer_real)(0.01 + 4 * deer_rng_uniform(&rng));
  for (int k = 0; k < 10; k++) {
    run_unary(ops[k], x, all, 53);
    for (int i = 0; i < 53; i++) {
      run_unary(ops[k], x + i, &one, 1);
      assert_memory_equal(&one, all + i, sizeof one);
    }
  }
}

/* ---- NaN ---- */

static deer_node clip_both(deer_graph *g, deer_node x) { return deer_clip(g, x, -1, 1); }
static deer_node huber_1(deer_graph *g, deer_node x) { return deer_huber(g, x, 1); }
static deer_node scale_2(deer_graph *g, deer_node x) { return deer_scale(g, x, 2); }
static deer_node shift_2(deer_graph *g, deer_node x) { return deer_shift(g, x, 2); }
static deer_node leaky(deer_graph *g, deer_node x) { return deer_leaky_relu(g, x, 0.1); }
static deer_node sum_all(deer_graph *g, deer_node x) { return deer_sum(g, x, DEER_ALL_AXES); }

static void nan_stays_nan(void **state) {
  (void)state;
  unary *const ops[] = {
      clip_both, huber_1,   scale_2,    shift_2,       deer_neg,       deer_abs,   deer_sign,
      deer_exp,  deer_log,  deer_sqrt,  deer_square,   deer_tanh,      deer_relu,  deer_sigmoid,
      deer_stop, leaky,     elu_1,      deer_sin,      deer_cos,       deer_expm1, deer_log1p,
      deer_gelu, deer_selu, deer_swish, deer_softplus, deer_hard_swish};
  for (size_t k = 0; k < sizeof ops / sizeof *ops; k++) {
    /* in whole vectors and in the rest */
    deer_real x[21], y[21];
    for (int i = 0; i < 21; i++) x[i] = i % 5 == 0 ? NAN : 1;
    run_unary(ops[k], x, y, 21);
    for (int i = 0; i < 21; i++)
      if (isnan(x[i]) != isnan(y[i])) fail_msg("op %zu, element %d: %g", k, i, (double)y[i]);
  }
  binary *const pairs[] = {deer_add, deer_sub, deer_mul, deer_div, deer_min, deer_max};
  for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++) {
    assert_true(isnan(run_binary(pairs[k], NAN, 1)));
    assert_true(isnan(run_binary(pairs[k], 1, NAN)));
    assert_true(isfinite(run_binary(pairs[k], 1, 1)));
  }
  assert_true(run_binary(deer_greater, NAN, 1) == 0);
  assert_true(run_binary(deer_greater, 1, NAN) == 0);
  assert_true(run_binary(deer_greater_equal, NAN, NAN) == 0);
  assert_true(run_binary(deer_equal, NAN, NAN) == 0);
}

static void nan_wins_every_contest(void **state) {
  (void)state;
  for (int at = 0; at < 6; at++) {
    deer_graph *g = deer_graph_new();
    deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(1, 1, 2, 3));
    deer_node row = deer_reshape(g, x, DEER_SHAPE(6));
    deer_node out[] = {deer_max_last(g, row), deer_argmax_last(g, row),
                       sum_all(g, x),         deer_maxpool2d(g, x, 2, 3, (deer_window){2, 3, 0, 0}),
                       deer_min_last(g, row), deer_argmin_last(g, row)};
    deer_program *p = compiled(g, out, 6);
    deer_real *data = deer_program_data(p, x);
    for (int i = 0; i < 6; i++) data[i] = (deer_real)i;
    data[at] = NAN;
    deer_program_run(p);
    assert_true(isnan(*(deer_real *)deer_program_data(p, out[0])));
    assert_int_equal(*(int32_t *)deer_program_data(p, out[1]), at);
    assert_true(isnan(*(deer_real *)deer_program_data(p, out[2])));
    assert_true(isnan(*(deer_real *)deer_program_data(p, out[3])));
    assert_true(isnan(*(deer_real *)deer_program_data(p, out[4])));
    assert_int_equal(*(int32_t *)deer_program_data(p, out[5]), at);
    deer_program_free(p);
    deer_graph_free(g);
  }
}

/* the operand that was not chosen may be NaN, in the value and in the gradient */
static void where_keeps_nan_out(void **state) {
  (void)state;
  deer_graph *g = deer_graph_new();
  deer_real x[2] = {-1, 4};
  deer_node v = deer_variable(g, "x", x, 2), zero = deer_constant(g, DEER_SHAPE(2), 0);
  deer_node root = deer_where(g, deer_greater(g, v, zero), deer_sqrt(g, v), zero);
  deer_node out[2] = {root}, loss = sum_all(g, root);
  assert_int_equal(deer_gradients(g, deer_scale(g, loss, 1), &zero, 1, &out[1]), DEER_OK);
  deer_program *p = compiled(g, out, 2);
  deer_program_run(p);
  const deer_real *y = deer_program_data(p, out[0]), *gradient = deer_program_data(p, out[1]);
  assert_true(y[0] == 0 && y[1] == 2);
  assert_true(gradient[0] == 1 && gradient[1] == 0);
  deer_program_free(p);
  deer_graph_free(g);
}

/* ---- indices outside ---- */

static void indices_are_clamped(void **state) {
  (void)state;
  deer_graph *g = deer_graph_new();
  deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(2, 3));
  deer_node index = deer_input(g, "i", DEER_DTYPE_I32, DEER_SHAPE(2, 3));
  deer_node row = deer_reshape(g, index, DEER_SHAPE(6)), column = deer_reshape(g, x, DEER_SHAPE(6));
  deer_node out[] = {deer_take(g, x, index), deer_put(g, x, index, 2), deer_rows(g, column, row),
                     deer_put_rows(g, column, row, 3)};
  deer_program *p = compiled(g, out, 4);
  const int32_t places[6] = {-1, 3, 1, INT32_MIN, INT32_MAX, 0};
  const deer_real values[6] = {1, 2, 3, 10, 20, 30};
  const deer_real taken[6] = {1, 3, 2, 10, 30, 10}, put[4] = {1, 5, 40, 20};
  memcpy(deer_program_data(p, index), places, sizeof places);
  memcpy(deer_program_data(p, x), values, sizeof values);
  deer_program_run(p);
  assert_memory_equal(deer_program_data(p, out[0]), taken, sizeof taken);
  assert_memory_equal(deer_program_data(p, out[1]), put, sizeof put);
  const deer_real rows[6] = {1, 10, 2, 1, 30, 1}, put_rows[3] = {41, 3, 22};
  assert_memory_equal(deer_program_data(p, out[2]), rows, sizeof rows);
  assert_memory_equal(deer_program_data(p, out[3]), put_rows, sizeof put_rows);
  deer_program_free(p);
  deer_graph_free(g);
}

/* ---- large shapes ---- */

static void fill_random(deer_real *x, size_t n, uint64_t seed) {
  deer_rng rng = deer_rng_seed(seed);
  for (size_t i = 0; i < n; i++) x[i] = (deer_real)(deer_rng_uniform(&rng) - 0.5);
}

/* a million times 0.1: added up in float from left to right, the sum would be 0.9 % off */
static void long_sums_are_close(void **state) {
  (void)state;
  const int n = 1000000;
  deer_graph *g = deer_graph_new();
  deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(n));
  deer_node tall = deer_reshape(g, x, DEER_SHAPE(n / 4, 4));
  deer_node out[] = {sum_all(g, x), deer_mean(g, x, DEER_ALL_AXES), deer_sum(g, tall, 1)};
  deer_program *p = compiled(g, out, 3);
  deer_real *data = deer_program_data(p, x);
  for (int i = 0; i < n; i++) data[i] = 0.1F;
  deer_program_run(p);
  assert_true(ulps(*(float *)deer_program_data(p, out[0]), n * (double)0.1F) <= 1);
  assert_true(ulps(*(float *)deer_program_data(p, out[1]), (double)0.1F) <= 1);
  for (int i = 0; i < 4; i++)
    assert_true(ulps(((float *)deer_program_data(p, out[2]))[i], n / 4 * (double)0.1F) <= 1);
  deer_program_free(p);
  deer_graph_free(g);
}

/* the picture is too large to be cut into windows all at once */
#define CHANNELS 16
#define SIDE     60
#define FILTERS  3
#define RESULT   (SIDE - 2)

/* element (f, y, x) of sample s in double */
static double conv_at(const deer_real *picture, const deer_real *filters, const int at[4]) {
  double sum = 0;
  for (int c = 0; c < CHANNELS; c++)
    for (int i = 0; i < 3; i++)
      for (int j = 0; j < 3; j++) {
        const int row = (at[0] * CHANNELS + c) * SIDE + at[2] + i;
        sum += (double)picture[row * SIDE + at[3] + j] *
               (double)filters[((at[1] * CHANNELS + c) * 3 + i) * 3 + j];
      }
  return sum;
}

static void large_convolution(void **state) {
  (void)state;
  deer_graph *g = deer_graph_new();
  deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(2, CHANNELS, SIDE, SIDE));
  deer_node w = deer_input(g, "w", DEER_DTYPE_REAL, DEER_SHAPE(FILTERS, CHANNELS, 3, 3));
  deer_node y = deer_conv2d(g, x, w, (deer_window){1, 1, 0, 0}),
            loss = deer_sum(g, deer_square(g, y), DEER_ALL_AXES);
  deer_node out[3] = {y};
  assert_int_equal(deer_gradients(g, loss, (deer_node[]){x, w}, 2, out + 1), DEER_OK);
  deer_program *p = compiled(g, out, 3);
  deer_real *picture = deer_program_data(p, x), *filters = deer_program_data(p, w);
  const int n = 2 * CHANNELS * SIDE * SIDE, n_filters = FILTERS * CHANNELS * 9;
  fill_random(picture, (size_t)n, 5);
  fill_random(filters, (size_t)n_filters, 6);
  deer_program_run(p);
  const deer_real *result = deer_program_data(p, y);
  double energy = 0;
  for (int i = 0; i < 2 * FILTERS * RESULT * RESULT; i++) {
    const int at[4] = {i / (FILTERS * RESULT * RESULT), i / (RESULT * RESULT) % FILTERS,
                       i / RESULT % RESULT, i % RESULT};
    assert_true(fabs((double)result[i] - conv_at(picture, filters, at)) <= 1e-5);
    energy += (double)result[i] * (double)result[i];
  }

  /* the loss is of degree 2 in each operand, so <x, gradient> = 2 loss (Euler) */
  double by_x = 0, by_w = 0;
  const deer_real *gx = deer_program_data(p, out[1]), *gw = deer_program_data(p, out[2]);
  for (int i = 0; i < n; i++) by_x += (double)picture[i] * (double)gx[i];
  for (int i = 0; i < n_filters; i++) by_w += (double)filters[i] * (double)gw[i];
  assert_true(fabs(by_x / (2 * energy) - 1) <= 1e-5);
  assert_true(fabs(by_w / (2 * energy) - 1) <= 1e-5);
  deer_program_free(p);
  deer_graph_free(g);
}

/* ---- a whole network: bits, allocations, and failing allocations ---- */

typedef struct network {
  deer_graph *g;
  deer_node frames, actions, out[2];
} network;

/* convolution, pooling, two dense layers, Huber loss of one action's value, gradient */
static deer_status make_network(network *n, deer_real *block, int size) {
  deer_graph *g = n->g;
  n->frames = deer_input(g, "frames", DEER_DTYPE_U8, DEER_SHAPE(5, 2, 9, 9));
  n->actions = deer_input(g, "actions", DEER_DTYPE_I32, DEER_SHAPE(5));
  deer_node theta = deer_variable(g, "theta", block, size);
  deer_node x = deer_scale(g, deer_cast(g, n->frames), 1.0 / 255);
  x = deer_conv2d(g, x, deer_view(g, theta, 0, DEER_SHAPE(4, 2, 2, 2)), (deer_window){1, 1, 0, 0});
  x = deer_add(
      g, x,
      deer_expand(g, deer_view(g, theta, 32, DEER_SHAPE(4)), DEER_SHAPE(5, 4, 8, 8), DEER_AXIS(1)));
  x = deer_reshape(g, deer_maxpool2d(g, deer_relu(g, x), 2, 2, (deer_window){2, 2, 0, 0}),
                   DEER_SHAPE(5, 64));
  x = deer_tanh(g, deer_matmul(g, x, deer_view(g, theta, 36, DEER_SHAPE(64, 6)), false, false));
  x = deer_matmul(g, x, deer_view(g, theta, 420, DEER_SHAPE(6, 3)), false, false);
  n->out[0] = deer_mean(g, deer_huber(g, deer_gather(g, x, n->actions), 1), DEER_ALL_AXES);
  return deer_gradients(g, n->out[0], &theta, 1, &n->out[1]);
}

#define PARAMETERS 438

static void runs_repeat_and_allocate_nothing(void **state) {
  (void)state;
  deer_real block[PARAMETERS], first[PARAMETERS];
  fill_random(block, PARAMETERS, 9);
  network n = {.g = deer_graph_new()};
  assert_int_equal(make_network(&n, block, PARAMETERS), DEER_OK);
  deer_program *p = compiled(n.g, n.out, 2);
  deer_graph_free(n.g);
  uint8_t *frames = deer_program_data(p, n.frames);
  for (int i = 0; i < 5 * 2 * 81; i++) frames[i] = (uint8_t)(i * 37 % 256);
  for (int i = 0; i < 5; i++) ((int32_t *)deer_program_data(p, n.actions))[i] = i % 3;
  deer_program_run(p);
  const deer_real loss = *(deer_real *)deer_program_data(p, n.out[0]);
  memcpy(first, deer_program_data(p, n.out[1]), sizeof first);
  assert_true(isfinite(loss) && loss > 0);

  const uint64_t calls = deer_alloc_calls();
  for (int i = 0; i < 20; i++) {
    deer_program_run(p);
    assert_memory_equal(deer_program_data(p, n.out[0]), &loss, sizeof loss);
    assert_memory_equal(deer_program_data(p, n.out[1]), first, sizeof first);
  }
  assert_int_equal(deer_alloc_calls(), calls);
  deer_program_free(p);
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  deer_real block[PARAMETERS] = {0};
  const size_t held = deer_alloc_blocks();
  deer_status status = DEER_ENOMEM;
  for (uint64_t at = 1; status != DEER_OK; at++) {
    deer_alloc_fail_at(at);
    network n = {.g = deer_graph_new()};
    deer_program *p = NULL;
    status = DEER_ENOMEM;
    if (n.g) {
      status = make_network(&n, block, PARAMETERS);
      if (status == DEER_OK) status = deer_compile(n.g, n.out, 2, &p);
    }
    if (status != DEER_OK && status != DEER_ENOMEM)
      fail_msg("allocation %d: %s", (int)at, deer_error());
    deer_program_free(p);
    deer_graph_free(n.g);
    assert_int_equal(deer_alloc_blocks(), held);
    assert_true(at < 10000);
  }
  deer_alloc_fail_at(0);
}

/* ---- the same bits from the kernels for every kind of CPU ---- */

#define MAP_ELEMENTS 1027
static void maps_have_the_same_bits_on_every_cpu(void **state) {
  (void)state;
  static deer_real in[3][MAP_ELEMENTS], out[3][MAP_ELEMENTS];
  deer_rng rng = deer_rng_seed(5);
  for (int k = 0; k < 3; k++)
    for (int i = 0; i < MAP_ELEMENTS; i++) in[k][i] = (deer_real)(3 * deer_rng_normal(&rng));
  in[0][0] = NAN, in[0][1] = INFINITY, in[1][2] = -INFINITY, in[1][3] = 0, in[0][4] = 0;
  const double pq[] = {-0.5, 0.75};
  const deer_real *rows[] = {in[0], in[1], in[2]};
  for (int map = DEER_MAP_NONE + 1; map < DEER_MAPS; map++) {
    for (int level = 0; level <= 2; level++) {
      deer_cpu_allow(level);
      deer_map_kernel(map)(rows, out[level], MAP_ELEMENTS, pq);
    }
    for (int i = 0; i < MAP_ELEMENTS; i++)
      for (int level = 1; level <= 2; level++)
        if (out[level][i] == out[level][i]) /* a NaN may have another sign */
          assert_memory_equal(&out[level][i], &out[0][i], sizeof(deer_real));
        else
          assert_true(out[0][i] != out[0][i]);
  }
}

/* rows by columns with a stride, on every kind of CPU, against a plain sum */
static void sums_have_the_same_bits_on_every_cpu(void **state) {
  (void)state;
  static deer_real x[200 * 100];
  deer_rng rng = deer_rng_seed(6);
  for (size_t i = 0; i < sizeof x / sizeof *x; i++) x[i] = (deer_real)deer_rng_normal(&rng);
  const size_t sizes[][2] = {{1, 1}, {7, 1},    {128, 1},  {31, 2},   {128, 2},  {65, 4},
                             {3, 5}, {128, 64}, {100, 72}, {33, 100}, {200, 97}, {1, 100}};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (size_t extra = 0; extra <= 3; extra += 3) {
      const deer_row_block m = {x, sizes[s][0], sizes[s][1],
                                sizes[s][1] + (extra < 100 - sizes[s][1] ? extra : 0)};
      double total[3][100], plain[100];
      for (size_t j = 0; j < m.columns; j++) {
        plain[j] = 0.5;
        for (size_t r = 0; r < m.rows; r++) plain[j] += (double)x[r * m.stride + j];
      }
      for (int level = 0; level <= 2; level++) {
        deer_cpu_allow(level);
        for (size_t j = 0; j < m.columns; j++) total[level][j] = 0.5;
        deer_add_rows(&m, total[level]);
        assert_memory_equal(total[level], total[0], m.columns * sizeof(double));
      }
      for (size_t j = 0; j < m.columns; j++) assert_true(fabs(total[0][j] - plain[j]) < 1e-5);
    }
}

static void a_map_may_write_over_its_operand(void **state) {
  (void)state;
  deer_real x[100], expected[100];
  for (int i = 0; i < 100; i++) x[i] = (deer_real)i / 7, expected[i] = x[i] * x[i];
  deer_map_kernel(DEER_MAP_square)((const deer_real *[]){x}, x, 100, (double[]){0, 0});
  assert_memory_equal(x, expected, sizeof x);
}

int main(void) {
  deer_blas_start();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(maps_have_the_same_bits_on_every_cpu),
      cmocka_unit_test(sums_have_the_same_bits_on_every_cpu),
      cmocka_unit_test(a_map_may_write_over_its_operand),
      cmocka_unit_test(functions_are_close),
      cmocka_unit_test(functions_at_the_ends),
      cmocka_unit_test(waves_are_close_far_out),
      cmocka_unit_test(powers_are_close),
      cmocka_unit_test(powers_at_the_ends),
      cmocka_unit_test(bits_do_not_depend_on_the_place),
      cmocka_unit_test(nan_stays_nan),
      cmocka_unit_test(nan_wins_every_contest),
      cmocka_unit_test(where_keeps_nan_out),
      cmocka_unit_test(indices_are_clamped),
      cmocka_unit_test(long_sums_are_close),
      cmocka_unit_test(large_convolution),
      cmocka_unit_test(runs_repeat_and_allocate_nothing),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
