/* safetensors.h: named arrays with a text header in one portable file: 8 bytes length, JSON, raw
 * little-endian data. Reading never executes anything and treats the file as hostile. */
#ifndef DEER_SAFETENSORS_H
#define DEER_SAFETENSORS_H

#include "tensor/tensor.h"

typedef struct deer_named_tensor {
  char *name; /* owned by the list */
  deer_tensor tensor;
} deer_named_tensor;

typedef struct deer_tensor_list {
  int n;
  deer_named_tensor *items;
  int n_metadata;
  char **keys, **values; /* metadata, sorted by key */
} deer_tensor_list;

/* Writes atomically (temporary file, fsync, rename): on failure DEER_EIO with path and reason, and
 * an old file of that name is intact. Names must differ. */
deer_status deer_safetensors_save(const char *path, const deer_tensor_list *list);

/* Fills `list`, to be freed with deer_tensor_list_finish. DEER_EIO when it cannot be read,
 * DEER_EDATA with what is wrong where when it is malformed: header over 100 MB, truncated,
 * duplicate names, offsets out of range, with holes or overlaps, sizes that do not match shape and
 * type, unknown types. F32, F64 (converted to the real type of the build), U8 and I32 are read. */
deer_status deer_safetensors_load(const char *path, deer_tensor_list *list);
void deer_tensor_list_finish(deer_tensor_list *list);

#endif
