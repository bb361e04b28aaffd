/* conv_forward.c: y from x and w, in one of two ways that give the same bits:
 *
 *   panels  rows of the product are positions, columns are filters: all filters at a position are
 *           in one vector, which is turned on its way out
 *   lines   rows are filters, columns are neighbours in a line of positions; for few filters and
 *           long lines, when the step along the line is one */
#include "tensor/conv_common.h"

/* at most this many columns at a time: tiles of eight rows and three vectors suit few filters */
#define LINE 48

static bool by_lines(const deer_conv *c) {
  const int tiles = (c->filters + 7) / 8 * 8;
  const double lines = busy(c->out_w) * c->filters / tiles;
  return c->stride_w == 1 && lines > busy(c->filters);
}

typedef struct forward {
  int32_t *position, *window;       /* panels: of rows; of both: in a window */
  int32_t *packed, *filter, *plane; /* of steps in packed filters; lines: of filters and results */
  deer_real *panels, *tile, *room;
} forward;

static forward lay_out(const deer_conv *c, arena *a) {
  const int n = window(c);
  forward b = {
      .window = take_table(a, n), .packed = take_table(a, n), .room = deer_conv_take_room(a, c)};
  if (by_lines(c)) {
    b.filter = take_table(a, c->filters);
    b.plane = take_table(a, c->filters);
  } else {
    b.position = take_table(a, group_size(c) * positions(c));
    b.panels = take_reals(a, (size_t)n * panels_width(c->filters));
    b.tile = take_reals(a, (size_t)CHUNK * DEER_GATHER_COLUMNS);
  }
  return b;
}

size_t deer_conv_forward_scratch(const deer_conv *shape) {
  arena a = {0};
  lay_out(shape, &a);
  return a.used;
}

/* ---- panels ---- */

/* filters side by side, so that each step of the chain finds its element of all of them */
static void pack_filters(const deer_conv_task *t, deer_real *to) {
  const deer_conv *c = &t->shape;
  const int n = window(c);
  for (int f = 0; f < c->filters; f += DEER_GATHER_COLUMNS) {
    const panel p = panel_at(f, c->filters);
    deer_transpose_block(&(deer_transposition){.rows = p.columns,
                                               .columns = n,
                                               .from = t->w + (ptrdiff_t)f * n,
                                               .from_row = n,
                                               .to = to + (ptrdiff_t)f * n,
                                               .to_row = p.pitch});
  }
}

/* positions first..end of the group that begins with sample s, all filters of one panel */
static void run_chunk(const deer_conv_task *t, const forward *b, const deer_real *x, panel p,
                      const int span[3]) {
  const deer_conv *c = &t->shape;
  const int s = span[0], first = span[1], end = span[2], plane = positions(c);
  deer_gather_gemm(&(deer_gather_product){.m = end - first,
                                          .k = window(c),
                                          .columns = p.columns,
                                          .a = x,
                                          .a_row = b->position + first,
                                          .a_step = b->window,
                                          .b = b->panels + (ptrdiff_t)p.first * window(c),
                                          .b_step = b->packed,
                                          .c = b->tile,
                                          .c_unit = p.pitch});
  /* cut where a sample ends */
  for (int at = first, n; at < end; at += n) {
    n = least(plane - at % plane, end - at);
    deer_conv_put(t, &(piece){.from = b->tile + (at - first) * p.pitch,
                              .columns = p,
                              .sample = s + at / plane,
                              .place = at % plane,
                              .n = n,
                              .channels = c->filters,
                              .plane = plane});
  }
}

static void run_panels(const deer_conv_task *t, const forward *b, sample_range range) {
  const deer_conv *c = &t->shape;
  const int group = group_size(c);
  deer_conv_fill_positions(c, group, c->channels * padded_plane(c), c->out_w, b->position);
  fill_even(b->packed, window(c), panel_at(0, c->filters).pitch);
  pack_filters(t, b->panels);
  for (int s = range.first; s < range.end; s += group) {
    const int samples = least(group, range.end - s), end = samples * positions(c);
    const deer_real *x = deer_conv_pictures(t, s, samples, b->room);
    for (int f = 0; f < c->filters; f += DEER_GATHER_COLUMNS)
      for (int at = 0; at < end; at += CHUNK)
        run_chunk(t, b, x, panel_at(f, c->filters), (int[]){s, at, least(at + CHUNK, end)});
  }
}

/* ---- lines ---- */

/* line y of the result of sample s, whose picture is x */
static void run_line(const deer_conv_task *t, const forward *b, const deer_real *x, int s, int y) {
  const deer_conv *c = &t->shape;
  const int pieces = (c->out_w + LINE - 1) / LINE;
  const int width = rounded((c->out_w + pieces - 1) / pieces);
  for (int at = 0; at < c->out_w; at += width) {
    const ptrdiff_t place = (ptrdiff_t)s * c->filters * positions(c) + y * c->out_w + at;
    deer_gather_gemm(&(deer_gather_product){.m = c->filters,
                                            .k = window(c),
                                            .columns = least(width, c->out_w - at),
                                            .a = t->w,
                                            .a_row = b->filter,
                                            .a_step = b->packed,
                                            .b = x + y * c->stride_h * padded_width(c) + at,
                                            .b_step = b->window,
                                            .c = t->out + place,
                                            .c_row = b->plane,
                                            .c_unit = 1,
                                            .finish = deer_conv_finish_at(t, place, 0)});
  }
}

static void run_lines(const deer_conv_task *t, const forward *b, sample_range range) {
  const deer_conv *c = &t->shape;
  const int group = group_size(c);
  fill_even(b->filter, c->filters, window(c));
  fill_even(b->plane, c->filters, positions(c));
  fill_even(b->packed, window(c), 1);
  for (int s = range.first; s < range.end; s += group) {
    const int samples = least(group, range.end - s);
    const deer_real *x = deer_conv_pictures(t, s, samples, b->room);
    for (int k = 0; k < samples; k++, x += (ptrdiff_t)c->channels * padded_plane(c))
      for (int y = 0; y < c->out_h; y++) run_line(t, b, x, s + k, y);
  }
}

void deer_conv_forward(const deer_conv_task *t) {
  const forward b = lay_out(&t->shape, &(arena){.base = t->scratch});
  deer_conv_fill_window(&t->shape, b.window);
  deer_conv_clear_room(&t->shape, b.room);
  (by_lines(&t->shape) ? run_lines : run_panels)(t, &b, samples_of(t));
}
