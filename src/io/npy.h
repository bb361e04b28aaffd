/* npy.h: arrays in numpy's files (.npy, versions 1 to 3). Reading treats the file as hostile and
 * never executes anything. */
#ifndef DEER_NPY_H
#define DEER_NPY_H

#include "tensor/tensor.h"

typedef enum deer_npy_type {
  DEER_NPY_BOOL,
  DEER_NPY_U8,
  DEER_NPY_I32,
  DEER_NPY_I64,
  DEER_NPY_F32,
  DEER_NPY_F64
} deer_npy_type;

/* A file in memory. Its elements stay as they are there, in either byte order, by rows or by
 * columns (Fortran); the functions below see them by rows. */
typedef struct deer_npy {
  deer_npy_type type;
  deer_shape shape;
  bool by_columns, swapped;
  const char *data;
  char *file; /* owned */
} deer_npy;

/* Reads bool, u1, i4, i8, f4 and f8. DEER_EIO when the file cannot be read; DEER_EDATA with what is
 * wrong when it is malformed, of another type, empty, shorter or longer than it says. To be freed
 * with deer_npy_finish. */
deer_status deer_npy_load(const char *path, deer_npy *array);
void deer_npy_finish(deer_npy *array);

bool deer_npy_whole(const deer_npy *array); /* its numbers are integers (or truth values) */

/* Element i, counted by rows (the last axis runs first). The integer is exact; for the types that
 * are not whole it is undefined. */
double deer_npy_number(const deer_npy *array, size_t i);
int64_t deer_npy_integer(const deer_npy *array, size_t i);

/* What a tensor of it holds: bytes for bool and u1, i32 for i4 and i8, real numbers else. */
deer_dtype deer_npy_dtype(const deer_npy *array);

/* Copies the elements into a tensor of that type and of the same shape. DEER_EDATA when a number is
 * too large for it. */
deer_status deer_npy_fill(const deer_npy *array, const deer_tensor *tensor);

/* Writes a tensor, by rows, as f4 (f8 in a build of doubles), u1 or i4; atomically. DEER_EIO with
 * path and reason. */
deer_status deer_npy_save(const char *path, const deer_tensor *tensor);

#endif
