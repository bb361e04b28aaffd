/* test_graph.c: describing, compiling and running: messages, dead nodes, flat blocks, assignments,
 * gradients of gradients. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static deer_program *compile(deer_graph *g, const deer_node *outputs, int n) {
  deer_program *program;
  if (deer_compile(g, outputs, n, &program) != DEER_OK) fail_msg("%s", deer_error());
  deer_graph_free(g);
  return program;
}

static deer_real value(deer_program *p, deer_node node) {
  return *(deer_real *)deer_program_data(p, node);
}

static void first_mistake_is_reported(void **state) {
  (void)state;
  deer_graph *g = deer_graph_new();
  deer_node r = deer_input(g, "r_t", DEER_DTYPE_REAL, DEER_SHAPE(32));
  deer_node q = deer_input(g, "q", DEER_DTYPE_REAL, DEER_SHAPE(32, 1));
  deer_node sum = deer_add(g, r, q);
  assert_int_equal(sum.id, 0);
  deer_node out = deer_tanh(g, deer_add(g, sum, r));
  deer_program *program = (deer_program *)1;
  assert_int_equal(deer_compile(g, &out, 1, &program), DEER_ESHAPE);
  assert_null(program);
  assert_string_equal(deer_error(), "add(r_t [32], q [32, 1]): shapes differ");
  deer_graph_free(g);
}

static void foreign_nodes_are_refused(void **state) {
  (void)state;
  deer_graph *g = deer_graph_new();
  deer_node stranger = {77};
  deer_program *program;
  deer_tanh(g, stranger);
  assert_int_equal(deer_graph_status(g), DEER_EINVAL);
  assert_int_equal(deer_compile(g, &stranger, 1, &program), DEER_EINVAL);
  deer_graph_free(g);
  g = deer_graph_new();
  assert_int_equal(deer_compile(g, &stranger, 1, &program), DEER_ESHAPE);
  deer_graph_free(g);
}

static deer_node gradient_of(deer_graph *g, deer_node x) {
  deer_node gradient;
  deer_gradients(g, x, &x, 1, &gradient);
  return gradient;
}

static deer_node mean_of(deer_graph *g, deer_node x) { return deer_mean(g, x, DEER_ALL_AXES); }
static deer_node gather_of(deer_graph *g, deer_node x) { return deer_gather(g, x, x); }
static deer_node pool_of(deer_graph *g, deer_node x) {
  return deer_maxpool2d(g, x, 2, 2, (deer_window){2, 2, 0, 0});
}
static deer_node turn(deer_graph *g, deer_node x) { return deer_transpose(g, x, (int[]){1, 0}); }
static deer_node flat(deer_graph *g, deer_node x) { return deer_reshape(g, x, DEER_SHAPE(4)); }
static deer_node part(deer_graph *g, deer_node x) { return deer_view(g, x, 0, DEER_SHAPE(4)); }
static deer_node clip(deer_graph *g, deer_node x) { return deer_clip_norm(g, x, 1); }
static deer_node update(deer_graph *g, deer_node x) { return deer_assign(g, x, x); }

/* no builder looks at what a node of another graph would be in this one */
static void every_builder_refuses_foreign_nodes(void **state) {
  (void)state;
  deer_node (*const builders[])(deer_graph *, deer_node) = {
      gradient_of, mean_of, gather_of, pool_of, turn, flat, part, clip, update};
  static const int32_t strangers[] = {-1, 77, 1 << 30};
  for (size_t b = 0; b < sizeof builders / sizeof *builders; b++)
    for (int i = 0; i < 3; i++) {
      deer_graph *g = deer_graph_new();
      deer_node stranger = {strangers[i]};
      assert_int_equal(deer_node_shape(g, stranger).rank, 0);
      assert_int_equal(deer_node_dtype(g, stranger), DEER_DTYPE_REAL);
      assert_int_equal(deer_name(g, stranger, "x").id, stranger.id);
      assert_int_equal(builders[b](g, stranger).id, 0);
      assert_int_not_equal(deer_graph_status(g), DEER_OK);
      deer_graph_free(g);
    }
}

static void impossible_views_are_refused(void **state) {
  (void)state;
  const deer_shape shapes[] = {
      {.rank = 7}, {.rank = -1}, DEER_SHAPE(-1, -2), DEER_SHAPE(1 << 30, 1 << 30, 16)};
  deer_real block[4];
  for (int i = 0; i < 4; i++) {
    deer_graph *g = deer_graph_new();
    assert_int_equal(deer_view(g, deer_variable(g, "block", block, 4), 0, shapes[i]).id, 0);
    assert_int_equal(deer_graph_status(g), DEER_ESHAPE);
    deer_graph_free(g);
  }
}

static void unused_nodes_cost_nothing(void **state) {
  (void)state;
  deer_graph *g = deer_graph_new();
  deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(4)), unused = deer_exp(g, x);
  deer_node y = deer_square(g, x);
  deer_program *p = compile(g, &y, 1);
  assert_int_equal(deer_program_steps(p), 1);
  assert_null(deer_program_data(p, unused));
  assert_null(deer_program_data(p, DEER_NONE));
  deer_real *data = deer_program_data(p, x);
  for (int i = 0; i < 4; i++) data[i] = (deer_real)i;
  deer_program_run(p);
  for (int i = 0; i < 4; i++)
    assert_true(((deer_real *)deer_program_data(p, y))[i] == (deer_real)(i * i));
  deer_program_free(p);
}

/* y = tanh(W x), W and an unused part in one block: the gradient of the block has W's part and
 * zeros */
static void block_gradient_is_packed(void **state) {
  (void)state;
  deer_real block[5] = {9, 0.5, -0.25, 9, 9};
  deer_graph *g = deer_graph_new();
  deer_node b = deer_variable(g, "block", block, 5), w = deer_view(g, b, 1, DEER_SHAPE(2));
  deer_node y = deer_sum(g, deer_square(g, w), DEER_ALL_AXES);
  y = deer_add(g, y, deer_sum(g, deer_view(g, b, 2, DEER_SHAPE(2)), DEER_ALL_AXES)); /* overlaps */
  deer_node gradient;
  assert_int_equal(deer_gradients(g, y, &b, 1, &gradient), DEER_OK);
  deer_program *p = compile(g, &gradient, 1);
  deer_program_run(p);
  const deer_real expected[] = {0, 1, 0.5, 1, 0}, *got = deer_program_data(p, gradient);
  for (int i = 0; i < 5; i++) assert_true(got[i] == expected[i]);
  deer_program_free(p);
}

/* d3/dx3 of x^4 = 24 x, through a flat block */
static void gradients_of_gradients(void **state) {
  (void)state;
  deer_real x[1] = {2};
  deer_graph *g = deer_graph_new();
  deer_node v = deer_variable(g, "x", x, 1);
  deer_node y = deer_reshape(g, deer_square(g, deer_square(g, deer_view(g, v, 0, DEER_SHAPE(1)))),
                             DEER_SCALAR);
  for (int order = 1; order <= 3; order++) {
    deer_node gradient;
    assert_int_equal(deer_gradients(g, y, &v, 1, &gradient), DEER_OK);
    y = deer_reshape(g, gradient, DEER_SCALAR);
  }
  deer_program *p = compile(g, &y, 1);
  deer_program_run(p);
  assert_true(value(p, y) == 48);
  deer_program_free(p);
}

static void no_path_gives_zeros(void **state) {
  (void)state;
  deer_graph *g = deer_graph_new();
  deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(3)),
            z = deer_input(g, "z", DEER_DTYPE_REAL, DEER_SHAPE(2));
  deer_node y = deer_sum(g, deer_stop(g, deer_square(g, x)), DEER_ALL_AXES), wrt[] = {x, z},
            gradient[2];
  assert_int_equal(deer_gradients(g, y, wrt, 2, gradient), DEER_OK);
  deer_program *p = compile(g, gradient, 2);
  deer_program_run(p);
  for (int i = 0; i < 3; i++) assert_true(((deer_real *)deer_program_data(p, gradient[0]))[i] == 0);
  for (int i = 0; i < 2; i++) assert_true(((deer_real *)deer_program_data(p, gradient[1]))[i] == 0);
  deer_program_free(p);
  g = deer_graph_new();
  x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(3));
  assert_int_equal(deer_gradients(g, x, &x, 1, gradient), DEER_ESHAPE);
  deer_graph_free(g);
}

/* values are computed from the old variables, whatever the order of the assignments */
static void assignments_come_last(void **state) {
  (void)state;
  deer_real a[1] = {1}, b[1] = {10};
  deer_graph *g = deer_graph_new();
  deer_node va = deer_variable(g, "a", a, 1), vb = deer_variable(g, "b", b, 1);
  deer_node outputs[] = {deer_assign(g, va, deer_add(g, va, vb)),
                         deer_assign(g, vb, deer_scale(g, va, 2))};
  assert_int_equal(deer_graph_status(g), DEER_OK);
  deer_program *p = compile(g, outputs, 2);
  deer_program_run(p);
  assert_true(a[0] == 11 && b[0] == 2);
  deer_program_run(p);
  assert_true(a[0] == 13 && b[0] == 22);
  deer_program_free(p);
  g = deer_graph_new();
  deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(1));
  assert_int_equal(deer_assign(g, x, x).id, 0);
  assert_int_equal(deer_graph_status(g), DEER_ESHAPE);
  deer_graph_free(g);
}

static void graph_as_text(void **state) {
  (void)state;
  deer_graph *g = deer_graph_new();
  deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(2, 3));
  deer_tanh(g, x);
  char *text = deer_graph_text(g);
  assert_string_equal(text, "%1 x = input() float32 [2, 3]\n%2 = tanh(x) float32 [2, 3]\n");
  deer_free(text);
  deer_graph_free(g);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(first_mistake_is_reported),
                                     cmocka_unit_test(foreign_nodes_are_refused),
                                     cmocka_unit_test(every_builder_refuses_foreign_nodes),
                                     cmocka_unit_test(impossible_views_are_refused),
                                     cmocka_unit_test(unused_nodes_cost_nothing),
                                     cmocka_unit_test(block_gradient_is_packed),
                                     cmocka_unit_test(gradients_of_gradients),
                                     cmocka_unit_test(no_path_gives_zeros),
                                     cmocka_unit_test(assignments_come_last),
                                     cmocka_unit_test(graph_as_text)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
