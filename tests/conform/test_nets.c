/* test_nets.c: networks as a whole, in double precision: branches, trunk, heads, what is carried
 * over, and what is refused. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "layer_text.h"

/* a frame of 9 x 8 with a history of 2 */
static deer_space frame_space(deer_dtype dtype) {
  deer_space space = {.n_subjects = 1, .actions = {.n = 2, .size = 1}};
  space.subjects[0] = (deer_subject){2, DEER_SHAPE(9, 8), dtype};
  return space;
}

/* `n` subjects that are vectors of `length` */
static deer_space vector_space(int n, int history, int length) {
  deer_space space = {.n_subjects = n, .actions = {.n = 2, .size = 1}};
  for (int s = 0; s < n; s++)
    space.subjects[s] = (deer_subject){history, DEER_SHAPE(length), DEER_DTYPE_REAL};
  return space;
}

/* the message of a network that cannot be */
static const char *refusal(const char *layers, const deer_space *space) {
  deer_net_spec spec = {.n_branches = 1};
  deer_net *net = NULL;
  deer_status status = layers_from(layers, &spec.branches[0]);
  if (status == DEER_OK) status = deer_net_new(&spec, space, 2, &net);
  if (status == DEER_OK) fail_msg("accepted: %s", layers);
  assert_null(net);
  return deer_error();
}

static void says(const char *got, const char *wanted) {
  if (!strstr(got, wanted)) fail_msg("'%s' does not say '%s'", got, wanted);
}

static deer_real *parameters_of(deer_net *net, uint64_t seed) {
  deer_real *block = deer_alloc_array((size_t)deer_net_size(net), sizeof *block);
  deer_rng rng = deer_rng_seed(seed);
  deer_net_init(net, &rng, block);
  return block;
}

/* ---- inputs ---- */

/* bytes of a picture go in as they are */
static void bytes_are_cast(void **state) {
  (void)state;
  deer_space space = frame_space(DEER_DTYPE_U8);
  deer_net_spec spec = {.n_branches = 1};
  deer_net *net;
  assert_int_equal(deer_net_new(&spec, &space, 1, &net), DEER_OK);
  deer_graph *g = deer_graph_new();
  deer_real block[2 * 9 * 8 + 1];
  for (int i = 0; i < deer_net_size(net); i++) block[i] = 1;
  deer_node v = deer_variable(g, "block", block, deer_net_size(net));
  deer_node x = deer_input(g, "x", DEER_DTYPE_U8, DEER_SHAPE(1, 2, 9, 8));
  deer_node y = deer_net_apply(net, g, v, &x);
  deer_program *program;
  assert_int_equal(deer_compile(g, &y, 1, &program), DEER_OK);
  memset(deer_program_data(program, x), 200, 2 * 9 * 8);
  deer_program_run(program);
  assert_true(*(deer_real *)deer_program_data(program, y) == 200 * 2 * 9 * 8 + 1);
  deer_program_free(program);
  deer_graph_free(g);
  deer_net_free(net);
}

static void what_does_not_fit_is_refused(void **state) {
  (void)state;
  deer_space space = {.n_subjects = 1, .actions = {.n = 2, .size = 1}};
  space.subjects[0] = (deer_subject){1, DEER_SHAPE(2, 2), DEER_DTYPE_REAL};
  deer_net_spec spec;
  deer_net *net;
  assert_int_equal(deer_net_default("deer-0.2", &space, &spec), DEER_OK);
  assert_int_equal(deer_net_new(&spec, &space, 2, &net), DEER_ESHAPE);
  assert_null(net);
  assert_non_null(strstr(deer_error(), "subject0.conv1"));
  assert_int_equal(deer_net_default("deep", &space, &spec), DEER_EINVAL);
  deer_layer_spec layer;
  assert_int_equal(deer_layer_make("dens", &layer), DEER_EINVAL);
  assert_non_null(strstr(deer_error(), "did you mean 'dense'"));
  assert_int_equal(deer_layer_make("dense", &layer), DEER_OK);
  assert_int_equal(deer_layer_set(&layer, "unit", (deer_value){DEER_VALUE_NUMBER, 3, NULL}),
                   DEER_EINVAL);
  assert_non_null(strstr(deer_error(), "did you mean 'units'"));
}

/* a convolution or an LSTM over the history of numbers and vectors from four steps on, as in DeeR
 */
static void long_histories_are_convolved(void **state) {
  (void)state;
  static const char *const names[] = {"deer", "deer-0.2", "deer-lstm"};
  for (int rank = 0; rank < 2; rank++)
    for (int history = 1; history < 6; history++)
      for (int i = 0; i < 3; i++) {
        deer_space space = {.n_subjects = 1, .actions = {.n = 2, .size = 1}};
        space.subjects[0] =
            (deer_subject){history, {.rank = rank, .dim = {rank * 4}}, DEER_DTYPE_REAL};
        deer_net_spec spec;
        assert_int_equal(deer_net_default(names[i], &space, &spec), DEER_OK);
        assert_int_equal(spec.branches[0].n, history > 3 ? 2 : 0);
        assert_int_equal(spec.trunk.n, 2);
        if (history < 4) continue;
        assert_string_equal(deer_layer_name(spec.branches[0].layers[1].kind),
                            i == 2 ? "lstm" : "conv");
        deer_net *net;
        assert_int_equal(deer_net_new(&spec, &space, 2, &net), DEER_OK);
        deer_net_free(net);
      }
}

/* as many of DeeR's convolutions over frames as there is room for */
static void small_frames_have_a_default(void **state) {
  (void)state;
  static const struct {
    int rows, columns, layers;
  } cases[] = {{2, 30, 0}, {3, 3, 1}, {10, 30, 1}, {30, 10, 1}, {11, 11, 4}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (int rank = 2; rank <= 3; rank++) {
      deer_space space = {.n_subjects = 1, .actions = {.n = 2, .size = 1}};
      deer_shape flat = DEER_SHAPE(cases[i].rows, cases[i].columns);
      deer_shape deep = DEER_SHAPE(4, cases[i].rows, cases[i].columns);
      space.subjects[0] = (deer_subject){2, rank == 2 ? flat : deep, DEER_DTYPE_U8};
      deer_net_spec spec;
      deer_net *net;
      assert_int_equal(deer_net_default("deer", &space, &spec), DEER_OK);
      assert_int_equal(spec.branches[0].n, cases[i].layers);
      assert_int_equal(deer_net_new(&spec, &space, 2, &net), DEER_OK);
      deer_net_free(net);
    }
}

/* sizes whose products do not fit an int; the message names the layer */
static void huge_networks_are_refused(void **state) {
  (void)state;
  deer_space space = {.n_subjects = 1, .actions = {.n = 2, .size = 1}};
  space.subjects[0] = (deer_subject){1, DEER_SHAPE(1024, 1024), DEER_DTYPE_REAL};
  says(refusal("dense units=65536", &space), "subject0.dense1.weight: [1048576, 65536] has more");
  says(refusal("dense units=2047; dense units=2047", &space),
       "with subject0.dense2.weight the network has 2150627328 parameters (expected at most ");
  says(refusal("conv filters=65536 rows=1024 columns=1024", &space),
       "subject0.conv1.weight: [65536, 1, ");
  says(refusal("dueling units=65536 atoms=4096", &space),
       "subject0.dueling1.value.weight: [1048576, 4096");
}

/* what is wrong with a layer is said with its name */
static void layers_that_do_not_fit_are_named(void **state) {
  (void)state;
  deer_space vector = vector_space(1, 3, 4), frame = frame_space(DEER_DTYPE_REAL);
  says(refusal("dense units=7; conv", &vector),
       "subject0.conv2: expected [batch, channels, rows, columns], got [1, 7]");
  says(refusal("conv; lstm", &frame),
       "subject0.lstm2: expected [batch, steps, features], got [1, 16, 7, 6]");
  says(refusal("residual { dense units=7 }", &vector),
       "subject0.residual1: the layers inside turn [1, 12] into [1, 7]; the shape must stay");
  says(refusal("reshape rows=5", &vector),
       "subject0.reshape1: 12 features of a sample do not fill 1 channels of 5 rows and 2 columns");
  says(refusal("reshape rows=16777216 channels=16777216", &vector), "do not fill");
  says(refusal("dense_block { conv rows=2 columns=2 }", &frame), "axis 2 of input 2 must be 9");
  says(refusal("dense { dense }", &vector), "layer dense takes no layers inside");
}

static void limits_are_told(void **state) {
  (void)state;
  deer_space space = vector_space(1, 3, 4);
  char text[1024] = "dense";
  for (int i = 0; i < 32; i++) strcat(text, "; dense");
  says(refusal(text, &space), "a list has at most 32 layers");
  strcpy(text, "lstm sequence=true");
  for (int i = 0; i < 16; i++) strcat(text, "; lstm sequence=true");
  says(refusal(text, &space), "subject0.lstm17: more than 32 memories in one network");
  strcpy(text, "dueling sigma=1 hidden=2");
  for (int i = 0; i < 16; i++) strcat(text, "; dueling sigma=1 hidden=2");
  says(refusal(text, &space), "subject0.dueling17: more than 256 weights and biases");
  says(refusal("dense_block { dense_block { dense_block { dense_block { dense } } } }", &space),
       "layers lie too deep inside of others");
  for (int i = 0; deer_layer_at(i); i++) {
    deer_layer_spec layer;
    assert_int_equal(deer_layer_make(deer_layer_name(deer_layer_at(i)), &layer), DEER_OK);
  }
}

/* ---- a list for everything ---- */

static void first_layers_of_a_list_are_the_branch(void **state) {
  (void)state;
  static const struct {
    const char *layers;
    int branch, trunk;
  } wanted[] = {
      {"dense; dense", 0, 2},
      {"scale; dense", 0, 2},
      {"scale; conv; maxpool; dense", 3, 1},
      {"conv; residual { conv; activation }; dense; dense", 4, 2},
      {"lstm sequence=true; dropout; lstm; residual { dense }", 3, 2},
      {"dense; reshape rows=4; gru; dense", 3, 1},
  };
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    deer_net_spec one = {.n_branches = 1}, two = {.n_branches = 2};
    assert_int_equal(layers_from(wanted[i].layers, &one.trunk), DEER_OK);
    two.trunk = one.trunk;
    deer_net_spec_split(&one);
    deer_net_spec_split(&two);
    assert_int_equal(one.branches[0].n, wanted[i].branch);
    assert_int_equal(one.trunk.n, wanted[i].trunk);
    assert_memory_equal(one.branches[0].layers, two.trunk.layers,
                        (size_t)wanted[i].branch * sizeof *two.trunk.layers);
    assert_memory_equal(one.trunk.layers, two.trunk.layers + wanted[i].branch,
                        (size_t)wanted[i].trunk * sizeof *two.trunk.layers);
    assert_int_equal(two.trunk.n, wanted[i].branch + wanted[i].trunk);
  }
}

/* an action is one more subject, joined in where the trunk begins */
static void other_inputs_join_the_trunk(void **state) {
  (void)state;
  deer_space space = vector_space(2, 1, 4);
  space.subjects[1].shape = DEER_SHAPE(3);
  deer_net_spec spec = {.n_branches = 1};
  deer_net *net;
  deer_net_slot slot;
  assert_int_equal(layers_from("dense units=5", &spec.branches[0]), DEER_OK);
  assert_int_equal(layers_from("dense units=6", &spec.trunk), DEER_OK);
  assert_int_equal(deer_net_new(&spec, &space, 1, &net), DEER_OK);
  assert_true(deer_net_slot_at(net, 2, &slot));
  assert_string_equal(slot.name, "trunk.dense1.weight");
  assert_int_equal(slot.shape.dim[0], 5 + 3);
  deer_net_free(net);
}

/* ---- heads ---- */

/* y = x W + b of the parameters called `name` */
static void multiply(const deer_net *net, const deer_real *block, const char *name, const double *x,
                     double *y) {
  deer_net_slot slot;
  size_t n = strlen(name);
  for (int i = 0; deer_net_slot_at(net, i, &slot); i++) {
    if (strncmp(slot.name, name, n) != 0 || strcmp(slot.name + n, ".weight") != 0) continue;
    const int rows = slot.shape.dim[0], columns = slot.shape.dim[1];
    const deer_real *w = block + slot.offset;
    for (int c = 0; c < columns; c++) {
      y[c] = w[rows * columns + c];
      for (int r = 0; r < rows; r++) y[c] += x[r] * w[r * columns + c];
    }
    return;
  }
  fail_msg("no parameter %s.weight", name);
}

static deer_net *headed_net(const deer_space *space) {
  deer_net_spec spec = {.n_branches = 1, .n_heads = 1, .heads = {{.name = "policy"}}};
  assert_int_equal(layers_from("dense units=5 activation=linear", &spec.trunk), DEER_OK);
  assert_int_equal(layers_from("dense units=6 activation=linear", &spec.heads[0].layers), DEER_OK);
  const deer_net_head heads[] = {
      {"policy", 3, 0, NULL}, {"value", 1, 0, NULL}, {"quantiles", 2, 4, NULL}};
  deer_net *net = NULL;
  if (deer_net_new_heads(&spec, space, heads, 3, &net) != DEER_OK) fail_msg("%s", deer_error());
  return net;
}

static void heads_share_the_trunk(void **state) {
  (void)state;
  deer_space space = vector_space(1, 1, 4);
  deer_net *net = headed_net(&space);
  deer_real *block = parameters_of(net, 1);
  deer_graph *g = deer_graph_new();
  deer_node v = deer_variable(g, "block", block, deer_net_size(net)), y[3], gradient;
  deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(1, 1, 4));
  deer_net_apply_heads(net, g, &(deer_net_call){.block = v, .states = &x}, y);
  deer_shape shape = deer_node_shape(g, y[2]);
  assert_true(shape.rank == 3 && shape.dim[0] == 1 && shape.dim[1] == 2 && shape.dim[2] == 4);
  deer_node loss = deer_sum(g, deer_square(g, y[1]), DEER_ALL_AXES);
  assert_int_equal(deer_gradients(g, loss, &v, 1, &gradient), DEER_OK);
  deer_program *program;
  assert_int_equal(deer_compile(g, (deer_node[]){y[0], y[1], y[2], gradient}, 4, &program),
                   DEER_OK);
  const double in[] = {0.5, -1, 2, 0.25};
  deer_real *data = deer_program_data(program, x);
  for (int i = 0; i < 4; i++) data[i] = in[i];
  deer_program_run(program);

  double trunk[5], hidden[6], expected[8];
  multiply(net, block, "trunk.dense1", in, trunk);
  multiply(net, block, "policy.dense1", trunk, hidden);
  multiply(net, block, "policy", hidden, expected);
  for (int i = 0; i < 3; i++)
    assert_true(fabs(expected[i] - ((deer_real *)deer_program_data(program, y[0]))[i]) < 1e-12);
  multiply(net, block, "value", trunk, expected);
  assert_true(fabs(expected[0] - *(deer_real *)deer_program_data(program, y[1])) < 1e-12);
  multiply(net, block, "quantiles", trunk, expected);
  for (int i = 0; i < 8; i++)
    assert_true(fabs(expected[i] - ((deer_real *)deer_program_data(program, y[2]))[i]) < 1e-12);

  /* the loss of one head changes the trunk and the head, not the others */
  const deer_real *d = deer_program_data(program, gradient);
  deer_net_slot slot;
  for (int i = 0; deer_net_slot_at(net, i, &slot); i++) {
    double sum = 0;
    for (size_t k = 0; k < deer_shape_count(&slot.shape); k++) sum += fabs(d[slot.offset + (int)k]);
    bool part = strncmp(slot.name, "trunk", 5) == 0 || strncmp(slot.name, "value", 5) == 0;
    assert_true(part == (sum > 0));
  }
  deer_program_free(program);
  deer_graph_free(g);
  deer_free(block);
  deer_net_free(net);
}

/* the description may end the network in another layer than the algorithm would */
static void outputs_can_be_chosen(void **state) {
  (void)state;
  deer_space space = vector_space(1, 1, 4);
  deer_net_spec spec = {.n_branches = 1};
  deer_layer_spec noisy;
  deer_net *net;
  deer_net_slot slot;
  assert_int_equal(deer_output_make("noisy", &noisy), DEER_OK);
  deer_net_head head = {"q", 3, 0, &noisy};
  assert_int_equal(deer_net_new_heads(&spec, &space, &head, 1, &net), DEER_OK);
  assert_true(deer_net_slot_at(net, 2, &slot));
  assert_string_equal(slot.name, "q.weight_sigma");
  deer_net_free(net);

  assert_int_equal(deer_output_make("dueling", &spec.output), DEER_OK);
  head.atoms = 2;
  assert_int_equal(deer_net_new_heads(&spec, &space, &head, 1, &net), DEER_OK);
  assert_true(deer_net_slot_at(net, 2, &slot));
  assert_string_equal(slot.name, "q.advantage.weight");
  assert_int_equal(slot.shape.dim[1], 6);
  deer_net_free(net);

  assert_int_equal(deer_output_make("lstm", &spec.output), DEER_EINVAL);
  assert_string_equal(deer_error(),
                      "layer lstm cannot be the output; expected one of dense, noisy, dueling");
}

static void wrong_heads_are_refused(void **state) {
  (void)state;
  deer_space space = vector_space(1, 1, 4);
  deer_net_spec spec = {.n_branches = 1, .n_heads = 1, .heads = {{.name = "polcy"}}};
  const deer_net_head heads[] = {{"policy", 3, 0, NULL}, {"value", 1, 0, NULL}};
  deer_net *net;
  assert_int_equal(deer_net_new_heads(&spec, &space, heads, 2, &net), DEER_EINVAL);
  assert_string_equal(deer_error(), "the network has layers for a head 'polcy'; the heads of this "
                                    "algorithm are: policy, value");
  spec.n_heads = 0;
  assert_int_equal(deer_net_new_heads(&spec, &space, heads, 9, &net), DEER_EINVAL);
  says(deer_error(), "expected 1 to 8 heads, got 9");
  deer_net_head wrong = {"policy", 0, 0, NULL};
  assert_int_equal(deer_net_new_heads(&spec, &space, &wrong, 1, &net), DEER_EINVAL);
  says(deer_error(), "head 'policy' of a network needs at least one output");
  wrong = (deer_net_head){"policy", 1 << 20, 1 << 20, NULL};
  assert_int_equal(deer_net_new_heads(&spec, &space, &wrong, 1, &net), DEER_EINVAL);
  says(deer_error(), "head 'policy': expected at most 65536 outputs of at most 4096 atoms");
  wrong = (deer_net_head){"a name that is too long", 1, 0, NULL};
  assert_int_equal(deer_net_new_heads(&spec, &space, &wrong, 1, &net), DEER_EINVAL);
  says(deer_error(), "the name of head 'a name that is too long' is over 15 long");
  assert_null(net);
}

/* the dense layers as K-FAC takes them */
static void dense_layers_are_tapped(void **state) {
  (void)state;
  deer_space space = vector_space(1, 1, 4);
  deer_net_spec spec = {.n_branches = 1};
  deer_net *net;
  deer_net_slot slot;
  assert_int_equal(layers_from("dense units=5; residual { noisy units=5; dense units=5 }; "
                               "dense units=6 activation=tanh",
                               &spec.trunk),
                   DEER_OK);
  assert_int_equal(deer_net_new(&spec, &space, 2, &net), DEER_OK);
  deer_graph *g = deer_graph_new();
  deer_node v = deer_input(g, "block", DEER_DTYPE_REAL, DEER_SHAPE(deer_net_size(net))), y;
  deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(3, 1, 4));
  deer_net_tap taps[DEER_MAX_SLOTS / 2];
  int n = 7, places[] = {0, 6, 8, 10};
  deer_net_call call = {.block = v, .states = &x, .taps = taps, .n_taps = &n};
  deer_net_apply_heads(net, g, &call, &y);
  assert_int_equal(n, 4);
  for (int i = 0; i < n; i++) {
    assert_true(deer_net_slot_at(net, places[i], &slot));
    assert_int_equal(taps[i].weight, slot.offset);
    assert_int_equal(deer_node_shape(g, taps[i].input).dim[1], slot.shape.dim[0]);
    assert_int_equal(deer_node_shape(g, taps[i].output).dim[1], slot.shape.dim[1]);
  }
  assert_int_equal(taps[3].output.id, y.id);
  deer_kfac *kfac;
  deer_kfac_options options = {.decay = 0.9, .damping = 0.1};
  assert_int_equal(deer_kfac_new(&options, g, taps, n, &kfac), DEER_OK);
  deer_kfac_free(kfac);
  deer_graph_free(g);
  deer_net_free(net);
}

/* ---- what is carried over ---- */

enum { WHOLE = 5, VECTOR = 3, RECURRENT_BATCH = 2 };

/* output of the network for inputs of all steps at once, or step by step */
static void unroll(deer_net *net, deer_real *block, int steps, deer_real *out) {
  deer_graph *g = deer_graph_new();
  deer_node v = deer_variable(g, "block", block, deer_net_size(net)), y = DEER_NONE;
  deer_node x[WHOLE], memory[8], next[8];
  const int n = WHOLE / steps;
  for (int t = 0; t < n; t++) {
    x[t] = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(RECURRENT_BATCH, steps, VECTOR));
    deer_net_call call = {
        .block = v, .states = &x[t], .memory = t > 0 ? memory : NULL, .remembered = next};
    deer_net_apply_heads(net, g, &call, &y);
    memcpy(memory, next, sizeof next);
  }
  deer_program *program;
  if (deer_compile(g, &y, 1, &program) != DEER_OK) fail_msg("%s", deer_error());
  for (int t = 0; t < n; t++) {
    deer_real *data = deer_program_data(program, x[t]);
    for (int b = 0; b < RECURRENT_BATCH; b++)
      for (int i = 0; i < steps * VECTOR; i++)
        data[b * steps * VECTOR + i] = sin(1.7 * b + 0.6 * (t * steps * VECTOR + i));
  }
  deer_program_run(program);
  memcpy(out, deer_program_data(program, y), RECURRENT_BATCH * 2 * sizeof *out);
  deer_program_free(program);
  deer_graph_free(g);
}

/* step by step with what is carried over, or all at once: the same, whatever the history was */
static void memory_carries_over(void **state) {
  (void)state;
  static const char *const layers[] = {
      "lstm units=4", "gru units=4",
      "lstm units=4 sequence=true; residual { gru units=4 sequence=true }; lstm units=3"};
  static const int widths[][6] = {{4, 4, 0}, {4, 0}, {4, 4, 4, 3, 3, 0}};
  for (int k = 0; k < 3; k++) {
    deer_space one = vector_space(1, 1, VECTOR), all = vector_space(1, WHOLE, VECTOR);
    deer_net_spec spec = {.n_branches = 1};
    assert_int_equal(layers_from(layers[k], &spec.branches[0]), DEER_OK);
    deer_net *short_net, *long_net;
    assert_int_equal(deer_net_new(&spec, &one, 2, &short_net), DEER_OK);
    assert_int_equal(deer_net_new(&spec, &all, 2, &long_net), DEER_OK);
    for (int i = 0; i == 0 || widths[k][i - 1] > 0; i++)
      assert_int_equal(deer_net_memory_at(short_net, i), widths[k][i]);
    deer_real *block = parameters_of(short_net, 4), at_once[4], by_step[4], longer[4];
    unroll(long_net, block, WHOLE, at_once);
    unroll(short_net, block, 1, by_step);
    unroll(short_net, block, WHOLE, longer);
    for (int i = 0; i < 4; i++) {
      assert_true(fabs(at_once[i]) > 1e-3);
      assert_true(fabs(at_once[i] - by_step[i]) < 1e-12);
      assert_true(at_once[i] == longer[i]);
    }
    deer_free(block);
    deer_net_free(short_net);
    deer_net_free(long_net);
  }
}

/* one step without memory would be a mistake that nobody sees */
static void single_steps_need_a_memory(void **state) {
  (void)state;
  deer_space space = vector_space(1, 1, VECTOR);
  deer_net_spec spec = {.n_branches = 1};
  deer_net *net;
  assert_int_equal(layers_from("gru", &spec.branches[0]), DEER_OK);
  assert_int_equal(deer_net_new(&spec, &space, 2, &net), DEER_OK);
  deer_graph *g = deer_graph_new();
  deer_node v = deer_input(g, "block", DEER_DTYPE_REAL, DEER_SHAPE(deer_net_size(net)));
  deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(1, 1, VECTOR));
  assert_int_equal(deer_net_apply(net, g, v, &x).id, 0);
  assert_int_equal(deer_graph_status(g), DEER_ESHAPE);
  says(deer_error(), "subject0.gru1 sees a single step and remembers nothing");
  deer_graph_free(g);
  deer_net_free(net);
}

/* ---- files ---- */

static void parameters_go_through_files(void **state) {
  (void)state;
  deer_space space = vector_space(1, 3, 4);
  deer_net_spec spec = {.n_branches = 1, .n_heads = 0};
  deer_net *net;
  deer_net_slot slot;
  assert_int_equal(layers_from("lstm; residual { noisy units=32 }; layer_norm; dueling units=3",
                               &spec.branches[0]),
                   DEER_OK);
  assert_int_equal(deer_net_new(&spec, &space, 2, &net), DEER_OK);
  deer_real *block = parameters_of(net, 2);
  deer_named_tensor items[32];
  deer_tensor_list list = {.items = items}, loaded;
  for (; deer_net_slot_at(net, list.n, &slot); list.n++)
    items[list.n] = (deer_named_tensor){
        deer_strdup(slot.name), deer_tensor_wrap(DEER_DTYPE_REAL, slot.shape, block + slot.offset)};
  char path[] = "/tmp/test_nets_XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  close(fd);
  assert_int_equal(deer_safetensors_save(path, &list), DEER_OK);
  assert_int_equal(deer_safetensors_load(path, &loaded), DEER_OK);
  assert_int_equal(loaded.n, list.n);
  for (int i = 0; i < list.n; i++) {
    int k = 0;
    while (k < loaded.n && strcmp(loaded.items[k].name, items[i].name) != 0) k++;
    assert_true(k < loaded.n);
    assert_true(deer_shape_equal(&loaded.items[k].tensor.shape, &items[i].tensor.shape));
    assert_memory_equal(loaded.items[k].tensor.data, items[i].tensor.data,
                        deer_shape_count(&items[i].tensor.shape) * sizeof *block);
    deer_free(items[i].name);
  }
  unlink(path);
  deer_tensor_list_finish(&loaded);
  deer_free(block);
  deer_net_free(net);
}

/* ---- mistakes and lack of memory ---- */

/* a graph with a mistake in it does not change the network applied to it */
static void broken_graphs_leave_the_network(void **state) {
  (void)state;
  deer_space space = {.n_subjects = 1, .actions = {.n = 2, .size = 1}};
  space.subjects[0] = (deer_subject){1, DEER_SHAPE(3), DEER_DTYPE_REAL};
  deer_net_spec spec;
  deer_net *net;
  assert_int_equal(deer_net_default("deer", &space, &spec), DEER_OK);
  assert_int_equal(deer_net_new(&spec, &space, 2, &net), DEER_OK);
  int size = deer_net_size(net);
  deer_graph *g = deer_graph_new();
  deer_graph_fail(g, "a mistake");
  deer_node none = DEER_NONE;
  assert_int_equal(deer_net_apply(net, g, none, &none).id, 0);
  assert_int_equal(deer_graph_status(g), DEER_ESHAPE);
  assert_string_equal(deer_error(), "a mistake");
  assert_int_equal(deer_net_size(net), size);
  deer_graph_free(g);
  deer_net_free(net);
}

/* every allocation on the way to a program fails once: no crash, no leak */
static void lack_of_memory_is_survived(void **state) {
  (void)state;
  deer_space space = frame_space(DEER_DTYPE_REAL);
  space.subjects[0].shape = DEER_SHAPE(14, 14);
  deer_net_spec spec;
  assert_int_equal(deer_net_default("deer", &space, &spec), DEER_OK);
  size_t held = deer_alloc_blocks();
  int failures = 0;
  for (uint64_t n = 1; n < 2000; n++) {
    deer_alloc_fail_at(n);
    deer_net *net = NULL;
    deer_program *program = NULL;
    deer_graph *g = NULL;
    static deer_real block[100000];
    deer_status status = deer_net_new(&spec, &space, 2, &net);
    if (status == DEER_OK && !(g = deer_graph_new())) status = DEER_ENOMEM;
    if (status == DEER_OK) {
      deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(1, 2, 14, 14)), dx = DEER_NONE;
      deer_node v = deer_variable(g, "block", block, deer_net_size(net));
      deer_node y = deer_sum(g, deer_net_apply(net, g, v, &x), DEER_ALL_AXES);
      status = deer_gradients(g, y, &v, 1, &dx);
      if (status == DEER_OK) status = deer_compile(g, &dx, 1, &program);
    }
    deer_alloc_fail_at(0);
    deer_program_free(program);
    deer_graph_free(g);
    deer_net_free(net);
    assert_int_equal(deer_alloc_blocks(), held);
    if (status == DEER_OK) break;
    if (status != DEER_ENOMEM) fail_msg("allocation %d: %s", (int)n, deer_error());
    failures++;
  }
  assert_in_range(failures, 30, 1900);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(bytes_are_cast),
                                     cmocka_unit_test(what_does_not_fit_is_refused),
                                     cmocka_unit_test(long_histories_are_convolved),
                                     cmocka_unit_test(small_frames_have_a_default),
                                     cmocka_unit_test(huge_networks_are_refused),
                                     cmocka_unit_test(layers_that_do_not_fit_are_named),
                                     cmocka_unit_test(limits_are_told),
                                     cmocka_unit_test(first_layers_of_a_list_are_the_branch),
                                     cmocka_unit_test(other_inputs_join_the_trunk),
                                     cmocka_unit_test(heads_share_the_trunk),
                                     cmocka_unit_test(outputs_can_be_chosen),
                                     cmocka_unit_test(wrong_heads_are_refused),
                                     cmocka_unit_test(dense_layers_are_tapped),
                                     cmocka_unit_test(memory_carries_over),
                                     cmocka_unit_test(single_steps_need_a_memory),
                                     cmocka_unit_test(parameters_go_through_files),
                                     cmocka_unit_test(broken_graphs_leave_the_network),
                                     cmocka_unit_test(lack_of_memory_is_survived)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
