/* safetensors.c: writing names, types and places of arrays as JSON before their bytes, and reading
 * such a file back without believing anything it says. */
#include "io/safetensors.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define METADATA    "__metadata__"
#define HEADER_MOST 100000000u
#define LENGTH      8u /* bytes of the header's length, before the header */

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "arrays are written as they lie");

/* The element types of a file, larger ones first: data laid out in this order is aligned. */
typedef struct file_type {
  const char *name;
  deer_dtype dtype;
  size_t size;
} file_type;

static const file_type types[] = {
    {"F64", DEER_DTYPE_REAL, 8},
    {"F32", DEER_DTYPE_REAL, 4},
    {"I32", DEER_DTYPE_I32, 4},
    {"U8", DEER_DTYPE_U8, 1},
};
#define TYPES (sizeof types / sizeof *types)

/* For messages: a text of others on one line, cut, without what could steer a terminal. */
#define SHOWN 64
static const char *show(const char *text, char shown[SHOWN]) {
  size_t n = strnlen(text, SHOWN);
  bool cut = n == SHOWN;
  if (cut) n = SHOWN - 4;
  // not between the bytes of one character
  while (cut && n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80) n--;
  memcpy(shown, text, n);
  memcpy(shown + n, cut ? "..." : "", cut ? 4 : 1);
  for (char *c = shown; *c; c++)
    if ((unsigned char)*c < ' ' || *c == '\x7f') *c = '?';
  return shown;
}

/* Puts the name of an array in front of the error that is about it. */
static deer_status tensor_fail(deer_status status, const char *name) {
  char shown[SHOWN];
  return deer_fail(status, "tensor \"%s\": %s", show(name, shown), deer_error());
}

static size_t tensor_bytes(const deer_tensor *tensor) {
  return deer_shape_count(&tensor->shape) * deer_dtype_size(tensor->dtype);
}

/* The array lies in memory as this type. */
static bool has_type(const deer_tensor *tensor, const file_type *type) {
  return tensor->dtype == type->dtype && deer_dtype_size(tensor->dtype) == type->size;
}

void deer_tensor_list_finish(deer_tensor_list *list) {
  for (int i = 0; i < list->n; i++) {
    deer_free(list->items[i].name);
    deer_tensor_finish(&list->items[i].tensor);
  }
  for (int i = 0; i < list->n_metadata; i++) {
    deer_free(list->keys[i]);
    deer_free(list->values[i]);
  }
  deer_free(list->items);
  deer_free(list->keys);
  deer_free(list->values);
  *list = (deer_tensor_list){0};
}

/* ---- writing ---- */

/* Bytes of the UTF-8 sequence at the start of a text that is not empty, 0 when it is none. */
static size_t utf8_sequence(const unsigned char *c) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (c[0] < 0x80) return 1;
  if (c[0] < 0xc0 || c[0] > 0xf4) return 0;
  size_t n = c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;
  uint32_t point = c[0] & (0xffu >> (n + 1));
  for (size_t i = 1; i < n; i++) {
    if ((c[i] & 0xc0) != 0x80) return 0;
    point = point << 6 | (c[i] & 0x3fu);
  }
  // too long a form, beyond Unicode, half of a pair of UTF-16
  bool good = point >= least[n] && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
  return good ? n : 0;
}

/* JSON knows no other text. */
static deer_status check_text(const char *text, const char *what) {
  const unsigned char *c = (const unsigned char *)text;
  char shown[SHOWN];
  while (c && *c) {
    size_t n = utf8_sequence(c);
    if (n == 0) return deer_fail(DEER_EINVAL, "%s \"%s\" is not UTF-8", what, show(text, shown));
    c += n;
  }
  return c ? DEER_OK : deer_fail(DEER_EINVAL, "%s is missing", what);
}

/* The array can be described, and under a name that is new. */
static deer_status check_item(const json_t *header, const deer_named_tensor *item) {
  DEER_TRY(check_text(item->name, "name"));
  deer_status status = deer_shape_check(&item->tensor.shape, "shape");
  if (strcmp(item->name, METADATA) == 0 || json_object_get(header, item->name))
    status = deer_fail(DEER_EINVAL, "the name is taken");
  else if (deer_dtype_size(item->tensor.dtype) == 0)
    status = deer_fail(DEER_EINVAL, "unknown dtype %d", (int)item->tensor.dtype);
  return status == DEER_OK ? DEER_OK : tensor_fail(status, item->name);
}

/* Jansson fails with texts that are not UTF-8, which are checked before, and without memory. */
static deer_status no_memory(void) { return deer_fail(DEER_ENOMEM, "out of memory"); }

/* Adds one array whose place is not known yet:
 * "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": []}. */
static deer_status add_item(json_t *header, const deer_named_tensor *item) {
  DEER_TRY(check_item(header, item));
  json_t *shape = json_array();
  int failed = 0;
  for (int i = 0; i < item->tensor.shape.rank; i++)
    failed |= json_array_append_new(shape, json_integer(item->tensor.shape.dim[i]));
  const file_type *type = types;
  while (!has_type(&item->tensor, type)) type++;
  json_t *entry =
      json_pack("{s:s, s:o, s:[]}", "dtype", type->name, "shape", shape, "data_offsets");
  return json_object_set_new(header, item->name, entry) || failed ? no_memory() : DEER_OK;
}

static deer_status add_metadata(json_t *header, const deer_tensor_list *list) {
  char shown[SHOWN];
  if (list->n_metadata == 0) return DEER_OK;
  json_t *metadata = json_object();
  if (json_object_set_new(header, METADATA, metadata)) return no_memory();
  for (int i = 0; i < list->n_metadata; i++) {
    DEER_TRY(check_text(list->keys[i], "metadata key"));
    DEER_TRY(check_text(list->values[i], "metadata value"));
    if (json_object_get(metadata, list->keys[i]))
      return deer_fail(DEER_EINVAL, "metadata key \"%s\" is there twice",
                       show(list->keys[i], shown));
    if (json_object_set_new(metadata, list->keys[i], json_string(list->values[i])))
      return no_memory();
  }
  return DEER_OK;
}

typedef deer_status visitor(const deer_named_tensor *item, void *context);

/* Calls visit for every array in the order of their data: larger elements first, so that all are
 * aligned. */
static deer_status in_file_order(const deer_tensor_list *list, visitor *visit, void *context) {
  for (size_t t = 0; t < TYPES; t++)
    for (int i = 0; i < list->n; i++)
      if (has_type(&list->items[i].tensor, &types[t])) DEER_TRY(visit(&list->items[i], context));
  return DEER_OK;
}

/* The header, and where the next data goes. */
typedef struct layout {
  json_t *header;
  size_t at;
} layout;

static deer_status place_item(const deer_named_tensor *item, void *context) {
  layout *l = context;
  json_t *offsets = json_object_get(json_object_get(l->header, item->name), "data_offsets");
  int failed = json_array_append_new(offsets, json_integer((json_int_t)l->at));
  l->at += tensor_bytes(&item->tensor);
  failed |= json_array_append_new(offsets, json_integer((json_int_t)l->at));
  return failed ? no_memory() : DEER_OK;
}

/* Names are in the order of the list, whatever the order of the data. */
static deer_status fill_header(json_t *header, const deer_tensor_list *list) {
  DEER_TRY(add_metadata(header, list));
  for (int i = 0; i < list->n; i++) DEER_TRY(add_item(header, &list->items[i]));
  return in_file_order(list, place_item, &(layout){header, 0});
}

/* What goes into the file. */
typedef struct contents {
  const deer_tensor_list *list;
  char *header; // length and JSON
  size_t size;
} contents;

/* Writes the header as text, in the order in which it was filled. */
static deer_status print_header(const json_t *header, contents *c) {
  size_t size = json_dumpb(header, NULL, 0, JSON_COMPACT);
  if (size == 0) return no_memory();
  // blanks at its end align the data
  uint64_t length = (size + LENGTH - 1) / LENGTH * LENGTH;
  if (length > HEADER_MOST)
    return deer_fail(DEER_EINVAL, "names and metadata take %zu bytes, at most %u", size,
                     HEADER_MOST);
  c->size = LENGTH + length;
  c->header = deer_alloc(c->size);
  if (!c->header) return DEER_ENOMEM;
  memcpy(c->header, &length, LENGTH);
  memset(c->header + LENGTH, ' ', length);
  return json_dumpb(header, c->header + LENGTH, size, JSON_COMPACT) == size ? DEER_OK : no_memory();
}

static deer_status make_header(const deer_tensor_list *list, contents *c) {
  json_t *header = json_object();
  deer_status status = header ? fill_header(header, list) : no_memory();
  if (status == DEER_OK) status = print_header(header, c);
  json_decref(header);
  return status;
}

static deer_status write_item(const deer_named_tensor *item, void *file) {
  return deer_file_write(file, item->tensor.data, tensor_bytes(&item->tensor));
}

static deer_status write_contents(deer_file *file, void *context) {
  const contents *c = context;
  DEER_TRY(deer_file_write(file, c->header, c->size));
  return in_file_order(c->list, write_item, file);
}

deer_status deer_safetensors_save(const char *path, const deer_tensor_list *list) {
  contents c = {.list = list};
  deer_status status = make_header(list, &c);
  if (status == DEER_OK) status = deer_file_replace_with(path, write_contents, &c);
  deer_free(c.header);
  return status;
}

/* ---- reading ---- */

/* What the header says about the array `item` of the list. */
typedef struct slot {
  const file_type *type;
  deer_shape shape;
  uint64_t begin, end; // in the data
  int item;
} slot;

typedef struct loader {
  int fd;
  uint64_t data_at, data_size; // where the data begins in the file
  deer_tensor_list *list;
  slot *slots; // one per array
} loader;

static deer_status read_at(int fd, void *bytes, size_t size, uint64_t at) {
  for (char *to = bytes; size > 0;) {
    ssize_t n = pread(fd, to, size, (off_t)at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return deer_fail(DEER_EIO, "%s", strerror(errno));
    if (n == 0) return deer_fail(DEER_EDATA, "it became shorter while it was read");
    to += n;
    at += (uint64_t)n;
    size -= (size_t)n;
  }
  return DEER_OK;
}

/* The JSON, which is `size` bytes long. */
static deer_status parse_header(const char *text, size_t size, json_t **header) {
  json_error_t error;
  char shown[SHOWN];
  if (size == 0 || text[0] != '{') return deer_fail(DEER_EDATA, "its header does not begin with {");
  *header = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
  if (*header) return DEER_OK;
  if (json_error_code(&error) == json_error_out_of_memory) return no_memory();
  return deer_fail(DEER_EDATA, "its header is not valid JSON: byte %d: %s", error.position,
                   show(error.text, shown));
}

/* Reads the header of the open file and learns where the data is. */
static deer_status read_header(loader *l, uint64_t file_size, json_t **header) {
  uint64_t length;
  if (file_size < LENGTH)
    return deer_fail(DEER_EDATA, "it has %d bytes, too few for a header", (int)file_size);
  DEER_TRY(read_at(l->fd, &length, LENGTH, 0));
  // nothing is allocated for more than there is
  if (length > HEADER_MOST)
    return deer_fail(DEER_EDATA, "its header claims %ju bytes, at most %u are read",
                     (uintmax_t)length, HEADER_MOST);
  if (length > file_size - LENGTH)
    return deer_fail(DEER_EDATA, "its header claims %ju bytes, but only %ju follow",
                     (uintmax_t)length, (uintmax_t)(file_size - LENGTH));
  l->data_at = LENGTH + length;
  l->data_size = file_size - l->data_at;
  char *text = deer_alloc(length);
  if (!text) return DEER_ENOMEM;
  deer_status status = read_at(l->fd, text, length, LENGTH);
  if (status == DEER_OK) status = parse_header(text, length, header);
  deer_free(text);
  return status;
}

typedef struct pair {
  const char *key, *value;
} pair;

static int by_key(const void *a, const void *b) {
  return strcmp(((const pair *)a)->key, ((const pair *)b)->key);
}

/* Copies the metadata, sorted; `pairs` has room for all. */
static deer_status copy_metadata(json_t *metadata, pair *pairs, deer_tensor_list *list) {
  const char *key;
  json_t *value;
  char shown[SHOWN];
  size_t n = 0;
  json_object_foreach(metadata, key, value) {
    pairs[n] = (pair){key, json_string_value(value)};
    if (!pairs[n++].value)
      return deer_fail(DEER_EDATA, "metadata \"%s\" is not a string", show(key, shown));
  }
  qsort(pairs, n, sizeof *pairs, by_key);
  list->keys = deer_alloc_array(n, sizeof *list->keys);
  list->values = deer_alloc_array(n, sizeof *list->values);
  if (!list->keys || !list->values) return DEER_ENOMEM;
  for (size_t i = 0; i < n; i++) {
    list->n_metadata++;
    list->keys[i] = deer_strdup(pairs[i].key);
    list->values[i] = deer_strdup(pairs[i].value);
    if (!list->keys[i] || !list->values[i]) return DEER_ENOMEM;
  }
  return DEER_OK;
}

static deer_status read_metadata(const json_t *header, deer_tensor_list *list) {
  json_t *metadata = json_object_get(header, METADATA);
  if (!metadata) return DEER_OK;
  if (!json_is_object(metadata)) return deer_fail(DEER_EDATA, "its metadata is not an object");
  pair *pairs = deer_alloc_array(json_object_size(metadata), sizeof *pairs);
  if (!pairs) return DEER_ENOMEM;
  deer_status status = copy_metadata(metadata, pairs, list);
  deer_free(pairs);
  return status;
}

static deer_status read_type(const json_t *entry, slot *s) {
  const char *name = json_string_value(json_object_get(entry, "dtype"));
  char shown[SHOWN];
  if (!name) return deer_fail(DEER_EDATA, "dtype is not a string");
  for (size_t t = 0; t < TYPES; t++)
    if (strcmp(types[t].name, name) == 0) s->type = &types[t];
  if (s->type) return DEER_OK;
  return deer_fail(DEER_EDATA, "dtype \"%s\" is none of F64, F32, I32, U8", show(name, shown));
}

static deer_status read_shape(const json_t *entry, slot *s) {
  const json_t *shape = json_object_get(entry, "shape");
  size_t rank = json_array_size(shape);
  if (!json_is_array(shape) || rank > DEER_MAX_RANK)
    return deer_fail(DEER_EDATA, "shape is not a list of at most %d numbers", DEER_MAX_RANK);
  for (size_t i = 0; i < rank; i++) {
    const json_t *dim = json_array_get(shape, i);
    json_int_t n = json_integer_value(dim); // 0 when it is something else
    if (n < 1 || n > INT32_MAX)
      return deer_fail(DEER_EDATA, "shape[%d] is not a whole number from 1 to %d", (int)i,
                       INT32_MAX);
    s->shape.dim[i] = (int)n;
  }
  s->shape.rank = (int)rank;
  return deer_shape_check(&s->shape, "shape") == DEER_OK ? DEER_OK : DEER_EDATA;
}

/* The place in the data, and that it has the size that type and shape ask for. */
static deer_status read_offsets(const json_t *entry, uint64_t data_size, slot *s) {
  const json_t *offsets = json_object_get(entry, "data_offsets");
  const json_t *first = json_array_get(offsets, 0), *last = json_array_get(offsets, 1);
  if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(last))
    return deer_fail(DEER_EDATA, "data_offsets is not a list of two whole numbers");
  json_int_t begin = json_integer_value(first), end = json_integer_value(last);
  if (begin < 0 || end < begin || (uint64_t)end > data_size)
    return deer_fail(DEER_EDATA, "data_offsets [%jd, %jd] are no part of %ju bytes of data",
                     (intmax_t)begin, (intmax_t)end, (uintmax_t)data_size);
  s->begin = (uint64_t)begin;
  s->end = (uint64_t)end;
  // fewer than 2^31 elements of at most 8 bytes
  uint64_t size = deer_shape_count(&s->shape) * s->type->size;
  char text[DEER_SHAPE_TEXT];
  if (s->end - s->begin == size) return DEER_OK;
  return deer_fail(DEER_EDATA, "%s of shape %s has %ju bytes, data_offsets say %ju", s->type->name,
                   deer_shape_text(&s->shape, text), (uintmax_t)size,
                   (uintmax_t)(s->end - s->begin));
}

static deer_status read_entry(const json_t *entry, uint64_t data_size, slot *s) {
  if (!json_is_object(entry)) return deer_fail(DEER_EDATA, "its description is not an object");
  DEER_TRY(read_type(entry, s));
  DEER_TRY(read_shape(entry, s));
  return read_offsets(entry, data_size, s);
}

/* Names and slots of all arrays, in the order of the header. */
static deer_status read_entries(loader *l, json_t *header) {
  size_t n = json_object_size(header) - (json_object_get(header, METADATA) != NULL);
  l->list->items = deer_alloc_array(n, sizeof *l->list->items);
  l->slots = deer_alloc_array(n, sizeof *l->slots);
  if (!l->list->items || !l->slots) return DEER_ENOMEM;
  const char *name;
  json_t *entry;
  json_object_foreach(header, name, entry) {
    if (strcmp(name, METADATA) == 0) continue;
    slot *s = &l->slots[l->list->n];
    deer_status status = read_entry(entry, l->data_size, s);
    if (status != DEER_OK) return tensor_fail(status, name);
    s->item = l->list->n++;
    l->list->items[s->item].name = deer_strdup(name);
    if (!l->list->items[s->item].name) return DEER_ENOMEM;
  }
  return DEER_OK;
}

static int by_begin(const void *a, const void *b) {
  uint64_t x = ((const slot *)a)->begin, y = ((const slot *)b)->begin;
  return (x > y) - (x < y);
}

/* Sorts the slots by place; every byte of the data must belong to exactly one. */
static deer_status check_places(loader *l) {
  uint64_t at = 0;
  int n = l->list->n;
  qsort(l->slots, (size_t)n, sizeof *l->slots, by_begin);
  for (int i = 0; i < n; i++) {
    const slot *s = &l->slots[i];
    if (s->begin != at) {
      deer_fail(DEER_EDATA, "its data begins at %ju, the data before ends at %ju",
                (uintmax_t)s->begin, (uintmax_t)at);
      return tensor_fail(DEER_EDATA, l->list->items[s->item].name);
    }
    at = s->end;
  }
  if (at == l->data_size) return DEER_OK;
  return deer_fail(DEER_EDATA, "%ju bytes follow the last tensor", (uintmax_t)(l->data_size - at));
}

/* Reads real numbers of the size that is not the build's. */
static deer_status read_converted(int fd, deer_real *to, size_t count, uint64_t at) {
  enum { SIZE = sizeof(deer_real) == 4 ? 8 : 4, CHUNK = 512 };
  char bytes[CHUNK * SIZE];
  for (size_t done = 0; done < count;) {
    size_t n = count - done < CHUNK ? count - done : CHUNK;
    DEER_TRY(read_at(fd, bytes, n * SIZE, at + done * SIZE));
    for (size_t i = 0; i < n; i++, done++) {
      float single;
      double x;
      memcpy(&single, bytes + i * SIZE, sizeof single);
      if (SIZE == sizeof x)
        memcpy(&x, bytes + i * SIZE, SIZE);
      else
        x = (double)single;
      to[done] = (deer_real)x;
      // a large double must not become infinite in silence
      if (isfinite(x) && !isfinite(to[done]))
        return deer_fail(DEER_EDATA, "%g is too large for %s", x, deer_dtype_name(DEER_DTYPE_REAL));
    }
  }
  return DEER_OK;
}

static deer_status read_tensor(const loader *l, const slot *s) {
  deer_tensor *tensor = &l->list->items[s->item].tensor;
  DEER_TRY(deer_tensor_init(tensor, s->type->dtype, &s->shape));
  uint64_t at = l->data_at + s->begin;
  return has_type(tensor, s->type)
             ? read_at(l->fd, tensor->data, s->end - s->begin, at)
             : read_converted(l->fd, tensor->data, deer_shape_count(&s->shape), at);
}

/* Everything behind the header. All is checked before anything is allocated for the data. */
static deer_status read_data(loader *l) {
  DEER_TRY(check_places(l));
  for (int i = 0; i < l->list->n; i++) {
    deer_status status = read_tensor(l, &l->slots[i]);
    if (status != DEER_OK) return tensor_fail(status, l->list->items[l->slots[i].item].name);
  }
  return DEER_OK;
}

static deer_status load_from(int fd, deer_tensor_list *list) {
  struct stat st;
  if (fstat(fd, &st) != 0) return deer_fail(DEER_EIO, "%s", strerror(errno));
  if (!S_ISREG(st.st_mode))
    return deer_fail(DEER_EIO, S_ISDIR(st.st_mode) ? "Is a directory" : "not a regular file");
  loader l = {.fd = fd, .list = list};
  json_t *header = NULL;
  deer_status status = read_header(&l, (uint64_t)st.st_size, &header);
  if (status == DEER_OK) status = read_metadata(header, list);
  if (status == DEER_OK) status = read_entries(&l, header);
  json_decref(header);
  if (status == DEER_OK) status = read_data(&l);
  deer_free(l.slots);
  return status;
}

deer_status deer_safetensors_load(const char *path, deer_tensor_list *list) {
  *list = (deer_tensor_list){0};
  // a pipe must not keep us waiting for somebody to write
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return deer_fail(DEER_EIO, "cannot read %s: %s", path, strerror(errno));
  deer_status status = load_from(fd, list);
  close(fd);
  if (status == DEER_OK) return DEER_OK;
  deer_tensor_list_finish(list);
  return deer_fail(status, "cannot read %s: %s", path, deer_error());
}
