/* conv.c: convolutions as products of gathered rows (gather.h): no matrix of windows is ever made.
 *
 *   forward  rows are positions, the chain runs over the window, columns are filters
 *   filter   rows are elements of the window, the chain runs over positions, columns are filters
 *   input    for each element of the window: rows are positions, the chain runs over filters,
 *            columns are channels, and the results are added where the element lies
 *
 * Columns come in panels of up to DEER_GATHER_COLUMNS, positions in groups of whole samples. */
#include "tensor/conv.h"

#include <string.h>

/* Positions worked on at a time: their results stay in the first cache, and the last tile of rows
 * is full, since 6 and 8 divide it. */
#define CHUNK 144

/* ---- geometry ---- */

static int positions(const deer_conv *c) { return c->out_h * c->out_w; }
static int window(const deer_conv *c) { return c->channels * c->kernel_h * c->kernel_w; }
static int padded_height(const deer_conv *c) { return c->height + 2 * c->pad_h; }
static int padded_width(const deer_conv *c) { return c->width + 2 * c->pad_w; }
static int padded_plane(const deer_conv *c) { return padded_height(c) * padded_width(c); }
static bool is_padded(const deer_conv *c) { return c->pad_h > 0 || c->pad_w > 0; }

static size_t sample_size(const deer_conv *c) {
  return (size_t)c->channels * (size_t)c->height * (size_t)c->width;
}

/* whole samples that have a chunk of positions between them */
static int group_size(const deer_conv *c) {
  const int samples = (CHUNK + positions(c) - 1) / positions(c);
  return samples < c->batch ? samples : c->batch;
}

static int least(int a, int b) { return a < b ? a : b; }

/* columns as the product wants them */
static int rounded(int columns) {
  return (columns + DEER_GATHER_WIDTH - 1) / DEER_GATHER_WIDTH * DEER_GATHER_WIDTH;
}

/* columns `first`... of all, `width` with those that fill up */
typedef struct panel {
  int first, columns, width;
} panel;

static panel panel_at(int first, int all) {
  const int columns = least(all - first, DEER_GATHER_COLUMNS);
  return (panel){first, columns, rounded(columns)};
}

/* ---- scratch: the same walk measures and hands out ---- */

typedef struct arena {
  char *base; /* NULL: only measured */
  size_t used;
} arena;

static void *take(arena *a, size_t count, size_t size) {
  void *block = a->base ? a->base + a->used : NULL;
  a->used += (count * size + 63) / 64 * 64;
  return block;
}

static deer_real *take_reals(arena *a, size_t rows, int columns) {
  return take(a, rows * (size_t)columns, sizeof(deer_real));
}

static int32_t *take_table(arena *a, int n) { return take(a, (size_t)n, sizeof(int32_t)); }

/* ---- tables ---- */

/* where the window of each position of `samples` samples begins in padded pictures of `sample`
 * elements */
static void fill_rows(const deer_conv *c, int samples, int sample, int32_t *row) {
  const int width = padded_width(c);
  for (int s = 0; s < samples; s++)
    for (int y = 0; y < c->out_h; y++)
      for (int x = 0; x < c->out_w; x++)
        *row++ = s * sample + y * c->stride_h * width + x * c->stride_w;
}

/* where the elements of a window lie from its beginning */
static void fill_window(const deer_conv *c, int32_t *step) {
  for (int k = 0; k < c->channels; k++)
    for (int i = 0; i < c->kernel_h; i++)
      for (int j = 0; j < c->kernel_w; j++) *step++ = k * padded_plane(c) + i * padded_width(c) + j;
}

/* ---- pictures: read where they are, or copied to have zeros around them or to become reals ----
 */

static bool is_copied(const deer_conv_task *t) { return t->bytes || is_padded(&t->shape); }

/* room for one group; its borders are zero from the start */
static deer_real *take_pictures(arena *a, const deer_conv *c) {
  const size_t n = (size_t)c->channels * (size_t)padded_plane(c);
  return take_reals(a, (size_t)group_size(c) * n, 1);
}

static void copy_reals(const deer_conv_task *t, size_t first, size_t n, deer_real *to) {
  if (t->bytes)
    deer_reals_of_bytes((const uint8_t *)t->x + first, n, t->factor, t->term, to);
  else
    memcpy(to, (const deer_real *)t->x + first, n * sizeof *to);
}

/* `samples` samples from `first` on; `room` is that of take_pictures */
static const deer_real *pictures(const deer_conv_task *t, int first, int samples, deer_real *room) {
  const deer_conv *c = &t->shape;
  const size_t from = (size_t)first * sample_size(c), width = (size_t)c->width;
  if (!is_copied(t)) return (const deer_real *)t->x + from;
  if (!is_padded(c)) {
    copy_reals(t, from, (size_t)samples * sample_size(c), room);
    return room;
  }
  deer_real *plane = room + c->pad_h * padded_width(c) + c->pad_w;
  for (int k = 0; k < samples * c->channels; k++, plane += padded_plane(c))
    for (int y = 0; y < c->height; y++)
      copy_reals(t, from + (size_t)(k * c->height + y) * width, width, plane + y * padded_width(c));
  return room;
}

static void clear(deer_real *x, size_t n) { memset(x, 0, n * sizeof *x); }

static void clear_borders(const deer_conv *c, deer_real *room) {
  if (is_padded(c)) clear(room, (size_t)(group_size(c) * c->channels) * (size_t)padded_plane(c));
}

/* ---- results ---- */

/* `n` neighbours of a plane of one sample, all columns of a panel, lying as rows in `from` */
typedef struct piece {
  const deer_real *from;
  panel columns;
  int sample, place, n;
} piece;

/* into the result, which has `channels` planes of `plane` elements in a sample */
static void put_piece(const deer_conv_task *t, const piece *p, int channels, int plane) {
  const ptrdiff_t first = (ptrdiff_t)p->sample * channels + p->columns.first;
  const ptrdiff_t at = first * plane + p->place;
  const deer_finish *f = &t->finish;
  deer_transpose_block(
      &(deer_transposition){.rows = p->n,
                            .columns = p->columns.columns,
                            .from = p->from,
                            .from_row = p->columns.width,
                            .to = t->out + at,
                            .to_row = plane,
                            .finish = {.bias = f->bias ? f->bias + p->columns.first : NULL,
                                       .relu = f->relu,
                                       .gate = f->gate ? f->gate + at : NULL}});
}

/* ---- chunks: positions of a group, cut where a sample ends ---- */

typedef struct chunk {
  int sample, place; /* of the first position */
  int n;             /* positions up to the end of the sample, or of what is wanted */
} chunk;

static chunk chunk_at(const deer_conv *c, int position, int end) {
  const int place = position % positions(c);
  return (chunk){position / positions(c), place, least(positions(c) - place, end - position)};
}

/* ---- forward ---- */

typedef struct forward {
  int32_t *row, *step;
  deer_real *panel, *tile, *room;
} forward;

static forward lay_out_forward(const deer_conv *c, arena *a) {
  return (forward){.row = take_table(a, group_size(c) * positions(c)),
                   .step = take_table(a, window(c)),
                   .panel = take_reals(a, (size_t)window(c), rounded(c->filters)),
                   .tile = take_reals(a, CHUNK, DEER_GATHER_COLUMNS),
                   .room = take_pictures(a, c)};
}

size_t deer_conv_forward_scratch(const deer_conv *shape) {
  arena a = {0};
  lay_out_forward(shape, &a);
  return a.used;
}

/* filters side by side, so that each step of the chain finds its element of all of them */
static void pack_filters(const deer_conv_task *t, deer_real *to) {
  const deer_conv *c = &t->shape;
  const int n = window(c);
  if (c->filters % DEER_GATHER_WIDTH) clear(to, (size_t)n * (size_t)rounded(c->filters));
  for (int f = 0; f < c->filters; f += DEER_GATHER_COLUMNS) {
    const panel p = panel_at(f, c->filters);
    deer_transpose_block(&(deer_transposition){.rows = p.columns,
                                               .columns = n,
                                               .from = t->w + (ptrdiff_t)f * n,
                                               .from_row = n,
                                               .to = to + (ptrdiff_t)f * n,
                                               .to_row = p.width});
  }
}

/* positions of a group from `from` to `to`, all filters of one panel */
static void forward_chunk(const deer_conv_task *t, const forward *b, const deer_real *x, panel p,
                          int first, const int span[2]) {
  const deer_conv *c = &t->shape;
  const int n = window(c);
  deer_gather_gemm(&(deer_gather_product){.m = span[1] - span[0],
                                          .k = n,
                                          .columns = p.width,
                                          .a = x,
                                          .a_row = b->row + span[0],
                                          .a_step = b->step,
                                          .b = b->panel + (ptrdiff_t)p.first * n,
                                          .c = b->tile});
  const deer_real *from = b->tile;
  for (int at = span[0]; at < span[1];) {
    const chunk k = chunk_at(c, at, span[1]);
    put_piece(t, &(piece){from, p, first + k.sample, k.place, k.n}, c->filters, positions(c));
    from += k.n * p.width;
    at += k.n;
  }
}

void deer_conv_forward(const deer_conv_task *t) {
  const deer_conv *c = &t->shape;
  const forward b = lay_out_forward(c, &(arena){.base = t->scratch});
  const int group = group_size(c);
  fill_rows(c, group, c->channels * padded_plane(c), b.row);
  fill_window(c, b.step);
  pack_filters(t, b.panel);
  clear_borders(c, b.room);
  for (int s = 0; s < c->batch; s += group) {
    const int samples = least(group, c->batch - s), end = samples * positions(c);
    const deer_real *x = pictures(t, s, samples, b.room);
    for (int f = 0; f < c->filters; f += DEER_GATHER_COLUMNS)
      for (int at = 0; at < end; at += CHUNK)
        forward_chunk(t, &b, x, panel_at(f, c->filters), s, (int[]){at, least(at + CHUNK, end)});
  }
}

/* ---- filter ---- */

typedef struct filter {
  int32_t *row, *step;
  deer_real *y, *sum, *room;
} filter;

static filter lay_out_filter(const deer_conv *c, arena *a) {
  return (filter){.row = take_table(a, group_size(c) * positions(c)),
                  .step = take_table(a, window(c)),
                  .y = take_reals(a, CHUNK, DEER_GATHER_COLUMNS),
                  .sum = take_reals(a, (size_t)window(c), rounded(c->filters)),
                  .room = take_pictures(a, c)};
}

size_t deer_conv_filter_scratch(const deer_conv *shape) {
  arena a = {0};
  lay_out_filter(shape, &a);
  return a.used;
}

/* adds what positions of a group from span[0] to span[1] say about the filters of one panel */
static void filter_chunk(const deer_conv_task *t, const filter *b, const deer_real *x, panel p,
                         int first, const int span[2]) {
  const deer_conv *c = &t->shape;
  deer_real *to = b->y;
  if (p.columns < p.width) clear(to, (size_t)((span[1] - span[0]) * p.width));
  for (int at = span[0]; at < span[1];) {
    const chunk k = chunk_at(c, at, span[1]);
    const ptrdiff_t plane = (ptrdiff_t)(first + k.sample) * c->filters + p.first;
    deer_transpose_block(&(deer_transposition){.rows = p.columns,
                                               .columns = k.n,
                                               .from = t->y + plane * positions(c) + k.place,
                                               .from_row = positions(c),
                                               .to = to,
                                               .to_row = p.width});
    to += k.n * p.width;
    at += k.n;
  }
  deer_gather_gemm(&(deer_gather_product){.m = window(c),
                                          .k = span[1] - span[0],
                                          .columns = p.width,
                                          .a = x,
                                          .a_row = b->step,
                                          .a_step = b->row + span[0],
                                          .b = b->y,
                                          .c = b->sum + (ptrdiff_t)p.first * window(c),
                                          .add = first + span[0] > 0});
}

void deer_conv_filter(const deer_conv_task *t) {
  const deer_conv *c = &t->shape;
  const filter b = lay_out_filter(c, &(arena){.base = t->scratch});
  const int group = group_size(c), n = window(c);
  fill_rows(c, group, c->channels * padded_plane(c), b.row);
  fill_window(c, b.step);
  clear_borders(c, b.room);
  for (int s = 0; s < c->batch; s += group) {
    const int samples = least(group, c->batch - s), end = samples * positions(c);
    const deer_real *x = pictures(t, s, samples, b.room);
    for (int f = 0; f < c->filters; f += DEER_GATHER_COLUMNS)
      for (int at = 0; at < end; at += CHUNK)
        filter_chunk(t, &b, x, panel_at(f, c->filters), s, (int[]){at, least(at + CHUNK, end)});
  }
  for (int f = 0; f < c->filters; f += DEER_GATHER_COLUMNS) {
    const panel p = panel_at(f, c->filters);
    deer_transpose_block(&(deer_transposition){.rows = n,
                                               .columns = p.columns,
                                               .from = b.sum + (ptrdiff_t)f * n,
                                               .from_row = p.width,
                                               .to = t->out + (ptrdiff_t)f * n,
                                               .to_row = n});
  }
}

/* ---- input ---- */

typedef struct input {
  int32_t *y_row, *y_step, *x_row;
  deer_real *panel, *x;
} input;

static input lay_out_input(const deer_conv *c, arena *a) {
  const size_t taps = (size_t)c->kernel_h * (size_t)c->kernel_w;
  const int width = rounded(least(c->channels, DEER_GATHER_COLUMNS));
  return (input){.y_row = take_table(a, group_size(c) * positions(c)),
                 .y_step = take_table(a, c->filters),
                 .x_row = take_table(a, group_size(c) * positions(c)),
                 .panel = take_reals(a, taps * (size_t)c->filters, width),
                 .x = take_reals(a, (size_t)group_size(c) * (size_t)padded_plane(c), width)};
}

size_t deer_conv_input_scratch(const deer_conv *shape) {
  arena a = {0};
  lay_out_input(shape, &a);
  return a.used;
}

/* channels of the panel side by side, for every filter, for every element (i, j) of the window */
static void pack_taps(const deer_conv_task *t, panel p, deer_real *to) {
  const deer_conv *c = &t->shape;
  const int taps = c->kernel_h * c->kernel_w;
  if (p.columns < p.width) clear(to, (size_t)taps * (size_t)c->filters * (size_t)p.width);
  for (int f = 0; f < c->filters; f++)
    deer_transpose_block(
        &(deer_transposition){.rows = p.columns,
                              .columns = taps,
                              .from = t->w + ((ptrdiff_t)f * c->channels + p.first) * taps,
                              .from_row = taps,
                              .to = to + (ptrdiff_t)f * p.width,
                              .to_row = (ptrdiff_t)c->filters * p.width});
}

/* a group's pictures, channels side by side, from b->x into the result without the borders */
static void put_pictures(const deer_conv_task *t, const input *b, panel p, int first, int samples) {
  const deer_conv *c = &t->shape;
  const int row = padded_width(c) * p.width, plane = c->height * c->width;
  const deer_real *from = b->x + c->pad_h * row + c->pad_w * p.width;
  for (int s = 0; s < samples; s++, from += (ptrdiff_t)padded_plane(c) * p.width) {
    if (!is_padded(c)) {
      put_piece(t, &(piece){from, p, first + s, 0, plane}, c->channels, plane);
      continue;
    }
    for (int y = 0; y < c->height; y++)
      put_piece(t, &(piece){from + y * row, p, first + s, y * c->width, c->width}, c->channels,
                plane);
  }
}

static void input_group(const deer_conv_task *t, const input *b, panel p, int first, int samples) {
  const deer_conv *c = &t->shape;
  clear(b->x, (size_t)samples * (size_t)padded_plane(c) * (size_t)p.width);
  const deer_real *tap = b->panel;
  for (int i = 0; i < c->kernel_h; i++)
    for (int j = 0; j < c->kernel_w; j++, tap += (ptrdiff_t)c->filters * p.width)
      deer_gather_gemm(
          &(deer_gather_product){.m = samples * positions(c),
                                 .k = c->filters,
                                 .columns = p.width,
                                 .a = t->y + (ptrdiff_t)first * c->filters * positions(c),
                                 .a_row = b->y_row,
                                 .a_step = b->y_step,
                                 .b = tap,
                                 .c = b->x + (i * padded_width(c) + j) * p.width,
                                 .c_row = b->x_row,
                                 .add = true});
  put_pictures(t, b, p, first, samples);
}

/* where each position of a group lies in y */
static void fill_y_rows(const deer_conv *c, int samples, int32_t *row) {
  for (int s = 0; s < samples; s++)
    for (int p = 0; p < positions(c); p++) *row++ = s * c->filters * positions(c) + p;
}

void deer_conv_input(const deer_conv_task *t) {
  const deer_conv *c = &t->shape;
  const input b = lay_out_input(c, &(arena){.base = t->scratch});
  const int group = group_size(c);
  fill_y_rows(c, group, b.y_row);
  fill_rows(c, group, padded_plane(c), b.x_row);
  for (int f = 0; f < c->filters; f++) b.y_step[f] = f * positions(c);
  for (int k = 0; k < c->channels; k += DEER_GATHER_COLUMNS) {
    const panel p = panel_at(k, c->channels);
    pack_taps(t, p, b.panel);
    for (int s = 0; s < c->batch; s += group) input_group(t, &b, p, s, least(group, c->batch - s));
  }
}
