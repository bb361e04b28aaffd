/* test_rl.c: formulas against numbers worked out by hand, and where their gradients go. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 3, ACTIONS = 2 };

typedef struct q_learning {
  deer_graph *g;
  deer_node q_tm1, q_t, selector_t, td;
  deer_transition transition;
} q_learning;

static void describe(q_learning *f) {
  const deer_shape values = DEER_SHAPE(BATCH, ACTIONS), batch = DEER_SHAPE(BATCH);
  f->g = deer_graph_new();
  f->q_tm1 = deer_input(f->g, "q_tm1", DEER_DTYPE_REAL, values);
  f->q_t = deer_input(f->g, "q_t", DEER_DTYPE_REAL, values);
  f->selector_t = deer_input(f->g, "selector_t", DEER_DTYPE_REAL, values);
  f->transition.a_tm1 = deer_input(f->g, "a_tm1", DEER_DTYPE_I32, batch);
  f->transition.r_t = deer_input(f->g, "r_t", DEER_DTYPE_REAL, batch);
  f->transition.discount_t = deer_input(f->g, "discount_t", DEER_DTYPE_REAL, batch);
  f->td = deer_q_learning(f->g, f->q_tm1, &f->transition, f->q_t, f->selector_t);
}

static void give(deer_program *p, deer_node node, const deer_real *values, int n) {
  memcpy(deer_program_data(p, node), values, (size_t)n * sizeof *values);
}

/* the selector chooses action 1, 0, 0; the last state is terminal */
static void q_learning_by_hand(void **state) {
  (void)state;
  q_learning f;
  describe(&f);
  deer_program *p;
  assert_int_equal(deer_compile(f.g, &f.td, 1, &p), DEER_OK);
  give(p, f.q_tm1, (deer_real[]){1, 2, 3, 4, 5, 6}, 6);
  give(p, f.q_t, (deer_real[]){8, 16, 32, 64, 128, 256}, 6);
  give(p, f.selector_t, (deer_real[]){0, 1, 1, 0, 1, 0}, 6);
  give(p, f.transition.r_t, (deer_real[]){1, -1, 2}, 3);
  give(p, f.transition.discount_t, (deer_real[]){0.5, 0.25, 0}, 3);
  memcpy(deer_program_data(p, f.transition.a_tm1), (int32_t[]){0, 1, 1}, 3 * sizeof(int32_t));
  deer_program_run(p);
  const deer_real *td = deer_program_data(p, f.td);
  assert_true(td[0] == 1 + 0.5 * 16 - 1);
  assert_true(td[1] == -1 + 0.25 * 32 - 4);
  assert_true(td[2] == 2 - 6);
  deer_program_free(p);
  deer_graph_free(f.g);
}

/* the loss learns through q_tm1 alone, at the action taken: the target stands still */
static void target_has_no_gradient(void **state) {
  (void)state;
  q_learning f;
  describe(&f);
  const deer_node loss = deer_sum(f.g, f.td, DEER_ALL_AXES);
  const deer_node wrt[] = {f.q_tm1, f.q_t, f.selector_t, f.transition.r_t, f.transition.discount_t};
  deer_node gradients[5];
  deer_program *p;
  assert_int_equal(deer_gradients(f.g, loss, wrt, 5, gradients), DEER_OK);
  assert_int_equal(deer_compile(f.g, gradients, 5, &p), DEER_OK);
  memcpy(deer_program_data(p, f.transition.a_tm1), (int32_t[]){0, 1, 1}, 3 * sizeof(int32_t));
  deer_program_run(p);
  const deer_real expected[] = {-1, 0, 0, -1, 0, -1};
  for (int i = 0; i < 5; i++) {
    const deer_real *gradient = deer_program_data(p, gradients[i]);
    for (int k = 0; k < (i < 3 ? BATCH * ACTIONS : BATCH); k++)
      assert_true(gradient[k] == (i == 0 ? expected[k] : 0));
  }
  deer_program_free(p);
  deer_graph_free(f.g);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(q_learning_by_hand),
                                     cmocka_unit_test(target_has_no_gradient)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
