/* tensor.h: element types, shapes and dense arrays. Everything is row-major and contiguous. */
#ifndef DEER_TENSOR_H
#define DEER_TENSOR_H

#include "base/base.h"

#define DEER_MAX_RANK 6

typedef enum deer_dtype { DEER_DTYPE_REAL, DEER_DTYPE_U8, DEER_DTYPE_I32 } deer_dtype;

/* Rank 0 is a scalar. Every dimension is at least 1. */
typedef struct deer_shape {
  int rank;
  int dim[DEER_MAX_RANK];
} deer_shape;

/* A shape written in place: DEER_SHAPE(32, 4). The scalar is DEER_SCALAR. */
#define DEER_SHAPE(...)                                                                            \
  ((deer_shape){.rank = (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)), .dim = {__VA_ARGS__}})
#define DEER_SCALAR ((deer_shape){.rank = 0})

size_t deer_dtype_size(deer_dtype dtype);      /* bytes of one element */
const char *deer_dtype_name(deer_dtype dtype); /* "float32" (or "float64"), "uint8", "int32" */

size_t deer_shape_count(const deer_shape *shape); /* number of elements; 1 for a scalar */
bool deer_shape_equal(const deer_shape *a, const deer_shape *b);

/* Fails with DEER_ESHAPE when the rank is over DEER_MAX_RANK, a dimension is below 1, or the
 * element count does not fit in 31 bits. `what` opens the message. */
deer_status deer_shape_check(const deer_shape *shape, const char *what);

/* Writes "[32, 4]" ("[]" for a scalar) into `text`; returns `text`. */
#define DEER_SHAPE_TEXT 96
char *deer_shape_text(const deer_shape *shape, char text[DEER_SHAPE_TEXT]);

/* A dense array. `data` belongs to the tensor unless it was made by deer_tensor_wrap. */
typedef struct deer_tensor {
  deer_dtype dtype;
  deer_shape shape;
  void *data;
  bool owned;
} deer_tensor;

/* A zeroed tensor; fails with DEER_ESHAPE or DEER_ENOMEM and leaves `tensor` empty. */
deer_status deer_tensor_init(deer_tensor *tensor, deer_dtype dtype, const deer_shape *shape);

/* A tensor over memory of somebody else, who keeps it alive. */
deer_tensor deer_tensor_wrap(deer_dtype dtype, deer_shape shape, void *data);

/* Frees the data if owned; may be called twice. */
void deer_tensor_finish(deer_tensor *tensor);

/* ---- the CPU ---- */

/* 2 where the CPU has AVX-512 (F, DQ, BW, VL), 1 where it has AVX2 and FMA, else 0. */
int deer_cpu_level(void);

/* For tests: no level above this one from now on. */
void deer_cpu_allow(int level);

#endif
