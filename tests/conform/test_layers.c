/* test_layers.c: every registered layer, in double precision: it computes what layers_plain.h says,
 * its parameters have the right names, shapes, gradients and initial values. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "layer_text.h"
#include "layers_plain.h"

enum { OUTPUTS = 2 };

static deer_space frame_space(void) {
  deer_space space = {.n_subjects = 1, .actions = {.n = OUTPUTS, .size = 1}};
  space.subjects[0] = (deer_subject){HISTORY, DEER_SHAPE(ROWS, COLUMNS), DEER_DTYPE_REAL};
  return space;
}

/* A network with the layers of a case as its branch, and its loss, the sum of squares. */
typedef struct rig {
  const layer_case *c;
  deer_net *net;
  deer_real *block, *x;
  deer_rng noise; /* what each run begins with */
  deer_node input, y, loss, gradient;
  deer_program *program;
} rig;

static void fill_input(rig *r) {
  r->x = deer_program_data(r->program, r->input);
  bool whole = strncmp(r->c->layers, "embedding", 9) == 0;
  for (int i = 0; i < BATCH * FEATURES; i++)
    r->x[i] = whole ? i * i % 7 % 4 : sin(0.7 * i) + 0.3 * cos(1.3 * i);
}

static void setup(rig *r, const layer_case *c) {
  deer_space space = frame_space();
  deer_net_spec spec = {.n_branches = 1};
  *r = (rig){.c = c};
  if (layers_from(c->layers, &spec.branches[0]) != DEER_OK ||
      deer_net_new(&spec, &space, OUTPUTS, &r->net) != DEER_OK)
    fail_msg("%s: %s", c->layers, deer_error());
  r->block = deer_alloc_array((size_t)deer_net_size(r->net), sizeof *r->block);
  deer_rng rng = deer_rng_seed(5);
  deer_net_init(r->net, &rng, r->block);
  r->noise = *deer_net_noise(r->net);
  deer_graph *g = deer_graph_new();
  deer_node block = deer_variable(g, "block", r->block, deer_net_size(r->net));
  r->input = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(BATCH, HISTORY, ROWS, COLUMNS));
  deer_net_call call = {.block = block, .states = &r->input, .noise = true};
  deer_net_apply_heads(r->net, g, &call, &r->y);
  r->loss = deer_sum(g, deer_square(g, r->y), DEER_ALL_AXES);
  if (deer_gradients(g, r->loss, &block, 1, &r->gradient) != DEER_OK)
    fail_msg("%s: %s", c->layers, deer_error());
  deer_node outputs[] = {r->y, r->loss, r->gradient};
  assert_int_equal(deer_compile(g, outputs, 3, &r->program), DEER_OK);
  deer_graph_free(g);
  fill_input(r);
}

static void teardown(rig *r) {
  deer_program_free(r->program);
  deer_net_free(r->net);
  deer_free(r->block);
}

static double loss_of(rig *r) {
  *deer_net_noise(r->net) = r->noise;
  deer_program_run(r->program);
  return *(deer_real *)deer_program_data(r->program, r->loss);
}

static void every_layer_has_a_case(void **state) {
  (void)state;
  for (int k = 0; deer_layer_at(k); k++) {
    const char *name = deer_layer_name(deer_layer_at(k));
    bool found = false;
    for (int i = 0; i < N_CASES; i++) found = found || strstr(cases[i].layers, name) != NULL;
    if (!found) fail_msg("layers_plain.h has no case for %s", name);
    assert_non_null(deer_layer_help(deer_layer_at(k)));
  }
}

/* what the branch gives goes through a linear layer of OUTPUTS */
static void outputs_are_right(void **state) {
  (void)state;
  for (int k = 0; k < N_CASES; k++) {
    rig r;
    setup(&r, &cases[k]);
    loss_of(&r);
    const deer_real *got = deer_program_data(r.program, r.y);
    const int n = cases[k].outputs;
    const deer_real *w = r.block + deer_net_size(r.net) - (n + 1) * OUTPUTS;
    for (int i = 0; i < BATCH; i++) {
      double x[FEATURES], y[256], expected[OUTPUTS];
      for (int f = 0; f < FEATURES; f++) x[f] = r.x[i * FEATURES + f];
      cases[k].plain(&(plain){r.net, r.block, r.noise, i}, x, y);
      multiply(y, n, w, w + n * OUTPUTS, OUTPUTS, linear, expected);
      for (int o = 0; o < OUTPUTS; o++)
        if (!(fabs(expected[o] - got[i * OUTPUTS + o]) < 1e-10 * (1 + fabs(expected[o]))))
          fail_msg("%s: output %d of sample %d: expected %.12g, got %.12g", cases[k].layers, o, i,
                   expected[o], (double)got[i * OUTPUTS + o]);
    }
    teardown(&r);
  }
}

static void parameters_are_named(void **state) {
  (void)state;
  for (int k = 0; k < N_CASES; k++) {
    rig r;
    setup(&r, &cases[k]);
    char all[1024] = "", shape[DEER_SHAPE_TEXT];
    deer_net_slot slot;
    int end = 0, i = 0;
    for (; deer_net_slot_at(r.net, i, &slot); i++) {
      assert_int_equal(slot.offset, end);
      end += (int)deer_shape_count(&slot.shape);
      if (strncmp(slot.name, "subject0.", 9) != 0) continue;
      char *to = all + strlen(all);
      sprintf(to, "%s%s %s", i > 0 ? ", " : "", slot.name + 9, deer_shape_text(&slot.shape, shape));
    }
    assert_string_equal(all, cases[k].parameters);
    assert_int_equal(end, deer_net_size(r.net));
    deer_net_slot_at(r.net, i - 2, &slot);
    assert_string_equal(slot.name, "output.weight");
    assert_int_equal(slot.shape.dim[0], cases[k].outputs);
    teardown(&r);
  }
}

static void gradients_are_right(void **state) {
  (void)state;
  for (int k = 0; k < N_CASES; k++) {
    rig r;
    setup(&r, &cases[k]);
    int size = deer_net_size(r.net);
    loss_of(&r);
    deer_real *gradient = malloc((size_t)size * sizeof *gradient);
    memcpy(gradient, deer_program_data(r.program, r.gradient), (size_t)size * sizeof *gradient);
    for (int i = 0; i < size; i += 1 + size / 97) {
      double kept = r.block[i], step = 1e-6;
      r.block[i] = kept + step;
      double up = loss_of(&r);
      r.block[i] = kept - step;
      double numeric = (up - loss_of(&r)) / (2 * step);
      r.block[i] = kept;
      if (!(fabs(numeric - gradient[i]) < 1e-5 * (1 + fabs(numeric))))
        fail_msg("%s: parameter %d: expected %g, got %g", cases[k].layers, i, numeric, gradient[i]);
    }
    free(gradient);
    teardown(&r);
  }
}

static void running_allocates_nothing(void **state) {
  (void)state;
  for (int k = 0; k < N_CASES; k++) {
    rig r;
    setup(&r, &cases[k]);
    uint64_t calls = deer_alloc_calls();
    double first = loss_of(&r);
    for (int i = 0; i < 3; i++) assert_true(loss_of(&r) == first);
    assert_true(deer_alloc_calls() == calls);
    teardown(&r);
  }
}

/* without noise the outputs are those of the means, and nothing is drawn */
static void noise_can_be_left_out(void **state) {
  (void)state;
  static const char *const layers[] = {"noisy units=5 activation=tanh", "dropout rate=0.5"};
  for (int k = 0; k < 2; k++) {
    deer_space space = frame_space();
    deer_net_spec spec = {.n_branches = 1};
    deer_net *net;
    assert_int_equal(layers_from(layers[k], &spec.branches[0]), DEER_OK);
    assert_int_equal(deer_net_new(&spec, &space, 5, &net), DEER_OK);
    deer_real *block = deer_alloc_array((size_t)deer_net_size(net), sizeof *block);
    deer_rng rng = deer_rng_seed(5);
    deer_net_init(net, &rng, block);
    /* what comes out of the branch comes out of the network */
    deer_real *w = block + deer_net_size(net) - (k == 0 ? 30 : 5 * FEATURES + 5);
    memset(w, 0, (size_t)(block + deer_net_size(net) - w) * sizeof *w);
    for (int i = 0; i < 5; i++) w[i * 6] = 1;

    deer_graph *g = deer_graph_new();
    deer_node v = deer_variable(g, "block", block, deer_net_size(net)), y[3];
    deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(1, HISTORY, ROWS, COLUMNS));
    y[0] = deer_net_apply(net, g, v, &x);
    deer_net_call call = {.block = v, .states = &x, .noise = true};
    deer_net_apply_heads(net, g, &call, &y[1]);
    deer_net_apply_heads(net, g, &call, &y[2]);
    deer_program *calm, *noisy;
    assert_int_equal(deer_compile(g, y, 1, &calm), DEER_OK);
    assert_int_equal(deer_compile(g, y, 3, &noisy), DEER_OK);
    deer_real *in = deer_program_data(calm, x);
    for (int i = 0; i < FEATURES; i++) in[i] = 1 + i;
    memcpy(deer_program_data(noisy, x), in, FEATURES * sizeof *in);

    deer_rng before = *deer_net_noise(net);
    deer_program_run(calm);
    assert_memory_equal(&before, deer_net_noise(net), sizeof before);
    deer_program_run(noisy);
    assert_memory_not_equal(&before, deer_net_noise(net), sizeof before);
    const deer_real *out[3];
    for (int i = 0; i < 3; i++) out[i] = deer_program_data(noisy, y[i]);
    assert_memory_equal(deer_program_data(calm, y[0]), out[0], 5 * sizeof *in);
    assert_memory_not_equal(out[0], out[1], 5 * sizeof *in);
    assert_memory_not_equal(out[1], out[2], 5 * sizeof *in);
    for (int j = 0; j < 5; j++) {
      double sum = 0;
      for (int i = 0; i < FEATURES; i++) sum += in[i] * block[i * 5 + j];
      sum = k == 0 ? tanh(sum + block[FEATURES * 5 + j]) : in[j];
      assert_true(fabs(out[0][j] - sum) < 1e-12);
    }
    deer_program_free(calm);
    deer_program_free(noisy);
    deer_graph_free(g);
    deer_free(block);
    deer_net_free(net);
  }
}

/* ---- initial values ---- */

/* a dense layer from 40 features to 60 units, drawn as the options say */
static deer_real *drawn(const char *options, uint64_t seed) {
  deer_space space = frame_space();
  deer_net_spec spec = {.n_branches = 1};
  char text[128];
  deer_net *net;
  snprintf(text, sizeof text, "dense units=60 %s", options);
  assert_int_equal(layers_from(text, &spec.branches[0]), DEER_OK);
  assert_int_equal(deer_net_new(&spec, &space, OUTPUTS, &net), DEER_OK);
  deer_real *block = malloc((size_t)deer_net_size(net) * sizeof *block);
  deer_rng rng = deer_rng_seed(seed);
  deer_net_init(net, &rng, block);
  deer_net_free(net);
  return block;
}

static double variance_of(const deer_real *x, int n, double *largest) {
  double sum = 0, squares = 0;
  *largest = 0;
  for (int i = 0; i < n; i++) {
    sum += x[i];
    squares += x[i] * x[i];
    *largest = fmax(*largest, fabs(x[i]));
  }
  return squares / n - sum / n * (sum / n);
}

static void initial_values_have_their_spread(void **state) {
  (void)state;
  static const struct {
    const char *options;
    double variance, bound; /* bound 0: normal */
  } wanted[] = {
      {"", 2.0 / 100, 1},
      {"init=glorot_uniform gain=3", 18.0 / 100, 1},
      {"init=glorot_normal", 2.0 / 100, 0},
      {"init=he_uniform", 2.0 / 40, 1},
      {"init=he_normal gain=2", 8.0 / 40, 0},
      {"init=lecun_uniform", 1.0 / 40, 1},
      {"init=lecun_normal", 1.0 / 40, 0},
      {"init=uniform gain=0.003", 0.003 * 0.003 / 3, 1},
  };
  for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++) {
    double largest;
    deer_real *values = drawn(wanted[k].options, 3);
    double variance = variance_of(values, 2400, &largest), bound = sqrt(3 * wanted[k].variance);
    /* four deviations of a variance from 2400 draws, which is largest for normal numbers */
    if (fabs(variance / wanted[k].variance - 1) > 4 * sqrt(2.0 / 2400))
      fail_msg("%s: variance %g, expected %g", wanted[k].options, variance, wanted[k].variance);
    if (wanted[k].bound > 0) assert_true(largest <= bound && largest > 0.99 * bound);
    if (wanted[k].bound == 0) assert_true(largest > 1.5 * bound && largest < 3 * bound);
    for (int i = 2400; i < 2460; i++) assert_true(values[i] == 0);
    free(values);
  }
}

static void constants_and_biases_are_drawn(void **state) {
  (void)state;
  deer_real *a = drawn("init=constant gain=0.25", 1), *b = drawn("init=zeros", 1);
  deer_real *c = drawn("init=lecun_uniform gain=0.5 bias_init=lecun_uniform", 1);
  double largest;
  for (int i = 0; i < 2400; i++) assert_true(a[i] == 0.25 && b[i] == 0);
  variance_of(c + 2400, 60, &largest);
  assert_true(largest > 0.4 * sqrt(3.0 / 40) && largest <= 0.5 * sqrt(3.0 / 40));
  free(a);
  free(b);
  free(c);
}

/* the shorter side of the matrix is a set of orthonormal vectors, times the gain */
static void orthogonal_matrices_are_orthogonal(void **state) {
  (void)state;
  static const int sizes[][2] = {{40, 60}, {40, 7}, {40, 40}, {40, 1}, {1, 9}};
  for (int k = 0; k < 5; k++) {
    const int rows = sizes[k][0], columns = sizes[k][1];
    deer_space space = {.n_subjects = 1, .actions = {.n = 2, .size = 1}};
    space.subjects[0] = (deer_subject){rows, DEER_SCALAR, DEER_DTYPE_REAL};
    deer_net_spec spec = {.n_branches = 1};
    char text[64];
    snprintf(text, sizeof text, "dense units=%d init=orthogonal gain=1.5", columns);
    assert_int_equal(layers_from(text, &spec.trunk), DEER_OK);
    deer_net *net;
    assert_int_equal(deer_net_new(&spec, &space, 2, &net), DEER_OK);
    deer_real *w = malloc((size_t)deer_net_size(net) * sizeof *w);
    deer_rng rng = deer_rng_seed(9);
    deer_net_init(net, &rng, w);
    const int n = rows < columns ? rows : columns, length = rows < columns ? columns : rows;
    const int next = rows < columns ? columns : 1, step = rows < columns ? 1 : columns;
    for (int i = 0; i < n; i++)
      for (int j = 0; j <= i; j++) {
        double dot = 0;
        for (int c = 0; c < length; c++) dot += w[i * next + c * step] * w[j * next + c * step];
        assert_true(fabs(dot - (i == j ? 1.5 * 1.5 : 0)) < 1e-12);
      }
    free(w);
    deer_net_free(net);
  }
}

/* the same seed, the same bits; another seed, other values; the stream of noise is its own */
static void seeds_give_the_values(void **state) {
  (void)state;
  static const char *const kinds[] = {"init=glorot_uniform", "init=he_normal", "init=orthogonal"};
  for (int k = 0; k < 3; k++) {
    deer_real *a = drawn(kinds[k], 7), *b = drawn(kinds[k], 7), *c = drawn(kinds[k], 8);
    assert_memory_equal(a, b, 2400 * sizeof *a);
    assert_memory_not_equal(a, c, 2400 * sizeof *a);
    free(a);
    free(b);
    free(c);
  }
  rig r;
  setup(&r, &cases[0]);
  deer_rng rng = deer_rng_seed(5), noise = deer_rng_split(&rng, "noise");
  assert_memory_equal(&r.noise, &noise, sizeof noise);
  /* the bits of the first release */
  for (int i = 0; i < 4; i++)
    assert_true(r.block[i] == sqrt(6.0 / 45) * (2 * deer_rng_uniform(&rng) - 1));
  teardown(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_layer_has_a_case),
                                     cmocka_unit_test(outputs_are_right),
                                     cmocka_unit_test(parameters_are_named),
                                     cmocka_unit_test(gradients_are_right),
                                     cmocka_unit_test(running_allocates_nothing),
                                     cmocka_unit_test(noise_can_be_left_out),
                                     cmocka_unit_test(initial_values_have_their_spread),
                                     cmocka_unit_test(constants_and_biases_are_drawn),
                                     cmocka_unit_test(orthogonal_matrices_are_orthogonal),
                                     cmocka_unit_test(seeds_give_the_values)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
