/* arrange.c: the memory plan. Every buffer lives from the unit that writes it to the last one that
 * reads it; buffers that do not live at the same time may lie in the same place. The largest are
 * placed first, each at the lowest place that is free all its life. */
#include "graph/compile.h"

#include <stdlib.h>
#include <string.h>

static size_t padded(size_t bytes) { return (bytes + 63) / 64 * 64; }

static size_t node_bytes(const deer_record *r) {
  return padded(deer_shape_count(&r->shape) * deer_dtype_size(r->dtype));
}

bool deer_has_memory(const deer_plan *plan, int32_t id) {
  const deer_record *r = &plan->g->records[id];
  if (r->op == &deer_op_input) return true;
  if (r->op == &deer_op_constant) return plan->stored[id];
  return plan->unit_of[id] >= 0 && plan->stored[id] && r->op != &deer_op_assign;
}

/* ---- parts of packs ---- */

static int32_t part_of(const deer_plan *p, int32_t pack, int i) {
  return deer_same_elements(p->g, p->g->edges[p->g->records[pack].first + i]);
}

/* can the part be written where it belongs from the start? */
static bool can_move_in(const deer_plan *p, int32_t part) {
  return deer_has_memory(p, part) && p->unit_of[part] >= 0 && !p->kept[part] && !p->home[part] &&
         p->g->records[part].op != &deer_op_pack;
}

/* do the parts fill the block, each element once? */
static bool fills(const deer_plan *p, int32_t pack) {
  const deer_record *r = &p->g->records[pack];
  size_t total = 0;
  for (int i = 0; i < r->n_inputs; i++) {
    const int32_t part = part_of(p, pack, i);
    const size_t n = deer_shape_count(&p->g->records[part].shape);
    total += n;
    if (!can_move_in(p, part)) return false;
    for (int k = 0; k < i; k++) {
      const int32_t other = part_of(p, pack, k);
      const size_t m = deer_shape_count(&p->g->records[other].shape);
      const size_t at = (size_t)r->attr.list[i], there = (size_t)r->attr.list[k];
      if (other == part || (at < there + m && there < at + n)) return false;
    }
  }
  return total == deer_shape_count(&r->shape);
}

static void find_homes(const deer_plan *p) {
  for (int32_t id = 1; id < p->g->n; id++) {
    if (p->g->records[id].op != &deer_op_pack || p->unit_of[id] < 0 || !fills(p, id)) continue;
    for (int i = 0; i < p->g->records[id].n_inputs; i++) p->home[part_of(p, id, i)] = id;
  }
}

bool deer_is_laid_out(const deer_plan *p, int u) {
  const int32_t id = p->units[u].nodes[0];
  return p->g->records[id].op == &deer_op_pack && p->home[part_of(p, id, 0)] == id;
}

/* ---- lives ---- */

typedef struct life {
  int32_t node;
  int first, last; /* positions in the order; the whole run for inputs, outputs, constants */
  int touches;     /* the last one in the list of `order`, when several threads run; or -1 */
  size_t bytes, offset;
} life;

/* With several threads, positions say nothing: a buffer makes room for another one only when every
 * unit that touches it must have run before those that write the other. */
typedef struct touch_record {
  int unit, next;
  bool writes;
} touch_record;

typedef struct partial_order {
  uint64_t *before; /* bit v of row u: unit v runs before unit u */
  size_t words;     /* of a row */
  touch_record *touches;
  int n_touches, room;
} partial_order;

static bool runs_before(const partial_order *o, int v, int u) {
  return (o->before[(size_t)u * o->words + (size_t)v / 64] >> ((size_t)v % 64)) & 1;
}

static deer_status find_partial_order(const deer_plan *p, partial_order *o) {
  o->words = ((size_t)p->n_units + 63) / 64;
  o->before = deer_alloc_array((size_t)p->n_units * o->words + 1, sizeof *o->before);
  if (!o->before) return DEER_ENOMEM;
  for (int i = 0; i < p->n_units; i++) {
    uint64_t *row = o->before + (size_t)p->order[i] * o->words;
    const deer_unit *unit = &p->units[p->order[i]];
    for (int k = 0; k < unit->n_after; k++) {
      const uint64_t *from = o->before + (size_t)unit->after[k] * o->words;
      for (size_t w = 0; w < o->words; w++) row[w] |= from[w];
      row[unit->after[k] / 64] |= (uint64_t)1 << (unit->after[k] % 64);
    }
  }
  return DEER_OK;
}

/* is everything done with a before b is written? */
static bool dies_before(const partial_order *o, const life *a, const life *b) {
  for (int i = b->touches; i >= 0; i = o->touches[i].next)
    for (int k = a->touches; o->touches[i].writes && k >= 0; k = o->touches[k].next)
      if (!runs_before(o, o->touches[k].unit, o->touches[i].unit)) return false;
  return true;
}

/* the buffer that the memory of a node lies in */
static int32_t buffer_of(const deer_plan *p, int32_t id) {
  id = deer_memory_owner(p->g, id);
  return p->home[id] ? p->home[id] : id;
}

typedef struct biographer {
  const deer_plan *p;
  life *lives;
  partial_order *order; /* NULL with one thread */
  int position;
  deer_status status;
} biographer;

static void remember_touch(biographer *b, life *l, bool writes) {
  partial_order *o = b->order;
  if (o->n_touches == o->room) {
    const int room = 2 * o->room + 256;
    touch_record *grown = deer_realloc(o->touches, (size_t)room * sizeof *grown);
    if (!grown) {
      b->status = DEER_ENOMEM;
      return;
    }
    o->touches = grown;
    o->room = room;
  }
  o->touches[o->n_touches] = (touch_record){b->p->order[b->position], l->touches, writes};
  l->touches = o->n_touches++;
}

static void touch(biographer *b, int32_t id, bool writes) {
  life *l = &b->lives[buffer_of(b->p, id)];
  if (b->position < l->first) l->first = b->position;
  if (b->position > l->last) l->last = b->position;
  if (b->order) remember_touch(b, l, writes);
}

/* what the unit at the present position reads and writes is alive there */
static void touch_unit(biographer *b) {
  const deer_plan *p = b->p;
  const int u = p->order[b->position];
  for (int k = 0; k < p->units[u].n; k++) {
    const int32_t id = p->units[u].nodes[k];
    touch(b, id, true);
    for (int i = 0; i < p->g->records[id].n_inputs; i++) {
      int32_t input = deer_memory_owner(p->g, p->g->edges[p->g->records[id].first + i]);
      touch(b, input, false);
      /* a chain reads through what has no unit */
      while (p->unit_of[input] < 0 && p->g->records[input].n_inputs > 0) {
        input = deer_memory_owner(p->g, p->g->edges[p->g->records[input].first]);
        touch(b, input, false);
      }
    }
  }
}

static bool lives_always(const deer_plan *p, int32_t id) {
  return p->kept[id] || p->unit_of[id] < 0;
}

static deer_status find_lives(const deer_plan *p, life *lives, partial_order *order) {
  biographer b = {.p = p, .lives = lives, .order = order};
  for (int32_t id = 1; id < p->g->n; id++) {
    lives[id] = (life){.node = id, .first = p->n_units, .last = -1, .touches = -1};
    if (deer_has_memory(p, id) && !p->home[id]) lives[id].bytes = node_bytes(&p->g->records[id]);
  }
  for (; b.position < p->n_units; b.position++) touch_unit(&b);
  for (int32_t id = 1; id < p->g->n; id++)
    if (lives_always(p, id)) lives[id].first = 0, lives[id].last = p->n_units;
  return b.status;
}

/* ---- places ---- */

static int by_size(const void *a, const void *b) {
  const life *x = a, *y = b;
  if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
  return x->node < y->node ? -1 : 1;
}

static int by_offset(const void *a, const void *b) {
  const life *x = *(life *const *)a, *y = *(life *const *)b;
  return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* may both be in use at once? */
static bool meet(const partial_order *order, const life *a, const life *b) {
  if (a->first <= b->last && b->first <= a->last) return true;
  return order && !dies_before(order, a, b) && !dies_before(order, b, a);
}

/* the lowest place that is free during the life of lives[n], given those placed before */
static size_t find_place(const partial_order *order, life *lives, int n, life **meets) {
  int n_meets = 0;
  for (int i = 0; i < n; i++)
    if (meet(order, &lives[i], &lives[n])) meets[n_meets++] = &lives[i];
  qsort(meets, (size_t)n_meets, sizeof *meets, by_offset);
  size_t at = 0;
  for (int i = 0; i < n_meets; i++) {
    if (at + lives[n].bytes <= meets[i]->offset) break;
    const size_t end = meets[i]->offset + meets[i]->bytes;
    if (end > at) at = end;
  }
  return at;
}

static void place(const deer_plan *p, const partial_order *order, life *lives, life **meets,
                  deer_layout *layout) {
  const int count = p->g->n - 1;
  qsort(lives + 1, (size_t)count, sizeof *lives, by_size);
  life *largest = lives + 1;
  for (int i = 0; i < count && largest[i].bytes > 0; i++) {
    largest[i].offset = find_place(order, largest, i, meets);
    layout->offset[largest[i].node] = largest[i].offset;
    const size_t end = largest[i].offset + largest[i].bytes;
    if (end > layout->total) layout->total = end;
  }
  /* parts lie in their pack */
  for (int32_t id = 1; id < p->g->n; id++) {
    const deer_record *r = &p->g->records[id];
    for (int i = 0; r->op == &deer_op_pack && i < r->n_inputs; i++)
      if (p->home[part_of(p, id, i)] == id)
        layout->offset[part_of(p, id, i)] =
            layout->offset[id] + (size_t)r->attr.list[i] * sizeof(deer_real);
  }
}

deer_status deer_layout_new(const deer_plan *plan, int threads, deer_layout *layout) {
  const size_t n = (size_t)plan->g->n;
  partial_order order = {0}, *several = threads > 1 ? &order : NULL;
  *layout = (deer_layout){.offset = deer_alloc_array(n, sizeof *layout->offset)};
  life *lives = deer_alloc_array(n, sizeof *lives), **meets = deer_alloc_array(n, sizeof *meets);
  deer_status status = layout->offset && lives && meets ? DEER_OK : DEER_ENOMEM;
  if (status == DEER_OK && several) status = find_partial_order(plan, several);
  if (status == DEER_OK) {
    find_homes(plan);
    status = find_lives(plan, lives, several);
  }
  if (status == DEER_OK) place(plan, several, lives, meets, layout);
  deer_free(order.before);
  deer_free(order.touches);
  deer_free(lives);
  deer_free((void *)meets);
  return status;
}
