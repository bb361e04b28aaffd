/* test_distributions.c: densities against plain formulas and numeric integrals, and gradients
 * through samples against finite differences, in double precision. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define PI 3.14159265358979323846

static void assert_near(double got, double expected, double tolerance) {
  if (!(fabs(got - expected) <= tolerance * (1 + fabs(expected))))
    fail_msg("expected %.15g, got %.15g", expected, got);
}

/* ---- squashed Gaussian ---- */

enum { ROWS = 400 };

typedef struct squashed_case {
  deer_program *program;
  deer_real *mean, *log_std, *noise;
  const deer_real *action, *log_prob, *gradient[3];
} squashed_case;

/* ROWS samples of `n` numbers; gradients are those of sum(log_prob) + sum(action) */
static void squashed_build(squashed_case *c, int n) {
  deer_graph *g = deer_graph_new();
  deer_shape shape = DEER_SHAPE(ROWS, n);
  deer_node in[3] = {deer_input(g, "mean", DEER_DTYPE_REAL, shape),
                     deer_input(g, "log_std", DEER_DTYPE_REAL, shape),
                     deer_input(g, "noise", DEER_DTYPE_REAL, shape)};
  deer_squashed s = deer_squashed_gaussian_sample(g, in[0], in[1], in[2]);
  deer_node loss =
      deer_add(g, deer_sum(g, s.log_prob, DEER_ALL_AXES), deer_sum(g, s.action, DEER_ALL_AXES));
  deer_node gradients[3], outputs[5] = {s.action, s.log_prob};
  assert_int_equal(deer_gradients(g, loss, in, 3, gradients), DEER_OK);
  memcpy(outputs + 2, gradients, sizeof gradients);
  if (deer_compile(g, outputs, 5, &c->program) != DEER_OK) fail_msg("%s", deer_error());
  c->mean = deer_program_data(c->program, in[0]);
  c->log_std = deer_program_data(c->program, in[1]);
  c->noise = deer_program_data(c->program, in[2]);
  c->action = deer_program_data(c->program, s.action);
  c->log_prob = deer_program_data(c->program, s.log_prob);
  for (int i = 0; i < 3; i++) c->gradient[i] = deer_program_data(c->program, gradients[i]);
  deer_graph_free(g);
}

/* log of the density of one number by the change of variables as it is written */
static double squashed_plain(double mean, double log_std, double noise) {
  double u = mean + exp(log_std) * noise, a = tanh(u);
  return -noise * noise / 2 - log_std - log(2 * PI) / 2 - log((1 - a) * (1 + a));
}

static void squashed_density_is_that_of_the_formula(void **state) {
  (void)state;
  squashed_case c;
  squashed_build(&c, 2);
  for (int i = 0; i < 2 * ROWS; i++) {
    c.mean[i] = 1.5 * sin(i);
    c.log_std[i] = cos(3 * i) - 0.5;
    c.noise[i] = 2 * sin(7 * i);
  }
  deer_program_run(c.program);
  for (int i = 0; i < ROWS; i++) {
    double expected = 0;
    for (int k = 2 * i; k < 2 * i + 2; k++) {
      expected += squashed_plain(c.mean[k], c.log_std[k], c.noise[k]);
      assert_near(c.action[k], tanh(c.mean[k] + exp(c.log_std[k]) * c.noise[k]), 1e-14);
    }
    assert_near(c.log_prob[i], expected, 1e-9);
  }
  deer_program_free(c.program);
}

/* the density over (-1, 1) by the rule of trapezoids over the actions of a grid of noise */
static void squashed_density_integrates_to_one(void **state) {
  (void)state;
  squashed_case c;
  squashed_build(&c, 1);
  for (int i = 0; i < ROWS; i++) {
    c.mean[i] = 0.4;
    c.log_std[i] = -0.3;
    c.noise[i] = -8 + 16.0 * i / (ROWS - 1);
  }
  deer_program_run(c.program);
  double total = 0;
  for (int i = 1; i < ROWS; i++)
    total += (exp(c.log_prob[i]) + exp(c.log_prob[i - 1])) / 2 * (c.action[i] - c.action[i - 1]);
  assert_near(total, 1, 1e-4);
  deer_program_free(c.program);
}

/* 1 - tanh(u)^2 is 4 exp(-2 |u|) out there, and 0 in every floating-point number */
static void squashed_density_is_finite_far_out(void **state) {
  (void)state;
  squashed_case c;
  squashed_build(&c, 1);
  const double far[4] = {400, -400, 40, -40};
  memcpy(c.mean, far, sizeof far);
  deer_program_run(c.program);
  for (int i = 0; i < 4; i++) {
    assert_near(c.log_prob[i], -log(2 * PI) / 2 - log(4) + 2 * fabs(far[i]), 1e-14);
    assert_near(c.gradient[0][i], far[i] > 0 ? 2 : -2, 1e-14);
  }
  deer_program_free(c.program);
}

static void squashed_gradients_are_those_of_differences(void **state) {
  (void)state;
  squashed_case c;
  squashed_build(&c, 1);
  deer_real *in[3] = {c.mean, c.log_std, c.noise};
  const double h = 1e-6, base[3] = {0.3, -0.7, 1.1};
  /* rows in pairs: one number of three a little more, a little less */
  for (int i = 0; i < 6; i++)
    for (int k = 0; k < 3; k++) in[k][i] = base[k] + (i / 2 == k ? (i % 2 ? -h : h) : 0);
  for (int k = 0; k < 3; k++) in[k][6] = base[k];
  deer_program_run(c.program);
  for (int k = 0; k < 3; k++) {
    double more = c.log_prob[2 * k] + c.action[2 * k];
    double less = c.log_prob[2 * k + 1] + c.action[2 * k + 1];
    assert_near(c.gradient[k][6], (more - less) / (2 * h), 1e-8);
  }
  deer_program_free(c.program);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(squashed_density_is_that_of_the_formula),
      cmocka_unit_test(squashed_density_integrates_to_one),
      cmocka_unit_test(squashed_density_is_finite_far_out),
      cmocka_unit_test(squashed_gradients_are_those_of_differences),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
