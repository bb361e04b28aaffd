/* conv_input.c: x from w and y, in one of two ways:
 *
 *   taps   for each element of the window a product whose rows are positions and whose columns are
 *          channels; its result is added where the element lies
 *   lines  rows are channels, columns are neighbours in a line of x, the chain runs over filters
 * and window; y has zeros around it. For few channels and long lines, when strides are one. */
#include "tensor/conv_common.h"

#include <string.h>

/* at most this many columns at a time, as in conv_forward.c */
#define LINE 48

/* y with zeros for windows that begin outside of the picture */
static int wide_height(const deer_conv *c) { return c->out_h + 2 * (c->kernel_h - 1); }
static int wide_width(const deer_conv *c) { return c->out_w + 2 * (c->kernel_w - 1); }

static bool by_lines(const deer_conv *c) {
  const int tiles = (c->channels + 7) / 8 * 8;
  const double lines = busy(c->width) * c->channels / tiles;
  const double size = (double)c->filters * wide_height(c) * wide_width(c);
  return c->stride_h == 1 && c->stride_w == 1 && lines > busy(c->channels) && size < INT32_MAX;
}

typedef struct input {
  int32_t *y_row, *y_step;         /* taps: of positions and filters in y */
  int32_t *packed, *x_row;         /* taps: of filters in a packed tap, of positions in x */
  int32_t *w_row, *w_step, *plane; /* lines: of channels and of steps in w; of channels in x */
  deer_real *taps, *x, *y;
} input;

static input lay_out(const deer_conv *c, arena *a) {
  input b = {.y_step = NULL};
  if (by_lines(c)) {
    const int n = c->filters * c->kernel_h * c->kernel_w;
    b.w_row = take_table(a, c->channels);
    b.w_step = take_table(a, n);
    b.y_step = take_table(a, n);
    b.plane = take_table(a, c->channels);
    b.y = take_reals(a, (size_t)c->filters * (size_t)wide_height(c) * (size_t)wide_width(c));
    return b;
  }
  const size_t taps = (size_t)c->kernel_h * (size_t)c->kernel_w;
  const size_t pitch = (size_t)panel_at(0, c->channels).pitch;
  b.y_row = take_table(a, group_size(c) * positions(c));
  b.x_row = take_table(a, group_size(c) * positions(c));
  b.y_step = take_table(a, c->filters);
  b.packed = take_table(a, c->filters);
  b.taps = take_reals(a, taps * (size_t)c->filters * pitch);
  b.x = take_reals(a, (size_t)group_size(c) * (size_t)padded_plane(c) * pitch);
  return b;
}

size_t deer_conv_input_scratch(const deer_conv *shape) {
  arena a = {0};
  lay_out(shape, &a);
  return a.used;
}

/* ---- taps ---- */

/* channels of the panel side by side, for every filter, for every element (i, j) of the window */
static void pack_taps(const deer_conv_task *t, panel p, deer_real *to) {
  const deer_conv *c = &t->shape;
  const int taps = c->kernel_h * c->kernel_w;
  for (int f = 0; f < c->filters; f++)
    deer_transpose_block(
        &(deer_transposition){.rows = p.columns,
                              .columns = taps,
                              .from = t->w + ((ptrdiff_t)f * c->channels + p.first) * taps,
                              .from_row = taps,
                              .to = to + (ptrdiff_t)f * p.pitch,
                              .to_row = (ptrdiff_t)c->filters * p.pitch});
}

/* a group's pictures, channels side by side, from b->x into the result without the borders */
static void put_pictures(const deer_conv_task *t, const input *b, panel p,
                         const sample_range *samples) {
  const deer_conv *c = &t->shape;
  const ptrdiff_t line = (ptrdiff_t)padded_width(c) * p.pitch;
  /* without borders all lines are one */
  const int lines = is_padded(c) ? c->height : 1, n = c->height * c->width / lines;
  const deer_real *from = b->x + c->pad_h * line + (ptrdiff_t)c->pad_w * p.pitch;
  for (int s = samples->first; s < samples->end; s++, from += padded_height(c) * line)
    for (int y = 0; y < lines; y++)
      deer_conv_put(t, &(piece){.from = from + y * line,
                                .columns = p,
                                .sample = s,
                                .place = y * n,
                                .n = n,
                                .channels = c->channels,
                                .plane = c->height * c->width});
}

static void run_group(const deer_conv_task *t, const input *b, panel p,
                      const sample_range *samples) {
  const deer_conv *c = &t->shape;
  const int n = samples->end - samples->first;
  const deer_real *tap = b->taps;
  memset(b->x, 0, (size_t)n * (size_t)padded_plane(c) * (size_t)p.pitch * sizeof *b->x);
  for (int i = 0; i < c->kernel_h; i++)
    for (int j = 0; j < c->kernel_w; j++, tap += (ptrdiff_t)c->filters * p.pitch)
      deer_gather_gemm(
          &(deer_gather_product){.m = n * positions(c),
                                 .k = c->filters,
                                 .columns = p.columns,
                                 .a = t->y + (ptrdiff_t)samples->first * c->filters * positions(c),
                                 .a_row = b->y_row,
                                 .a_step = b->y_step,
                                 .b = tap,
                                 .b_step = b->packed,
                                 .c = b->x + (ptrdiff_t)(i * padded_width(c) + j) * p.pitch,
                                 .c_row = b->x_row,
                                 .c_unit = p.pitch,
                                 .add = true});
  put_pictures(t, b, p, samples);
}

static void run_taps(const deer_conv_task *t, const input *b, sample_range range) {
  const deer_conv *c = &t->shape;
  const int group = group_size(c), plane = positions(c);
  for (int s = 0; s < group; s++)
    for (int p = 0; p < plane; p++) b->y_row[s * plane + p] = s * c->filters * plane + p;
  deer_conv_fill_positions(c, group, padded_plane(c), c->out_w, b->x_row);
  fill_even(b->y_step, c->filters, plane);
  fill_even(b->packed, c->filters, panel_at(0, c->channels).pitch);
  for (int k = 0; k < c->channels; k += DEER_GATHER_COLUMNS) {
    const panel p = panel_at(k, c->channels);
    pack_taps(t, p, b->taps);
    for (int s = range.first; s < range.end; s += group)
      run_group(t, b, p, &(sample_range){s, least(s + group, range.end)});
  }
}

/* ---- lines ---- */

/* y of sample s between its zeros */
static void widen(const deer_conv_task *t, const input *b, int s) {
  const deer_conv *c = &t->shape;
  const int width = wide_width(c);
  const deer_real *from = t->y + (ptrdiff_t)s * c->filters * positions(c);
  deer_real *to = b->y + (c->kernel_h - 1) * width + c->kernel_w - 1;
  for (int f = 0; f < c->filters; f++, to += (ptrdiff_t)wide_height(c) * width)
    for (int y = 0; y < c->out_h; y++, from += c->out_w)
      memcpy(to + y * width, from, (size_t)c->out_w * sizeof *to);
}

/* line y of the picture of sample s */
static void run_line(const deer_conv_task *t, const input *b, int s, int y) {
  const deer_conv *c = &t->shape;
  const int pieces = (c->width + LINE - 1) / LINE;
  const int width = rounded((c->width + pieces - 1) / pieces);
  /* the window that has the line as its first, the element as its first */
  const deer_real *from = b->y + (ptrdiff_t)(y + c->pad_h + c->kernel_h - 1) * wide_width(c) +
                          c->pad_w + c->kernel_w - 1;
  for (int at = 0; at < c->width; at += width) {
    const ptrdiff_t place = s * sample_size(c) + y * c->width + at;
    deer_gather_gemm(&(deer_gather_product){.m = c->channels,
                                            .k = c->filters * c->kernel_h * c->kernel_w,
                                            .columns = least(width, c->width - at),
                                            .a = t->w,
                                            .a_row = b->w_row,
                                            .a_step = b->w_step,
                                            .b = from + at,
                                            .b_step = b->y_step,
                                            .c = t->out + place,
                                            .c_row = b->plane,
                                            .c_unit = 1,
                                            .finish = deer_conv_finish_at(t, place, 0)});
  }
}

static void run_lines(const deer_conv_task *t, const input *b, sample_range range) {
  const deer_conv *c = &t->shape;
  const int taps = c->kernel_h * c->kernel_w, wide = wide_height(c) * wide_width(c);
  fill_even(b->w_row, c->channels, taps);
  fill_even(b->plane, c->channels, c->height * c->width);
  for (int f = 0, k = 0; f < c->filters; f++)
    for (int i = 0; i < c->kernel_h; i++)
      for (int j = 0; j < c->kernel_w; j++, k++) {
        b->w_step[k] = f * c->channels * taps + i * c->kernel_w + j;
        b->y_step[k] = f * wide - i * wide_width(c) - j;
      }
  memset(b->y, 0, (size_t)c->filters * (size_t)wide * sizeof *b->y);
  for (int s = range.first; s < range.end; s++) {
    widen(t, b, s);
    for (int y = 0; y < c->height; y++) run_line(t, b, s, y);
  }
}

void deer_conv_input(const deer_conv_task *t) {
  const input b = lay_out(&t->shape, &(arena){.base = t->scratch});
  (by_lines(&t->shape) ? run_lines : run_taps)(t, &b, samples_of(t));
}
