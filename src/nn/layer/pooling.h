/* pooling.h: the options that maxpool and avgpool share. */
#ifndef DEER_LAYER_POOLING_H
#define DEER_LAYER_POOLING_H

#include "nn/layer.h"

typedef struct pooling {
  int64_t rows, columns, stride_rows, stride_columns, pad_rows, pad_columns;
} pooling;

static const deer_field fields[] = {
    {"rows", DEER_FIELD_INT, offsetof(pooling, rows), .fallback = 2, .min = 1, .max = 1024,
     .help = "height of the window"},
    {"columns", DEER_FIELD_INT, offsetof(pooling, columns), .fallback = 2, .min = 1, .max = 1024,
     .help = "width of the window"},
    {"stride_rows", DEER_FIELD_INT, offsetof(pooling, stride_rows), .fallback = 0, .min = 0,
     .max = 1024, .help = "rows between windows; 0: as many as a window has"},
    {"stride_columns", DEER_FIELD_INT, offsetof(pooling, stride_columns), .fallback = 0, .min = 0,
     .max = 1024, .help = "columns between windows; 0: as many as a window has"},
    {"pad_rows", DEER_FIELD_INT, offsetof(pooling, pad_rows), .fallback = 0, .min = 0, .max = 1023,
     .help = "rows added above and below"},
    {"pad_columns", DEER_FIELD_INT, offsetof(pooling, pad_columns), .fallback = 0, .min = 0,
     .max = 1023, .help = "columns added left and right"},
    {0}};

static inline deer_window pooling_window(const pooling *o) {
  return (deer_window){(int)(o->stride_rows ? o->stride_rows : o->rows),
                       (int)(o->stride_columns ? o->stride_columns : o->columns), (int)o->pad_rows,
                       (int)o->pad_columns};
}

#endif
