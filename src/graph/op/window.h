/* window.h: how windows lie on a picture, for conv.c and pool.c. */
#ifndef DEER_OP_WINDOW_H
#define DEER_OP_WINDOW_H

#include "graph/op/internal.h"

/* Fails unless strides are at least 1 and padding at least 0. */
static inline deer_status check_window(deer_window w) {
  if (w.stride_h < 1 || w.stride_w < 1)
    return deer_fail(DEER_EINVAL, "strides must be at least 1, got %d and %d", w.stride_h,
                     w.stride_w);
  /* far below the largest int, so that sums of a few of them cannot overflow */
  if (w.pad_h < 0 || w.pad_w < 0 || w.pad_h > (1 << 24) || w.pad_w > (1 << 24))
    return deer_fail(DEER_EINVAL, "padding must be 0 to %d, got %d and %d", 1 << 24, w.pad_h,
                     w.pad_w);
  return DEER_OK;
}

/* The shape of a picture of rank 4 with its padding. */
static inline deer_shape padded_shape(const deer_shape *x, deer_window w) {
  deer_shape padded = *x;
  /* what does not fit into an int is a dimension that deer_shape_check refuses */
  const int64_t height = (int64_t)x->dim[2] + 2 * w.pad_h, width = (int64_t)x->dim[3] + 2 * w.pad_w;
  padded.dim[2] = height > INT32_MAX ? 0 : (int)height;
  padded.dim[3] = width > INT32_MAX ? 0 : (int)width;
  return padded;
}

#endif
