/* test_npy.c: numpy's files as numpy writes them, and files that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/rng.h"
#include "io/npy.h"

/* A folder of its own for one test, which is also the current one. */
static char folder[32];
static size_t blocks_before;

static int enter(void **state) {
  (void)state;
  blocks_before = deer_alloc_blocks();
  strcpy(folder, "/tmp/test_npy_XXXXXX");
  return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

/* Every test gives back all its memory. */
static int leave(void **state) {
  (void)state;
  char command[64];
  snprintf(command, sizeof command, "rm -r %s", folder);
  return chdir("/") == 0 && deer_alloc_blocks() == blocks_before ? system(command) : -1;
}

static void write_bytes(const void *bytes, size_t size) {
  FILE *file = fopen("f", "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, size, file), size);
  fclose(file);
}

/* Makes a file of this version, header and data; returns its size. `bytes` has room. */
static size_t make(char *bytes, int version, const char *header, const void *data, size_t size) {
  size_t length = strlen(header), at = version == 1 ? 10 : 12;
  memcpy(bytes, "\x93NUMPY", 6);
  bytes[6] = (char)version;
  bytes[7] = 0;
  for (size_t b = 0; b < at - 8; b++) bytes[8 + b] = (char)(length >> 8 * b);
  memcpy(bytes + at, header, length);
  if (size > 0) memcpy(bytes + at + length, data, size);
  return at + length + size;
}

static deer_status load(deer_npy *array, int version, const char *header, const void *data,
                        size_t size) {
  char bytes[1024];
  write_bytes(bytes, make(bytes, version, header, data, size));
  return deer_npy_load("f", array);
}

/* ---- what numpy writes ---- */

static void test_types(void **state) {
  (void)state;
  static const struct {
    const char *descr;
    int size;
    unsigned char data[16];
    double first, second;
  } cases[] = {
      {"|b1", 1, {0, 7}, 0, 1},
      {"|u1", 1, {0, 255}, 0, 255},
      {"<i4", 4, {0xfe, 0xff, 0xff, 0xff, 1, 2, 0, 0}, -2, 513},
      {">i4", 4, {0xff, 0xff, 0xff, 0xfe, 0, 0, 2, 1}, -2, 513},
      {"=i8",
       8,
       {0, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
       4294967296.,
       -1},
      {">i8",
       8,
       {0, 0, 0, 1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
       4294967296.,
       -1},
      {"<f4", 4, {0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0}, 1.5, -2},
      {">f4", 4, {0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0}, 1.5, -2},
      {"<f8",
       8,
       {0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0xb9, 0x3f},
       1.5,
       0.1},
      {">f8",
       8,
       {0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0x3f, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a},
       1.5,
       0.1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char header[128];
    deer_npy array;
    snprintf(header, sizeof header,
             "{'descr': '%s', 'fortran_order': False, 'shape': (2,), }    \n", cases[i].descr);
    size_t size = 2 * (size_t)cases[i].size;
    for (int version = 1; version <= 3; version++) {
      assert_int_equal(load(&array, version, header, cases[i].data, size), DEER_OK);
      assert_true(deer_shape_equal(&array.shape, &DEER_SHAPE(2)));
      assert_true(deer_npy_number(&array, 0) == cases[i].first);
      assert_true(deer_npy_number(&array, 1) == cases[i].second);
      if (deer_npy_whole(&array))
        assert_int_equal(deer_npy_integer(&array, 1), (int64_t)cases[i].second);
      deer_npy_finish(&array);
    }
  }
}

/* The same array by rows and by columns. */
static void test_orders(void **state) {
  (void)state;
  static const unsigned char rows[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  // element (i, j, k) of [2, 3, 2], number 6 i + 2 j + k, lies at i + 2 j + 6 k
  static const unsigned char columns[] = {0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11};
  deer_npy array;
  assert_int_equal(
      load(&array, 1, "{'descr':'|u1','fortran_order':False,'shape':(2,3,2)}", rows, 12), DEER_OK);
  for (size_t i = 0; i < 12; i++) assert_int_equal(deer_npy_integer(&array, i), i);
  deer_npy_finish(&array);
  assert_int_equal(load(&array, 1,
                        " { \"shape\" : ( 2 , 3L, 2 , ) , \"fortran_order\" : True, \"descr\" : "
                        "\"|u1\" } \n",
                        columns, 12),
                   DEER_OK);
  for (size_t i = 0; i < 12; i++) assert_int_equal(deer_npy_integer(&array, i), i);
  deer_npy_finish(&array);
}

static void test_scalar(void **state) {
  (void)state;
  deer_npy array;
  assert_int_equal(
      load(&array, 1, "{'descr': '|u1', 'fortran_order': False, 'shape': ()}", "\7", 1), DEER_OK);
  assert_int_equal(array.shape.rank, 0);
  assert_int_equal(deer_npy_integer(&array, 0), 7);
  deer_npy_finish(&array);
}

/* ---- tensors ---- */

static void test_round_trip(void **state) {
  (void)state;
  deer_real reals[6] = {1.5f, -2, 0, 1e-30f, 3e38f, 7};
  uint8_t bytes[3] = {0, 128, 255};
  int32_t integers[2] = {INT32_MIN, INT32_MAX}, one[1] = {5};
  const deer_tensor tensors[] = {
      deer_tensor_wrap(DEER_DTYPE_REAL, DEER_SHAPE(2, 3), reals),
      deer_tensor_wrap(DEER_DTYPE_U8, DEER_SHAPE(3), bytes),
      deer_tensor_wrap(DEER_DTYPE_I32, DEER_SHAPE(1, 2, 1), integers),
      deer_tensor_wrap(DEER_DTYPE_I32, DEER_SCALAR, one),
  };
  for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
    deer_npy array;
    deer_tensor back;
    assert_int_equal(deer_npy_save("f", &tensors[i]), DEER_OK);
    assert_int_equal(deer_npy_load("f", &array), DEER_OK);
    assert_int_equal((array.data - array.file) % 64, 0);
    assert_true(deer_shape_equal(&array.shape, &tensors[i].shape));
    assert_int_equal(deer_npy_dtype(&array), tensors[i].dtype);
    assert_int_equal(deer_tensor_init(&back, deer_npy_dtype(&array), &array.shape), DEER_OK);
    assert_int_equal(deer_npy_fill(&array, &back), DEER_OK);
    assert_memory_equal(back.data, tensors[i].data,
                        deer_shape_count(&back.shape) * deer_dtype_size(back.dtype));
    deer_tensor_finish(&back);
    deer_npy_finish(&array);
  }
}

/* Numbers that a tensor cannot hold are not bent. */
static void test_too_large(void **state) {
  (void)state;
  static const int64_t large[] = {7, -2147483649};
  static const double huge[] = {1, 1e300};
  deer_npy array;
  deer_tensor to;
  assert_int_equal(deer_tensor_init(&to, DEER_DTYPE_I32, &DEER_SHAPE(2)), DEER_OK);
  assert_int_equal(
      load(&array, 1, "{'descr': '<i8', 'fortran_order': False, 'shape': (2,)}", large, 16),
      DEER_OK);
  assert_int_equal(deer_npy_fill(&array, &to), DEER_EDATA);
  assert_string_equal(deer_error(), "element 2, -2147483649, is too large for int32");
  deer_npy_finish(&array);
  deer_tensor_finish(&to);
  assert_int_equal(deer_tensor_init(&to, DEER_DTYPE_REAL, &DEER_SHAPE(2)), DEER_OK);
  assert_int_equal(
      load(&array, 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", huge, 16),
      DEER_OK);
  assert_int_equal(deer_npy_fill(&array, &to), DEER_EDATA);
  assert_string_equal(deer_error(), "element 2, 1e+300, is too large for float32");
  deer_npy_finish(&array);
  deer_tensor_finish(&to);
}

/* ---- what is refused ---- */

static void refuse(const char *header, size_t size, const char *message) {
  char data[64] = {0}, whole[256];
  deer_npy array;
  snprintf(whole, sizeof whole, "cannot read f: %s", message);
  deer_status status = load(&array, 1, header, data, size);
  if (status != DEER_EDATA || strcmp(deer_error(), whole) != 0)
    fail_msg("%s: %s instead of %s", header, deer_error(), whole);
  assert_null(array.file);
}

#define REST "'fortran_order': False, 'shape': (2,)}"
static void test_refused(void **state) {
  (void)state;
  refuse("{'descr': '|u1', " REST, 3, "its shape and type take 2 bytes, but 3 follow the header");
  refuse("{'descr': '<f8', " REST, 15,
         "its shape and type take 16 bytes, but 15 follow the header");
  refuse("{'descr': '<c16', " REST, 32,
         "its elements are '<c16', but read are b1, u1, i4, i8, f4 and f8");
  refuse("{'descr': [('x', '<f8')], " REST, 16, "its elements are records, which are not read");
  refuse("{'descr': 'O', " REST, 16,
         "its elements are 'O', but read are b1, u1, i4, i8, f4 and f8");
  refuse("{'descr': '|u1', 'fortran_order': False, 'shape': (2,0)}", 0,
         "its shape: every dimension must be at least 1, got [2, 0]");
  refuse("{'descr': '|u1', 'fortran_order': False, 'shape': (65536, 65536)}", 2,
         "its shape: [65536, 65536] has more than 2147483647 elements");
  refuse("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999,)}", 2,
         "its header, byte 61: expected a smaller dimension");
  refuse("{'descr': '|u1', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1)}", 1,
         "it has more than 6 dimensions");
  refuse("{'descr': '|u1', 'fortran_order': False, 'shape': (-2,)}", 2,
         "its header, byte 52: expected a dimension or ')'");
  refuse("{'descr': '|u1', 'fortran_order': 0, 'shape': (2,)}", 2,
         "its header, byte 35: expected True or False");
  refuse("{'descr': '|u1', 'fortran_order': False}", 2,
         "its header, byte 41: expected 'descr', 'fortran_order' and 'shape' before");
  refuse("{'descr': '|u1', 'descr': '|u1', " REST, 2,
         "its header, byte 19: expected each of 'descr', 'fortran_order' and 'shape' once");
  refuse("{'descr': '|u1', " REST " x", 2, "its header, byte 57: expected the end");
  refuse("import os", 2, "its header, byte 1: expected '{'");
  refuse("", 2, "its header, byte 1: expected '{'");
}

static void test_no_file(void **state) {
  (void)state;
  deer_npy array;
  assert_int_equal(deer_npy_load("none", &array), DEER_EIO);
  assert_string_equal(deer_error(), "cannot read none: No such file or directory");
  assert_int_equal(deer_npy_load(".", &array), DEER_EIO);
  assert_string_equal(deer_error(), "cannot read .: Is a directory");
  assert_int_equal(mkfifo("pipe", 0600), 0);
  assert_int_equal(deer_npy_load("pipe", &array), DEER_EIO);
  assert_string_equal(deer_error(), "cannot read pipe: not a regular file");
  write_bytes("{}", 2);
  assert_int_equal(deer_npy_load("f", &array), DEER_EDATA);
  assert_string_equal(deer_error(), "cannot read f: it is no .npy file");
  write_bytes("\x93NUMPY\4\0\0\0", 10);
  assert_int_equal(deer_npy_load("f", &array), DEER_EDATA);
  assert_string_equal(deer_error(), "cannot read f: its version is 4, but read are 1 to 3");
}

static const char GOOD[] = "{'descr': '<f8', 'fortran_order': True, 'shape': (3, 2), }   \n";

/* Cut anywhere, of any version, it is refused. */
static void test_truncated(void **state) {
  (void)state;
  char bytes[256], data[48] = {0};
  deer_npy array;
  for (int version = 1; version <= 3; version++) {
    size_t size = make(bytes, version, GOOD, data, sizeof data);
    for (size_t n = 0; n < size; n++) {
      write_bytes(bytes, n);
      assert_int_equal(deer_npy_load("f", &array), DEER_EDATA);
      assert_null(array.file);
    }
  }
}

/* A few bytes changed at random: read or refused, and what is read can be looked at. */
static void test_random_bytes(void **state) {
  (void)state;
  char bytes[256], changed[256], data[48];
  deer_rng rng = deer_rng_seed(1);
  for (size_t i = 0; i < sizeof data; i++) data[i] = (char)deer_rng_bits(&rng);
  size_t size = make(bytes, 2, GOOD, data, sizeof data), header = size - sizeof data;
  int read = 0;
  for (int i = 0; i < 5000; i++) {
    deer_npy array;
    memcpy(changed, bytes, size);
    for (uint64_t n = 1 + deer_rng_below(&rng, 3); n > 0; n--)
      changed[deer_rng_below(&rng, header)] = (char)deer_rng_bits(&rng);
    write_bytes(changed, size);
    if (deer_npy_load("f", &array) != DEER_OK) {
      assert_null(strchr(deer_error(), '\n'));
      continue;
    }
    for (size_t e = 0; e < deer_shape_count(&array.shape); e++) deer_npy_number(&array, e);
    deer_npy_finish(&array);
    read++;
  }
  assert_true(read > 0 && read < 5000);
}

/* Without memory it fails, and loses none. */
static void test_no_memory(void **state) {
  (void)state;
  char bytes[256], data[48] = {0};
  deer_npy array;
  write_bytes(bytes, make(bytes, 1, GOOD, data, sizeof data));
  deer_alloc_fail_at(1);
  assert_int_equal(deer_npy_load("f", &array), DEER_ENOMEM);
  deer_alloc_fail_at(0);
}

#define HERE(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void) {
  const struct CMUnitTest tests[] = {
      HERE(test_types),     HERE(test_orders),       HERE(test_scalar),  HERE(test_round_trip),
      HERE(test_refused),   HERE(test_too_large),    HERE(test_no_file), HERE(test_truncated),
      HERE(test_no_memory), HERE(test_random_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
