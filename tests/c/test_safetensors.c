/* test_safetensors.c: what is saved comes back, and no file, however made, does harm. */
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/rng.h"
#include "io/safetensors.h"

/* A folder of its own for one test, which is also the current one. */
static char folder[32];
static size_t blocks_before;

static int enter(void **state) {
  (void)state;
  blocks_before = deer_alloc_blocks();
  strcpy(folder, "/tmp/test_tensors_XXXXXX");
  return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

/* Every test gives back all its memory. */
static int leave(void **state) {
  (void)state;
  char command[64];
  snprintf(command, sizeof command, "rm -r %s", folder);
  return chdir("/") == 0 && deer_alloc_blocks() == blocks_before ? system(command) : -1;
}

static int files_here(void) {
  DIR *d = opendir(".");
  int n = 0;
  for (struct dirent *e; (e = readdir(d)) != NULL;)
    n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
  closedir(d);
  return n;
}

/* ---- what is saved in most tests ---- */

static float weights[6] = {1.5f, -0.0f, INFINITY, -1e-45f, 3.4e38f, 0.1f};
static float scalar[1] = {7};
static uint8_t pixels[3] = {0, 128, 255};
static int32_t counts[4] = {INT32_MIN, -1, 0, INT32_MAX};

#define WRAP(type, values, ...) deer_tensor_wrap(type, __VA_ARGS__, values)
#define STRANGE                 "q\"uo\\te / \t\n\x01\x1f \xc3\xa9 \xe2\x82\xac \xf0\x9f\xa6\x8c"

/* The list lives until the next call. Bytes come first, so data is not in the order of the list. */
static const deer_tensor_list *sample(void) {
  static deer_named_tensor items[4];
  static char *keys[] = {"", "a", STRANGE}, *values[] = {"empty key", STRANGE, ""};
  static deer_tensor_list list = {4, items, 3, keys, values};
  items[0] = (deer_named_tensor){"pixels", WRAP(DEER_DTYPE_U8, pixels, DEER_SHAPE(3))};
  items[1] = (deer_named_tensor){"layer.0/weight" STRANGE,
                                 WRAP(DEER_DTYPE_REAL, weights, DEER_SHAPE(1, 2, 1, 3, 1, 1))};
  items[2] = (deer_named_tensor){"counts", WRAP(DEER_DTYPE_I32, counts, DEER_SHAPE(2, 2))};
  items[3] = (deer_named_tensor){"", WRAP(DEER_DTYPE_REAL, scalar, DEER_SCALAR)};
  return &list;
}

static size_t tensor_bytes(const deer_tensor *tensor) {
  return deer_shape_count(&tensor->shape) * deer_dtype_size(tensor->dtype);
}

/* Names, types and shapes; false when any differs. */
static bool same_form(const deer_tensor_list *a, const deer_tensor_list *b) {
  bool same = a->n == b->n;
  for (int i = 0; same && i < a->n; i++) {
    const deer_tensor *x = &a->items[i].tensor, *y = &b->items[i].tensor;
    same = x->dtype == y->dtype && deer_shape_equal(&x->shape, &y->shape);
  }
  return same;
}

static void assert_same(const deer_tensor_list *a, const deer_tensor_list *b) {
  assert_true(same_form(a, b));
  for (int i = 0; i < a->n; i++) {
    assert_string_equal(a->items[i].name, b->items[i].name);
    const deer_tensor *tensor = &a->items[i].tensor;
    assert_memory_equal(tensor->data, b->items[i].tensor.data, tensor_bytes(tensor));
  }
  assert_int_equal(a->n_metadata, b->n_metadata);
  for (int i = 0; i < a->n_metadata; i++) {
    assert_string_equal(a->keys[i], b->keys[i]);
    assert_string_equal(a->values[i], b->values[i]);
  }
}

/* ---- files of bytes ---- */

typedef struct bytes {
  char data[4096];
  size_t size;
} bytes;

static bytes read_bytes(const char *path) {
  bytes b;
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  b.size = fread(b.data, 1, sizeof b.data, file);
  fclose(file);
  assert_true(b.size < sizeof b.data);
  return b;
}

static void write_bytes(const char *path, const void *data, size_t size) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, size, file), size);
  assert_int_equal(fclose(file), 0);
}

/* A good file. */
static bytes saved_sample(void) {
  assert_int_equal(deer_safetensors_save("good", sample()), DEER_OK);
  return read_bytes("good");
}

/* A file with this header and so many bytes of data, all 1. */
static void write_file(const char *header, size_t data) {
  uint64_t length = strlen(header);
  FILE *file = fopen("made", "wb");
  fwrite(&length, 1, 8, file);
  fwrite(header, 1, length, file);
  while (data-- > 0) fputc(1, file);
  assert_int_equal(fclose(file), 0);
}

/* The file is refused as malformed, and the message says this. */
static void assert_refused(const char *header, size_t data, const char *why) {
  deer_tensor_list list = {.n = 77};
  write_file(header, data);
  assert_int_equal(deer_safetensors_load("made", &list), DEER_EDATA);
  if (!strstr(deer_error(), why)) fail_msg("expected '%s' in: %s", why, deer_error());
  assert_ptr_equal(strstr(deer_error(), "cannot read made: "), deer_error());
  assert_null(list.items);
  assert_int_equal(list.n, 0);
}

/* ---- tests ---- */

static void test_round_trip(void **state) {
  (void)state;
  deer_tensor_list back;
  assert_int_equal(deer_safetensors_save("f", sample()), DEER_OK);
  assert_int_equal(deer_safetensors_load("f", &back), DEER_OK);
  assert_same(sample(), &back);
  deer_tensor_list_finish(&back);
  deer_tensor_list_finish(&back);
  // nothing at all, and metadata alone
  deer_tensor_list empty = {0};
  assert_int_equal(deer_safetensors_save("f", &empty), DEER_OK);
  assert_int_equal(deer_safetensors_load("f", &back), DEER_OK);
  assert_same(&empty, &back);
  deer_tensor_list_finish(&back);
  empty = *sample();
  empty.n = 0;
  assert_int_equal(deer_safetensors_save("f", &empty), DEER_OK);
  assert_int_equal(deer_safetensors_load("f", &back), DEER_OK);
  assert_same(&empty, &back);
  deer_tensor_list_finish(&back);
  assert_int_equal(files_here(), 1);
}

static void test_same_bytes(void **state) {
  (void)state;
  bytes first = saved_sample(), second = saved_sample();
  assert_int_equal(first.size, second.size);
  assert_memory_equal(first.data, second.data, first.size);
}

static void test_layout(void **state) {
  (void)state;
  deer_named_tensor items[] = {
      {"b", WRAP(DEER_DTYPE_U8, pixels, DEER_SHAPE(3))},
      {"a", WRAP(DEER_DTYPE_REAL, weights, DEER_SHAPE(2, 1))},
  };
  char *keys[] = {"k"}, *values[] = {"v"};
  deer_tensor_list list = {2, items, 1, keys, values};
  assert_int_equal(deer_safetensors_save("f", &list), DEER_OK);
  bytes b = read_bytes("f");
  const char header[] = "{\"__metadata__\":{\"k\":\"v\"},"
                        "\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[8,11]},"
                        "\"a\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]}}";
  // eight bytes of length, blanks up to a multiple of eight, numbers before bytes
  size_t padded = (sizeof header - 1 + 7) / 8 * 8;
  assert_int_equal((unsigned char)b.data[0], padded);
  assert_memory_equal(b.data + 1, "\0\0\0\0\0\0\0", 7);
  assert_memory_equal(b.data + 8, header, sizeof header - 1);
  for (size_t i = sizeof header - 1; i < padded; i++) assert_int_equal(b.data[8 + i], ' ');
  assert_memory_equal(b.data + 8 + padded, weights, 8);
  assert_memory_equal(b.data + 16 + padded, pixels, 3);
  assert_int_equal(b.size, 8 + padded + 11);
}

static void test_large(void **state) {
  (void)state;
  // more than one read or write may take; and many arrays
  enum { N = 3000 };
  static char names[N][16];
  deer_named_tensor *items = calloc(N, sizeof *items);
  for (int i = 0; i < N; i++) {
    snprintf(names[i], sizeof names[i], "%d", i);
    items[i].name = names[i];
    deer_shape shape = DEER_SHAPE(i == 7 ? 1 << 20 : i % 5 + 1);
    assert_int_equal(deer_tensor_init(&items[i].tensor, (deer_dtype)(i % 3), &shape), DEER_OK);
    memset(items[i].tensor.data, i, tensor_bytes(&items[i].tensor));
  }
  deer_tensor_list list = {.n = N, .items = items}, back;
  assert_int_equal(deer_safetensors_save("f", &list), DEER_OK);
  assert_int_equal(deer_safetensors_load("f", &back), DEER_OK);
  assert_same(&list, &back);
  deer_tensor_list_finish(&back);
  for (int i = 0; i < N; i++) deer_tensor_finish(&items[i].tensor);
  free(items);
}

static void test_double(void **state) {
  (void)state;
  // more values than are converted at once; NaN and infinity stay what they are
  static double values[1100] = {0.1, -1e-300, NAN, INFINITY, 16777217, 3.4e38};
  values[1099] = 2.5;
  char header[] = "{\"x\":{\"dtype\":\"F64\",\"shape\":[1100],\"data_offsets\":[0,8800]}}";
  char file[8 + sizeof header - 1 + sizeof values];
  uint64_t length = sizeof header - 1;
  memcpy(file, &length, 8);
  memcpy(file + 8, header, length);
  memcpy(file + 8 + length, values, sizeof values);
  write_bytes("f", file, sizeof file);
  deer_tensor_list list;
  assert_int_equal(deer_safetensors_load("f", &list), DEER_OK);
  const deer_real *x = list.items[0].tensor.data;
  assert_int_equal(list.items[0].tensor.dtype, DEER_DTYPE_REAL);
  for (int i = 0; i < 1100; i++)
    assert_true(x[i] == (deer_real)values[i] || (isnan(x[i]) && isnan(values[i])));
  deer_tensor_list_finish(&list);
  // what does not fit must not become infinite in silence
  values[1099] = 1e39;
  memcpy(file + 8 + length, values, sizeof values);
  write_bytes("f", file, sizeof file);
  assert_int_equal(deer_safetensors_load("f", &list), DEER_EDATA);
  assert_string_equal(deer_error(), "cannot read f: tensor \"x\": 1e+39 is too large for float32");
}

static void test_bad_lists(void **state) {
  (void)state;
  deer_tensor_list list = *sample();
  list.items[2].name = "pixels";
  assert_int_equal(deer_safetensors_save("f", &list), DEER_EINVAL);
  assert_string_equal(deer_error(), "tensor \"pixels\": the name is taken");
  sample()->items[2].name = "__metadata__";
  assert_int_equal(deer_safetensors_save("f", &list), DEER_EINVAL);
  sample()->items[2].name = NULL;
  assert_int_equal(deer_safetensors_save("f", &list), DEER_EINVAL);
  // texts that JSON cannot hold: cut, overlong, a surrogate, beyond Unicode, stray
  const char *bad[] = {
      "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80",
      "\x80", "a\xff"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    sample()->items[2].name = (char *)bad[i];
    assert_int_equal(deer_safetensors_save("f", &list), DEER_EINVAL);
    assert_non_null(strstr(deer_error(), "is not UTF-8"));
    sample();
    char *keys[] = {(char *)bad[i]}, *values[] = {"v"};
    deer_tensor_list key = {.n_metadata = 1, .keys = keys, .values = values};
    deer_tensor_list value = {.n_metadata = 1, .keys = values, .values = keys};
    assert_int_equal(deer_safetensors_save("f", &key), DEER_EINVAL);
    assert_int_equal(deer_safetensors_save("f", &value), DEER_EINVAL);
  }
  char *keys[] = {"k", "k"};
  deer_tensor_list twice = {.n_metadata = 2, .keys = keys, .values = keys};
  assert_int_equal(deer_safetensors_save("f", &twice), DEER_EINVAL);
  // forms that no tensor has
  sample()->items[1].tensor.shape.dim[0] = 0;
  assert_int_equal(deer_safetensors_save("f", &list), DEER_ESHAPE);
  sample()->items[1].tensor.dtype = (deer_dtype)9;
  assert_int_equal(deer_safetensors_save("f", &list), DEER_EINVAL);
  assert_int_equal(files_here(), 0);
}

static void test_truncated(void **state) {
  (void)state;
  bytes good = saved_sample();
  deer_tensor_list list;
  for (size_t n = 0; n < good.size; n++) {
    write_bytes("f", good.data, n);
    deer_status status = deer_safetensors_load("f", &list);
    assert_true(status == DEER_EDATA || status == DEER_EIO);
    assert_null(list.items);
  }
}

/* The changed file loads as what it was, with other names or numbers perhaps, or is refused. */
static int load_changed(const bytes *changed) {
  deer_tensor_list list;
  write_bytes("f", changed->data, changed->size);
  deer_status status = deer_safetensors_load("f", &list);
  if (status == DEER_OK) {
    // touch all of it: a sanitizer sees what is not ours
    assert_true(same_form(sample(), &list));
    unsigned sum = 0;
    for (int i = 0; i < list.n; i++) {
      const uint8_t *data = list.items[i].tensor.data;
      sum += (unsigned)strlen(list.items[i].name);
      for (size_t k = 0; k < tensor_bytes(&list.items[i].tensor); k++) sum += data[k];
    }
    assert_true(sum > 0);
  } else {
    assert_int_equal(status, DEER_EDATA);
  }
  deer_tensor_list_finish(&list);
  return status == DEER_OK;
}

static void test_header_bits(void **state) {
  (void)state;
  bytes good = saved_sample();
  size_t header = 8 + (unsigned char)good.data[0] + 256u * (unsigned char)good.data[1];
  int loaded = 0, refused = 0;
  for (size_t bit = 0; bit < header * 8; bit++) {
    bytes b = good;
    b.data[bit / 8] = (char)(b.data[bit / 8] ^ 1 << bit % 8);
    if (load_changed(&b))
      loaded++;
    else
      refused++;
  }
  // both happen: in names nothing is wrong, in places everything is
  assert_true(loaded > 100 && refused > 1000);
}

static void test_random_bits(void **state) {
  (void)state;
  bytes good = saved_sample();
  deer_rng rng = deer_rng_seed(1);
  for (int i = 0; i < 10000; i++) {
    bytes b = good;
    // up to eight bits anywhere
    for (uint64_t k = deer_rng_below(&rng, 8) + 1; k > 0; k--) {
      uint64_t bit = deer_rng_below(&rng, b.size * 8);
      b.data[bit / 8] = (char)(b.data[bit / 8] ^ 1 << bit % 8);
    }
    load_changed(&b);
  }
}

#define T(name, dtype, shape, offsets)                                                             \
  "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

#define U8(name, offsets) T(name, "U8", "[1]", offsets)

static void test_hostile_places(void **state) {
  (void)state;
  // the same with nothing wrong, in another order than the data
  deer_tensor_list list;
  write_file("{" T("b", "U8", "[4]", "[4,8]") "," T("a", "F32", "[]", "[0,4]") "}  \n", 8);
  assert_int_equal(deer_safetensors_load("made", &list), DEER_OK);
  assert_string_equal(list.items[0].name, "b");
  deer_tensor_list_finish(&list);
  // overlap, the same place twice, a hole, a hole at the start, bytes at the end, data of nobody
  assert_refused("{" T("a", "U8", "[4]", "[0,4]") "," T("b", "U8", "[5]", "[3,8]") "}", 8,
                 "tensor \"b\": its data begins at 3, the data before ends at 4");
  assert_refused("{" T("a", "U8", "[8]", "[0,8]") "," T("b", "U8", "[8]", "[0,8]") "}", 8,
                 "its data begins at 0");
  assert_refused("{" T("a", "U8", "[3]", "[0,3]") "," T("b", "U8", "[4]", "[4,8]") "}", 8,
                 "begins at 4");
  assert_refused("{" T("a", "U8", "[7]", "[1,8]") "}", 8, "begins at 1");
  assert_refused("{" T("a", "U8", "[7]", "[0,7]") "}", 8, "1 bytes follow the last tensor");
  assert_refused("{}", 1, "1 bytes follow the last tensor");
  // beyond the end, backwards, below zero, beyond all numbers
  assert_refused("{" T("a", "U8", "[9]", "[0,9]") "}", 8, "no part of 8 bytes");
  assert_refused("{" T("a", "U8", "[4]", "[8,4]") "}", 8, "no part of 8 bytes");
  assert_refused("{" T("a", "U8", "[8]", "[-8,0]") "}", 8, "a whole number from 0");
  assert_refused("{" T("a", "U8", "[8]", "[0,18446744073709551615]") "}", 8, "no part");
  assert_refused("{" T("a", "U8", "[8]", "[18446744073709551608,0]") "}", 8, "no part");
  assert_refused("{" T("a", "U8", "[8]", "[0,18446744073709551624]") "}", 8, "a smaller number");
  // no places at all
  static const struct {
    const char *text, *why;
  } bad[] = {
      {"[0]", "data_offsets are two numbers, got 1"},
      {"[]", "data_offsets are two numbers, got 0"},
      {"[0,8,8]", "expected no more numbers"},
      {"8", "expected '['"},
      {"{\"0\":0,\"1\":8}", "expected '['"},
      {"[0.0,8.0]", "expected ',' or ']'"},
      {"[0,8e0]", "expected ',' or ']'"},
      {"[00,8]", "expected ',' or ']'"},
      {"[null,8]", "expected a whole number from 0"},
      {"[\"0\",\"8\"]", "expected a whole number from 0"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char header[128];
    snprintf(header, sizeof header, "{" T("a", "U8", "[8]", "%s") "}", bad[i].text);
    assert_refused(header, 8, bad[i].why);
  }
}

static void test_hostile_shapes(void **state) {
  (void)state;
  static const char *const bad[] = {"[0]", "[2147483648]", "[4294967304]", "[8,0]"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char header[128];
    snprintf(header, sizeof header, "{" T("a", "U8", "%s", "[0,8]") "}", bad[i]);
    assert_refused(header, 8, "is not from 1 to 2147483647");
  }
  assert_refused("{" T("a", "U8", "[-8]", "[0,8]") "}", 8, "expected a whole number from 0");
  assert_refused("{" T("a", "U8", "[\"8\"]", "[0,8]") "}", 8, "expected a whole number from 0");
  assert_refused("{" T("a", "U8", "[[8]]", "[0,8]") "}", 8, "expected a whole number from 0");
  // products that overflow 32 and 64 bits, the last to exactly 0
  assert_refused("{" T("a", "U8", "[65536,65536]", "[0,8]") "}", 8, "more than 2147483647");
  assert_refused("{" T("a", "F32", "[2147483647,2147483647,4]", "[0,8]") "}", 8, "more than");
  assert_refused("{" T("a", "U8", "[65536,65536,65536,65536]", "[0,0]") "}", 0, "more than");
  assert_refused("{" T("a", "U8", "[18446744073709551624]", "[0,8]") "}", 8, "a smaller number");
  assert_refused("{" T("a", "U8", "[1,1,1,1,1,1,8]", "[0,8]") "}", 8, "expected no more numbers");
  assert_refused("{" T("a", "U8", "8", "[0,8]") "}", 8, "expected '['");
  // sizes that do not match
  assert_refused("{" T("a", "F32", "[8]", "[0,8]") "}", 8,
                 "tensor \"a\": F32 of shape [8] has 32 bytes, data_offsets say 8");
  assert_refused("{" T("a", "F32", "[2147483647]", "[0,8]") "}", 8, "has 8589934588 bytes");
}

static void test_hostile_types(void **state) {
  (void)state;
  assert_refused("{" T("a", "F16", "[4]", "[0,8]") "}", 8,
                 "tensor \"a\": dtype \"F16\" is none of F64, F32, I32, U8");
  assert_refused("{" T("a", "f32", "[2]", "[0,8]") "}", 8, "is none of");
  assert_refused("{" T("a", "", "[2]", "[0,8]") "}", 8, "is none of");
  // control characters do not reach the terminal
  assert_refused("{" T("a\\u001b[2J", "\\u001b[2J\\u007f", "[2]", "[0,8]") "}", 8,
                 "tensor \"a?[2J\": dtype \"?[2J?\" is none of");
  assert_refused("{\"a\":{\"dtype\":7,\"shape\":[8],\"data_offsets\":[0,8]}}", 8,
                 "tensor \"a\": byte 14: expected a string");
  // members that are missing, there twice, or nobody's
  assert_refused("{\"a\":{\"shape\":[8],\"data_offsets\":[0,8]}}", 8, "is missing");
  assert_refused("{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,8]}}", 8, "is missing");
  assert_refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[8]}}", 8, "is missing");
  assert_refused("{\"a\":{}}", 0, "is missing");
  assert_refused("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\"}}", 8,
                 "\"dtype\" is unknown or there twice");
  assert_refused("{\"a\":{\"shape\":[],\"shape\":[]}}", 8, "\"shape\" is unknown or there twice");
  assert_refused("{\"a\":{\"data_offsets\":[0,1],\"data_offsets\":[0,1]}}", 8, "there twice");
  assert_refused("{\"a\":{\"strides\":[1]}}", 8, "\"strides\" is unknown");
  assert_refused("{\"a\":[1]}", 8, "tensor \"a\": byte 5: expected '{'");
  assert_refused("{\"a\":null}", 0, "expected '{'");
}

static void test_hostile_json(void **state) {
  (void)state;
  assert_refused("[]", 0, "does not begin with '{'");
  assert_refused("", 0, "does not begin with '{'");
  assert_refused(" {}", 0, "does not begin with '{'");
  assert_refused("\"{}\"", 0, "does not begin with '{'");
  assert_refused("{", 0, "its header: byte 1: expected a string");
  assert_refused("{}{}", 0, "byte 2: expected the end");
  assert_refused("{\"__metadata__\":{},}", 0, "expected a string");
  assert_refused("{\"__metadata__\":{}", 0, "expected ',' or '}'");
  assert_refused("{\"\xff\":1}", 0, "expected text in UTF-8");
  assert_refused("{\"a\\u0000b\":1}", 0, "not 0000");
  // the same name twice, in each place where one can be, and under a disguise
  assert_refused("{" U8("a", "[0,1]") "," U8("b", "[1,2]") "," U8("a", "[2,3]") "}", 3,
                 "tensor \"a\": the name is there twice");
  assert_refused("{" T("a", "U8", "[4]", "[0,4]") "," T("\\u0061", "U8", "[4]", "[4,8]") "}", 8,
                 "the name is there twice");
  assert_refused("{\"__metadata__\":{\"a\":\"\",\"b\":\"\",\"a\":\"\"}}", 0,
                 "metadata \"a\" is there twice");
  assert_refused("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "the metadata is there twice");
  // metadata that is none
  assert_refused("{\"__metadata__\":[]}", 0, "expected '{'");
  assert_refused("{\"__metadata__\":{\"a\":1}}", 0, "metadata \"a\": byte 21: expected a string");
  assert_refused("{\"__metadata__\":{\"a\":{}}}", 0, "expected a string");
  // a long name is cut, between characters
  char header[600] = "{\"";
  for (int i = 0; i < 100; i++) strcat(header, "\xe2\x82\xac");
  strcat(header, "\":1}");
  assert_refused(header, 0, "\xe2\x82\xac...\": byte 304: expected '{'");
  // a zero byte in the middle
  deer_tensor_list list;
  write_bytes("made", "\3\0\0\0\0\0\0\0{\0}", 11);
  assert_int_equal(deer_safetensors_load("made", &list), DEER_EDATA);
}

/* A hundred thousand brackets, closed or not. */
static void test_deep_json(void **state) {
  (void)state;
  enum { N = 100000 };
  char *header = malloc(6 * N + 10);
  for (int closed = 0; closed <= 1; closed++) {
    strcpy(header, "{\"a\":");
    memset(header + 5, '[', N);
    memset(header + 5 + N, ']', N);
    strcpy(header + 5 + N + (closed ? N : 0), "}");
    assert_refused(header, 0, "tensor \"a\": byte 5: expected '{'");
  }
  // objects inside objects
  header[0] = '\0';
  char *end = header;
  for (int i = 0; i < N; i++, end += 5) memcpy(end, "{\"a\":", 6);
  assert_refused(header, 0, "\"a\" is unknown");
  free(header);
}

static void test_header_length(void **state) {
  (void)state;
  static const struct {
    uint64_t length;
    const char *why;
  } cases[] = {
      {3, "claims 3 bytes, but only 2 follow"},
      {100000000, "but only 2 follow"},
      {100000001, "claims 100000001 bytes, at most 100000000 are read"},
      {UINT64_MAX, "claims 18446744073709551615 bytes, at most"},
      {UINT64_MAX - 7, "at most"},
      {(uint64_t)1 << 63, "at most"},
      {0, "does not begin with '{'"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char file[10] = "........{}";
    deer_tensor_list list;
    memcpy(file, &cases[i].length, 8);
    write_bytes("f", file, sizeof file);
    uint64_t calls = deer_alloc_calls();
    assert_int_equal(deer_safetensors_load("f", &list), DEER_EDATA);
    if (!strstr(deer_error(), cases[i].why)) fail_msg("%s", deer_error());
    // nothing was allocated for what is not there
    assert_true(deer_alloc_calls() - calls <= 1);
  }
}

static void test_bad_places(void **state) {
  (void)state;
  deer_tensor_list list;
  assert_int_equal(deer_safetensors_save("none/f", sample()), DEER_EIO);
  assert_string_equal(deer_error(), "cannot write none/f: No such file or directory");
  assert_int_equal(deer_safetensors_save(folder, sample()), DEER_EIO);
  assert_non_null(strstr(deer_error(), folder));
  assert_non_null(strstr(deer_error(), "Is a directory"));
  assert_int_equal(deer_safetensors_save("/dev/full", sample()), DEER_EIO);
  assert_string_equal(deer_error(), "cannot write /dev/full: No space left on device");
  assert_int_equal(deer_safetensors_load("none/f", &list), DEER_EIO);
  assert_string_equal(deer_error(), "cannot read none/f: No such file or directory");
  assert_int_equal(deer_safetensors_load(".", &list), DEER_EIO);
  assert_string_equal(deer_error(), "cannot read .: Is a directory");
  // neither endless nor waiting for somebody to write
  assert_int_equal(deer_safetensors_load("/dev/zero", &list), DEER_EIO);
  assert_string_equal(deer_error(), "cannot read /dev/zero: not a regular file");
  assert_int_equal(mkfifo("pipe", 0666), 0);
  assert_int_equal(deer_safetensors_load("pipe", &list), DEER_EIO);
  assert_int_equal(files_here(), 1);
}

/* A file size limit stands for a full disk. */
static void test_full_disk(void **state) {
  (void)state;
  bytes old = saved_sample();
  struct rlimit limit, small;
  getrlimit(RLIMIT_FSIZE, &limit);
  signal(SIGXFSZ, SIG_IGN);
  // full in the header, and full in the data
  for (rlim_t most = 100; most < old.size; most += 50) {
    small = limit;
    small.rlim_cur = most;
    setrlimit(RLIMIT_FSIZE, &small);
    deer_status status = deer_safetensors_save("good", sample());
    setrlimit(RLIMIT_FSIZE, &limit);
    assert_int_equal(status, DEER_EIO);
    assert_string_equal(deer_error(), "cannot write good: File too large");
    bytes now = read_bytes("good");
    assert_int_equal(now.size, old.size);
    assert_memory_equal(now.data, old.data, old.size);
    assert_int_equal(files_here(), 1);
  }
}

/* Every allocation fails in turn, those for writing JSON too. */
static void test_without_memory(void **state) {
  (void)state;
  json_set_alloc_funcs(deer_alloc, deer_free);
  bytes old = saved_sample();
  for (int load = 0; load <= 1; load++) {
    size_t before = deer_alloc_blocks();
    int failures = 0;
    deer_status status = DEER_ENOMEM;
    for (; status != DEER_OK && failures < 1000; failures++) {
      deer_tensor_list list = {0};
      deer_alloc_fail_at((uint64_t)failures + 1);
      status =
          load ? deer_safetensors_load("good", &list) : deer_safetensors_save("good", sample());
      deer_alloc_fail_at(0);
      assert_true(status == DEER_OK || status == DEER_ENOMEM);
      if (status != DEER_OK) assert_non_null(strstr(deer_error(), "out of memory"));
      if (load && status == DEER_OK) assert_same(sample(), &list);
      deer_tensor_list_finish(&list);
      assert_int_equal(deer_alloc_blocks(), before);
      assert_int_equal(files_here(), 1);
    }
    assert_int_equal(status, DEER_OK);
    assert_true(failures > 10);
  }
  bytes now = read_bytes("good");
  assert_memory_equal(now.data, old.data, old.size);
  json_set_alloc_funcs(malloc, free);
}

#define HERE(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void) {
  const struct CMUnitTest tests[] = {
      HERE(test_round_trip),     HERE(test_same_bytes),     HERE(test_layout),
      HERE(test_large),          HERE(test_double),         HERE(test_bad_lists),
      HERE(test_truncated),      HERE(test_header_bits),    HERE(test_random_bits),
      HERE(test_hostile_places), HERE(test_hostile_shapes), HERE(test_hostile_types),
      HERE(test_hostile_json),   HERE(test_deep_json),      HERE(test_header_length),
      HERE(test_bad_places),     HERE(test_full_disk),      HERE(test_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
