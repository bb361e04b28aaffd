/* test_couple.c: neighbours in a graph that the compiler makes one kernel of. test_compile.c grows
 * them in random graphs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "base/rng.h"
#include "graph/program.h"

static deer_program *compiled(deer_graph *g, const deer_node *outputs, int n) {
  deer_program *program;
  if (deer_compile(g, outputs, n, &program) != DEER_OK) fail_msg("%s", deer_error());
  return program;
}

/* two kernels with one in their place, and the same bits */
static void neighbours_of_a_chain_run_as_one(void **state) {
  (void)state;
  enum { N = 37, PAIRS = 15 };
  deer_graph *g = deer_graph_new();
  const deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(N)),
                  y = deer_input(g, "y", DEER_DTYPE_REAL, DEER_SHAPE(N)),
                  z = deer_input(g, "z", DEER_DTYPE_REAL, DEER_SHAPE(N));
  const deer_node px = deer_scale(g, x, 0.3), qy = deer_scale(g, y, 0.7), xy = deer_mul(g, x, y),
                  pxx = deer_scale(g, deer_square(g, x), 0.3), root = deer_sqrt(g, x),
                  qyy = deer_scale(g, deer_square(g, y), 0.7);
  const deer_node out[PAIRS] = {deer_add(g, px, y),   deer_add(g, y, px),   deer_add(g, px, qy),
                                deer_add(g, pxx, qy), deer_add(g, px, qyy), deer_sub(g, y, px),
                                deer_add(g, xy, z),   deer_add(g, z, xy),   deer_sub(g, xy, z),
                                deer_sub(g, z, xy),   deer_mul(g, xy, z),   deer_mul(g, z, xy),
                                deer_div(g, xy, z),   deer_add(g, root, y), deer_add(g, y, root)};
  deer_rng rng = deer_rng_seed(5);
  const deer_real p = (deer_real)0.3, q = (deer_real)0.7;
  for (int k = 0; k < PAIRS; k++) {
    deer_program *program = compiled(g, &out[k], 1);
    assert_int_equal(program->n_steps, 1);
    assert_int_equal(program->steps[0].chain->n_links, 1);
    deer_real *a = deer_program_data(program, x), *b = deer_program_data(program, y);
    deer_real *c = deer_program_data(program, z), *got = deer_program_data(program, out[k]);
    for (int i = 0; i < N; i++) {
      a[i] = (deer_real)deer_rng_uniform(&rng);
      if (b) b[i] = (deer_real)deer_rng_normal(&rng);
      if (c) c[i] = (deer_real)deer_rng_normal(&rng);
    }
    deer_program_run(program);
    for (int i = 0; i < N; i++) {
      const deer_real X = a[i], Y = b ? b[i] : 0, Z = c ? c[i] : 0, ab = X * Y;
      const deer_real wanted[PAIRS] = {p * X + Y,
                                       Y + p * X,
                                       p * X + q * Y,
                                       p * (X * X) + q * Y,
                                       p * X + q * (Y * Y),
                                       Y - p * X,
                                       ab + Z,
                                       Z + ab,
                                       ab - Z,
                                       Z - ab,
                                       ab * Z,
                                       Z * ab,
                                       ab / Z,
                                       sqrtf(X) + Y,
                                       Y + sqrtf(X)};
      if (got[i] != wanted[k])
        fail_msg("pair %d: %.9g, not %.9g", k, (double)got[i], (double)wanted[k]);
    }
    deer_program_free(program);
  }
  deer_graph_free(g);
}

/* a product of the old value that is wanted after the new one is in place */
static void neighbours_see_the_old_value(void **state) {
  (void)state;
  deer_real v[20];
  for (int i = 0; i < 20; i++) v[i] = (deer_real)i;
  deer_graph *g = deer_graph_new();
  const deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(20));
  const deer_node old = deer_variable(g, "v", v, 20), product = deer_mul(g, old, x);
  const deer_node fresh = deer_add(g, old, x);
  const deer_node outputs[] = {deer_assign(g, old, fresh),
                               deer_sub(g, deer_abs(g, fresh), product)};
  deer_program *p = compiled(g, outputs, 2);
  assert_int_equal(p->n_steps, 1);
  deer_real *in = deer_program_data(p, x), *out = deer_program_data(p, outputs[1]);
  for (int i = 0; i < 20; i++) in[i] = 3;
  deer_program_run(p);
  for (int i = 0; i < 20; i++)
    assert_true(v[i] == (deer_real)(i + 3) && out[i] == (deer_real)(i + 3 - 3 * i));
  deer_program_free(p);
  deer_graph_free(g);
}

/* a norm is one pass over its numbers, unless somebody else wants the squares */
static void squares_are_summed_at_once(void **state) {
  (void)state;
  enum { N = 1001 };
  deer_graph *g = deer_graph_new();
  const deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(N)),
                  square = deer_square(g, x);
  const deer_node sum = deer_sum(g, square, DEER_ALL_AXES);
  const deer_node both[] = {sum, square}, plain = deer_sum(g, x, DEER_ALL_AXES);
  deer_program *p = compiled(g, &sum, 1), *shown = compiled(g, both, 2);
  deer_program *squares = compiled(g, &plain, 1);
  assert_int_equal(p->n_steps, 1);
  assert_int_equal(shown->n_steps, 2);
  deer_real *in = deer_program_data(p, x), *same = deer_program_data(shown, x);
  deer_real *squared = deer_program_data(squares, x);
  deer_rng rng = deer_rng_seed(7);
  for (int i = 0; i < N; i++) {
    in[i] = same[i] = (deer_real)deer_rng_normal(&rng);
    squared[i] = in[i] * in[i];
  }
  deer_program_run(p);
  deer_program_run(shown);
  deer_program_run(squares);
  const deer_real *wanted = deer_program_data(squares, plain);
  assert_true(*(deer_real *)deer_program_data(p, sum) == *wanted);
  assert_true(*(deer_real *)deer_program_data(shown, sum) == *wanted);
  assert_memory_equal(deer_program_data(shown, square), squared, N * sizeof *squared);
  deer_program_free(p);
  deer_program_free(shown);
  deer_program_free(squares);
  deer_graph_free(g);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(neighbours_of_a_chain_run_as_one),
      cmocka_unit_test(neighbours_see_the_old_value),
      cmocka_unit_test(squares_are_summed_at_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
