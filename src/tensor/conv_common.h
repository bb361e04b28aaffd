/* conv_common.h: what the three directions of a convolution share; for conv*.c alone. */
#ifndef DEER_CONV_COMMON_H
#define DEER_CONV_COMMON_H

#include "tensor/conv.h"

/* Positions worked on at a time: their results stay in the first cache, and the last tile of rows
 * is full, since 8 and 6 divide it. */
#define CHUNK 144

static inline int least(int a, int b) { return a < b ? a : b; }

/* ---- geometry ---- */

static inline int positions(const deer_conv *c) { return c->out_h * c->out_w; }
static inline int window(const deer_conv *c) { return c->channels * c->kernel_h * c->kernel_w; }
static inline int padded_height(const deer_conv *c) { return c->height + 2 * c->pad_h; }
static inline int padded_width(const deer_conv *c) { return c->width + 2 * c->pad_w; }
static inline int padded_plane(const deer_conv *c) { return padded_height(c) * padded_width(c); }
static inline bool is_padded(const deer_conv *c) { return c->pad_h > 0 || c->pad_w > 0; }

static inline ptrdiff_t sample_size(const deer_conv *c) {
  return (ptrdiff_t)c->channels * c->height * c->width;
}

/* columns as vectors hold them */
static inline int rounded(int columns) {
  return (columns + DEER_GATHER_WIDTH - 1) / DEER_GATHER_WIDTH * DEER_GATHER_WIDTH;
}

/* How busy products of so many columns keep the CPU, as measured: vectors that are not full do work
 * for nothing, and with a single one loads are the limit. */
static inline double busy(int columns) {
  const int width = rounded(columns);
  return (width > DEER_GATHER_WIDTH ? 0.95 : 0.6) * columns / width;
}

/* ---- groups: whole samples that have a chunk of positions between them ---- */

static inline int group_size(const deer_conv *c) {
  return least((CHUNK + positions(c) - 1) / positions(c), c->batch);
}

/* The samples of this part of the task, whole groups. */
typedef struct sample_range {
  int first, end;
} sample_range;

static inline sample_range samples_of(const deer_conv_task *t) {
  const int64_t size = group_size(&t->shape), parts = t->parts > 0 ? t->parts : 1;
  const int64_t groups = (t->shape.batch + size - 1) / size;
  return (sample_range){(int)(groups * t->part / parts * size),
                        least((int)(groups * (t->part + 1) / parts * size), t->shape.batch)};
}

/* ---- panels: columns `first`... of all, as many as a product takes ---- */

typedef struct panel {
  int first, columns;
  int pitch; /* elements from one row to the next, for all panels the same */
} panel;

static inline panel panel_at(int first, int all) {
  return (panel){first, least(all - first, DEER_GATHER_COLUMNS),
                 rounded(least(all, DEER_GATHER_COLUMNS))};
}

/* elements of all panels with rows of length 1 */
static inline size_t panels_width(int all) {
  const panel p = panel_at(0, all);
  const size_t n = ((size_t)all + DEER_GATHER_COLUMNS - 1) / DEER_GATHER_COLUMNS;
  return n * (size_t)p.pitch;
}

/* ---- scratch: the same walk measures it and hands it out ---- */

typedef struct arena {
  char *base; /* NULL: only measured */
  size_t used;
} arena;

static inline void *take(arena *a, size_t count, size_t size) {
  void *block = a->base ? a->base + a->used : NULL;
  a->used += (count * size + 63) / 64 * 64;
  return block;
}

static inline deer_real *take_reals(arena *a, size_t n) { return take(a, n, sizeof(deer_real)); }
static inline int32_t *take_table(arena *a, int n) { return take(a, (size_t)n, sizeof(int32_t)); }

/* ---- tables ---- */

static inline void fill_even(int32_t *table, int n, int stride) {
  for (int i = 0; i < n; i++) table[i] = i * stride;
}

/* where the window of each of `width` positions a line begins in padded pictures of `sample`
 * elements, for all lines of `samples` samples */
void deer_conv_fill_positions(const deer_conv *c, int samples, int sample, int width,
                              int32_t *table);

/* where the elements of a window lie from its beginning */
void deer_conv_fill_window(const deer_conv *c, int32_t *table);

/* ---- pictures, read where they are, or copied to become reals with zeros around them ---- */

/* Room for one group; deer_conv_clear_room makes its borders zero. */
deer_real *deer_conv_take_room(arena *a, const deer_conv *c);
void deer_conv_clear_room(const deer_conv *c, deer_real *room);

/* `samples` samples from `first` on, no more than a group. */
const deer_real *deer_conv_pictures(const deer_conv_task *t, int first, int samples,
                                    deer_real *room);

/* ---- results ---- */

/* `n` neighbours from `place` on in the planes of one sample, lying side by side in rows of the
 * panel; the result has `channels` planes of `plane` elements in a sample. */
typedef struct piece {
  const deer_real *from;
  panel columns;
  int sample, place, n;
  int channels, plane;
} piece;

/* Finishes a piece and lays it into the result. */
void deer_conv_put(const deer_conv_task *t, const piece *p);

/* What the task does to results from element `at` on, where channel `channel` begins. */
deer_finish deer_conv_finish_at(const deer_conv_task *t, ptrdiff_t at, int channel);

#endif
