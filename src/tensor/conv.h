/* conv.h: two-dimensional cross-correlation in its three directions; for graph/op/conv.c.
 *
 *   y[s, f, p] = sum over windows (c, i, j) of x[s, c, p * stride + (i, j) - pad] w[f, c, i, j]
 *
 * is linear in x and in w; the other two functions are its transposes. */
#ifndef DEER_CONV_H
#define DEER_CONV_H

#include "tensor/gather.h"

typedef struct deer_conv {
  int batch, channels, height, width;   /* of x [batch, channels, height, width] */
  int filters, kernel_h, kernel_w;      /* of w [filters, channels, kernel_h, kernel_w] */
  int stride_h, stride_w, pad_h, pad_w; /* zeros around x */
  int out_h, out_w;                     /* of y [batch, filters, out_h, out_w] */
} deer_conv;

/* What is done; each direction reads two of x, w and y and writes the third. */
typedef struct deer_conv_task {
  deer_conv shape;
  const void *x; /* reals, or uint8 when `bytes`, which stand for factor (x + term) */
  bool bytes;
  deer_real factor, term;
  const deer_real *w, *y;
  deer_real *out;
  deer_finish finish; /* of the result, the bias by channel; not done by deer_conv_filter */
  void *scratch;      /* as many bytes as the functions below say */
  /* does part `part` of `parts`, each with a scratch of its own; what comes out does not depend on
   * their number; 0 of 0 is all */
  int part, parts;
} deer_conv_task;

void deer_conv_forward(const deer_conv_task *task); /* y from x and w */
void deer_conv_input(const deer_conv_task *task);   /* x from w and y */
void deer_conv_filter(const deer_conv_task *task);  /* w from x and y */

size_t deer_conv_forward_scratch(const deer_conv *shape);
size_t deer_conv_input_scratch(const deer_conv *shape);
size_t deer_conv_filter_scratch(const deer_conv *shape);

/* There are at most this many filters, and elements in a window: tables count in 32 bits. */
#define DEER_CONV_MOST (1 << 24)

#endif
