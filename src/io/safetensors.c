/* safetensors.c: writing names, types and places of arrays as JSON before their bytes, and reading
 * such a file back without believing anything it says. */
#include "io/safetensors.h"
#include "io/json.h"
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

/* What the array takes, in memory and, written, in the file. */
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

/* JSON knows no other text. */
static deer_status check_text(const char *text, const char *what) {
  char shown[SHOWN];
  if (!text) return deer_fail(DEER_EINVAL, "%s is missing", what);
  for (const char *c = text; *c; c += deer_utf8_sequence(c))
    if (deer_utf8_sequence(c) == 0)
      return deer_fail(DEER_EINVAL, "%s \"%s\" is not UTF-8", what, show(text, shown));
  return DEER_OK;
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
  // Jansson passes a missing part on: only the results of the last steps need a look
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

/* Adds {"key": "value"} for all metadata, in the order of the list. */
static deer_status add_metadata(json_t *header, const deer_tensor_list *list) {
  char shown[SHOWN];
  if (list->n_metadata == 0) return DEER_OK;
  // the header owns it from here, whatever happens
  json_t *metadata = json_object();
  if (json_object_set_new(header, METADATA, metadata)) return no_memory();
  // each key is good and new
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

/* Gives an array the next place in the data and notes it in the header. */
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

/* The header of the whole list, to be freed by the caller. */
static deer_status make_header(const deer_tensor_list *list, contents *c) {
  json_t *header = json_object();
  deer_status status = header ? fill_header(header, list) : no_memory();
  if (status == DEER_OK) status = print_header(header, c);
  json_decref(header);
  return status;
}

/* The data of one array, as it lies in memory. */
static deer_status write_item(const deer_named_tensor *item, void *file) {
  return deer_file_write(file, item->tensor.data, tensor_bytes(&item->tensor));
}

/* The whole file. */
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

/* What the header says about an array. */
typedef struct slot {
  const char *name;
  const file_type *type; // NULL until it is known
  deer_shape shape;
  uint64_t place[2]; // begin and end in the data
  int item;          // the place in the list
  bool has_shape, has_place;
} slot;

/* An entry of the metadata. */
typedef struct pair {
  const char *key;
  char *value;
} pair;

/* A file being read. Names, keys and values lie in `header`. */
typedef struct loader {
  int fd;
  char *header;
  uint64_t data_at, data_size; // where the data begins in the file
  slot *slots;
  pair *pairs;
  int n_slots, n_pairs;
  bool has_metadata;
} loader;

/* All of these bytes of the file, wherever it was read before. */
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

/* Makes room for one more than n elements; the old block stays valid when there is no memory. */
static void *grow(void *block, int n, size_t size) {
  size_t room = (size_t)n;
  // there is room up to the next power of two
  if (n > 0 && (room & (room - 1)) != 0) return block;
  return deer_realloc(block, (n > 0 ? 2 * room : 1) * size);
}

/* ---- the header, as it stands ---- */

/* "F32" */
static deer_status read_type(deer_json *json, slot *s) {
  char *name, shown[SHOWN];
  DEER_TRY(deer_json_string(json, &name));
  for (size_t t = 0; t < TYPES; t++)
    if (strcmp(types[t].name, name) == 0) s->type = &types[t];
  if (s->type) return DEER_OK;
  return deer_fail(DEER_EDATA, "dtype \"%s\" is none of F64, F32, I32, U8", show(name, shown));
}

/* [2, 3] */
static deer_status read_shape(deer_json *json, slot *s) {
  uint64_t dims[DEER_MAX_RANK];
  size_t rank;
  DEER_TRY(deer_json_numbers(json, dims, DEER_MAX_RANK, &rank));
  for (size_t i = 0; i < rank; i++) {
    if (dims[i] < 1 || dims[i] > INT32_MAX)
      return deer_fail(DEER_EDATA, "shape[%zu] is not from 1 to %d", i, INT32_MAX);
    s->shape.dim[i] = (int)dims[i];
  }
  s->shape.rank = (int)rank;
  s->has_shape = true;
  return deer_shape_check(&s->shape, "shape") == DEER_OK ? DEER_OK : DEER_EDATA;
}

/* [0, 24] */
static deer_status read_place(deer_json *json, slot *s) {
  size_t n;
  DEER_TRY(deer_json_numbers(json, s->place, 2, &n));
  s->has_place = true;
  return n == 2 ? DEER_OK : deer_fail(DEER_EDATA, "data_offsets are two numbers, got %zu", n);
}

/* One of the three members of a description, in any order. */
static deer_status read_member(deer_json *json, char *key, void *context) {
  slot *s = context;
  char shown[SHOWN];
  if (strcmp(key, "dtype") == 0 && !s->type) return read_type(json, s);
  if (strcmp(key, "shape") == 0 && !s->has_shape) return read_shape(json, s);
  if (strcmp(key, "data_offsets") == 0 && !s->has_place) return read_place(json, s);
  return deer_fail(DEER_EDATA, "\"%s\" is unknown or there twice", show(key, shown));
}

/* The place lies in the data and has the size that type and shape ask for. */
static deer_status check_slot(const slot *s, uint64_t data_size) {
  if (!s->type || !s->has_shape || !s->has_place)
    return deer_fail(DEER_EDATA, "dtype, shape or data_offsets is missing");
  uint64_t begin = s->place[0], end = s->place[1];
  if (end < begin || end > data_size)
    return deer_fail(DEER_EDATA, "data_offsets [%ju, %ju] are no part of %ju bytes of data",
                     (uintmax_t)begin, (uintmax_t)end, (uintmax_t)data_size);
  // fewer than 2^31 elements of at most 8 bytes
  uint64_t size = deer_shape_count(&s->shape) * s->type->size;
  char text[DEER_SHAPE_TEXT];
  if (end - begin == size) return DEER_OK;
  return deer_fail(DEER_EDATA, "%s of shape %s has %ju bytes, data_offsets say %ju", s->type->name,
                   deer_shape_text(&s->shape, text), (uintmax_t)size, (uintmax_t)(end - begin));
}

/* Notes an entry of the metadata. */
static deer_status read_pair(deer_json *json, char *key, void *context) {
  loader *l = context;
  char shown[SHOWN];
  pair *pairs = grow(l->pairs, l->n_pairs, sizeof *pairs);
  if (!pairs) return DEER_ENOMEM;
  l->pairs = pairs;
  pairs[l->n_pairs] = (pair){.key = key};
  if (deer_json_string(json, &pairs[l->n_pairs].value) != DEER_OK)
    return deer_fail(DEER_EDATA, "metadata \"%s\": %s", show(key, shown), deer_error());
  l->n_pairs++;
  return DEER_OK;
}

/* An array, or the metadata. */
static deer_status read_entry(deer_json *json, char *name, void *context) {
  loader *l = context;
  if (strcmp(name, METADATA) == 0) {
    if (l->has_metadata) return deer_fail(DEER_EDATA, "the metadata is there twice");
    l->has_metadata = true;
    return deer_json_object(json, read_pair, l);
  }
  // a new slot, filled by the members of the description
  slot *slots = grow(l->slots, l->n_slots, sizeof *slots);
  if (!slots) return DEER_ENOMEM;
  l->slots = slots;
  slot *s = &slots[l->n_slots];
  *s = (slot){.name = name, .item = l->n_slots++};
  deer_status status = deer_json_object(json, read_member, s);
  if (status == DEER_OK) status = check_slot(s, l->data_size);
  return status == DEER_OK ? DEER_OK : tensor_fail(status, name);
}

/* Reads the header of the open file and learns where the data is. */
static deer_status read_header(loader *l, uint64_t file_size) {
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
  // what follows is data
  l->data_at = LENGTH + length;
  l->data_size = file_size - l->data_at;
  // one byte more, which is 0, ends the text
  l->header = deer_alloc(length + 1);
  if (!l->header) return DEER_ENOMEM;
  DEER_TRY(read_at(l->fd, l->header, length, LENGTH));
  // some readers look no further than its first byte
  if (l->header[0] != '{') return deer_fail(DEER_EDATA, "its header does not begin with '{'");
  deer_json json = {l->header, l->header};
  deer_status status = deer_json_object(&json, read_entry, l);
  if (status == DEER_OK) status = deer_json_end(&json, length);
  return status == DEER_OK ? DEER_OK : deer_fail(status, "its header: %s", deer_error());
}

/* ---- the header, as a whole ---- */

static int by_name(const void *a, const void *b) {
  return strcmp(((const slot *)a)->name, ((const slot *)b)->name);
}

static int by_key(const void *a, const void *b) {
  return strcmp(((const pair *)a)->key, ((const pair *)b)->key);
}

static int by_place(const void *a, const void *b) {
  uint64_t x = ((const slot *)a)->place[0], y = ((const slot *)b)->place[0];
  return (x > y) - (x < y);
}

/* An empty array may be NULL here, but not for qsort. */
static void sort(void *array, int n, size_t size, int (*order)(const void *, const void *)) {
  if (n > 1) qsort(array, (size_t)n, size, order);
}

/* No name and no key is there twice. Leaves the metadata sorted by key. */
static deer_status check_names(loader *l) {
  char shown[SHOWN];
  sort(l->slots, l->n_slots, sizeof *l->slots, by_name);
  // sorted, the same ones are neighbours
  for (int i = 1; i < l->n_slots; i++)
    if (by_name(&l->slots[i - 1], &l->slots[i]) == 0) {
      deer_fail(DEER_EDATA, "the name is there twice");
      return tensor_fail(DEER_EDATA, l->slots[i].name);
    }
  sort(l->pairs, l->n_pairs, sizeof *l->pairs, by_key);
  for (int i = 1; i < l->n_pairs; i++)
    if (by_key(&l->pairs[i - 1], &l->pairs[i]) == 0)
      return deer_fail(DEER_EDATA, "metadata \"%s\" is there twice", show(l->pairs[i].key, shown));
  return DEER_OK;
}

/* Every byte of the data belongs to exactly one array. Leaves the slots sorted by place. */
static deer_status check_places(loader *l) {
  uint64_t at = 0;
  sort(l->slots, l->n_slots, sizeof *l->slots, by_place);
  for (int i = 0; i < l->n_slots; i++) {
    const slot *s = &l->slots[i];
    if (s->place[0] != at) {
      deer_fail(DEER_EDATA, "its data begins at %ju, the data before ends at %ju",
                (uintmax_t)s->place[0], (uintmax_t)at);
      return tensor_fail(DEER_EDATA, s->name);
    }
    at = s->place[1];
  }
  // and the last one ends the file
  if (at == l->data_size) return DEER_OK;
  return deer_fail(DEER_EDATA, "%ju bytes follow the last tensor", (uintmax_t)(l->data_size - at));
}

/* ---- the data ---- */

/* Reads real numbers of the size that is not the build's. */
static deer_status read_converted(int fd, deer_real *to, size_t count, uint64_t at) {
  enum { SIZE = sizeof(deer_real) == 4 ? 8 : 4, CHUNK = 512 };
  char bytes[CHUNK * SIZE];
  for (size_t done = 0; done < count;) {
    size_t n = count - done < CHUNK ? count - done : CHUNK;
    DEER_TRY(read_at(fd, bytes, n * SIZE, at + done * SIZE));
    for (size_t i = 0; i < n; i++, done++) {
      // the bytes need not be aligned
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

/* Fills the item from its place in the file. */
static deer_status read_tensor(const loader *l, const slot *s, deer_named_tensor *item) {
  item->name = deer_strdup(s->name);
  if (!item->name) return DEER_ENOMEM;
  DEER_TRY(deer_tensor_init(&item->tensor, s->type->dtype, &s->shape));
  uint64_t at = l->data_at + s->place[0];
  void *data = item->tensor.data;
  return has_type(&item->tensor, s->type)
             ? read_at(l->fd, data, s->place[1] - s->place[0], at)
             : read_converted(l->fd, data, deer_shape_count(&s->shape), at);
}

/* The arrays are read as they lie in the file, and stand in the order of the header. */
static deer_status read_tensors(const loader *l, deer_tensor_list *list) {
  list->items = deer_alloc_array((size_t)l->n_slots, sizeof *list->items);
  if (!list->items) return DEER_ENOMEM;
  list->n = l->n_slots;
  for (int i = 0; i < l->n_slots; i++) {
    const slot *s = &l->slots[i];
    deer_status status = read_tensor(l, s, &list->items[s->item]);
    if (status != DEER_OK) return tensor_fail(status, s->name);
  }
  return DEER_OK;
}

/* Keys and values get memory of their own, since the header goes. */
static deer_status copy_metadata(const loader *l, deer_tensor_list *list) {
  size_t n = (size_t)l->n_pairs;
  list->keys = deer_alloc_array(n, sizeof *list->keys);
  list->values = deer_alloc_array(n, sizeof *list->values);
  if (!list->keys || !list->values) return DEER_ENOMEM;
  for (int i = 0; i < l->n_pairs; i++) {
    list->n_metadata++;
    list->keys[i] = deer_strdup(l->pairs[i].key);
    list->values[i] = deer_strdup(l->pairs[i].value);
    if (!list->keys[i] || !list->values[i]) return DEER_ENOMEM;
  }
  return DEER_OK;
}

/* All is checked before anything is allocated for the data. */
static deer_status load_from(loader *l, deer_tensor_list *list) {
  struct stat st;
  if (fstat(l->fd, &st) != 0) return deer_fail(DEER_EIO, "%s", strerror(errno));
  if (!S_ISREG(st.st_mode))
    return deer_fail(DEER_EIO, S_ISDIR(st.st_mode) ? "Is a directory" : "not a regular file");
  DEER_TRY(read_header(l, (uint64_t)st.st_size));
  DEER_TRY(check_names(l));
  DEER_TRY(check_places(l));
  DEER_TRY(read_tensors(l, list));
  return copy_metadata(l, list);
}

deer_status deer_safetensors_load(const char *path, deer_tensor_list *list) {
  *list = (deer_tensor_list){0};
  // a pipe must not keep us waiting for somebody to write
  loader l = {.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (l.fd < 0) return deer_fail(DEER_EIO, "cannot read %s: %s", path, strerror(errno));
  deer_status status = load_from(&l, list);
  close(l.fd);
  deer_free(l.header);
  deer_free(l.slots);
  deer_free(l.pairs);
  if (status == DEER_OK) return DEER_OK;
  deer_tensor_list_finish(list);
  return deer_fail(status, "cannot read %s: %s", path, deer_error());
}
