/* test_dump.c: nodes and graphs as text and for Graphviz, and going on after a mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "deer.h"

static void nodes_are_named(void **state) {
  (void)state;
  char text[DEER_NODE_TEXT];
  deer_graph *g = deer_graph_new();
  deer_node q = deer_input(g, "q_tm1", DEER_DTYPE_REAL, DEER_SHAPE(32, 2));
  deer_node best = deer_argmax_last(g, q), all = deer_sum(g, q, DEER_ALL_AXES);
  assert_string_equal(deer_node_text(g, q, text), "q_tm1 [32, 2]");
  assert_string_equal(deer_node_text(g, best, text), "argmax_last_2 int32 [32]");
  assert_string_equal(deer_node_text(g, all, text), "sum_3 []");
  assert_string_equal(deer_node_text(g, DEER_NONE, text), "no node");
  assert_string_equal(deer_node_text(g, (deer_node){99}, text), "no node");
  deer_graph_free(g);
}

static void graph_for_graphviz(void **state) {
  (void)state;
  deer_real data[2] = {0};
  deer_graph *g = deer_graph_new();
  deer_node w = deer_variable(g, "a \"b\" \\", data, 2);
  deer_node half = deer_constant(g, DEER_SHAPE(2), 0.5);
  deer_assign(g, w, deer_mul(g, w, half));
  char *text = deer_graph_dot(g);
  assert_non_null(text);
  assert_true(strncmp(text, "digraph deer {\n", 15) == 0);
  assert_non_null(strstr(text, "n1 [label=\"a \\\"b\\\" \\\\\\nvariable\\nfloat32 [2]\""));
  assert_non_null(strstr(text, "n2 [label=\"0.5\\nfloat32 [2]\", shape=plaintext];\n"));
  assert_non_null(strstr(text, "  n1 -> n3;\n  n2 -> n3;\n"));
  assert_string_equal(text + strlen(text) - 12, "n3 -> n4;\n}\n");
  deer_free(text);
  deer_alloc_fail_at(1);
  assert_null(deer_graph_dot(g));
  deer_graph_free(g);
}

static void a_mistake_can_be_forgotten(void **state) {
  (void)state;
  deer_graph *g = deer_graph_new();
  deer_node a = deer_constant(g, DEER_SHAPE(2), 3), b = deer_constant(g, DEER_SHAPE(3), 1);
  assert_int_equal(deer_add(g, a, b).id, 0);
  assert_int_equal(deer_graph_status(g), DEER_ESHAPE);
  deer_graph_forget(g);
  assert_int_equal(deer_graph_status(g), DEER_OK);
  deer_node sum = deer_sum(g, a, DEER_ALL_AXES);
  deer_program *p;
  assert_int_equal(deer_compile(g, &sum, 1, &p), DEER_OK);
  deer_program_run(p);
  assert_true(*(deer_real *)deer_program_data(p, sum) == 6);
  deer_program_free(p);
  // the next first mistake is remembered as the first was
  assert_int_equal(deer_add(g, b, a).id, 0);
  assert_int_equal(deer_graph_status(g), DEER_ESHAPE);
  deer_graph_free(g);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(nodes_are_named),
                                     cmocka_unit_test(graph_for_graphviz),
                                     cmocka_unit_test(a_mistake_can_be_forgotten)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
