/* conv.c: what the three directions of a convolution share: tables, pictures with zeros around
 * them, results. */
#include "tensor/conv_common.h"

#include <string.h>

/* ---- tables ---- */

void deer_conv_fill_positions(const deer_conv *c, int samples, int sample, int width,
                              int32_t *table) {
  for (int s = 0; s < samples; s++)
    for (int y = 0; y < c->out_h; y++)
      for (int x = 0; x < width; x++)
        *table++ = s * sample + y * c->stride_h * padded_width(c) + x * c->stride_w;
}

void deer_conv_fill_window(const deer_conv *c, int32_t *table) {
  for (int k = 0; k < c->channels; k++)
    for (int i = 0; i < c->kernel_h; i++)
      for (int j = 0; j < c->kernel_w; j++)
        *table++ = k * padded_plane(c) + i * padded_width(c) + j;
}

/* ---- pictures ---- */

static size_t room_size(const deer_conv *c) {
  return (size_t)group_size(c) * (size_t)c->channels * (size_t)padded_plane(c);
}

deer_real *deer_conv_take_room(arena *a, const deer_conv *c) { return take_reals(a, room_size(c)); }

void deer_conv_clear_room(const deer_conv *c, deer_real *room) {
  if (is_padded(c)) memset(room, 0, room_size(c) * sizeof *room);
}

static void copy_reals(const deer_conv_task *t, ptrdiff_t first, size_t n, deer_real *to) {
  if (t->bytes)
    deer_reals_of_bytes((const uint8_t *)t->x + first, n, t->factor, t->term, to);
  else
    memcpy(to, (const deer_real *)t->x + first, n * sizeof *to);
}

const deer_real *deer_conv_pictures(const deer_conv_task *t, int first, int samples,
                                    deer_real *room) {
  const deer_conv *c = &t->shape;
  ptrdiff_t from = first * sample_size(c);
  if (!t->bytes && !is_padded(c)) return (const deer_real *)t->x + from;
  if (!is_padded(c)) {
    copy_reals(t, from, (size_t)(samples * sample_size(c)), room);
    return room;
  }
  deer_real *plane = room + c->pad_h * padded_width(c) + c->pad_w;
  for (int k = 0; k < samples * c->channels; k++, plane += padded_plane(c))
    for (int y = 0; y < c->height; y++, from += c->width)
      copy_reals(t, from, (size_t)c->width, plane + y * padded_width(c));
  return room;
}

/* ---- results ---- */

deer_finish deer_conv_finish_at(const deer_conv_task *t, ptrdiff_t at, int channel) {
  const deer_finish *f = &t->finish;
  return (deer_finish){.bias = f->bias ? f->bias + channel : NULL,
                       .relu = f->relu,
                       .gate = f->gate ? f->gate + at : NULL};
}

void deer_conv_put(const deer_conv_task *t, const piece *p) {
  const ptrdiff_t first = (ptrdiff_t)p->sample * p->channels + p->columns.first;
  const ptrdiff_t at = first * p->plane + p->place;
  deer_transpose_block(
      &(deer_transposition){.rows = p->n,
                            .columns = p->columns.columns,
                            .from = p->from,
                            .from_row = p->columns.pitch,
                            .to = t->out + at,
                            .to_row = p->plane,
                            .finish = deer_conv_finish_at(t, at, p->columns.first)});
}
