/* conv_filter.c: w from x and y. Rows of the product are elements of the window, the chain runs
 * over the positions of all samples, columns are filters.
 *
 * Few filters leave vectors half empty, so neighbours in a line of the window may share a row: the
 * element of x that meets y[p] for the window's element j meets y[p - 1] for the element one stride
 * farther. With y as rows of filters and zeros between the lines, y[p - 1] and y[p] lie side by
 * side in memory already: a row of the product takes `shifts` of them. */
#include "tensor/conv_common.h"

#include <string.h>

typedef struct filter {
  int shifts, width;  /* elements that share a row; positions of a line, with those that are zero */
  int rows;           /* of the product */
  int pitch_y, pitch; /* elements of a row of y, of a row of sums */
  int32_t *position, *row, *y_step;
  deer_real *y, *sums, *room;
} filter;

/* as many as divide the window and keep the CPU busiest */
static int best_shifts(const deer_conv *c) {
  if (c->kernel_w % c->stride_w != 0) return 1;
  const int most = c->kernel_w / c->stride_w;
  int best = 1;
  double highest = busy(least(c->filters, DEER_GATHER_COLUMNS));
  for (int n = 2; n <= most && n * c->filters <= DEER_GATHER_COLUMNS; n++) {
    const double rate = busy(n * c->filters) * c->out_w / (c->out_w + n - 1);
    const double line = (double)(c->out_w + n) * c->filters;
    if (most % n != 0 || rate <= highest || line > INT32_MAX) continue;
    best = n;
    highest = rate;
  }
  return best;
}

/* positions of a chunk: whole lines where there are zeros between them */
static int chunk_size(const filter *b) {
  if (b->shifts == 1) return CHUNK;
  return b->width > CHUNK ? b->width : CHUNK / b->width * b->width;
}

static filter lay_out(const deer_conv *c, arena *a) {
  filter b = {.shifts = best_shifts(c)};
  const panel p = panel_at(0, c->filters);
  b.width = c->out_w + b.shifts - 1;
  b.rows = window(c) / b.shifts;
  b.pitch_y = b.shifts == 1 ? p.pitch : c->filters;
  b.pitch = b.shifts == 1 ? p.pitch : rounded(b.shifts * c->filters);
  const size_t panels = panels_width(c->filters) / (size_t)p.pitch;
  const size_t chunk = (size_t)(chunk_size(&b) + b.shifts);
  b.position = take_table(a, group_size(c) * c->out_h * b.width);
  b.row = take_table(a, b.rows);
  b.y_step = take_table(a, chunk_size(&b));
  b.y = take_reals(a, chunk * (size_t)b.pitch_y);
  b.sums = take_reals(a, panels * (size_t)b.rows * (size_t)b.pitch);
  b.room = deer_conv_take_room(a, c);
  return b;
}

size_t deer_conv_filter_scratch(const deer_conv *shape) {
  arena a = {0};
  lay_out(shape, &a);
  return a.used;
}

/* where the first of the elements that share a row lies in the window: j of its line, counted so
 * that those of one stride come first */
static int first_column(const deer_conv *c, const filter *b, int of_line) {
  return of_line / c->stride_w * c->stride_w * b->shifts + of_line % c->stride_w;
}

/* ---- y, filters side by side ---- */

/* n positions of sample s from `place` on, to row `row` */
static void turn_y(const deer_conv_task *t, const filter *b, panel p, const int at[4]) {
  const deer_conv *c = &t->shape;
  const int s = at[0], place = at[1], n = at[2], row = at[3];
  const ptrdiff_t plane = (ptrdiff_t)s * c->filters + p.first;
  deer_transpose_block(&(deer_transposition){.rows = p.columns,
                                             .columns = n,
                                             .from = t->y + plane * positions(c) + place,
                                             .from_row = positions(c),
                                             .to = b->y + (ptrdiff_t)row * b->pitch_y,
                                             .to_row = b->pitch_y});
}

/* positions span[1]..span[2] of the group that begins with sample span[0] */
static void turn_chunk(const deer_conv_task *t, const filter *b, panel p, const int span[3]) {
  const deer_conv *c = &t->shape;
  const int s = span[0], first = span[1], end = span[2];
  if (b->shifts == 1) {
    const int plane = positions(c);
    for (int at = first, n; at < end; at += n) {
      n = least(plane - at % plane, end - at);
      turn_y(t, b, p, (int[]){s + at / plane, at % plane, n, at - first});
    }
    return;
  }
  for (int at = first; at < end; at += b->width) {
    const int line = at / b->width, y = line % c->out_h;
    turn_y(t, b, p,
           (int[]){s + line / c->out_h, y * c->out_w, c->out_w, at - first + b->shifts - 1});
  }
}

/* ---- sums ---- */

/* the rows of the product that are this part's share, in whole tiles of six or eight */
typedef struct row_range {
  int first, end;
} row_range;

static row_range rows_of(const deer_conv_task *t, int rows) {
  const int64_t tiles = (rows + 23) / 24, parts = t->parts > 0 ? t->parts : 1;
  return (row_range){(int)(tiles * t->part / parts * 24),
                     least((int)(tiles * (t->part + 1) / parts * 24), rows)};
}

static void add_chunk(const deer_conv_task *t, const filter *b, const deer_real *x, panel p,
                      const int span[3]) {
  const row_range rows = rows_of(t, b->rows);
  turn_chunk(t, b, p, span);
  const ptrdiff_t panel_first = (ptrdiff_t)p.first * b->rows;
  deer_gather_gemm(
      &(deer_gather_product){.m = rows.end - rows.first,
                             .k = span[2] - span[1],
                             .columns = b->shifts == 1 ? p.columns : b->shifts * p.columns,
                             .a = x,
                             .a_row = b->row + rows.first,
                             .a_step = b->position + span[1],
                             .b = b->y,
                             .b_step = b->y_step,
                             .c = b->sums + panel_first + (ptrdiff_t)rows.first * b->pitch,
                             .c_unit = b->pitch,
                             .add = span[0] + span[1] > 0});
}

/* ---- the filters, each whole again ---- */

static void put_shifted(const deer_conv_task *t, const filter *b, row_range rows) {
  const deer_conv *c = &t->shape;
  const int line = c->kernel_w / b->shifts, last = b->shifts - 1;
  for (int row = rows.first; row < rows.end; row++) {
    const deer_real *sums = b->sums + (ptrdiff_t)row * b->pitch;
    const int k = row / line * c->kernel_w + first_column(c, b, row % line);
    for (int shift = 0; shift < b->shifts; shift++)
      for (int f = 0; f < c->filters; f++)
        t->out[f * window(c) + k + shift * c->stride_w] = sums[(last - shift) * c->filters + f];
  }
}

static void put_panels(const deer_conv_task *t, const filter *b, row_range rows) {
  const deer_conv *c = &t->shape;
  for (int f = 0; f < c->filters; f += DEER_GATHER_COLUMNS) {
    const ptrdiff_t panel_first = (ptrdiff_t)f * b->rows;
    deer_transpose_block(
        &(deer_transposition){.rows = rows.end - rows.first,
                              .columns = panel_at(f, c->filters).columns,
                              .from = b->sums + panel_first + (ptrdiff_t)rows.first * b->pitch,
                              .from_row = b->pitch,
                              .to = t->out + panel_first + rows.first,
                              .to_row = b->rows});
  }
}

static void fill_tables(const deer_conv *c, const filter *b) {
  const int line = c->kernel_w / b->shifts;
  int32_t *row = b->row;
  deer_conv_fill_positions(c, group_size(c), c->channels * padded_plane(c), b->width, b->position);
  fill_even(b->y_step, chunk_size(b), b->pitch_y);
  for (int k = 0; k < c->channels; k++)
    for (int i = 0; i < c->kernel_h; i++)
      for (int j = 0; j < line; j++)
        *row++ = k * padded_plane(c) + i * padded_width(c) + first_column(c, b, j);
}

void deer_conv_filter(const deer_conv_task *t) {
  const deer_conv *c = &t->shape;
  const filter b = lay_out(c, &(arena){.base = t->scratch});
  const int group = group_size(c), chunk = chunk_size(&b);
  const row_range rows = rows_of(t, b.rows);
  if (rows.first >= rows.end) return;
  fill_tables(c, &b);
  deer_conv_clear_room(c, b.room);
  if (b.shifts > 1) memset(b.y, 0, (size_t)((chunk + b.shifts) * b.pitch_y) * sizeof *b.y);
  for (int s = 0; s < c->batch; s += group) {
    const int samples = least(group, c->batch - s), end = samples * c->out_h * b.width;
    const deer_real *x = deer_conv_pictures(t, s, samples, b.room);
    for (int f = 0; f < c->filters; f += DEER_GATHER_COLUMNS)
      for (int at = 0; at < end; at += chunk)
        add_chunk(t, &b, x, panel_at(f, c->filters), (int[]){s, at, least(at + chunk, end)});
  }
  (b.shifts > 1 ? put_shifted : put_panels)(t, &b, rows);
}
