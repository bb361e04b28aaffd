/* test_kfac.c: the Kronecker-factored direction where it is exact, and where it is not, by hand; in
 * double precision. */
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

static deer_node add_bias(deer_graph *g, deer_node x, deer_node bias) {
  return deer_add(g, x, deer_expand(g, bias, deer_node_shape(g, x), DEER_AXIS(1)));
}

/* the mean of |y - z|^2 / 2 over the rows: -log p of a unit Gaussian around y, but for a constant
 */
static deer_node gaussian_loss(deer_graph *g, deer_node y, deer_node z) {
  const int batch = deer_node_shape(g, y).dim[0];
  deer_node sum = deer_sum(g, deer_square(g, deer_sub(g, y, z)), DEER_ALL_AXES);
  return deer_scale(g, sum, 0.5 / batch);
}

/* ---- one linear layer with Gaussian outputs ----
 * The batch is every pair of POINTS inputs and 2 OUT draws of the output, whose covariance is that
 * of the distribution, so the factors are exact and the Fisher matrix is their product. */

enum { IN = 3, OUT = 2, POINTS = 5, ROWS = POINTS * 2 * OUT, SIZE = (IN + 1) * OUT };

typedef struct linear {
  deer_real p[SIZE], v[SIZE], gradient[SIZE];
  deer_kfac *kfac;
  deer_node x, z, direction, product;
  deer_program *observe, *invert, *use;
} linear;

/* the first input is `steep` times as large as the others */
static void fill_linear(linear *n, double steep) {
  for (int i = 0; i < SIZE; i++) n->p[i] = 0.5 * sin(i), n->gradient[i] = cos(3 * i);
  deer_real *x = deer_program_data(n->observe, n->x), *z = deer_program_data(n->observe, n->z);
  for (int row = 0; row < ROWS; row++) {
    const int point = row / (2 * OUT), draw = row % (2 * OUT);
    for (int i = 0; i < IN; i++)
      x[row * IN + i] = (i ? 1 : steep) * sin(1 + point * (2.3 + i) + 4.1 * i);
    for (int o = 0; o < OUT; o++) {
      double y = n->p[IN * OUT + o];
      for (int i = 0; i < IN; i++) y += x[row * IN + i] * n->p[i * OUT + o];
      /* plus or minus sqrt(OUT) along each axis: unit covariance */
      z[row * OUT + o] = y + (draw / 2 == o ? (draw % 2 ? -1 : 1) * sqrt(OUT) : 0);
    }
  }
}

static void build_linear(linear *n, double damping, double steep) {
  deer_graph *g = deer_graph_new();
  n->x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(ROWS, IN));
  n->z = deer_input(g, "z", DEER_DTYPE_REAL, DEER_SHAPE(ROWS, OUT));
  deer_node p = deer_variable(g, "p", n->p, SIZE), v = deer_variable(g, "v", n->v, SIZE);
  deer_node w = deer_view(g, p, 0, DEER_SHAPE(IN, OUT));
  deer_node b = deer_view(g, p, IN * OUT, DEER_SHAPE(OUT));
  deer_node y = add_bias(g, deer_matmul(g, n->x, w, false, false), b);
  const deer_net_tap tap = {n->x, y, 0};
  const deer_kfac_options options = {.decay = 0.9, .damping = damping};
  assert_int_equal(deer_kfac_new(&options, g, &tap, 1, &n->kfac), DEER_OK);
  deer_node outputs[DEER_KFAC_ASSIGNS(1) + 1];
  int count = deer_kfac_observe(n->kfac, g, &tap, gaussian_loss(g, y, n->z), outputs);
  /* the Fisher matrix itself, by the other way */
  deer_node kl = gaussian_loss(g, y, deer_stop(g, y));
  outputs[count++] = n->product = deer_fisher_vector_product(g, kl, p, v);
  if (deer_compile(g, outputs, count, &n->observe) != DEER_OK) fail_msg("%s", deer_error());
  count = deer_kfac_invert(n->kfac, g, outputs);
  assert_int_equal(deer_compile(g, outputs, count, &n->invert), DEER_OK);
  n->direction = deer_kfac_direction(n->kfac, g, deer_variable(g, "gradient", n->gradient, SIZE));
  assert_int_equal(deer_compile(g, &n->direction, 1, &n->use), DEER_OK);
  deer_graph_free(g);
  fill_linear(n, steep);
}

static void free_linear(linear *n) {
  deer_program_free(n->observe);
  deer_program_free(n->invert);
  deer_program_free(n->use);
  deer_kfac_free(n->kfac);
}

static void multiply(void *context, const deer_real *v, deer_real *product) {
  linear *n = context;
  memcpy(n->v, v, sizeof n->v);
  deer_program_run(n->observe);
  memcpy(product, deer_program_data(n->observe, n->product), sizeof n->v);
}

static void direction_is_the_natural_gradient_of_a_linear_layer(void **state) {
  (void)state;
  linear n;
  build_linear(&n, 1e-14, 4);
  /* before the first inversion the gradient comes through as it is */
  deer_program_run(n.use);
  const deer_real *direction = deer_program_data(n.use, n.direction);
  for (int i = 0; i < SIZE; i++) assert_true(direction[i] == n.gradient[i]);

  /* the same batch again and again gives the same mean from the first on */
  deer_real work[3 * SIZE], exact[SIZE];
  uint64_t calls = deer_alloc_calls();
  for (int i = 0; i < 3; i++) deer_program_run(n.observe);
  deer_program_run(n.invert);
  deer_program_run(n.use);
  assert_true(deer_alloc_calls() == calls);
  int iterations;
  deer_conjugate fisher = {SIZE, multiply, &n, 200, 1e-14, work};
  assert_int_equal(deer_conjugate_gradient(&fisher, n.gradient, exact, &iterations), DEER_OK);
  for (int i = 0; i < SIZE; i++) assert_near(direction[i], exact[i], 1e-5);
  /* it is another direction than the gradient's */
  double along = 0, a = 0, b = 0;
  for (int i = 0; i < SIZE; i++)
    along += exact[i] * n.gradient[i], a += exact[i] * exact[i], b += n.gradient[i] * n.gradient[i];
  assert_true(along > 0 && along < 0.9 * sqrt(a * b));
  free_linear(&n);
}

/* a hundred times as steep along one input as along the others: gradient descent takes thousands of
 * steps where the natural gradient goes there in one */
static void one_step_solves_a_linear_regression(void **state) {
  (void)state;
  linear n;
  build_linear(&n, 1e-12, 100);
  const deer_real *x = deer_program_data(n.observe, n.x);
  deer_program_run(n.observe);
  deer_program_run(n.invert);
  /* gradient of the mean square of the distance to other weights q */
  double q[SIZE];
  memset(n.gradient, 0, sizeof n.gradient);
  for (int i = 0; i < SIZE; i++) q[i] = n.p[i] + cos(7 * i);
  for (int row = 0; row < ROWS; row++)
    for (int o = 0; o < OUT; o++) {
      double miss = n.p[IN * OUT + o] - q[IN * OUT + o];
      for (int i = 0; i < IN; i++) miss += x[row * IN + i] * (n.p[i * OUT + o] - q[i * OUT + o]);
      for (int i = 0; i < IN; i++) n.gradient[i * OUT + o] += x[row * IN + i] * miss / ROWS;
      n.gradient[IN * OUT + o] += miss / ROWS;
    }
  deer_program_run(n.use);
  const deer_real *direction = deer_program_data(n.use, n.direction);
  for (int i = 0; i < SIZE; i++) assert_near(n.p[i] - direction[i], q[i], 1e-3);
  free_linear(&n);
}

/* ---- two layers, damping, running means, parameters of no layer: by hand ----
 * The block holds W1 [2, 3], b1 [3], two others, W2 [3, 2], b2 [2], one other. */

enum { BATCH = 4, FIRST = 0, SECOND = 11, ALL = 20 };

typedef struct deep {
  deer_real p[ALL], gradient[ALL];
  deer_kfac *kfac;
  deer_node x, z, direction;
  deer_program *observe, *invert, *use;
} deep;

static deer_node dense_of(deer_graph *g, deer_node p, int at, deer_node x, int out) {
  const int in = deer_node_shape(g, x).dim[1];
  deer_node w = deer_view(g, p, at, DEER_SHAPE(in, out));
  deer_node b = deer_view(g, p, at + in * out, DEER_SHAPE(out));
  return add_bias(g, deer_matmul(g, x, w, false, false), b);
}

static void build_deep(deep *n, const deer_kfac_options *options) {
  deer_graph *g = deer_graph_new();
  n->x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(BATCH, 2));
  n->z = deer_input(g, "z", DEER_DTYPE_REAL, DEER_SHAPE(BATCH, 2));
  deer_node p = deer_variable(g, "p", n->p, ALL);
  deer_node first = dense_of(g, p, FIRST, n->x, 3), hidden = deer_tanh(g, first);
  deer_node second = dense_of(g, p, SECOND, hidden, 2);
  /* in no particular order */
  const deer_net_tap taps[] = {{hidden, second, SECOND}, {n->x, first, FIRST}};
  assert_int_equal(deer_kfac_new(options, g, taps, 2, &n->kfac), DEER_OK);
  deer_node outputs[DEER_KFAC_ASSIGNS(2)];
  int count = deer_kfac_observe(n->kfac, g, taps, gaussian_loss(g, second, n->z), outputs);
  assert_int_equal(deer_compile(g, outputs, count, &n->observe), DEER_OK);
  count = deer_kfac_invert(n->kfac, g, outputs);
  assert_int_equal(deer_compile(g, outputs, count, &n->invert), DEER_OK);
  n->direction = deer_kfac_direction(n->kfac, g, deer_variable(g, "gradient", n->gradient, ALL));
  assert_int_equal(deer_compile(g, &n->direction, 1, &n->use), DEER_OK);
  deer_graph_free(g);
  for (int i = 0; i < ALL; i++) n->p[i] = sin(2 * i), n->gradient[i] = cos(i);
}

static void free_deep(deep *n) {
  deer_program_free(n->observe);
  deer_program_free(n->invert);
  deer_program_free(n->use);
  deer_kfac_free(n->kfac);
}

typedef struct square {
  int n;
  double a[4][4];
} square;

/* adds share times the mean of rows^T rows; rows [BATCH][n] */
static void add_products(square *s, double share, int n, double rows[BATCH][4]) {
  s->n = n;
  for (int r = 0; r < BATCH; r++)
    for (int i = 0; i < n; i++)
      for (int j = 0; j < n; j++) s->a[i][j] += share * rows[r][i] * rows[r][j] / BATCH;
}

static void observe_by_hand(const deep *n, const deer_real *x, const deer_real *z, double share,
                            square s[4]) {
  double in[BATCH][4] = {{0}}, mid[BATCH][4] = {{0}}, out[BATCH][4] = {{0}}, back[BATCH][4] = {{0}};
  for (int r = 0; r < BATCH; r++) {
    in[r][0] = x[2 * r], in[r][1] = x[2 * r + 1], in[r][2] = mid[r][3] = 1;
    for (int h = 0; h < 3; h++) {
      for (int i = 0; i < 3; i++) mid[r][h] += in[r][i] * n->p[FIRST + 3 * i + h];
      mid[r][h] = tanh(mid[r][h]);
    }
    for (int o = 0; o < 2; o++) {
      out[r][o] = -z[2 * r + o];
      for (int h = 0; h < 4; h++) out[r][o] += mid[r][h] * n->p[SECOND + 2 * h + o];
    }
    for (int h = 0; h < 3; h++) {
      for (int o = 0; o < 2; o++) back[r][h] += out[r][o] * n->p[SECOND + 2 * h + o];
      back[r][h] *= 1 - mid[r][h] * mid[r][h];
    }
  }
  add_products(&s[0], share, 3, in);
  add_products(&s[1], share, 3, back);
  add_products(&s[2], share, 4, mid);
  add_products(&s[3], share, 2, out);
}

/* solves s x = b in place, without pivots: s is positive definite */
static void solve(const square *s, double term, double b[4]) {
  double a[4][4];
  memcpy(a, s->a, sizeof a);
  for (int i = 0; i < s->n; i++) a[i][i] += term;
  for (int k = 0; k < s->n; k++)
    for (int i = 0; i < s->n; i++) {
      if (i == k) continue;
      const double times = a[i][k] / a[k][k];
      for (int j = 0; j < s->n; j++) a[i][j] -= times * a[k][j];
      b[i] -= times * b[k];
    }
  for (int i = 0; i < s->n; i++) b[i] /= a[i][i];
}

static double trace(const square *s) {
  double sum = 0;
  for (int i = 0; i < s->n; i++) sum += s->a[i][i];
  return sum / s->n;
}

/* A^-1 M G^-1 in place; M [A.n, G.n] by rows */
static void precondition(const square *a, const square *b, double damping, double *m) {
  const double pi = sqrt(trace(a) / trace(b)), root = sqrt(damping);
  for (int i = 0; i < a->n; i++) solve(b, root / pi, m + i * b->n);
  for (int j = 0; j < b->n; j++) {
    double column[4];
    for (int i = 0; i < a->n; i++) column[i] = m[i * b->n + j];
    solve(a, root * pi, column);
    for (int i = 0; i < a->n; i++) m[i * b->n + j] = column[i];
  }
}

static void damped_running_factors_by_hand(void **state) {
  (void)state;
  const deer_kfac_options options = {.decay = 0.75, .damping = 0.1};
  deep n;
  build_deep(&n, &options);
  square s[4];
  memset(s, 0, sizeof s);
  const int times = 3;
  for (int t = 0; t < times; t++) {
    deer_real *x = deer_program_data(n.observe, n.x), *z = deer_program_data(n.observe, n.z);
    for (int i = 0; i < 2 * BATCH; i++) x[i] = sin(3 * i + t), z[i] = 2 * cos(5 * i - t);
    deer_program_run(n.observe);
    observe_by_hand(&n, x, z, 0.25 * pow(0.75, times - 1 - t) / (1 - pow(0.75, times)), s);
  }
  deer_program_run(n.invert);
  deer_program_run(n.use);
  double expected[ALL];
  for (int i = 0; i < ALL; i++) expected[i] = n.gradient[i];
  precondition(&s[0], &s[1], options.damping, expected + FIRST);
  precondition(&s[2], &s[3], options.damping, expected + SECOND);
  const deer_real *direction = deer_program_data(n.use, n.direction);
  for (int i = 0; i < ALL; i++) assert_near(direction[i], expected[i], 1e-11);
  free_deep(&n);
}

/* one that takes over the state of another goes on as that one would have */
static void state_can_be_carried_over(void **state) {
  (void)state;
  const deer_kfac_options options = {.decay = 0.75, .damping = 0.1};
  deep n[2];
  int sizes = 0, size, i = 0;
  deer_real *from;
  for (int k = 0; k < 2; k++) build_deep(&n[k], &options);
  for (int k = 0; k < 2 * BATCH; k++)
    ((deer_real *)deer_program_data(n[0].observe, n[0].x))[k] = sin(3 * k);
  for (int k = 0; k < 2; k++) deer_program_run(n[0].observe);
  deer_program_run(n[0].invert);
  for (; (from = deer_kfac_state(n[0].kfac, i, &size)) != NULL; i++, sizes += size)
    memcpy(deer_kfac_state(n[1].kfac, i, &size), from, (size_t)size * sizeof *from);
  assert_int_equal(i, 2 * 4 + 1);
  assert_int_equal(sizes, 2 * (9 + 9 + 16 + 4) + 1);
  for (int k = 0; k < 2; k++) {
    memcpy(deer_program_data(n[k].observe, n[k].z), n[0].p, 2 * BATCH * sizeof(deer_real));
    memcpy(deer_program_data(n[k].observe, n[k].x), n[0].p + 3, 2 * BATCH * sizeof(deer_real));
    deer_program_run(n[k].observe);
    deer_program_run(n[k].invert);
    deer_program_run(n[k].use);
  }
  assert_memory_equal(deer_program_data(n[0].use, n[0].direction),
                      deer_program_data(n[1].use, n[1].direction), sizeof n[0].p);
  for (int k = 0; k < 2; k++) free_deep(&n[k]);
}

/* ---- a network through its taps ---- */

/* layers of 6 and 5, inputs of 3, outputs of 2 */
static deer_net *small_net(const char *second) {
  deer_space space = {.n_subjects = 1, .actions = {.n = 2, .size = 1}};
  space.subjects[0] = (deer_subject){1, DEER_SHAPE(3), DEER_DTYPE_REAL};
  deer_net_spec spec = {0};
  const char *const kinds[] = {"dense", second};
  for (int i = 0; i < 2; i++) {
    deer_layer_spec *layer = deer_layer_add(&spec.trunk, kinds[i]);
    assert_non_null(layer);
    deer_layer_set(layer, "units", (deer_value){DEER_VALUE_NUMBER, 6 - i, NULL});
    deer_layer_set(layer, "activation", (deer_value){DEER_VALUE_TEXT, 0, "tanh"});
  }
  deer_net *net;
  if (deer_net_new(&spec, &space, 2, &net) != DEER_OK) fail_msg("%s", deer_error());
  return net;
}

static bool is_dense_weight(const deer_net_slot *slot) {
  const size_t length = strlen(slot->name);
  return !strstr(slot->name, "noisy") && strcmp(slot->name + length - 6, "weight") == 0;
}

static void taps_name_the_dense_layers(void **state) {
  (void)state;
  for (int noisy = 0; noisy < 2; noisy++) {
    deer_net *net = small_net(noisy ? "noisy" : "dense");
    deer_real block[256];
    deer_graph *g = deer_graph_new();
    deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(4, 1, 3)), y;
    deer_net_tap taps[DEER_MAX_TAPS];
    int n_taps = 99, tap = 0;
    deer_net_call call = {.block = deer_variable(g, "block", block, deer_net_size(net)),
                          .states = &x,
                          .taps = taps,
                          .n_taps = &n_taps};
    deer_net_apply_heads(net, g, &call, &y);
    assert_int_equal(n_taps, noisy ? 2 : 3);
    deer_net_slot slot, bias;
    for (int i = 0; deer_net_slot_at(net, i, &slot); i++) {
      if (!is_dense_weight(&slot)) continue;
      const deer_shape in = deer_node_shape(g, taps[tap].input);
      const deer_shape out = deer_node_shape(g, taps[tap].output);
      assert_int_equal(taps[tap++].weight, slot.offset);
      assert_true(in.dim[1] == slot.shape.dim[0] && out.dim[1] == slot.shape.dim[1]);
      assert_true(deer_net_slot_at(net, i + 1, &bias));
      assert_int_equal(bias.offset, slot.offset + (int)deer_shape_count(&slot.shape));
    }
    assert_int_equal(tap, n_taps);
    /* the output layer is linear: what it makes is what the network says */
    assert_int_equal(taps[n_taps - 1].output.id, y.id);
    deer_graph_free(g);
    deer_net_free(net);
  }
}

/* ---- learning: a network imitates another, on inputs of very different sizes ---- */

enum { SAMPLES = 64, STEPS = 60 };

typedef struct pupil {
  deer_net *net;
  deer_kfac *kfac;
  deer_opt *opt;
  deer_real p[256], teacher[256], rate;
  deer_node x, z, loss;
  deer_program *update, *invert;
} pupil;

/* the gradient made natural, with what that needs appended to the outputs */
static deer_node naturalise(pupil *l, deer_graph *g, const deer_net_tap *taps, int n_taps,
                            deer_node gradient, deer_node *outputs, int *n) {
  const deer_kfac_options options = {.decay = 0.9, .damping = 1e-3};
  assert_int_equal(deer_kfac_new(&options, g, taps, n_taps, &l->kfac), DEER_OK);
  *n = deer_kfac_invert(l->kfac, g, outputs);
  assert_int_equal(deer_compile(g, outputs, *n, &l->invert), DEER_OK);
  /* a draw of the network's own distribution */
  l->z = deer_input(g, "z", DEER_DTYPE_REAL, DEER_SHAPE(SAMPLES, 2));
  deer_node y = taps[n_taps - 1].output, said = deer_stop(g, deer_add(g, y, l->z));
  *n = deer_kfac_observe(l->kfac, g, taps, gaussian_loss(g, y, said), outputs);
  return deer_kfac_direction(l->kfac, g, gradient);
}

static void build_pupil(pupil *l, bool natural) {
  l->net = small_net("dense");
  const int size = deer_net_size(l->net);
  for (int i = 0; i < 2; i++) {
    deer_rng rng = deer_rng_seed(5 + (uint64_t)i);
    deer_net_init(l->net, &rng, i ? l->teacher : l->p);
    /* small inputs have large weights [3, 6], which come first: all matter alike */
    for (int k = 0; k < 18; k++) (i ? l->teacher : l->p)[k] *= pow(10, k / 6);
  }
  assert_int_equal(deer_opt_new(deer_opt_find("sgd"), NULL, 0, size, &l->opt), DEER_OK);

  deer_graph *g = deer_graph_new();
  deer_node p = deer_variable(g, "p", l->p, size), y, gradient;
  deer_node rate = deer_variable(g, "rate", &l->rate, 1);
  deer_node teacher = deer_variable(g, "teacher", l->teacher, size);
  l->x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(SAMPLES, 1, 3));
  deer_net_tap taps[DEER_MAX_TAPS];
  int n_taps, n = 0;
  deer_net_call call = {.block = p, .states = &l->x, .taps = taps, .n_taps = &n_taps};
  deer_net_apply_heads(l->net, g, &call, &y);
  l->loss = gaussian_loss(g, y, deer_net_apply(l->net, g, teacher, &l->x));
  assert_int_equal(deer_gradients(g, l->loss, &p, 1, &gradient), DEER_OK);
  deer_node outputs[DEER_KFAC_ASSIGNS(3) + DEER_OPT_ASSIGNS + 1];
  if (natural) {
    deer_node direction = naturalise(l, g, taps, n_taps, gradient, outputs, &n);
    gradient = deer_trust_region(g, direction, gradient, rate, 0.01);
  }
  n += deer_opt_minimize(l->opt, g, p, gradient, rate, outputs + n);
  outputs[n++] = l->loss;
  if (deer_compile(g, outputs, n, &l->update) != DEER_OK) fail_msg("%s", deer_error());
  deer_graph_free(g);
  deer_real *x = deer_program_data(l->update, l->x);
  for (int i = 0; i < 3 * SAMPLES; i++) x[i] = pow(0.1, i % 3) * 3 * sin(i * i);
}

/* the loss after STEPS steps, as a share of the first */
static double learn(bool natural, double rate) {
  pupil l = {.rate = rate};
  build_pupil(&l, natural);
  deer_rng noise = deer_rng_seed(3);
  deer_real *z = natural ? deer_program_data(l.update, l.z) : NULL;
  const deer_real *loss = deer_program_data(l.update, l.loss);
  double first = 0;
  for (int step = 0; step < STEPS; step++) {
    for (int i = 0; z && i < 2 * SAMPLES; i++) z[i] = deer_rng_normal(&noise);
    /* at the first update there are no factors to invert */
    if (natural && step % 5 == 1) deer_program_run(l.invert);
    deer_program_run(l.update);
    if (step == 0) first = *loss;
  }
  const double share = *loss / first;
  deer_program_free(l.update);
  deer_program_free(l.invert);
  deer_kfac_free(l.kfac);
  deer_opt_free(l.opt);
  deer_net_free(l.net);
  return share;
}

/* than plain gradient descent at the best of its rates */
static void natural_gradients_learn_faster(void **state) {
  (void)state;
  double best = 1;
  for (double rate = 0.01; rate < 3; rate *= 1.5) best = fmin(best, learn(false, rate));
  const double natural = learn(true, 0.5);
  if (!(natural < best / 4))
    fail_msg("%g of the loss is left, plain descent leaves %g", natural, best);
}

/* ---- trust region ---- */

static void steps_stay_in_the_trust_region(void **state) {
  (void)state;
  deer_real direction[3] = {1, 2, 2}, gradient[3] = {2, 1, 2}, rate = 0.5;
  deer_graph *g = deer_graph_new();
  deer_node d = deer_variable(g, "direction", direction, 3);
  deer_node slope = deer_variable(g, "gradient", gradient, 3);
  deer_node r = deer_variable(g, "rate", &rate, 1);
  /* 0.5^2 / 2 * 8 = 1 */
  deer_node cut[] = {deer_trust_region(g, d, slope, r, 0.25), deer_trust_region(g, d, slope, r, 2)};
  deer_program *program;
  assert_int_equal(deer_compile(g, cut, 2, &program), DEER_OK);
  deer_program_run(program);
  const deer_real *shorter = deer_program_data(program, cut[0]);
  const deer_real *whole = deer_program_data(program, cut[1]);
  for (int i = 0; i < 3; i++) {
    assert_near(shorter[i], direction[i] / 2, 1e-15);
    assert_true(whole[i] == direction[i]);
  }
  /* with no slope there is no limit to reach */
  rate = 0;
  deer_program_run(program);
  for (int i = 0; i < 3; i++) assert_true(shorter[i] == direction[i]);
  deer_program_free(program);
  deer_graph_free(g);
}

/* ---- mistakes ---- */

static void wrong_use_is_refused(void **state) {
  (void)state;
  deer_graph *g = deer_graph_new();
  deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(2, 3));
  deer_node flat = deer_input(g, "flat", DEER_DTYPE_REAL, DEER_SHAPE(4));
  const deer_net_tap good[] = {{x, x, 0}, {x, x, 12}}, overlap[] = {{x, x, 0}, {x, x, 11}};
  const deer_net_tap wrong = {flat, x, 0};
  const deer_kfac_options options = {0.9, 0.01}, decay = {1, 0.01}, damping = {0.9, 0};
  deer_kfac *k;
  assert_int_equal(deer_kfac_new(&decay, g, good, 2, &k), DEER_EINVAL);
  assert_non_null(strstr(deer_error(), "decay must be at least 0 and below 1, got 1"));
  assert_null(k);
  assert_int_equal(deer_kfac_new(&damping, g, good, 2, &k), DEER_EINVAL);
  assert_non_null(strstr(deer_error(), "damping must be above 0, got 0"));
  assert_int_equal(deer_kfac_new(&options, g, good, 0, &k), DEER_EINVAL);
  assert_non_null(strstr(deer_error(), "no dense layer"));
  assert_int_equal(deer_kfac_new(&options, g, overlap, 2, &k), DEER_ESHAPE);
  assert_non_null(strstr(deer_error(), "layers 1 and 2 overlap"));
  assert_int_equal(deer_kfac_new(&options, g, &wrong, 1, &k), DEER_ESHAPE);
  assert_non_null(strstr(deer_error(), "layer 1 does not map"));
  size_t blocks = deer_alloc_blocks();
  for (uint64_t i = 1; i <= 13; i++) {
    deer_alloc_fail_at(i);
    assert_int_equal(deer_kfac_new(&options, g, good, 2, &k), DEER_ENOMEM);
    assert_null(k);
    assert_true(deer_alloc_blocks() == blocks);
  }
  deer_alloc_fail_at(0);
  assert_int_equal(deer_kfac_new(&options, g, good, 2, &k), DEER_OK);
  deer_node assigns[DEER_KFAC_ASSIGNS(2)];
  assert_int_equal(deer_kfac_observe(k, g, good, x, assigns), 0);
  assert_int_equal(deer_graph_status(g), DEER_ESHAPE);
  assert_non_null(strstr(deer_error(), "not a real scalar"));
  deer_kfac_free(k);
  deer_graph_free(g);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(direction_is_the_natural_gradient_of_a_linear_layer),
      cmocka_unit_test(one_step_solves_a_linear_regression),
      cmocka_unit_test(damped_running_factors_by_hand),
      cmocka_unit_test(state_can_be_carried_over),
      cmocka_unit_test(taps_name_the_dense_layers),
      cmocka_unit_test(natural_gradients_learn_faster),
      cmocka_unit_test(steps_stay_in_the_trust_region),
      cmocka_unit_test(wrong_use_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
