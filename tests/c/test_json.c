/* test_json.c: the reader of hostile JSON agrees with Jansson about what is a text and what it
 * says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/rng.h"
#include "io/json.h"

/* Reads the text as one string and nothing else; NULL when it is none. */
static char *read_string(char *text) {
  deer_json json = {text, text};
  size_t size = strlen(text);
  char *string;
  if (deer_json_string(&json, &string) != DEER_OK || deer_json_end(&json, size) != DEER_OK) {
    assert_ptr_equal(strstr(deer_error(), "byte "), deer_error());
    return NULL;
  }
  return string;
}

static void test_strings(void **state) {
  (void)state;
  static const struct {
    const char *text, *means;
  } cases[] = {
      {"\"\"", ""},
      {" \t\r\n\"a b\" ", "a b"},
      {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
      {"\"\\u0041\\u00e9\\u20AC\\ud83e\\udd8c!\"", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\xa6\x8c!"},
      {"\"\\uFFFF\\u0001\\udbff\\udfff\"", "\xef\xbf\xbf\x01\xf4\x8f\xbf\xbf"},
      {"\"\xc3\xa9\xe2\x82\xac\xf0\x9f\xa6\x8c\"", "\xc3\xa9\xe2\x82\xac\xf0\x9f\xa6\x8c"},
      {"", NULL},
      {"a", NULL},
      {"\"", NULL},
      {"\"\\", NULL},
      {"\"\\\"", NULL},
      {"\"\\u", NULL},
      {"\"\\u004", NULL},
      {"\"\\u004\"", NULL},
      {"\"\\u0000\"", NULL},
      {"\"\\x41\"", NULL},
      {"\"\\ud83e\"", NULL},
      {"\"\\ud83e\\", NULL},
      {"\"\\ud83e\\u", NULL},
      {"\"\\ud83e\\u0041\"", NULL},
      {"\"\\udd8c\\ud83e\"", NULL},
      {"\"\n\"", NULL},
      {"\"\x7f\"", "\x7f"},
      {"\"\xc3\"", NULL},
      {"\"\xe2\x82", NULL},
      {"\"\xc0\xaf\"", NULL},
      {"\"\xed\xa0\x80\"", NULL},
      {"\"\xf4\x90\x80\x80\"", NULL},
      {"\"a\"b", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    // a block of just its size: a sanitizer sees a step too far
    char *text = strdup(cases[i].text), *string = read_string(text);
    if (!cases[i].means) assert_null(string);
    if (cases[i].means) assert_non_null(string);
    if (cases[i].means) assert_string_equal(string, cases[i].means);
    free(text);
  }
}

/* Keeps the string, of which only the last is wanted. */
static deer_status keep(deer_json *json, char *key, void *context) {
  (void)key;
  return deer_json_string(json, context);
}

static void test_strings_as_jansson(void **state) {
  (void)state;
  static const char *const parts[] = {
      "\\",      "\\u",  "\"",    "u",      "00",   "d83e", "dd8c",    "\\ud83e\\udd8c", "b",
      "n",       "\\n",  "/",     " ",      "\x01", "\xc3", "\xa9",    "\xe2",           "\x82",
      "\xac",    "\xf0", "\x9f",  "e9",     "F",    "\x80", "\xed",    "\xf4",           "\xc0",
      "\\u0000", "A",    "\\u20", "\\u00e", ",",    "}",    "\xc3\xa9"};
  enum { PARTS = sizeof parts / sizeof *parts };
  deer_rng rng = deer_rng_seed(2);
  int good = 0;
  for (int i = 0; i < 30000; i++) {
    char text[128] = "{\"k\":\"";
    for (uint64_t n = deer_rng_below(&rng, 7); n > 0; n--)
      strcat(text, parts[deer_rng_below(&rng, PARTS)]);
    strcat(text, "\"}");
    size_t size = strlen(text);
    json_t *theirs = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    const char *expected = json_string_value(json_object_get(theirs, "k"));
    char *copy = strdup(text), *ours = NULL;
    deer_json json = {copy, copy};
    deer_status status = deer_json_object(&json, keep, &ours);
    if (status == DEER_OK) status = deer_json_end(&json, size);
    // json.h leaves keys that come twice to its caller; there is no room for more than one key
    if ((status == DEER_OK) != (expected != NULL)) fail_msg("%s: %s", text, deer_error());
    if (expected) assert_string_equal(ours, expected);
    good += expected != NULL;
    json_decref(theirs);
    free(copy);
  }
  assert_true(good > 3000 && good < 27000);
}

/* Jansson's opinion: the list is one of whole numbers from 0; fills them. */
static bool is_list(json_t *list, uint64_t *numbers, size_t *n) {
  bool good = json_is_array(list);
  *n = json_array_size(list);
  for (size_t i = 0; good && i < *n; i++) {
    const json_t *number = json_array_get(list, i);
    good = json_is_integer(number) && json_integer_value(number) >= 0;
    numbers[i] = (uint64_t)json_integer_value(number);
  }
  return good;
}

static void test_numbers_as_jansson(void **state) {
  (void)state;
  static const char alphabet[] = "0123456789,,,,[] \t.-e0";
  deer_rng rng = deer_rng_seed(3);
  int good = 0;
  for (int i = 0; i < 30000; i++) {
    char text[24] = "[";
    size_t size = 1 + (size_t)deer_rng_below(&rng, 9), n, theirs_n;
    for (size_t k = 1; k < size; k++) text[k] = alphabet[deer_rng_below(&rng, sizeof alphabet - 1)];
    text[size++] = ']';
    uint64_t theirs[24], ours[24];
    json_t *list = json_loadb(text, size, 0, NULL);
    bool is_good = is_list(list, theirs, &theirs_n);
    deer_json json = {text, text};
    deer_status status = deer_json_numbers(&json, ours, 24, &n);
    if (status == DEER_OK) status = deer_json_end(&json, size);
    // "-0" is a whole number to Jansson, not to us
    if (!strstr(text, "-0")) {
      if ((status == DEER_OK) != is_good) fail_msg("%s: %s", text, deer_error());
      if (is_good) assert_int_equal(n, theirs_n);
      if (is_good) assert_memory_equal(ours, theirs, n * sizeof *ours);
      good += is_good;
    }
    json_decref(list);
  }
  assert_true(good > 1000);
}

static void test_number_limits(void **state) {
  (void)state;
  char text[] = "[18446744073709551615]", over[] = "[18446744073709551616]", more[] = "[1,2,3]";
  uint64_t numbers[2];
  size_t n;
  assert_int_equal(deer_json_numbers(&(deer_json){text, text}, numbers, 2, &n), DEER_OK);
  assert_true(n == 1 && numbers[0] == UINT64_MAX);
  assert_int_equal(deer_json_numbers(&(deer_json){over, over}, numbers, 2, &n), DEER_EDATA);
  assert_int_equal(deer_json_numbers(&(deer_json){more, more}, numbers, 2, &n), DEER_EDATA);
  assert_string_equal(deer_error(), "byte 5: expected no more numbers");
}

/* Any value, of which nothing is kept. */
static deer_status skip_value(deer_json *json, void *context);

static deer_status skip_member(deer_json *json, char *key, void *context) {
  (void)key;
  return skip_value(json, context);
}

/* `context` is the sum of all numbers. */
static deer_status skip_value(deer_json *json, void *context) {
  double number, *sum = context;
  char *string;
  bool whole;
  switch (deer_json_next(json)) {
  case '{':
    return deer_json_object(json, skip_member, context);
  case '[':
    return deer_json_list(json, skip_value, context);
  case '"':
    return deer_json_string(json, &string);
  case 't':
    return deer_json_word(json, "true");
  case 'f':
    return deer_json_word(json, "false");
  case 'n':
    return deer_json_word(json, "null");
  default:
    DEER_TRY(deer_json_number(json, &number, &whole));
    *sum += whole ? number : 1000 * number;
    return DEER_OK;
  }
}

static double sum_of(const json_t *value) {
  const char *key;
  json_t *element;
  size_t i;
  double sum = 0;
  json_object_foreach((json_t *)value, key, element) sum += sum_of(element);
  json_array_foreach(value, i, element) sum += sum_of(element);
  if (json_is_integer(value)) sum = (double)json_integer_value(value);
  if (json_is_real(value)) sum = 1000 * json_real_value(value);
  return sum;
}

static void test_values_as_jansson(void **state) {
  (void)state;
  static const char *const parts[] = {
      "{", "}",  "[",   "]",  ",",       ":",  "\"a\"", "\"b\"", "1",     "-2.5", "1e3",
      "0", "-",  "01",  ".5", "7.",      "2e", "1e+2",  "true",  "false", "null", "nul",
      " ", "\n", "[1,", "]]", "{\"a\":", "}}", "3,",    "4]",    "null]"};
  enum { PARTS = sizeof parts / sizeof *parts };
  deer_rng rng = deer_rng_seed(4);
  int good = 0;
  for (int i = 0; i < 200000; i++) {
    char text[128] = "[";
    for (uint64_t n = deer_rng_below(&rng, 7); n > 0; n--)
      strcat(text, parts[deer_rng_below(&rng, PARTS)]);
    if (deer_rng_below(&rng, 2)) strcat(text, "]");
    size_t size = strlen(text);
    json_t *theirs = json_loadb(text, size, 0, NULL);
    double expected = sum_of(theirs), sum = 0;
    char *copy = strdup(text);
    deer_json json = {copy, copy};
    deer_status status = skip_value(&json, &sum);
    if (status == DEER_OK) status = deer_json_end(&json, size);
    /* keys that come twice are left to the caller, and Jansson keeps the last */
    if ((status == DEER_OK) != (theirs != NULL)) fail_msg("%s: %s", text, deer_error());
    if (theirs && !strchr(text, '{')) assert_true(sum == expected);
    good += theirs != NULL;
    json_decref(theirs);
    free(copy);
  }
  assert_true(good > 1000);
}

static void test_number_forms(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double means;
    bool whole;
  } cases[] = {{" 12 ", 12, true},       {"-0", 0, true},     {"0.125", 0.125, false},
               {"-1.5E+2", -150, false}, {"3e2", 300, false}, {"9007199254740993", 0x1p53, true},
               {"1e400", 0, false},      {"-1e999", 0, false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *text = strdup(cases[i].text);
    deer_json json = {text, text};
    double number;
    bool whole;
    deer_status status = deer_json_number(&json, &number, &whole);
    if (i < 6) assert_int_equal(status, DEER_OK);
    if (i < 6) assert_true(number == cases[i].means && whole == cases[i].whole);
    if (i >= 6) assert_string_equal(deer_error(), "byte 0: expected a finite number");
    free(text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_strings),
      cmocka_unit_test(test_strings_as_jansson),
      cmocka_unit_test(test_numbers_as_jansson),
      cmocka_unit_test(test_number_limits),
      cmocka_unit_test(test_number_forms),
      cmocka_unit_test(test_values_as_jansson),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
