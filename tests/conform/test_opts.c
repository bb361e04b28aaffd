/* test_opts.c: every registered optimiser: steps by hand with its usual and unusual options, a
 * valley that it must descend, and nothing allocated; target networks and limits of gradients. */
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

/* two rules size their own steps, so that the rate only scales them */
static double usual_rate(const char *rule) {
  if (strcmp(rule, "adadelta") == 0) return 10;
  return strcmp(rule, "adagrad") == 0 ? 0.5 : 0.02;
}

static void every_rule_descends(void **state) {
  (void)state;
  for (int i = 0; deer_opt_at(i); i++) {
    descent d;
    build(&d, deer_opt_at(i), NULL, 0);
    uint64_t calls = deer_alloc_calls();
    for (int step = 0; step < 3000; step++) {
      d.rate = usual_rate(deer_opt_at(i)->name) * (step < 1000 ? 1 : 0.025);
      deer_program_run(d.program);
    }
    assert_true(deer_alloc_calls() == calls);
    double loss = *(deer_real *)deer_program_data(d.program, d.loss);
    /* weight decay moves the bottom of the valley by one part in a hundred */
    double limit = strcmp(deer_opt_at(i)->name, "adamw") == 0 ? 1e-2 : 1e-4;
    if (!(loss < limit)) fail_msg("%s ends at a loss of %g", deer_opt_at(i)->name, loss);
    finish(&d);
  }
}

/* ---- steps by the formulas of the papers written out, one parameter at a time ---- */

typedef struct memory {
  double a, b, c;
  int t; /* counts from 1 */
} memory;

/* what is taken from parameter p with gradient g */
typedef double step_of(double p, double g, double rate, memory *m);

static double mean(double *old, double fresh, double decay) {
  return *old = decay * *old + (1 - decay) * fresh;
}

static double sgd(double p, double g, double rate, memory *m) {
  (void)p, (void)m;
  return rate * g;
}

static double sgd_momentum(double p, double g, double rate, memory *m) {
  (void)p;
  return rate * (m->a = 0.5 * m->a + g);
}

static double sgd_nesterov(double p, double g, double rate, memory *m) {
  (void)p;
  m->a = 0.5 * m->a + g;
  return rate * (g + 0.5 * m->a);
}

static double rmsprop(double p, double g, double rate, memory *m) {
  (void)p;
  return rate * g / sqrt(mean(&m->a, g * g, 0.9) + 1e-4);
}

static double rmsprop_outside(double p, double g, double rate, memory *m) {
  (void)p;
  m->b = 0.5 * m->b + g / (sqrt(mean(&m->a, g * g, 0.9)) + 1e-4);
  return rate * m->b;
}

static double deepmind_rmsprop(double p, double g, double rate, memory *m) {
  (void)p;
  mean(&m->a, g, 0.9);
  mean(&m->b, g * g, 0.9);
  return rate * g / sqrt(m->b - m->a * m->a + 1e-4);
}

static double deepmind_outside(double p, double g, double rate, memory *m) {
  (void)p;
  mean(&m->a, g, 0.9);
  mean(&m->b, g * g, 0.9);
  return rate * g / (sqrt(m->b - m->a * m->a) + 1e-4);
}

static double deepmind_momentum(double p, double g, double rate, memory *m) {
  m->c = 0.5 * m->c + deepmind_rmsprop(p, g, 1, m);
  return rate * m->c;
}

static double adam(double p, double g, double rate, memory *m) {
  (void)p;
  double m_hat = mean(&m->a, g, 0.9) / (1 - pow(0.9, m->t));
  double v_hat = mean(&m->b, g * g, 0.999) / (1 - pow(0.999, m->t));
  return rate * m_hat / (sqrt(v_hat) + 1e-8);
}

static double adamw(double p, double g, double rate, memory *m) {
  return rate * 0.5 * p + adam(p, g, rate, m);
}

static double nadam(double p, double g, double rate, memory *m) {
  (void)p;
  double mu = 0.9 * (1 - 0.5 * pow(0.96, m->t * 0.1));
  double mu_next = 0.9 * (1 - 0.5 * pow(0.96, (m->t + 1) * 0.1));
  if (m->t == 1) m->c = 1;
  m->c *= mu;
  double direction = mu_next * mean(&m->a, g, 0.9) / (1 - m->c * mu_next);
  direction += (1 - mu) * g / (1 - m->c);
  double v_hat = mean(&m->b, g * g, 0.999) / (1 - pow(0.999, m->t));
  return rate * direction / (sqrt(v_hat) + 0.5);
}

static double adagrad(double p, double g, double rate, memory *m) {
  (void)p;
  m->a += g * g;
  return rate * g / (sqrt(m->a) + 1e-10);
}

static double adadelta(double p, double g, double rate, memory *m) {
  (void)p;
  double step = sqrt(m->b + 1e-6) / sqrt(mean(&m->a, g * g, 0.95) + 1e-6) * g;
  mean(&m->b, step * step, 0.95);
  return rate * step;
}

#define NUMBER(name, x)                                                                            \
  {                                                                                                \
    name, { DEER_VALUE_NUMBER, x, NULL }                                                           \
  }
#define TRUTH(name, x)                                                                             \
  {                                                                                                \
    name, { DEER_VALUE_BOOL, x, NULL }                                                             \
  }

static const struct {
  const char *rule;
  step_of *step;
  int n;
  deer_option options[2];
} cases[] = {
    {"sgd", sgd, 0, {{0}}},
    {"sgd", sgd_momentum, 1, {NUMBER("momentum", 0.5)}},
    {"sgd", sgd_nesterov, 2, {NUMBER("momentum", 0.5), TRUTH("nesterov", 1)}},
    {"rmsprop", rmsprop, 0, {{0}}},
    {"rmsprop", rmsprop_outside, 2, {NUMBER("momentum", 0.5), TRUTH("epsilon_inside", 0)}},
    {"deepmind_rmsprop", deepmind_rmsprop, 0, {{0}}},
    {"deepmind_rmsprop", deepmind_outside, 1, {TRUTH("epsilon_inside", 0)}},
    {"deepmind_rmsprop", deepmind_momentum, 1, {NUMBER("momentum", 0.5)}},
    {"adam", adam, 0, {{0}}},
    {"adamw", adamw, 1, {NUMBER("weight_decay", 0.5)}},
    {"nadam", nadam, 2, {NUMBER("momentum_decay", 0.1), NUMBER("epsilon", 0.5)}},
    {"adagrad", adagrad, 0, {{0}}},
    {"adadelta", adadelta, 0, {{0}}},
};
enum { CASES = sizeof cases / sizeof *cases, STEPS = 12 };

static void follow(int i) {
  descent d;
  memory m[SIZE] = {{0}};
  double p[SIZE];
  build(&d, deer_opt_find(cases[i].rule), cases[i].options, cases[i].n);
  for (int k = 0; k < SIZE; k++) p[k] = d.p[k];
  for (int step = 0; step < STEPS; step++) {
    d.rate = 0.01 + 0.001 * step;
    deer_program_run(d.program);
    for (int k = 0; k < SIZE; k++) {
      m[k].t++;
      p[k] -= cases[i].step(p[k], (k + 1) * (p[k] - 1), d.rate, &m[k]);
      if (fabs(p[k] - d.p[k]) > 1e-12)
        fail_msg("case %d, %s: expected %.15g, got %.15g", i, cases[i].rule, p[k], d.p[k]);
    }
  }
  finish(&d);
}

static void steps_are_those_of_the_papers(void **state) {
  (void)state;
  for (int i = 0; i < CASES; i++) follow(i);
  for (int i = 0; deer_opt_at(i); i++) {
    bool proved = false;
    for (int k = 0; k < CASES; k++) proved |= strcmp(cases[k].rule, deer_opt_at(i)->name) == 0;
    if (!proved) fail_msg("%s has no case in tests/conform/test_opts.c", deer_opt_at(i)->name);
  }
}

static void choices_are_the_registry(void **state) {
  (void)state;
  char word[32];
  int n = 0;
  for (; deer_choice_word(DEER_OPT_CHOICES, n, word, sizeof word); n++)
    assert_string_equal(word, deer_opt_at(n)->name);
  assert_null(deer_opt_at(n));
}

/* ---- target networks ---- */

/* the target follows what the optimiser writes in the same run */
static void target_follows_the_update(void **state) {
  (void)state;
  deer_real p[2] = {1, 2}, target[2] = {0, 10}, copy[2] = {0}, rate = 0.5;
  deer_opt *opt;
  assert_int_equal(deer_opt_new(deer_opt_find("sgd"), NULL, 0, 2, &opt), DEER_OK);
  deer_graph *g = deer_graph_new();
  deer_node x = deer_variable(g, "p", p, 2), gradient = deer_constant(g, DEER_SHAPE(2), 4);
  deer_node outputs[DEER_OPT_ASSIGNS + 2];
  int n = deer_opt_minimize(opt, g, x, gradient, deer_variable(g, "rate", &rate, 1), outputs);
  deer_node updated = deer_opt_updated(opt);
  outputs[n++] = deer_soft_update(g, deer_variable(g, "target", target, 2), updated, 0.25);
  outputs[n++] = deer_soft_update(g, deer_variable(g, "copy", copy, 2), updated, 1);
  deer_program *program;
  assert_int_equal(deer_compile(g, outputs, n, &program), DEER_OK);
  for (int i = 0; i < 2; i++) deer_program_run(program);
  assert_true(p[0] == -3 && p[1] == -2);
  assert_true(copy[0] == -3 && copy[1] == -2);
  /* 0 + (-1) / 4 = -0.25, then three quarters of it and a quarter of -3; 10, 7.5, 5.125 */
  assert_true(target[0] == -0.25 * 0.75 - 0.75 && target[1] == 7.5 * 0.75 - 0.5);
  deer_program_free(program);
  deer_opt_free(opt);

  const double wrong[] = {0, -1, 1.5, NAN};
  for (int i = 0; i < 4; i++) {
    deer_graph *h = deer_graph_new();
    deer_node v = deer_variable(h, "v", p, 2);
    deer_soft_update(h, v, v, wrong[i]);
    assert_int_equal(deer_graph_status(h), DEER_ESHAPE);
    assert_non_null(strstr(deer_error(), "tau must lie above 0"));
    deer_graph_free(h);
  }
  deer_graph_free(g);
}

/* ---- limits of gradients ---- */

/* a network of one dense layer, 1 weight and 1 bias, twice in one block */
static void limits_apply_in_order(void **state) {
  (void)state;
  deer_space space = {.n_subjects = 1, .actions = {.n = 1, .size = 1}};
  space.subjects[0] = (deer_subject){1, DEER_SCALAR, DEER_DTYPE_REAL};
  deer_net *net;
  assert_int_equal(deer_net_new(&(deer_net_spec){0}, &space, 1, &net), DEER_OK);
  assert_int_equal(deer_net_size(net), 2);
  deer_real gradient[4] = {3, -4, 0.5, 0};
  const deer_clipping limits[] = {{0},
                                  {.value = 1},
                                  {.tensor_norm = 2},
                                  {.global_norm = 1},
                                  {.value = 3, .tensor_norm = 2, .global_norm = 1}};
  const double norm = sqrt(9 + 16 + 0.25), rest = sqrt(4 + 4 + 0.25);
  const double expected[][4] = {{3, -4, 0.5, 0},
                                {1, -1, 0.5, 0},
                                {2, -2, 0.5, 0},
                                {3 / norm, -4 / norm, 0.5 / norm, 0},
                                {2 / rest, -2 / rest, 0.5 / rest, 0}};
  for (int i = 0; i < 5; i++) {
    deer_graph *g = deer_graph_new();
    deer_node x = deer_variable(g, "gradient", gradient, 4);
    deer_node cut = deer_opt_clip(g, x, net, &limits[i]);
    if (i > 0) {
      deer_program *program;
      if (deer_compile(g, &cut, 1, &program) != DEER_OK) fail_msg("%s", deer_error());
      deer_program_run(program);
      const deer_real *got = deer_program_data(program, cut);
      for (int k = 0; k < 4; k++) assert_true(fabs(got[k] - expected[i][k]) < 1e-14);
      deer_program_free(program);
    } else {
      assert_int_equal(cut.id, x.id);
    }
    deer_graph_free(g);
  }
  deer_net_free(net);
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
      cmocka_unit_test(every_rule_descends),      cmocka_unit_test(steps_are_those_of_the_papers),
      cmocka_unit_test(choices_are_the_registry), cmocka_unit_test(target_follows_the_update),
      cmocka_unit_test(limits_apply_in_order),    cmocka_unit_test(norm_is_clipped),
      cmocka_unit_test(wrong_options_are_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
