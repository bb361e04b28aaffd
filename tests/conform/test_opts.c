/* test_opts.c: every registered optimiser: one step by hand for each rule, a valley that each must
 * descend, and nothing allocated. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 6 };

typedef struct descent {
  deer_opt *opt;
  deer_program *program;
  deer_real p[SIZE], rate;
  deer_node loss;
} descent;

/* minimises sum k (p_k - 1)^2 / 2 with k = 1 .. SIZE, so the gradient is k (p_k - 1) */
static void build(descent *d, const deer_opt_class *class, const deer_option *options, int n) {
  if (deer_opt_new(class, options, n, SIZE, &d->opt) != DEER_OK) fail_msg("%s", deer_error());
  deer_graph *g = deer_graph_new();
  deer_node p = deer_variable(g, "p", d->p, SIZE), rate = deer_variable(g, "rate", &d->rate, 1);
  deer_node parts[SIZE], error = deer_shift(g, p, -1);
  for (int k = 0; k < SIZE; k++)
    parts[k] = deer_scale(g, deer_square(g, deer_slice(g, error, 0, k, 1)), (k + 1) / 2.0);
  d->loss = deer_sum(g, deer_concat(g, parts, SIZE, 0), DEER_ALL_AXES);
  deer_node gradient, outputs[DEER_OPT_ASSIGNS + 1];
  assert_int_equal(deer_gradients(g, d->loss, &p, 1, &gradient), DEER_OK);
  int n_outputs = deer_opt_minimize(d->opt, g, p, gradient, rate, outputs);
  outputs[n_outputs++] = d->loss;
  if (deer_compile(g, outputs, n_outputs, &d->program) != DEER_OK) fail_msg("%s", deer_error());
  deer_graph_free(g);
  for (int k = 0; k < SIZE; k++) d->p[k] = 1 + (k % 2 ? -0.8 : 0.5);
}

static void finish(descent *d) {
  deer_program_free(d->program);
  deer_opt_free(d->opt);
}

static void every_rule_descends(void **state) {
  (void)state;
  for (int i = 0; deer_opt_at(i); i++) {
    descent d;
    build(&d, deer_opt_at(i), NULL, 0);
    uint64_t calls = deer_alloc_calls();
    for (int step = 0; step < 3000; step++) {
      d.rate = step < 1000 ? 0.02 : 0.0005;
      deer_program_run(d.program);
    }
    assert_true(deer_alloc_calls() == calls);
    double loss = *(deer_real *)deer_program_data(d.program, d.loss);
    if (!(loss < 1e-4)) fail_msg("%s ends at a loss of %g", deer_opt_at(i)->name, loss);
    finish(&d);
  }
}

/* two steps of every rule, by the formulas of the papers written out */
typedef struct memory {
  double a, b;
  int t;
} memory;

static double by_hand(const char *rule, double g, double rate, memory *m) {
  m->t++;
  if (strcmp(rule, "sgd") == 0) return rate * (m->a = 0.5 * m->a + g);
  if (strcmp(rule, "rmsprop") == 0) {
    m->a = 0.9 * m->a + 0.1 * g * g;
    return rate * g / sqrt(m->a + 1e-4);
  }
  if (strcmp(rule, "deepmind_rmsprop") == 0) {
    m->a = 0.9 * m->a + 0.1 * g;
    m->b = 0.9 * m->b + 0.1 * g * g;
    return rate * g / sqrt(m->b - m->a * m->a + 1e-4);
  }
  assert_string_equal(rule, "adam");
  m->a = 0.9 * m->a + 0.1 * g;
  m->b = 0.999 * m->b + 0.001 * g * g;
  return rate * (m->a / (1 - pow(0.9, m->t))) / (sqrt(m->b / (1 - pow(0.999, m->t))) + 1e-8);
}

static void steps_are_those_of_the_papers(void **state) {
  (void)state;
  for (int i = 0; deer_opt_at(i); i++) {
    const char *rule = deer_opt_at(i)->name;
    deer_option momentum = {"momentum", {DEER_VALUE_NUMBER, 0.5, NULL}};
    descent d;
    memory m[SIZE] = {{0}};
    double p[SIZE];
    build(&d, deer_opt_at(i), &momentum, strcmp(rule, "sgd") == 0);
    d.rate = 0.01;
    for (int k = 0; k < SIZE; k++) p[k] = d.p[k];
    for (int step = 0; step < 5; step++) {
      deer_program_run(d.program);
      for (int k = 0; k < SIZE; k++) {
        p[k] -= by_hand(rule, (k + 1) * (p[k] - 1), 0.01, &m[k]);
        if (fabs(p[k] - d.p[k]) > 1e-12)
          fail_msg("%s: expected %.15g, got %.15g", rule, p[k], d.p[k]);
      }
    }
    finish(&d);
  }
}

static void norm_is_clipped(void **state) {
  (void)state;
  deer_real p[3] = {3, 0, 4};
  deer_graph *g = deer_graph_new();
  deer_node x = deer_variable(g, "p", p, 3),
            outputs[] = {deer_clip_norm(g, x, 1), deer_clip_norm(g, x, 10)};
  deer_program *program;
  assert_int_equal(deer_compile(g, outputs, 2, &program), DEER_OK);
  deer_program_run(program);
  const deer_real *cut = deer_program_data(program, outputs[0]),
                  *whole = deer_program_data(program, outputs[1]);
  assert_true(fabs(cut[0] - 0.6) < 1e-12 && cut[1] == 0 && fabs(cut[2] - 0.8) < 1e-12);
  assert_true(whole[0] == 3 && whole[2] == 4);
  deer_program_free(program);
  deer_graph_free(g);
}

static void wrong_options_are_refused(void **state) {
  (void)state;
  deer_option wrong = {"roh", {DEER_VALUE_NUMBER, 0.5, NULL}};
  deer_opt *opt;
  assert_int_equal(deer_opt_new(deer_opt_find("rmsprop"), &wrong, 1, SIZE, &opt), DEER_EINVAL);
  assert_null(opt);
  assert_string_equal(deer_error(), "rmsprop: unknown option 'roh'; did you mean 'rho'?");
  assert_null(deer_opt_find("newton"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_rule_descends), cmocka_unit_test(steps_are_those_of_the_papers),
      cmocka_unit_test(norm_is_clipped), cmocka_unit_test(wrong_options_are_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
