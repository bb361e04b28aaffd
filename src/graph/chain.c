/* chain.c: elementwise ops run together. A chain passes over its elements in blocks that fit in
 * the first cache: each kernel reads and writes blocks, and only what others need goes to memory.
 */
#include "graph/compile.h"

#include <string.h>

/* ---- making ---- */

typedef struct maker {
  const deer_plan *plan;
  const deer_unit *unit;
  void *const *data;
  deer_chain *chain;
  int *slot_of;  /* of the nodes of the graph: slot + 1, or 0 */
  int *last_use; /* of a slot: the last link that reads it */
} maker;

static int add_slot(maker *m, deer_slot slot) {
  m->chain->slots[m->chain->n_slots] = slot;
  return m->chain->n_slots++;
}

static deer_status make_constant(maker *m, double value, int *slot) {
  deer_real *block = deer_alloc_array(m->chain->length, sizeof *block);
  if (!block) return DEER_ENOMEM;
  for (size_t i = 0; i < m->chain->length; i++) block[i] = (deer_real)value;
  *slot = add_slot(m, (deer_slot){.kind = DEER_SLOT_FIXED, .data = (char *)block});
  return DEER_OK;
}

/* a slot for what the chain reads from outside; `id` has the elements of the chain */
static deer_status source_slot(maker *m, int32_t id, int *slot) {
  const deer_graph *g = m->plan->g;
  const deer_record *r = &g->records[id];
  deer_slot made = {.kind = DEER_SLOT_STREAM};
  if (r->op == &deer_op_constant) return make_constant(m, r->attr.real[0], slot);
  if (m->plan->unit_of[id] < 0 && deer_is_repeat(r, &made.kept, &made.inner)) {
    made.kind = DEER_SLOT_REPEAT;
    made.data = m->data[g->edges[r->first]];
    /* all blocks are equal when there is one value, or a whole number of rows in each */
    made.steady = made.kept == 1 || (made.inner == 1 && m->chain->length % made.kept == 0);
  } else if (m->plan->unit_of[id] < 0 && r->op == &deer_op_cast) {
    const int32_t from = g->edges[r->first];
    made.kind = g->records[from].dtype == DEER_DTYPE_U8 ? DEER_SLOT_U8 : DEER_SLOT_I32;
    made.data = m->data[from];
  } else {
    made.data = m->data[id];
  }
  *slot = add_slot(m, made);
  return DEER_OK;
}

/* does a later link read the old value of the variable that link k overwrites? */
static bool read_later(const maker *m, int k, const char *memory) {
  const deer_chain *c = m->chain;
  for (int later = k + 1; later < c->n_links; later++)
    for (int i = 0; i < c->links[later].n_in; i++) {
      const deer_slot *slot = &c->slots[c->links[later].in[i]];
      if (slot->kind == DEER_SLOT_STREAM && slot->data == memory) return true;
    }
  return false;
}

static deer_status add_link(maker *m, int32_t id) {
  const deer_graph *g = m->plan->g;
  const deer_record *r = &g->records[id];
  deer_link *link = &m->chain->links[m->chain->n_links];
  *link = (deer_link){.map = r->op->map, .n_in = r->n_inputs};
  memcpy(link->pq, r->attr.real, sizeof link->pq);
  for (int i = 0; i < r->n_inputs; i++) {
    const int32_t same = deer_same_elements(g, g->edges[r->first + i]);
    int slot = m->slot_of[same] - 1;
    if (slot < 0) DEER_TRY(source_slot(m, same, &slot));
    m->slot_of[same] = slot + 1;
    link->in[i] = slot;
  }
  deer_slot made = {.kind = DEER_SLOT_BLOCK};
  if (m->plan->stored[id]) made = (deer_slot){.kind = DEER_SLOT_STREAM, .data = m->data[id]};
  link->out = add_slot(m, made);
  m->slot_of[id] = link->out + 1;
  m->chain->n_links++;
  return DEER_OK;
}

static void copy_map(const deer_real *const *in, deer_real *out, size_t n, const double pq[2]) {
  (void)pq;
  memcpy(out, in[0], n * sizeof *out);
}

/* the value of node k goes to its variable: at once, or at the end of the block when the old value
 * is still read after it */
static void write_target(maker *m, int k) {
  const int32_t id = m->unit->nodes[k];
  deer_slot *out = &m->chain->slots[m->chain->links[k].out];
  char *memory = m->data[m->plan->target[id]];
  if (out->kind == DEER_SLOT_BLOCK && !read_later(m, k, memory)) {
    *out = (deer_slot){.kind = DEER_SLOT_STREAM, .data = memory};
    return;
  }
  deer_link *link = &m->chain->links[m->chain->n_links];
  *link = (deer_link){.map = DEER_MAP_NONE, .n_in = 1, .in = {m->chain->links[k].out}};
  link->out = add_slot(m, (deer_slot){.kind = DEER_SLOT_STREAM, .data = memory});
  m->chain->n_links++;
}

static bool needs_block(const deer_slot *slot) {
  return slot->kind != DEER_SLOT_STREAM && slot->kind != DEER_SLOT_FIXED;
}

/* blocks in scratch: one that was read for the last time is given to the next result */
static void share_blocks(maker *m) {
  deer_chain *c = m->chain;
  int free_blocks[DEER_CHAIN_LINKS * 4], n_free = 0;
  for (int k = 0; k < c->n_links; k++)
    for (int i = 0; i < c->links[k].n_in; i++) m->last_use[c->links[k].in[i]] = k;
  /* what is filled before the first link has a block of its own */
  for (int s = 0; s < c->n_slots; s++)
    if (needs_block(&c->slots[s]) && c->slots[s].kind != DEER_SLOT_BLOCK)
      c->slots[s].block = c->n_blocks++;
  for (int k = 0; k < c->n_links; k++) {
    const deer_link *link = &c->links[k];
    deer_slot *out = &c->slots[link->out];
    for (int i = 0; i < link->n_in; i++) {
      const deer_slot *in = &c->slots[link->in[i]];
      const bool again =
          i > 0 && (link->in[i] == link->in[0] || (i > 1 && link->in[i] == link->in[1]));
      if (in->kind == DEER_SLOT_BLOCK && m->last_use[link->in[i]] == k && !again)
        free_blocks[n_free++] = in->block;
    }
    /* a kernel may write over what it reads */
    if (out->kind == DEER_SLOT_BLOCK) out->block = n_free ? free_blocks[--n_free] : c->n_blocks++;
  }
}

/* a block holds whole rows of the first repeated row, so that it is filled once a run */
static size_t block_length(const maker *m, size_t n) {
  const deer_graph *g = m->plan->g;
  size_t kept, inner, length = DEER_CHAIN_BLOCK;
  for (int k = 0; k < m->unit->n; k++) {
    const deer_record *r = &g->records[m->unit->nodes[k]];
    for (int i = 0; i < r->n_inputs; i++) {
      const int32_t same = deer_same_elements(g, g->edges[r->first + i]);
      if (deer_is_repeat(&g->records[same], &kept, &inner) && inner == 1 && kept > 1 &&
          kept <= DEER_CHAIN_BLOCK)
        length = DEER_CHAIN_BLOCK / kept * kept;
    }
  }
  return n < length ? n : length;
}

static deer_status fill_chain(maker *m) {
  const deer_unit *unit = m->unit;
  for (int k = 0; k < unit->n; k++) DEER_TRY(add_link(m, unit->nodes[k]));
  for (int k = 0; k < unit->n; k++)
    if (m->plan->target[unit->nodes[k]]) write_target(m, k);
  deer_couple_links(m->chain);
  share_blocks(m);
  for (int k = 0; k < m->chain->n_links; k++) {
    deer_link *link = &m->chain->links[k];
    link->run = link->map == DEER_MAP_NONE ? copy_map : deer_map_kernel(link->map);
  }
  return DEER_OK;
}

deer_status deer_chain_new(const deer_plan *plan, const deer_unit *unit, void *const *data,
                           deer_chain **chain) {
  *chain = NULL;
  deer_chain *c = deer_alloc(sizeof *c);
  if (!c) return DEER_ENOMEM;
  const size_t n = (size_t)unit->n, most = 5 * n;
  maker m = {.plan = plan, .unit = unit, .data = data, .chain = c};
  c->n = deer_shape_count(&plan->g->records[unit->nodes[0]].shape);
  c->length = block_length(&m, c->n);
  c->slots = deer_alloc_array(most, sizeof *c->slots);
  c->links = deer_alloc_array(2 * n, sizeof *c->links);
  m.slot_of = deer_alloc_array((size_t)plan->g->n, sizeof *m.slot_of);
  m.last_use = deer_alloc_array(most, sizeof *m.last_use);
  const bool memory = c->slots && c->links && m.slot_of && m.last_use;
  deer_status status = memory ? fill_chain(&m) : DEER_ENOMEM;
  deer_free(m.slot_of);
  deer_free(m.last_use);
  if (status == DEER_OK)
    *chain = c;
  else
    deer_chain_free(c);
  return status;
}

void deer_chain_free(deer_chain *c) {
  if (!c) return;
  for (int i = 0; c->slots && i < c->n_slots; i++)
    if (c->slots[i].kind == DEER_SLOT_FIXED) deer_free(c->slots[i].data);
  deer_free(c->slots);
  deer_free(c->links);
  deer_free(c);
}

static size_t block_bytes(const deer_chain *c) {
  return (c->length * sizeof(deer_real) + 63) / 64 * 64;
}

size_t deer_chain_scratch(const deer_chain *c) {
  return (size_t)c->n_slots * sizeof(deer_real *) + 64 + (size_t)c->n_blocks * block_bytes(c);
}

/* ---- running ---- */

/* every element twice: a number for each row of pairs */
static void fill_pairs(deer_real *restrict to, const deer_real *restrict from, size_t n) {
  for (size_t i = 0; i < n / 2; i++) to[2 * i] = to[2 * i + 1] = from[i];
}

/* elements from `first` on of data repeated: each `inner` times, all of them again and again */
static void fill_repeat(deer_real *to, const deer_slot *slot, size_t first, size_t n) {
  const deer_real *from = (const deer_real *)(const void *)slot->data;
  if (slot->kept == 1) {
    const deer_real value = from[0];
    for (size_t i = 0; i < n; i++) to[i] = value;
    return;
  }
  size_t at = first / slot->inner % slot->kept, left = slot->inner - first % slot->inner;
  if (slot->inner == 2 && left == 2 && n % 2 == 0 && n / 2 <= slot->kept - at) {
    fill_pairs(to, from + at, n);
    return;
  }
  if (slot->inner == 1) {
    for (size_t done = 0; done < n;) {
      const size_t run = slot->kept - at < n - done ? slot->kept - at : n - done;
      memcpy(to + done, from + at, run * sizeof *to);
      done += run;
      at = 0;
    }
    return;
  }
  for (size_t done = 0; done < n; left = slot->inner) {
    const size_t run = left < n - done ? left : n - done;
    const deer_real value = from[at];
    for (size_t i = 0; i < run; i++) to[done + i] = value;
    done += run;
    if (++at == slot->kept) at = 0;
  }
}

static void fill(deer_real *to, const deer_slot *slot, size_t first, size_t n) {
  if (slot->kind == DEER_SLOT_U8) {
    const uint8_t *from = (const uint8_t *)slot->data + first;
    for (size_t i = 0; i < n; i++) to[i] = (deer_real)from[i];
  } else if (slot->kind == DEER_SLOT_I32) {
    const int32_t *from = (const int32_t *)(const void *)slot->data + first;
    for (size_t i = 0; i < n; i++) to[i] = (deer_real)from[i];
  } else {
    fill_repeat(to, slot, first, n);
  }
}

void deer_chain_run(const deer_step *step) {
  const deer_chain *c = step->chain;
  /* where the present block of each slot lies */
  deer_real **at = step->scratch;
  char *blocks = (char *)step->scratch + ((size_t)c->n_slots * sizeof *at + 63) / 64 * 64;
  for (int s = 0; s < c->n_slots; s++) {
    const deer_slot *slot = &c->slots[s];
    at[s] = (deer_real *)(void *)(needs_block(slot) ? blocks + (size_t)slot->block * block_bytes(c)
                                                    : slot->data);
    if (slot->steady) fill(at[s], slot, 0, c->length);
  }
  const size_t all = (c->n + c->length - 1) / c->length;
  const size_t begin = all * (size_t)step->part / (size_t)step->parts * c->length;
  const size_t stop = all * ((size_t)step->part + 1) / (size_t)step->parts * c->length;
  for (size_t first = begin; first < stop && first < c->n; first += c->length) {
    const size_t n = c->n - first < c->length ? c->n - first : c->length;
    for (int s = 0; s < c->n_slots; s++) {
      const deer_slot *slot = &c->slots[s];
      if (slot->kind == DEER_SLOT_STREAM)
        at[s] = (deer_real *)(void *)slot->data + first;
      else if (slot->kind >= DEER_SLOT_REPEAT && !slot->steady)
        fill(at[s], slot, first, n);
    }
    for (int k = 0; k < c->n_links; k++) {
      const deer_link *link = &c->links[k];
      const deer_real *const in[] = {at[link->in[0]], at[link->in[1]], at[link->in[2]]};
      link->run(in, at[link->out], n, link->pq);
    }
  }
}
