/* test_base.c: errors, allocator, nearest names, options, random numbers. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void message_may_quote_itself(void **state) {
  (void)state;
  assert_int_equal(deer_fail(DEER_EIO, "no %s", "file"), DEER_EIO);
  assert_int_equal(deer_fail(DEER_EINVAL, "load: %s", deer_error()), DEER_EINVAL);
  assert_string_equal(deer_error(), "load: no file");
}

static void literal_is_a_message_like_others(void **state) {
  (void)state;
  assert_int_equal(deer_fail_literal(DEER_EAGAIN, "100 % later"), DEER_EAGAIN);
  assert_string_equal(deer_error(), "100 % later");
  assert_int_equal(deer_fail(DEER_EAGAIN, "learn: %s", deer_error()), DEER_EAGAIN);
  assert_string_equal(deer_error(), "learn: 100 % later");
}

static void long_message_is_cut(void **state) {
  (void)state;
  char text[5000];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  deer_fail(DEER_EINVAL, "%s", text);
  assert_in_range(strlen(deer_error()), 1900, 2100);
}

static void blocks_are_zeroed_aligned_counted(void **state) {
  (void)state;
  size_t bytes = deer_alloc_bytes(), blocks = deer_alloc_blocks();
  unsigned char *block = deer_alloc(1000);
  assert_int_equal((uintptr_t)block % 64, 0);
  for (int i = 0; i < 1000; i++) assert_int_equal(block[i], 0);
  assert_int_equal(deer_alloc_bytes() - bytes, 1000);
  assert_int_equal(deer_alloc_blocks() - blocks, 1);
  memset(block, 7, 1000);
  block = deer_realloc(block, 2000);
  assert_int_equal(block[999], 7);
  assert_int_equal(block[1000], 0);
  deer_free(block);
  deer_free(NULL);
  assert_int_equal(deer_alloc_bytes(), bytes);
  assert_int_equal(deer_alloc_blocks(), blocks);
}

static void allocation_can_fail(void **state) {
  (void)state;
  deer_alloc_fail_at(2);
  void *first = deer_alloc(8), *second = deer_alloc(8), *third = deer_alloc(8);
  assert_non_null(first);
  assert_null(second);
  assert_non_null(third);
  assert_non_null(strstr(deer_error(), "out of memory"));
  deer_free(first);
  deer_free(third);
  assert_null(deer_alloc_array(SIZE_MAX / 2, 3));
  assert_null(deer_alloc(SIZE_MAX - 10));
  /* what the machine does not have is refused at once, not when it is written to */
  assert_null(deer_alloc(deer_machine_bytes() + 1));
  /* nor in parts; the thread sanitizer writes to all memory itself */
#if !defined(__SANITIZE_THREAD__)
  size_t most = deer_machine_bytes() / 3 * 2;
  first = deer_alloc(most);
  assert_non_null(first);
  assert_null(deer_alloc(most));
  deer_free(first);
#endif
  assert_non_null(strstr(deer_error(), " GB) asked for, "));
  assert_non_null(strstr(deer_error(), " in use, the machine has "));
}

/* writes a file below `root`, with the folders on the way */
static void plant(const char *root, const char *path, const char *text) {
  char command[256], name[128];
  snprintf(name, sizeof name, "%s/%s", root, path);
  snprintf(command, sizeof command, "mkdir -p $(dirname %s)", name);
  assert_int_equal(system(command), 0);
  FILE *file = fopen(name, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

/* what a container may use, whatever the machine has */
static void memory_of_a_container(void **state) {
  (void)state;
  char root[] = "/tmp/test_base_XXXXXX", groups[64], command[64];
  assert_non_null(mkdtemp(root));
  snprintf(groups, sizeof groups, "%s/groups", root);
  assert_true(deer_cgroup_bytes(groups, root) == SIZE_MAX);
  plant(root, "groups", "12:cpu:/a\n0::/outer/inner\n");
  assert_true(deer_cgroup_bytes(groups, root) == SIZE_MAX);
  plant(root, "outer/inner/memory.max", "max\n");
  assert_true(deer_cgroup_bytes(groups, root) == SIZE_MAX);
  plant(root, "memory.max", "9000\n");
  assert_int_equal(deer_cgroup_bytes(groups, root), 9000);
  plant(root, "outer/memory.max", "7000\n");
  assert_int_equal(deer_cgroup_bytes(groups, root), 7000);
  plant(root, "outer/inner/memory.max", "8000\n");
  assert_int_equal(deer_cgroup_bytes(groups, root), 7000);
  /* the first version keeps each kind of limit in a folder of its own */
  plant(root, "groups", "nonsense\n5:devices:/b\n4:memory:/job\n");
  assert_true(deer_cgroup_bytes(groups, root) == SIZE_MAX);
  plant(root, "memory/job/memory.limit_in_bytes", "5000\n");
  assert_int_equal(deer_cgroup_bytes(groups, root), 5000);
  assert_true(deer_machine_bytes() > 1000000);
  snprintf(command, sizeof command, "rm -r %s", root);
  assert_int_equal(system(command), 0);
}

static void nearest_name(void **state) {
  (void)state;
  const char *names[] = {"learning_rate", "discount", "batch_size", "rho"};
  assert_string_equal(deer_nearest("learning_rte", names, 4), "learning_rate");
  assert_string_equal(deer_nearest("learningRate", names, 4), "learning_rate");
  assert_string_equal(deer_nearest("batchsise", names, 4), "batch_size");
  assert_null(deer_nearest("zzzzzz", names, 4));
  assert_null(deer_nearest("x", names, 0));
}

/* ---- options ---- */

typedef struct settings {
  double rate;
  int64_t size;
  bool active;
  int rule;
  deer_list start, cell;
} settings;

static const deer_field fields[] = {
    {"learning_rate", DEER_FIELD_REAL, offsetof(settings, rate), .fallback = 0.5, .min = 0,
     .max = 1},
    {"batch_size", DEER_FIELD_INT, offsetof(settings, size), .fallback = 32, .min = 1, .max = 100},
    {"active", DEER_FIELD_BOOL, offsetof(settings, active), .fallback = 1},
    {"rule", DEER_FIELD_CHOICE, offsetof(settings, rule), .fallback = 1, .choices = "sgd|adam"},
    {"start", DEER_FIELD_LIST, offsetof(settings, start), .min = -1, .max = 1, .choices = "x|y|z"},
    {"cell", DEER_FIELD_WHOLES, offsetof(settings, cell), .min = -1, .max = 9, .choices = "x|y"},
    {0}};

static void refused(const char *name, deer_value value, const char *part) {
  settings s;
  deer_fields_default(fields, &s);
  assert_int_equal(deer_fields_set(fields, &s, name, value), DEER_EINVAL);
  if (!strstr(deer_error(), part)) fail_msg("'%s' does not say '%s'", deer_error(), part);
}

static deer_value number(double x) { return (deer_value){DEER_VALUE_NUMBER, x, NULL}; }
static deer_value word(const char *x) { return (deer_value){DEER_VALUE_TEXT, 0, x}; }
static deer_value truth(bool x) { return (deer_value){DEER_VALUE_BOOL, x, NULL}; }

static void options_are_set(void **state) {
  (void)state;
  settings s;
  deer_fields_default(fields, &s);
  assert_true(s.rate == 0.5 && s.size == 32 && s.active && s.rule == 1);
  assert_int_equal(deer_fields_set(fields, &s, "learningRate", number(0.25)), DEER_OK);
  assert_int_equal(deer_fields_set(fields, &s, "batch_size", number(64)), DEER_OK);
  assert_int_equal(deer_fields_set(fields, &s, "ACTIVE", truth(false)), DEER_OK);
  assert_int_equal(deer_fields_set(fields, &s, "rule", word("sgd")), DEER_OK);
  assert_true(s.rate == 0.25 && s.size == 64 && !s.active && s.rule == 0);
  assert_string_equal(deer_fields_get(deer_fields_find(fields, "rule"), &s).text, "sgd");
  assert_true(deer_fields_get(deer_fields_find(fields, "batchsize"), &s).number == 64);
}

static void lists_are_options(void **state) {
  (void)state;
  settings s;
  deer_fields_default(fields, &s);
  const deer_field *start = deer_fields_find(fields, "start");
  assert_int_equal(s.start.n, 0);
  assert_string_equal(deer_fields_get(start, &s).text, "");
  assert_int_equal(deer_fields_set(fields, &s, "start", word(" 0.1,-1 , 1e-3 ")), DEER_OK);
  assert_int_equal(s.start.n, 3);
  assert_true(s.start.at[0] == 0.1 && s.start.at[1] == -1 && s.start.at[2] == 1e-3);
  /* every bit comes back */
  settings copy = {0};
  assert_int_equal(deer_fields_set(fields, &copy, "start", deer_fields_get(start, &s)), DEER_OK);
  assert_memory_equal(&copy.start, &s.start, sizeof s.start);
  static const char *const wrong[] = {
      "",      "0",        "0, 0",         "0, 0, 0, 0",
      "0 0 0", "0, 0, 0,", "0, 0, 2",      "0, nan, 0",
      "0,, 0", "a, b, c",  "0, 0, 0, end", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    refused("start", word(wrong[i]),
            "expected a list of 3 numbers between -1 and 1 (x|y|z), got '");
  refused("start", number(1), "(x|y|z), got 1");
  assert_int_equal(deer_fields_set(fields, &s, "cell", word("8, -1")), DEER_OK);
  assert_string_equal(deer_fields_get(deer_fields_find(fields, "cell"), &s).text, "8, -1");
  refused("cell", word("8.5, 0"),
          "expected a list of 2 whole numbers between -1 and 9 (x|y), got '8.5, 0'");
}

static void wrong_options_are_refused(void **state) {
  (void)state;
  refused("learning_rat", number(1), "did you mean 'learning_rate'");
  refused("wheel", number(1), "unknown option 'wheel'");
  refused("learning_rate", number(2), "between 0 and 1, got 2");
  refused("learning_rate", number(NAN), "got nan");
  refused("learning_rate", word("fast"), "got 'fast'");
  refused("learning_rate", truth(true), "boolean");
  refused("batch_size", number(1.5), "whole number");
  refused("batch_size", number(0), "between 1 and 100");
  refused("batch_size", number(1234567), "got 1234567");
  refused("active", number(1), "true or false, got 1");
  refused("active", word("yes"), "true or false, got 'yes'");
  refused("rule", word("adams"), "one of sgd|adam, got 'adams'");
  refused("rule", number(0), "one of sgd|adam, got 0");
  refused("rule", truth(true), "one of sgd|adam, got a boolean");
}

/* ---- random numbers ---- */

static void streams_repeat_and_differ(void **state) {
  (void)state;
  deer_rng a = deer_rng_seed(1), b = deer_rng_seed(1), c = deer_rng_seed(2);
  assert_true(deer_rng_bits(&a) == deer_rng_bits(&b));
  assert_true(deer_rng_bits(&a) != deer_rng_bits(&c));
  deer_rng x = deer_rng_split(&a, "replay"), y = deer_rng_split(&a, "policy"),
           z = deer_rng_split(&b, "replay");
  assert_true(deer_rng_bits(&x) != deer_rng_bits(&y));
  deer_rng_split(&a, "anything");
  x = deer_rng_split(&a, "replay");
  b = a;
  z = deer_rng_split(&b, "replay");
  assert_true(deer_rng_bits(&x) == deer_rng_bits(&z));
}

static void moments(void **state) {
  (void)state;
  deer_rng rng = deer_rng_seed(3);
  double sum = 0, square = 0, fourth = 0, uniform = 0;
  enum { N = 200000 };
  for (int i = 0; i < N; i++) {
    double x = deer_rng_normal(&rng), u = deer_rng_uniform(&rng);
    assert_true(u >= 0 && u < 1);
    sum += x, square += x * x, fourth += x * x * x * x, uniform += u;
  }
  assert_true(fabs(sum / N) < 0.01 && fabs(square / N - 1) < 0.02 && fabs(fourth / N - 3) < 0.1);
  assert_true(fabs(uniform / N - 0.5) < 0.005);
}

static void below_is_uniform(void **state) {
  (void)state;
  deer_rng rng = deer_rng_seed(4);
  int count[7] = {0};
  for (int i = 0; i < 70000; i++) count[deer_rng_below(&rng, 7)]++;
  double chi = 0;
  for (int i = 0; i < 7; i++) chi += (count[i] - 10000.0) * (count[i] - 10000.0) / 10000.0;
  assert_true(chi < 22.5); /* 6 degrees of freedom, p = 0.001 */
  assert_int_equal(deer_rng_below(&rng, 1), 0);
  /* 2^64 is no multiple of 3 2^62: without rejection the first third would come half of the time */
  int first = 0;
  for (int i = 0; i < 3000; i++)
    first += deer_rng_below(&rng, UINT64_C(3) << 62) < UINT64_C(1) << 62;
  assert_in_range(first, 870, 1130);
}

/* numbers of numpy's RandomState(123456) */
static void mersenne_twister(void **state) {
  (void)state;
  static const double expected[] = {0.12696983303810094, 0.966717838482003, 0.26047600586578334,
                                    0.8972365243645735, 0.37674971618967135};
  deer_mt19937 mt;
  deer_mt19937_seed(&mt, 123456);
  for (int i = 0; i < 5; i++) assert_true(deer_mt19937_uniform(&mt) == expected[i]);
  static const uint32_t draws[] = {70, 751, 503, 54, 573, 176, 756, 560, 864, 37};
  deer_mt19937_seed(&mt, 123456);
  for (int i = 0; i < 10; i++) assert_int_equal(5 + deer_mt19937_below(&mt, 995), draws[i]);
  /* the bits below the first one count too when that one stands alone */
  static const uint32_t large[] = {71745, 756785, 953912, 90667};
  deer_mt19937_seed(&mt, 123456);
  for (int i = 0; i < 4; i++) assert_int_equal(deer_mt19937_below(&mt, (1 << 20) + 1), large[i]);
}

static void interrupt_flag(void **state) {
  (void)state;
  assert_false(deer_interrupted());
  deer_interrupt_raise();
  assert_true(deer_interrupted());
  deer_interrupt_clear();
  assert_false(deer_interrupted());
}

static char logged[64];
static void sink(void *context, deer_log_level level, const char *message) {
  (void)context;
  snprintf(logged, sizeof logged, "%d %s", (int)level, message);
}

static void log_reaches_the_sink(void **state) {
  (void)state;
  deer_log_write(DEER_LOG_WARNING, "nobody listens");
  deer_log_set(sink, NULL, DEER_LOG_INFO);
  deer_log_write(DEER_LOG_DEBUG, "too low");
  assert_string_equal(logged, "");
  deer_log_write(DEER_LOG_WARNING, "disk %d%% full", 90);
  assert_string_equal(logged, "2 disk 90% full");
  deer_log_set(NULL, NULL, DEER_LOG_DEBUG);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(message_may_quote_itself),
                                     cmocka_unit_test(literal_is_a_message_like_others),
                                     cmocka_unit_test(long_message_is_cut),
                                     cmocka_unit_test(blocks_are_zeroed_aligned_counted),
                                     cmocka_unit_test(allocation_can_fail),
                                     cmocka_unit_test(memory_of_a_container),
                                     cmocka_unit_test(nearest_name),
                                     cmocka_unit_test(options_are_set),
                                     cmocka_unit_test(lists_are_options),
                                     cmocka_unit_test(wrong_options_are_refused),
                                     cmocka_unit_test(streams_repeat_and_differ),
                                     cmocka_unit_test(moments),
                                     cmocka_unit_test(below_is_uniform),
                                     cmocka_unit_test(mersenne_twister),
                                     cmocka_unit_test(interrupt_flag),
                                     cmocka_unit_test(log_reaches_the_sink)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
