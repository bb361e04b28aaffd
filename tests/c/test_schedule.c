/* test_schedule.c: values inside, at both ends and beyond; text there and back; wrong input. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static deer_schedule parsed(const char *text) {
  deer_schedule s;
  if (deer_schedule_parse(text, &s) != DEER_OK) fail_msg("%s", deer_error());
  return s;
}

static void assert_at(const char *text, double t, double expected) {
  deer_schedule s = parsed(text);
  double got = deer_schedule_at(&s, t);
  if (!(fabs(got - expected) <= 1e-15))
    fail_msg("%s at %g: expected %.17g, got %.17g", text, t, expected, got);
}

static void values_are_those_of_the_formulas(void **state) {
  (void)state;
  assert_at("constant(0.3)", -5, 0.3);
  assert_at("constant(0.3)", 1e9, 0.3);
  assert_at("linear(1, 0.1, 10)", 5, 0.55);
  assert_at("linear(1, 0.1, 10)", 2.5, 0.775);
  assert_at("linear(0, 4, 8)", 1, 0.5);
  assert_at("polynomial(5, 1, 4, 2)", 1, 1 + 4 * 0.5625);
  assert_at("polynomial(5, 1, 4, 0.5)", 3, 1 + 4 * 0.5);
  assert_at("exponential(8, 0.5, 4)", 1, 4);
  assert_at("exponential(8, 0.5, 4)", 3, 1);
  assert_at("exponential(-1, -4, 2)", 1, -2);
  assert_at("cosine(3, 1, 8)", 2, 2 + sqrt(0.5));
  assert_at("cosine(3, 1, 8)", 4, 2);
  assert_at("piecewise(10, 1, 20, 3, 40, 2)", 15, 2);
  assert_at("piecewise(10, 1, 20, 3, 40, 2)", 20, 3);
  assert_at("piecewise(10, 1, 20, 3, 40, 2)", 25, 2.75);
}

/* to the last bit, where from + (to - from) would be off */
static void ends_are_exact(void **state) {
  (void)state;
  const char *const kinds[] = {"linear(1, 0.1, 7)", "polynomial(1, 0.1, 7, 3)",
                               "exponential(1, 0.1, 7)", "cosine(1, 0.1, 7)",
                               "piecewise(0, 1, 3, 5, 7, 0.1)"};
  for (int i = 0; i < 5; i++) {
    deer_schedule s = parsed(kinds[i]);
    const double before[] = {0, -1, -1e300, -INFINITY, NAN}, after[] = {7, 8, 1e300, INFINITY};
    for (int k = 0; k < 5; k++) assert_true(deer_schedule_at(&s, before[k]) == 1);
    for (int k = 0; k < 4; k++) assert_true(deer_schedule_at(&s, after[k]) == 0.1);
    double inside = deer_schedule_at(&s, nextafter(7, 0));
    assert_true(fabs(inside - 0.1) < 1e-12);
  }
}

/* two points at one time make a step; the later one holds */
static void pieces_may_jump(void **state) {
  (void)state;
  assert_at("piecewise(5, 1, 5, 2)", 4.999, 1);
  assert_at("piecewise(5, 1, 5, 2)", 5, 2);
  assert_at("piecewise(0, 1, 10, 1, 10, 2, 20, 4)", 9.5, 1);
  assert_at("piecewise(0, 1, 10, 1, 10, 2, 20, 4)", 10, 2);
  assert_at("piecewise(0, 1, 10, 1, 10, 2, 20, 4)", 15, 3);
  assert_at("piecewise(0, 9, 0, 1, 10, 2)", 0, 1);
  assert_at("piecewise(0, 9, 0, 1, 10, 2)", -1, 9);
  assert_at("piecewise(3, 7)", 2, 7);
  assert_at("piecewise(3, 7)", 4, 7);
}

static void text_goes_there_and_back(void **state) {
  (void)state;
  const char *const same[] = {"constant(0.5)", "linear(1, 0.1, 10000)",
                              "polynomial(0.001, 1e-05, 1e+06, 1.5)",
                              "piecewise(0, 1, 10, 0.30000000000000004)"};
  char text[DEER_SCHEDULE_TEXT];
  for (int i = 0; i < 4; i++) {
    deer_schedule s = parsed(same[i]), again;
    assert_string_equal(deer_schedule_text(&s, text), same[i]);
    assert_int_equal(deer_schedule_parse(text, &again), DEER_OK);
    assert_memory_equal(&s, &again, sizeof s);
  }
  deer_schedule s = parsed("  \tlinear ( 1 ,0.5,\n2 ) ");
  assert_string_equal(deer_schedule_text(&s, text), "linear(1, 0.5, 2)");
  s = parsed(" 1e-3 ");
  assert_string_equal(deer_schedule_text(&s, text), "constant(0.001)");
}

static void wrong_text_is_refused(void **state) {
  (void)state;
  const struct {
    const char *text, *message;
  } wrong[] = {
      {"", "expected a number or text like linear(1, 0.1, 10000), got ''"},
      {"linear", "got 'linear'"},
      {"linear(", "got 'linear('"},
      {"linear()", "got 'linear()'"},
      {"linear(1, 2, 3", "got 'linear(1, 2, 3'"},
      {"linear(1, 2, 3) x", "got 'linear(1, 2, 3) x'"},
      {"linear(1, 2,)", "got 'linear(1, 2,)'"},
      {"linear(1; 2; 3)", "got"},
      {"1 2", "got '1 2'"},
      {"liner(1, 2, 3)", "unknown schedule 'liner'; did you mean 'linear'?"},
      {"zzz(1)", "there are constant, linear"},
      {"linear(1, 2)", "expected linear(from, to, steps), got 2 numbers"},
      {"constant(1, 2)", "expected constant(value), got 2 numbers"},
      {"linear(1)", "got 1 number"},
      {"piecewise(1, 2, 3)", "expected piecewise(t1, value1, t2, value2, ...), got 3 numbers"},
      {"linear(1, 2, 0)", "linear(1, 2, 0): steps must be above 0"},
      {"cosine(1, 2, -4)", "steps must be above 0"},
      {"polynomial(1, 2, 3, 0)", "power must be above 0"},
      {"exponential(1, 0, 3)", "same sign"},
      {"exponential(1, -1, 3)", "same sign"},
      {"piecewise(2, 1, 1, 1)", "must not go back"},
      {"constant(nan)", "not finite"},
      {"inf", "not finite"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    deer_schedule s = {.kind = 3, .n = 77};
    assert_int_equal(deer_schedule_parse(wrong[i].text, &s), DEER_EINVAL);
    if (!strstr(deer_error(), wrong[i].message))
      fail_msg("'%s': no \"%s\" in \"%s\"", wrong[i].text, wrong[i].message, deer_error());
    assert_int_equal(s.n, 77);
  }
  double many[DEER_SCHEDULE_NUMBERS + 2] = {0};
  deer_schedule s;
  assert_int_equal(deer_schedule_make("piecewise", many, DEER_SCHEDULE_NUMBERS, &s), DEER_OK);
  assert_int_equal(deer_schedule_make("piecewise", many, DEER_SCHEDULE_NUMBERS + 2, &s),
                   DEER_EINVAL);
  assert_non_null(strstr(deer_error(), "of at most 32 points"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_are_those_of_the_formulas), cmocka_unit_test(ends_are_exact),
      cmocka_unit_test(pieces_may_jump), cmocka_unit_test(text_goes_there_and_back),
      cmocka_unit_test(wrong_text_is_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
