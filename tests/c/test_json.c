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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_strings),
      cmocka_unit_test(test_strings_as_jansson),
      cmocka_unit_test(test_numbers_as_jansson),
      cmocka_unit_test(test_number_limits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
