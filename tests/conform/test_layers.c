/* test_layers.c: every registered layer, in double precision: it fits where it should, says so
 * where it does not, and its parameters have the right gradients. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 3, OUTPUTS = 2 };

/* a frame of 9 x 8 with a history of 2: every layer fits on it */
static deer_space frame_space(deer_dtype dtype) {
  deer_space space = {.n_subjects = 1, .actions = {.n = OUTPUTS, .size = 1}};
  space.subjects[0] = (deer_subject){2, DEER_SHAPE(9, 8), dtype};
  return space;
}

static deer_net_spec spec_with(const deer_layer_class *class) {
  deer_net_spec spec = {.n_branches = 1};
  assert_int_equal(deer_layer_make(deer_layer_name(class), &spec.branches[0].layers[0]), DEER_OK);
  spec.branches[0].n = 1;
  return spec;
}

typedef struct loss_program {
  deer_net *net;
  deer_real *block;
  deer_node x, loss, gradient;
  deer_program *program;
} loss_program;

static void build(loss_program *p, const deer_layer_class *class) {
  deer_space space = frame_space(DEER_DTYPE_REAL);
  deer_net_spec spec = spec_with(class);
  if (deer_net_new(&spec, &space, OUTPUTS, &p->net) != DEER_OK) fail_msg("%s", deer_error());
  p->block = deer_alloc_array((size_t)deer_net_size(p->net), sizeof *p->block);
  deer_rng rng = deer_rng_seed(5);
  deer_net_init(p->net, &rng, p->block);
  deer_graph *g = deer_graph_new();
  deer_node block = deer_variable(g, "block", p->block, deer_net_size(p->net));
  p->x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(BATCH, 2, 9, 8));
  deer_node y = deer_net_apply(p->net, g, block, &p->x);
  deer_shape shape = deer_node_shape(g, y);
  assert_true(shape.rank == 2 && shape.dim[0] == BATCH && shape.dim[1] == OUTPUTS);
  p->loss = deer_sum(g, deer_square(g, y), DEER_ALL_AXES);
  assert_int_equal(deer_gradients(g, p->loss, &block, 1, &p->gradient), DEER_OK);
  deer_node outputs[] = {p->loss, p->gradient};
  assert_int_equal(deer_compile(g, outputs, 2, &p->program), DEER_OK);
  deer_graph_free(g);
  deer_real *x = deer_program_data(p->program, p->x);
  for (int i = 0; i < BATCH * 2 * 9 * 8; i++) x[i] = sin(0.7 * i) + 0.3 * cos(1.3 * i);
}

static double loss_of(loss_program *p) {
  deer_program_run(p->program);
  return *(deer_real *)deer_program_data(p->program, p->loss);
}

static void gradients_are_right(void **state) {
  (void)state;
  for (int k = 0; deer_layer_at(k); k++) {
    loss_program p;
    build(&p, deer_layer_at(k));
    int size = deer_net_size(p.net);
    loss_of(&p);
    deer_real *gradient = malloc((size_t)size * sizeof *gradient);
    memcpy(gradient, deer_program_data(p.program, p.gradient), (size_t)size * sizeof *gradient);
    for (int i = 0; i < size; i += 1 + size / 97) {
      double kept = p.block[i], step = 1e-6;
      p.block[i] = kept + step;
      double up = loss_of(&p);
      p.block[i] = kept - step;
      double numeric = (up - loss_of(&p)) / (2 * step);
      p.block[i] = kept;
      if (fabs(numeric - gradient[i]) > 1e-5 * (1 + fabs(numeric)))
        fail_msg("%s: parameter %d: expected %g, got %g", deer_layer_name(deer_layer_at(k)), i,
                 numeric, gradient[i]);
    }
    free(gradient);
    deer_program_free(p.program);
    deer_net_free(p.net);
    deer_free(p.block);
  }
}

static void initial_values_keep_their_bounds(void **state) {
  (void)state;
  for (int k = 0; deer_layer_at(k); k++) {
    loss_program p;
    build(&p, deer_layer_at(k));
    deer_net_slot slot;
    int end = 0;
    for (int i = 0; deer_net_slot_at(p.net, i, &slot); i++) {
      size_t n = deer_shape_count(&slot.shape);
      double largest = 0, least = 0;
      assert_int_equal(slot.offset, end);
      for (size_t j = 0; j < n; j++) {
        largest = fmax(largest, p.block[slot.offset + (int)j]);
        least = fmin(least, p.block[slot.offset + (int)j]);
      }
      assert_true(largest <= slot.bound && least >= -slot.bound);
      if (n > 50 && slot.bound > 0)
        assert_true(largest > slot.bound / 2 && least < -slot.bound / 2);
      end = slot.offset + (int)n;
    }
    assert_int_equal(end, deer_net_size(p.net));
    deer_program_free(p.program);
    deer_net_free(p.net);
    deer_free(p.block);
  }
}

static void running_allocates_nothing(void **state) {
  (void)state;
  for (int k = 0; deer_layer_at(k); k++) {
    loss_program p;
    build(&p, deer_layer_at(k));
    uint64_t calls = deer_alloc_calls();
    double first = loss_of(&p);
    for (int i = 0; i < 3; i++) assert_true(loss_of(&p) == first);
    assert_true(deer_alloc_calls() == calls);
    deer_program_free(p.program);
    deer_net_free(p.net);
    deer_free(p.block);
  }
}

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

/* a convolution over the history of numbers and vectors from four steps on, as in DeeR */
static void long_histories_are_convolved(void **state) {
  (void)state;
  static const char *const names[] = {"deer", "deer-0.2"};
  for (int rank = 0; rank < 2; rank++)
    for (int history = 1; history < 6; history++)
      for (int i = 0; i < 2; i++) {
        deer_space space = {.n_subjects = 1, .actions = {.n = 2, .size = 1}};
        space.subjects[0] =
            (deer_subject){history, {.rank = rank, .dim = {rank * 4}}, DEER_DTYPE_REAL};
        deer_net_spec spec;
        assert_int_equal(deer_net_default(names[i], &space, &spec), DEER_OK);
        assert_int_equal(spec.branches[0].n, history > 3 ? 2 : 0);
        assert_int_equal(spec.trunk.n, 2);
      }
}

static void refuse(const char *name, const char *const *options, const double *values, int n,
                   const char *message) {
  deer_space space = {.n_subjects = 1, .actions = {.n = 2, .size = 1}};
  space.subjects[0] = (deer_subject){1, DEER_SHAPE(1024, 1024), DEER_DTYPE_REAL};
  deer_net_spec spec = {.n_branches = 1, .branches = {{.n = 4}}};
  for (int i = 0; i < 4; i++) {
    deer_layer_spec *layer = &spec.branches[0].layers[i];
    assert_int_equal(deer_layer_make(name, layer), DEER_OK);
    for (int k = 0; k < n; k++)
      assert_int_equal(
          deer_layer_set(layer, options[k], (deer_value){DEER_VALUE_NUMBER, values[k], NULL}),
          DEER_OK);
  }
  deer_net *net;
  assert_int_equal(deer_net_new(&spec, &space, 2, &net), DEER_ESHAPE);
  assert_null(net);
  if (!strstr(deer_error(), message)) fail_msg("'%s' does not say '%s'", deer_error(), message);
}

/* sizes whose products do not fit an int; the message names the layer */
static void huge_networks_are_refused(void **state) {
  (void)state;
  static const char *const units[] = {"units"}, *const window[] = {"filters", "rows", "columns"};
  refuse("dense", units, (double[]){65536}, 1, "subject0.dense1.weight: [1048576, 65536] has more");
  refuse("dense", units, (double[]){2047}, 1,
         "with subject0.dense2.weight the network has 2150627328 parameters (expected at most ");
  refuse("conv", window, (double[]){65536, 1024, 1024}, 3, "subject0.conv1.weight: [65536, 1, ");
}

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
  const struct CMUnitTest tests[] = {cmocka_unit_test(gradients_are_right),
                                     cmocka_unit_test(initial_values_keep_their_bounds),
                                     cmocka_unit_test(running_allocates_nothing),
                                     cmocka_unit_test(bytes_are_cast),
                                     cmocka_unit_test(what_does_not_fit_is_refused),
                                     cmocka_unit_test(long_histories_are_convolved),
                                     cmocka_unit_test(huge_networks_are_refused),
                                     cmocka_unit_test(broken_graphs_leave_the_network),
                                     cmocka_unit_test(lack_of_memory_is_survived)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
