/* tensor.c: element types, shapes and dense arrays. */
#include "tensor/tensor.h"

#include "tensor/target.h"

#include <stdio.h>

size_t deer_dtype_size(deer_dtype dtype) {
  switch (dtype) {
  case DEER_DTYPE_REAL:
    return sizeof(deer_real);
  case DEER_DTYPE_U8:
    return sizeof(uint8_t);
  case DEER_DTYPE_I32:
    return sizeof(int32_t);
  }
  return 0;
}

const char *deer_dtype_name(deer_dtype dtype) {
  switch (dtype) {
  case DEER_DTYPE_REAL:
    return sizeof(deer_real) == sizeof(float) ? "float32" : "float64";
  case DEER_DTYPE_U8:
    return "uint8";
  case DEER_DTYPE_I32:
    return "int32";
  }
  return "unknown";
}

size_t deer_shape_count(const deer_shape *shape) {
  size_t count = 1;
  for (int i = 0; i < shape->rank; i++) count *= (size_t)shape->dim[i];
  return count;
}

bool deer_shape_equal(const deer_shape *a, const deer_shape *b) {
  if (a->rank != b->rank) return false;
  for (int i = 0; i < a->rank; i++)
    if (a->dim[i] != b->dim[i]) return false;
  return true;
}

deer_status deer_shape_check(const deer_shape *shape, const char *what) {
  if (shape->rank < 0 || shape->rank > DEER_MAX_RANK)
    return deer_fail(DEER_ESHAPE, "%s: a shape has 0 to %d axes, got %d", what, DEER_MAX_RANK,
                     shape->rank);
  /* the count stays below 2^31 at every step, so its product with one more int cannot overflow */
  int64_t count = 1;
  char text[DEER_SHAPE_TEXT];
  for (int i = 0; i < shape->rank; i++) {
    if (shape->dim[i] < 1)
      return deer_fail(DEER_ESHAPE, "%s: every dimension must be at least 1, got %s", what,
                       deer_shape_text(shape, text));
    count *= shape->dim[i];
    if (count > INT32_MAX)
      return deer_fail(DEER_ESHAPE, "%s: %s has more than %d elements", what,
                       deer_shape_text(shape, text), INT32_MAX);
  }
  return DEER_OK;
}

char *deer_shape_text(const deer_shape *shape, char text[DEER_SHAPE_TEXT]) {
  size_t used = (size_t)snprintf(text, DEER_SHAPE_TEXT, "[");
  /* six ints of eleven characters and their commas always fit */
  for (int i = 0; i < shape->rank && i < DEER_MAX_RANK; i++)
    used += (size_t)snprintf(text + used, DEER_SHAPE_TEXT - used, i ? ", %d" : "%d", shape->dim[i]);
  snprintf(text + used, DEER_SHAPE_TEXT - used, "]");
  return text;
}

deer_status deer_tensor_init(deer_tensor *tensor, deer_dtype dtype, const deer_shape *shape) {
  *tensor = (deer_tensor){0};
  DEER_TRY(deer_shape_check(shape, "tensor"));
  void *data = deer_alloc_array(deer_shape_count(shape), deer_dtype_size(dtype));
  if (!data) return DEER_ENOMEM;
  *tensor = (deer_tensor){.dtype = dtype, .shape = *shape, .data = data, .owned = true};
  return DEER_OK;
}

deer_tensor deer_tensor_wrap(deer_dtype dtype, deer_shape shape, void *data) {
  return (deer_tensor){.dtype = dtype, .shape = shape, .data = data, .owned = false};
}

void deer_tensor_finish(deer_tensor *tensor) {
  if (tensor->owned) deer_free(tensor->data);
  *tensor = (deer_tensor){0};
}

/* ---- the CPU ---- */

static int allowed_level = 2;

void deer_cpu_allow(int level) { allowed_level = level; }

int deer_cpu_level(void) {
#ifdef DEER_HAVE_TARGETS
  if (allowed_level >= 2 && __builtin_cpu_supports("avx512f") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl"))
    return 2;
  if (allowed_level >= 1 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return 1;
#endif
  return 0;
}
