/* test_csv.c: tables in text files as spreadsheets write them, and files that are none. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rng.h"
#include "io/csv.h"

/* A folder of its own for one test, which is also the current one. */
static char folder[32];
static size_t blocks_before;

static int enter(void **state) {
  (void)state;
  blocks_before = deer_alloc_blocks();
  strcpy(folder, "/tmp/test_csv_XXXXXX");
  return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

/* Every test gives back all its memory. */
static int leave(void **state) {
  (void)state;
  char command[64];
  snprintf(command, sizeof command, "rm -r %s", folder);
  return chdir("/") == 0 && deer_alloc_blocks() == blocks_before ? system(command) : -1;
}

static void write_bytes(const char *bytes, size_t size) {
  FILE *file = fopen("f", "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, size, file), size);
  fclose(file);
}

static const deer_csv_options usual = {0};

static void load(const char *text, const deer_csv_options *options, deer_csv *csv) {
  write_bytes(text, strlen(text));
  if (deer_csv_load("f", options, csv) != DEER_OK) fail_msg("%s", deer_error());
}

/* ---- what is read ---- */

static void test_plain(void **state) {
  (void)state;
  deer_csv csv;
  load("\xef\xbb\xbf"
       "date,close\r\n2020-01-01, 1.5\t\r\n\r\n2020-01-02,-2e-3",
       &usual, &csv);
  assert_int_equal(csv.n_rows, 2);
  assert_int_equal(csv.n_columns, 2);
  assert_string_equal(csv.columns[0].name, "date");
  assert_string_equal(csv.columns[0].texts[1], "2020-01-02");
  assert_null(csv.columns[0].numbers);
  assert_string_equal(csv.columns[1].name, "close");
  assert_null(csv.columns[1].texts);
  assert_true(csv.columns[1].numbers[0] == 1.5);
  assert_true(csv.columns[1].numbers[1] == -2e-3);
  deer_csv_finish(&csv);
}

static void test_quotes(void **state) {
  (void)state;
  deer_csv csv;
  load("\"a, \"\"b\"\"\nc\",\"\"\n\"7\",\" x \"\n\"\",y \n", &usual, &csv);
  assert_string_equal(csv.columns[0].name, "a, \"b\"\nc");
  assert_string_equal(csv.columns[1].name, "");
  assert_true(csv.columns[0].numbers[0] == 7);
  assert_true(isnan(csv.columns[0].numbers[1]));
  assert_string_equal(csv.columns[1].texts[0], " x ");
  assert_string_equal(csv.columns[1].texts[1], "y ");
  deer_csv_finish(&csv);
}

static void test_header(void **state) {
  (void)state;
  deer_csv csv;
  load("1;a\n2;b\r3;c", &(deer_csv_options){.separator = ';'}, &csv);
  assert_int_equal(csv.n_rows, 3);
  assert_null(csv.columns[0].name);
  assert_true(csv.columns[0].numbers[2] == 3);
  deer_csv_finish(&csv);
  load("1,2\n3,4\n", &(deer_csv_options){.header = DEER_CSV_WITH}, &csv);
  assert_int_equal(csv.n_rows, 1);
  assert_string_equal(csv.columns[1].name, "2");
  deer_csv_finish(&csv);
  load("a,b\nc,d\n", &(deer_csv_options){.header = DEER_CSV_WITHOUT}, &csv);
  assert_int_equal(csv.n_rows, 2);
  assert_string_equal(csv.columns[1].texts[0], "b");
  deer_csv_finish(&csv);
  // a header and nothing else: columns of no numbers
  load("a,b", &usual, &csv);
  assert_int_equal(csv.n_rows, 0);
  assert_non_null(csv.columns[0].numbers);
  deer_csv_finish(&csv);
}

static void test_numbers(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool is_number;
    double number;
  } cases[] = {
      {"0", true, 0},          {"-12.50", true, -12.5},   {"+.5", true, 0.5},
      {"5.", true, 5},         {"1e3", true, 1000},       {"1E-2", true, 0.01},
      {"inf", true, HUGE_VAL}, {"-Inf", true, -HUGE_VAL}, {".", false, 0},
      {"-", false, 0},         {"0x10", false, 0},        {"1e", false, 0},
      {"1 2", false, 0},       {"1,5", false, 0},         {"infinity", false, 0},
      {"12a", false, 0},       {"1.2.3", false, 0},       {"e5", false, 0},
      {"nano", false, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    deer_csv csv;
    char text[64];
    snprintf(text, sizeof text, "x\n\"%s\"\n", cases[i].text);
    load(text, &usual, &csv);
    if ((csv.columns[0].numbers != NULL) != cases[i].is_number) fail_msg("%s", cases[i].text);
    if (cases[i].is_number) assert_true(csv.columns[0].numbers[0] == cases[i].number);
    deer_csv_finish(&csv);
  }
  deer_csv csv;
  load("x\nnan\n", &usual, &csv);
  assert_true(isnan(csv.columns[0].numbers[0]));
  deer_csv_finish(&csv);
}

static void test_many_rows(void **state) {
  (void)state;
  enum { ROWS = 20000 };
  FILE *file = fopen("f", "w");
  for (int i = 0; i < ROWS; i++) fprintf(file, "%d,%d,row %d\n", i, i * i % 1000, i);
  fclose(file);
  deer_csv csv;
  assert_int_equal(deer_csv_load("f", &usual, &csv), DEER_OK);
  assert_int_equal(csv.n_rows, ROWS);
  for (int i = 0; i < ROWS; i += 777) {
    char text[32];
    snprintf(text, sizeof text, "row %d", i);
    assert_true(csv.columns[1].numbers[i] == i * i % 1000);
    assert_string_equal(csv.columns[2].texts[i], text);
  }
  deer_csv_finish(&csv);
}

/* ---- what is refused ---- */

static void refuse(const char *text, size_t size, const char *message) {
  char whole[256];
  deer_csv csv;
  write_bytes(text, size);
  snprintf(whole, sizeof whole, "cannot read f: %s", message);
  if (deer_csv_load("f", &usual, &csv) != DEER_EDATA || strcmp(deer_error(), whole) != 0)
    fail_msg("%s instead of %s", deer_error(), whole);
  assert_null(csv.file);
  assert_null(csv.columns);
}

#define REFUSE(text, message) refuse(text, sizeof text - 1, message)

static void test_refused(void **state) {
  (void)state;
  deer_csv csv;
  REFUSE("", "there is nothing in it");
  REFUSE("\n\r\n", "there is nothing in it");
  REFUSE("a,b\n1,2\n3\n", "line 3: expected 2 cells as in the first, got 1");
  REFUSE("a,b\n1,2\n\n3,4,5\n", "line 4: expected 2 cells as in the first, got 3");
  REFUSE("a,b\n1,\"2\n3,4\n", "line 2, column 2: the quote that begins there has no end");
  REFUSE("a,b\n1,\"2\"3\n",
         "line 2, column 2: expected the end of the cell behind its quote, got '3'");
  REFUSE("day,close\nx,1\ny,n/a\n", "line 3, column 2 (close): expected a number, got 'n/a'");
  REFUSE("1,2\n\"two\nlines\x1b\",4\n", "line 2, column 1: expected a number, got 'two?lines?'");
  REFUSE("a\n1\n1234567890123456789012345678901234567890x\n",
         "line 3, column 1 (a): expected a number, got '12345678901234567890123456789012...'");
  REFUSE("a\n1\0\n", "a zero byte at 3: it is no text");
  assert_int_equal(deer_csv_load("none", &usual, &csv), DEER_EIO);
  assert_string_equal(deer_error(), "cannot read none: No such file or directory");
}

/* Whatever stands in a file, it is read or refused in one line. */
static void test_random_text(void **state) {
  (void)state;
  static const char alphabet[] = "\"\",,\n\r1.-e\x80 ab";
  deer_rng rng = deer_rng_seed(7);
  int read = 0;
  for (int i = 0; i < 5000; i++) {
    char text[40];
    deer_csv csv;
    size_t n = deer_rng_below(&rng, sizeof text);
    for (size_t c = 0; c < n; c++) text[c] = alphabet[deer_rng_below(&rng, sizeof alphabet - 1)];
    write_bytes(text, n);
    if (deer_csv_load("f", &usual, &csv) != DEER_OK) {
      assert_null(strchr(deer_error(), '\n'));
      continue;
    }
    for (int c = 0; c < csv.n_columns; c++)
      for (int64_t row = 0; row < csv.n_rows && csv.columns[c].texts; row++)
        assert_true(strlen(csv.columns[c].texts[row]) < sizeof text);
    deer_csv_finish(&csv);
    read++;
  }
  assert_true(read > 100 && read < 5000);
}

/* Without memory it fails, wherever that is, and loses none. */
static void test_no_memory(void **state) {
  (void)state;
  const char *text = "a,b\n1,x\n2,y\n";
  write_bytes(text, strlen(text));
  int failures = 0;
  for (;; failures++) {
    deer_csv csv;
    deer_alloc_fail_at((uint64_t)failures + 1);
    deer_status status = deer_csv_load("f", &usual, &csv);
    deer_alloc_fail_at(0);
    if (status == DEER_OK) {
      deer_csv_finish(&csv);
      break;
    }
    assert_int_equal(status, DEER_ENOMEM);
  }
  assert_true(failures >= 5);
}

#define HERE(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void) {
  const struct CMUnitTest tests[] = {
      HERE(test_plain),   HERE(test_quotes),      HERE(test_header),    HERE(test_numbers),
      HERE(test_refused), HERE(test_random_text), HERE(test_no_memory), HERE(test_many_rows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
