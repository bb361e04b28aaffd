/* test_dqn_family.c: the deep Q-networks, plain or double, dueling, over distributions, noisy:
 * their values, losses and steps against loops over samples, with differences for gradients. The
 * network is the last layer alone, which is enough to tell every formula apart. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
  BATCH = 4,
  FEATURES = 3,
  ACTIONS = 3,
  MOST_ATOMS = 7,
  MOST = 256,
  VALUES = 0,
  C51,
  QUANTILE
};

#define RATE     0.05
#define DISCOUNT 0.8

/* what is being tested, and what the plain implementation needs of it */
typedef struct world {
  int distribution, atoms;
  bool dueling, double_q, noisy, sum;
  double threshold, tau, v_min, v_max;
  deer_batch batch;
  deer_real obs_tm1[BATCH * FEATURES], obs_t[BATCH * FEATURES], r_t[BATCH], continue_t[BATCH];
  int32_t a_tm1[BATCH];
  double online[MOST], target[MOST];
  int size;
} world;

/* ---- set-up ---- */

static deer_option number(const char *name, double x) {
  return (deer_option){name, {DEER_VALUE_NUMBER, x, NULL}};
}

static deer_option flag(const char *name, bool x) {
  return (deer_option){name, {DEER_VALUE_BOOL, x, NULL}};
}

static deer_option word(const char *name, const char *x) {
  return (deer_option){name, {DEER_VALUE_TEXT, 0, x}};
}

static deer_status make_with(const deer_option *options, int n, const deer_net_spec *net,
                             deer_algo **algo) {
  deer_space space = {.n_subjects = 1, .actions = {.n = ACTIONS, .size = 1}};
  space.subjects[0] = (deer_subject){1, DEER_SHAPE(FEATURES), DEER_DTYPE_REAL};
  deer_rng rng = deer_rng_seed(3);
  deer_algo_config config = {&space, net, options, n, &rng};
  return deer_algo_new(deer_algo_find("dqn"), &config, algo);
}

static deer_algo *make(const world *w) {
  static const char *const distributions[] = {"none", "categorical", "quantile"};
  const deer_option options[] = {word("distribution", distributions[w->distribution]),
                                 number("atoms", w->atoms > 0 ? w->atoms : 51),
                                 number("v_min", w->v_min),
                                 number("v_max", w->v_max),
                                 flag("dueling", w->dueling),
                                 flag("double_q", w->double_q),
                                 flag("noisy", w->noisy),
                                 number("clip_delta", w->threshold),
                                 number("tau", w->tau),
                                 word("batch_accumulator", w->sum ? "sum" : "mean"),
                                 word("update_rule", "sgd"),
                                 number("learning_rate", RATE),
                                 number("discount", DISCOUNT),
                                 number("batch_size", BATCH)};
  deer_algo *algo = NULL;
  deer_net_spec bare = {0};
  if (make_with(options, sizeof options / sizeof *options, &bare, &algo) != DEER_OK)
    fail_msg("%s", deer_error());
  return algo;
}

/* two networks of random parameters */
static void draw_parameter(void *context, const char *name, const deer_shape *shape,
                           deer_real *data) {
  (void)name;
  for (size_t i = 0; i < deer_shape_count(shape); i++) data[i] = deer_rng_normal(context) / 2;
}

/* reads them, one behind the other, in the order of their names */
static void read_parameter(void *context, const char *name, const deer_shape *shape,
                           deer_real *data) {
  world *w = context;
  bool online = strncmp(name, "q.", 2) == 0;
  if (strstr(name, "output.weight") || strstr(name, "output.value.weight")) w->size = 0;
  for (size_t i = 0; i < deer_shape_count(shape); i++)
    (online ? w->online : w->target)[w->size++] = data[i];
}

static void draw_batch(world *w, deer_rng *rng) {
  w->batch = (deer_batch){.size = BATCH,
                          .obs_tm1 = {w->obs_tm1},
                          .obs_t = {w->obs_t},
                          .a_tm1 = w->a_tm1,
                          .r_t = w->r_t,
                          .continue_t = w->continue_t};
  for (int i = 0; i < BATCH * FEATURES; i++) w->obs_tm1[i] = deer_rng_normal(rng);
  for (int i = 0; i < BATCH * FEATURES; i++) w->obs_t[i] = deer_rng_normal(rng);
  for (int b = 0; b < BATCH; b++) {
    w->r_t[b] = deer_rng_normal(rng);
    w->continue_t[b] = b != 1;
    w->a_tm1[b] = (int32_t)deer_rng_below(rng, ACTIONS);
  }
}

/* ---- the same with loops ---- */

static double linear(const double *block, int outputs, int j, const deer_real *x) {
  double y = block[FEATURES * outputs + j];
  for (int i = 0; i < FEATURES; i++) y += x[i] * block[i * outputs + j];
  return y;
}

/* number k of what a network says about action a */
static double said(const world *w, const double *block, const deer_real *x, int a, int k) {
  const int atoms = w->atoms > 0 ? w->atoms : 1;
  if (!w->dueling) return linear(block, ACTIONS * atoms, a * atoms + k, x);
  const double *advantages = block + (FEATURES + 1) * atoms;
  double y = linear(block, atoms, k, x), mean = 0;
  for (int i = 0; i < ACTIONS; i++)
    mean += linear(advantages, ACTIONS * atoms, i * atoms + k, x) / ACTIONS;
  return y + linear(advantages, ACTIONS * atoms, a * atoms + k, x) - mean;
}

static void distribution(const world *w, const double *block, const deer_real *x, int a,
                         double p[MOST_ATOMS]) {
  double sum = 0;
  for (int k = 0; k < w->atoms; k++) sum += p[k] = exp(said(w, block, x, a, k));
  for (int k = 0; k < w->atoms; k++) p[k] /= sum;
}

static double gap(const world *w) { return (w->v_max - w->v_min) / (w->atoms - 1); }

static double value(const world *w, const double *block, const deer_real *x, int a) {
  double sum = 0, p[MOST_ATOMS];
  if (w->distribution == VALUES) return said(w, block, x, a, 0);
  distribution(w, block, x, a, p);
  for (int k = 0; k < w->atoms; k++)
    sum += w->distribution == C51 ? p[k] * (w->v_min + k * gap(w))
                                  : said(w, block, x, a, k) / w->atoms;
  return sum;
}

static int best(const world *w, const double *block, const deer_real *x) {
  int a = 0;
  for (int i = 1; i < ACTIONS; i++)
    if (value(w, block, x, i) > value(w, block, x, a)) a = i;
  return a;
}

static double huber(double u, double threshold) {
  return fabs(u) <= threshold ? u * u / 2 : threshold * (fabs(u) - threshold / 2);
}

/* the cross-entropy with the moved distribution, each atom shared out between its neighbours */
static double categorical_loss(const world *w, const double *online, int b, int a_t) {
  double p[MOST_ATOMS], p_t[MOST_ATOMS], loss = 0;
  distribution(w, online, w->obs_tm1 + b * FEATURES, w->a_tm1[b], p);
  distribution(w, w->target, w->obs_t + b * FEATURES, a_t, p_t);
  for (int j = 0; j < w->atoms; j++) {
    double z = w->r_t[b] + w->continue_t[b] * DISCOUNT * (w->v_min + j * gap(w));
    double place = (fmin(w->v_max, fmax(w->v_min, z)) - w->v_min) / gap(w);
    int low = (int)floor(place), high = low + 1 < w->atoms ? low + 1 : low;
    loss -= p_t[j] * ((1 - (place - low)) * log(p[low]) + (place - low) * log(p[high]));
  }
  return loss;
}

static double quantile_loss(const world *w, const double *online, int b, int a_t) {
  double loss = 0, n = w->atoms;
  for (int i = 0; i < w->atoms; i++)
    for (int j = 0; j < w->atoms; j++) {
      double z = w->r_t[b] +
                 w->continue_t[b] * DISCOUNT * said(w, w->target, w->obs_t + b * FEATURES, a_t, j);
      double u = z - said(w, online, w->obs_tm1 + b * FEATURES, w->a_tm1[b], i);
      double size = w->threshold > 0 ? huber(u, w->threshold) / w->threshold : fabs(u);
      loss += fabs((i + 0.5) / n - (u < 0)) * size / n;
    }
  return loss;
}

/* of one sample, when the parameters that are learnt are `online`; which action is looked at in
 * s_t is settled before */
static double sample_loss(const world *w, const double *online, int b) {
  const deer_real *x_t = w->obs_t + b * FEATURES;
  const int a_t = best(w, w->double_q ? w->online : w->target, x_t);
  if (w->distribution == C51) return categorical_loss(w, online, b, a_t);
  if (w->distribution == QUANTILE) return quantile_loss(w, online, b, a_t);
  double u = w->r_t[b] + w->continue_t[b] * DISCOUNT * value(w, w->target, x_t, a_t) -
             value(w, online, w->obs_tm1 + b * FEATURES, w->a_tm1[b]);
  return w->threshold > 0 ? huber(u, w->threshold) : u * u / 2;
}

static double batch_loss(const world *w, const double *online) {
  double loss = 0;
  for (int b = 0; b < BATCH; b++) loss += sample_loss(w, online, b) / (w->sum ? 1 : BATCH);
  return loss;
}

static void assert_near(double got, double expected, double tolerance) {
  if (!(fabs(got - expected) <= tolerance * (1 + fabs(expected))))
    fail_msg("expected %.12g, got %.12g", expected, got);
}

/* one step of descent, slopes taken from differences, and the target network after it */
static void plain_step(const world *w, double *online, double *target) {
  double moved[MOST];
  memcpy(moved, w->online, sizeof moved);
  for (int i = 0; i < w->size; i++) {
    moved[i] = w->online[i] + 1e-5;
    double above = batch_loss(w, moved);
    moved[i] = w->online[i] - 1e-5;
    double below = batch_loss(w, moved);
    moved[i] = w->online[i];
    online[i] = w->online[i] - RATE * (above - below) / 2e-5;
    target[i] = w->target[i] + w->tau * (online[i] - w->target[i]);
  }
}

/* ---- tests ---- */

static void check_values(const world *w, deer_algo *algo) {
  for (int b = 0; b < BATCH; b++) {
    const deer_real *x = w->obs_t + b * FEATURES;
    const void *state[] = {x};
    deer_real q[ACTIONS], action;
    double most;
    assert_int_equal(algo->kind->values(algo, state, q), DEER_OK);
    for (int a = 0; a < ACTIONS; a++) assert_near(q[a], value(w, w->online, x, a), 1e-12);
    assert_int_equal(algo->kind->act(algo, state, &action, &most), DEER_OK);
    assert_int_equal((int)action, best(w, w->online, x));
    assert_near(most, q[(int)action], 0);
  }
}

static void check_updates(world *w) {
  deer_algo *algo = make(w);
  deer_rng rng = deer_rng_seed(8);
  algo->kind->visit(algo, &rng, draw_parameter);
  for (int i = 0; i < 3; i++) {
    double online[MOST], target[MOST], loss;
    deer_real losses[BATCH];
    draw_batch(w, &rng);
    algo->kind->visit(algo, w, read_parameter);
    check_values(w, algo);
    plain_step(w, online, target);
    assert_int_equal(algo->kind->train(algo, &w->batch, &loss, losses), DEER_OK);
    assert_near(loss, sqrt(batch_loss(w, w->online)), 1e-12);
    for (int b = 0; b < BATCH; b++) assert_near(losses[b], sample_loss(w, w->online, b), 1e-12);
    algo->kind->visit(algo, w, read_parameter);
    for (int k = 0; k < w->size; k++) assert_near(w->online[k], online[k], 1e-7);
    for (int k = 0; k < w->size; k++) assert_near(w->target[k], target[k], 1e-7);
  }
  deer_algo_free(algo);
}

/* each kind of value, each with and without dueling streams and double Q-learning */
static void updates_are_their_formulas(void **state) {
  (void)state;
  const world kinds[] = {{.distribution = VALUES},
                         {.distribution = VALUES, .threshold = 0.7, .sum = true},
                         {.distribution = C51, .atoms = 7, .v_min = -1.5, .v_max = 2},
                         {.distribution = C51, .atoms = 2, .v_min = -9, .v_max = 9, .sum = true},
                         {.distribution = QUANTILE, .atoms = 5, .threshold = 1},
                         {.distribution = QUANTILE, .atoms = 4, .sum = true}};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    for (int variant = 0; variant < 4; variant++) {
      world w = kinds[i];
      w.dueling = variant & 1;
      w.double_q = variant & 2;
      w.tau = 0.1;
      if (w.v_min == w.v_max) w.v_max = 1;
      check_updates(&w);
    }
}

/* acting: the mean in tests, drawn anew each time in training */
static void noise_explores(void **state) {
  (void)state;
  for (int dueling = 0; dueling < 2; dueling++) {
    world w = {.distribution = C51, .atoms = 5, .v_max = 1, .noisy = true, .dueling = dueling};
    deer_algo *algo = make(&w);
    deer_rng rng = deer_rng_seed(2);
    deer_real x[FEATURES] = {0.3, -0.2, 0.1}, q[2][ACTIONS], action;
    const void *seen[] = {x};
    int taken[ACTIONS] = {0};
    assert_int_equal(algo->kind->values(algo, seen, q[0]), DEER_OK);
    for (int i = 0; i < 300; i++) {
      assert_int_equal(algo->kind->explore(algo, seen, &rng, &action), DEER_OK);
      taken[(int)action]++;
    }
    for (int a = 0; a < ACTIONS; a++) assert_in_range(taken[a], 1, 299);
    assert_int_equal(algo->kind->values(algo, seen, q[1]), DEER_OK);
    assert_memory_equal(q[0], q[1], sizeof q[0]);
    deer_algo_free(algo);
  }
}

/* the noise of a first update is not that of a second: with no step between, the losses differ */
static void noise_is_learnt_with(void **state) {
  (void)state;
  world w = {.distribution = QUANTILE, .atoms = 5, .v_max = 1, .noisy = true, .tau = 0.1};
  deer_algo *algo = make(&w);
  deer_rng rng = deer_rng_seed(2);
  double first, second;
  draw_batch(&w, &rng);
  assert_int_equal(deer_algo_set_learning_rate(algo, 0), DEER_OK);
  assert_int_equal(algo->kind->train(algo, &w.batch, &first, NULL), DEER_OK);
  assert_int_equal(algo->kind->train(algo, &w.batch, &second, NULL), DEER_OK);
  assert_true(first != second);
  deer_algo_free(algo);
}

static void sizes_of(void *context, const char *name, const deer_shape *shape, deer_real *data) {
  (void)data;
  char *text = context, part[DEER_SHAPE_TEXT];
  if (strncmp(name, "q.", 2) == 0)
    sprintf(text + strlen(text), "%s %s; ", name + 2, deer_shape_text(shape, part));
}

/* every dense layer becomes a noisy one of the same size */
static void all_dense_layers_are_noisy(void **state) {
  (void)state;
  deer_net_spec net = {0};
  deer_layer_spec *layer = deer_layer_add(&net.trunk, "dense");
  assert_int_equal(deer_layer_set(layer, "units", (deer_value){DEER_VALUE_NUMBER, 6, NULL}),
                   DEER_OK);
  const deer_option options[] = {flag("noisy", true), number("batch_size", BATCH)};
  deer_algo *algo;
  char text[512] = "";
  assert_int_equal(make_with(options, 2, &net, &algo), DEER_OK);
  algo->kind->visit(algo, text, sizes_of);
  assert_string_equal(
      text, "trunk.noisy1.weight [3, 6]; trunk.noisy1.bias [6]; trunk.noisy1.weight_sigma [3, 6]; "
            "trunk.noisy1.bias_sigma [6]; output.weight [6, 3]; output.bias [3]; "
            "output.weight_sigma [6, 3]; output.bias_sigma [3]; ");
  deer_algo_free(algo);
}

static void refused(const deer_option *options, int n, bool with_output, const char *message) {
  deer_algo *algo;
  deer_net_spec net = {0};
  if (with_output) assert_int_equal(deer_output_make("dense", &net.output), DEER_OK);
  assert_int_equal(make_with(options, n, &net, &algo), DEER_EINVAL);
  assert_null(algo);
  if (!strstr(deer_error(), message)) fail_msg("expected '%s', got '%s'", message, deer_error());
}

static void contradictions_are_refused(void **state) {
  (void)state;
  deer_option categorical = word("distribution", "categorical");
  refused((deer_option[]){categorical, number("v_min", 3), number("v_max", 3)}, 3, false,
          "expected v_min below v_max, got 3 and 3");
  refused((deer_option[]){categorical, number("clip_delta", 1)}, 2, false, "expected 0, got 1");
  refused((deer_option[]){categorical, word("batch_accumulator", "mean_outputs")}, 2, false,
          "expected 'sum' or 'mean'");
  refused((deer_option[]){number("dueling_hidden", 8)}, 1, false, "set 'dueling'");
  refused((deer_option[]){flag("dueling", true)}, 1, true, "'dueling' chooses the last layer");
  refused((deer_option[]){flag("noisy", true)}, 1, true, "'noisy' chooses the last layer");
  refused((deer_option[]){number("tau", 1.5)}, 1, false, "tau");
  /* a network without noise has nothing to draw from */
  world w = {.v_max = 1};
  deer_algo *algo = make(&w);
  deer_rng rng = deer_rng_seed(1);
  deer_real x[FEATURES] = {0}, action;
  const void *seen[] = {x};
  assert_int_equal(algo->kind->explore(algo, seen, &rng, &action), DEER_EINVAL);
  assert_non_null(strstr(deer_error(), "'noisy'"));
  deer_algo_free(algo);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(updates_are_their_formulas), cmocka_unit_test(noise_explores),
      cmocka_unit_test(noise_is_learnt_with), cmocka_unit_test(all_dense_layers_are_noisy),
      cmocka_unit_test(contradictions_are_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
