/* npy.c: numpy's files. In front of the bytes of an array stands a dictionary of Python, of which
 * just the three entries are understood that numpy writes. */
#include "io/npy.h"
#include "base/file.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAGIC      "\x93NUMPY"
#define FILE_MOST  ((size_t)1 << 34) /* no larger file is read */
#define PREAMBLE   10                /* bytes before the header of version 1 */
#define ALIGNMENT  64                /* of the data in files that are written */
#define TYPE_SHOWN 24

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "swapped is big-endian");

static const struct {
  const char *name; // without the byte order
  size_t size;
} types[] = {[DEER_NPY_BOOL] = {"b1", 1}, [DEER_NPY_U8] = {"u1", 1},  [DEER_NPY_I32] = {"i4", 4},
             [DEER_NPY_I64] = {"i8", 8},  [DEER_NPY_F32] = {"f4", 4}, [DEER_NPY_F64] = {"f8", 8}};
#define TYPES (int)(sizeof types / sizeof *types)

/* ---- the header ---- */

/* The text of the header, which `end` ends; a zero byte stands there or anywhere before. */
typedef struct header {
  const char *at, *begin, *end;
  bool has_type, has_order, has_shape;
} header;

static deer_status malformed(const header *h, const char *expected) {
  return deer_fail(DEER_EDATA, "its header, byte %d: expected %s", (int)(h->at - h->begin) + 1,
                   expected);
}

/* What stands at the reader, behind blanks; 0 at the end. */
static char peek(header *h) {
  while (h->at < h->end && strchr(" \t\n\r", *h->at) && *h->at) h->at++;
  return h->at < h->end ? *h->at : '\0';
}

/* Takes a character or a word. */
static bool take(header *h, const char *word) {
  size_t n = strlen(word);
  if (!peek(h) || (size_t)(h->end - h->at) < n || memcmp(h->at, word, n) != 0) return false;
  h->at += n;
  return true;
}

/* A string in single or double quotes, without escapes, which no name here needs. */
static deer_status take_string(header *h, const char **string, size_t *n) {
  char quote = peek(h);
  if (quote != '\'' && quote != '"') return malformed(h, "a string");
  *string = ++h->at;
  while (h->at < h->end && *h->at != quote && *h->at != '\\' && *h->at >= ' ') h->at++;
  if (h->at == h->end || *h->at != quote) return malformed(h, "the end of the string");
  *n = (size_t)(h->at++ - *string);
  return DEER_OK;
}

/* "<f8": the byte order, then the type. */
static deer_status take_type(header *h, deer_npy *array) {
  const char *name = NULL;
  size_t n = 0;
  if (peek(h) == '[') return deer_fail(DEER_EDATA, "its elements are records, which are not read");
  DEER_TRY(take_string(h, &name, &n));
  h->has_type = true;
  bool ordered = n == 3 && memchr("<>=|", *name, 4);
  for (int t = 0; ordered && t < TYPES; t++) {
    if (memcmp(name + 1, types[t].name, 2) != 0) continue;
    array->type = (deer_npy_type)t;
    array->swapped = *name == '>';
    return DEER_OK;
  }
  int shown = n < TYPE_SHOWN ? (int)n : TYPE_SHOWN;
  return deer_fail(DEER_EDATA, "its elements are '%.*s', but read are b1, u1, i4, i8, f4 and f8",
                   shown, name);
}

static deer_status take_dimension(header *h, deer_shape *shape) {
  int64_t n = 0;
  if (peek(h) < '0' || peek(h) > '9') return malformed(h, "a dimension or ')'");
  if (shape->rank == DEER_MAX_RANK)
    return deer_fail(DEER_EDATA, "it has more than %d dimensions", DEER_MAX_RANK);
  for (; h->at < h->end && *h->at >= '0' && *h->at <= '9'; h->at++) {
    n = 10 * n + (*h->at - '0');
    if (n > INT32_MAX) return malformed(h, "a smaller dimension");
  }
  // numpy 1 on Python 2 wrote 3L
  if (h->at < h->end && *h->at == 'L') h->at++;
  shape->dim[shape->rank++] = (int)n;
  return DEER_OK;
}

/* "(3, 4)", "(3,)" or "()". */
static deer_status take_shape(header *h, deer_npy *array) {
  if (!take(h, "(")) return malformed(h, "'('");
  while (!take(h, ")")) {
    DEER_TRY(take_dimension(h, &array->shape));
    if (!take(h, ",") && peek(h) != ')') return malformed(h, "',' or ')'");
  }
  h->has_shape = true;
  if (deer_shape_check(&array->shape, "its shape") == DEER_OK) return DEER_OK;
  return deer_fail(DEER_EDATA, "%s", deer_error());
}

static deer_status take_entry(header *h, deer_npy *array) {
  const char *key = NULL;
  size_t n = 0;
  DEER_TRY(take_string(h, &key, &n));
  if (!take(h, ":")) return malformed(h, "':'");
  if (n == 5 && memcmp(key, "descr", n) == 0 && !h->has_type) return take_type(h, array);
  if (n == 5 && memcmp(key, "shape", n) == 0 && !h->has_shape) return take_shape(h, array);
  if (n == 13 && memcmp(key, "fortran_order", n) == 0 && !h->has_order) {
    h->has_order = true;
    array->by_columns = take(h, "True");
    return array->by_columns || take(h, "False") ? DEER_OK : malformed(h, "True or False");
  }
  return deer_fail(DEER_EDATA,
                   "its header, byte %d: expected each of 'descr', 'fortran_order' and "
                   "'shape' once",
                   (int)(key - h->begin) + 1);
}

/* {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), } and blanks. */
static deer_status read_header(header *h, deer_npy *array) {
  if (!take(h, "{")) return malformed(h, "'{'");
  while (!take(h, "}")) {
    DEER_TRY(take_entry(h, array));
    if (!take(h, ",") && peek(h) != '}') return malformed(h, "',' or '}'");
  }
  if (!h->has_type || !h->has_order || !h->has_shape)
    return malformed(h, "'descr', 'fortran_order' and 'shape' before");
  peek(h);
  return h->at == h->end ? DEER_OK : malformed(h, "the end");
}

/* ---- the file ---- */

/* Finds the header in the file and reads it; *at is where the data begins. */
static deer_status open_header(deer_npy *array, size_t size, size_t *at) {
  const unsigned char *bytes = (const unsigned char *)array->file;
  if (size < PREAMBLE || memcmp(bytes, MAGIC, 6) != 0)
    return deer_fail(DEER_EDATA, "it is no .npy file");
  if (bytes[6] < 1 || bytes[6] > 3)
    return deer_fail(DEER_EDATA, "its version is %d, but read are 1 to 3", bytes[6]);
  // the length has two bytes, from version 2 on four
  *at = bytes[6] == 1 ? PREAMBLE : PREAMBLE + 2;
  size_t length = (size_t)bytes[8] | (size_t)bytes[9] << 8;
  if (bytes[6] > 1 && size >= *at) length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
  if (size < *at || length > size - *at) return deer_fail(DEER_EDATA, "its header is cut short");
  const char *text = array->file + *at;
  *at += length;
  return read_header(&(header){.at = text, .begin = text, .end = text + length}, array);
}

static deer_status open_array(deer_npy *array, size_t size) {
  size_t at = 0;
  DEER_TRY(open_header(array, size, &at));
  size_t expected = deer_shape_count(&array->shape) * types[array->type].size;
  if (size - at != expected)
    return deer_fail(DEER_EDATA, "its shape and type take %zu bytes, but %zu follow the header",
                     expected, size - at);
  array->data = array->file + at;
  return DEER_OK;
}

deer_status deer_npy_load(const char *path, deer_npy *array) {
  size_t size;
  *array = (deer_npy){0};
  DEER_TRY(deer_file_read(path, FILE_MOST, &array->file, &size));
  deer_status status = open_array(array, size);
  if (status == DEER_OK) return DEER_OK;
  deer_npy_finish(array);
  return deer_fail(status, "cannot read %s: %s", path, deer_error());
}

void deer_npy_finish(deer_npy *array) {
  deer_free(array->file);
  *array = (deer_npy){0};
}

/* ---- elements ---- */

/* The place in the file of the element that is number i by rows. */
static size_t place(const deer_npy *array, size_t i) {
  if (!array->by_columns) return i;
  // by columns the first axis runs first
  size_t at = 0, stride = deer_shape_count(&array->shape);
  for (int axis = array->shape.rank - 1; axis >= 0; axis--) {
    size_t n = (size_t)array->shape.dim[axis];
    stride /= n;
    at += i % n * stride;
    i /= n;
  }
  return at;
}

/* The bits of element i; of smaller types in the lower bytes. */
static uint64_t bits_of(const deer_npy *array, size_t i) {
  size_t size = types[array->type].size;
  const unsigned char *from = (const unsigned char *)array->data + place(array, i) * size;
  uint64_t bits = 0;
  for (size_t b = 0; b < size; b++)
    bits |= (uint64_t)from[b] << 8 * (array->swapped ? size - 1 - b : b);
  return bits;
}

bool deer_npy_whole(const deer_npy *array) { return array->type < DEER_NPY_F32; }

int64_t deer_npy_integer(const deer_npy *array, size_t i) {
  uint64_t bits = bits_of(array, i);
  switch (array->type) {
  case DEER_NPY_BOOL:
    return bits != 0;
  case DEER_NPY_I32:
    return (int32_t)(uint32_t)bits;
  default:
    return (int64_t)bits;
  }
}

double deer_npy_number(const deer_npy *array, size_t i) {
  if (deer_npy_whole(array)) return (double)deer_npy_integer(array, i);
  uint64_t bits = bits_of(array, i);
  uint32_t half = (uint32_t)bits;
  float single;
  double x;
  memcpy(&single, &half, sizeof single);
  memcpy(&x, &bits, sizeof x);
  return array->type == DEER_NPY_F32 ? (double)single : x;
}

deer_dtype deer_npy_dtype(const deer_npy *array) {
  if (array->type <= DEER_NPY_U8) return DEER_DTYPE_U8;
  return deer_npy_whole(array) ? DEER_DTYPE_I32 : DEER_DTYPE_REAL;
}

static deer_status fill_real(const deer_npy *array, deer_real *to, size_t n) {
  for (size_t i = 0; i < n; i++) {
    double x = deer_npy_number(array, i);
    to[i] = (deer_real)x;
    // a large double must not become infinite in silence
    if (isfinite(x) && !isfinite(to[i]))
      return deer_fail(DEER_EDATA, "element %zu, %g, is too large for %s", i + 1, x,
                       deer_dtype_name(DEER_DTYPE_REAL));
  }
  return DEER_OK;
}

static deer_status fill_i32(const deer_npy *array, int32_t *to, size_t n) {
  for (size_t i = 0; i < n; i++) {
    int64_t x = deer_npy_integer(array, i);
    if (x < INT32_MIN || x > INT32_MAX)
      return deer_fail(DEER_EDATA, "element %zu, %jd, is too large for int32", i + 1, (intmax_t)x);
    to[i] = (int32_t)x;
  }
  return DEER_OK;
}

deer_status deer_npy_fill(const deer_npy *array, const deer_tensor *tensor) {
  size_t n = deer_shape_count(&array->shape);
  if (tensor->dtype == DEER_DTYPE_REAL) return fill_real(array, tensor->data, n);
  if (tensor->dtype == DEER_DTYPE_I32) return fill_i32(array, tensor->data, n);
  uint8_t *to = tensor->data;
  for (size_t i = 0; i < n; i++) to[i] = (uint8_t)deer_npy_integer(array, i);
  return DEER_OK;
}

/* ---- writing ---- */

typedef struct contents {
  char header[256];
  size_t header_size;
  const deer_tensor *tensor;
} contents;

/* Appends to the header, which has room for every shape. */
static void add(contents *c, const char *format, ...) DEER_PRINTF(2, 3);
static void add(contents *c, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int n =
      vsnprintf(c->header + c->header_size, sizeof c->header - c->header_size, format, arguments);
  va_end(arguments);
  c->header_size += (size_t)n;
}

/* The header of version 1, with blanks at its end that align the data. */
static void print_header(contents *c) {
  const deer_tensor *tensor = c->tensor;
  const char *real = sizeof(deer_real) == 8 ? "<f8" : "<f4";
  const char *type = tensor->dtype == DEER_DTYPE_U8 ? "|u1" : "<i4";
  add(c, "{'descr': '%s', 'fortran_order': False, 'shape': (",
      tensor->dtype == DEER_DTYPE_REAL ? real : type);
  for (int i = 0; i < tensor->shape.rank; i++)
    add(c, "%s%d", i == 0 ? "" : ", ", tensor->shape.dim[i]);
  add(c, "%s), }", tensor->shape.rank == 1 ? "," : "");
  while ((PREAMBLE + c->header_size + 1) % ALIGNMENT != 0) add(c, " ");
  add(c, "\n");
}

static deer_status write_contents(deer_file *file, void *context) {
  const contents *c = context;
  unsigned char preamble[PREAMBLE] = MAGIC "\1";
  preamble[8] = (unsigned char)(c->header_size & 0xff);
  preamble[9] = (unsigned char)(c->header_size >> 8);
  DEER_TRY(deer_file_write(file, preamble, sizeof preamble));
  DEER_TRY(deer_file_write(file, c->header, c->header_size));
  const deer_tensor *tensor = c->tensor;
  return deer_file_write(file, tensor->data,
                         deer_shape_count(&tensor->shape) * deer_dtype_size(tensor->dtype));
}

deer_status deer_npy_save(const char *path, const deer_tensor *tensor) {
  contents c = {.tensor = tensor};
  print_header(&c);
  return deer_file_replace_with(path, write_contents, &c);
}
