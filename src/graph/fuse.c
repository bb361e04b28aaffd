/* fuse.c: which nodes run together, and in which order.
 *
 * Elementwise nodes over equally many elements become one unit when one reads the other and nothing
 * outside the unit lies between them. Aliases have no unit; an expand or a cast that only chains
 * read has none either, since chains repeat and convert on the fly. An assignment joins the chain
 * that computes its value when everybody else who reads the variable can run before. */
#include "graph/compile.h"

#include <string.h>

bool deer_is_alias(const deer_record *r) { return r->op->alias && r->op != &deer_op_assign; }

int32_t deer_same_elements(const deer_graph *g, int32_t id) {
  while (g->records[id].op == &deer_op_reshape || g->records[id].op == &deer_op_stop)
    id = g->edges[g->records[id].first];
  return id;
}

int32_t deer_memory_owner(const deer_graph *g, int32_t id) {
  while (deer_is_alias(&g->records[id])) id = g->edges[g->records[id].first];
  return id;
}

bool deer_is_repeat(const deer_record *r, size_t *kept, size_t *inner) {
  if (r->op != &deer_op_expand) return false;
  /* axes of one element belong to any group */
  int state = 0; /* 0 before, 1 in, 2 after the kept axes */
  *kept = *inner = 1;
  for (int i = 0; i < r->shape.rank; i++) {
    if (r->shape.dim[i] == 1) continue;
    const bool keep = (r->attr.mask & DEER_AXIS(i)) != 0;
    if (keep && state == 2) return false;
    state = keep ? 1 : state == 0 ? 0 : 2;
    if (keep) *kept *= (size_t)r->shape.dim[i];
    if (state == 2) *inner *= (size_t)r->shape.dim[i];
  }
  return true;
}

/* ---- groups ---- */

typedef struct fuser {
  const deer_graph *g;
  deer_plan *plan;
  bool *live;
  int32_t *group; /* of each node: the first node of its group; itself at first */
  int32_t *chain; /* the next node of the same group, or 0 */
  int *members;   /* of the first node: how many */
  int32_t *stamp; /* visited in search number `search` */
  int32_t search;
  int32_t *stack;
} fuser;

static size_t count_of(const deer_graph *g, int32_t id) {
  return deer_shape_count(&g->records[id].shape);
}

static int32_t input_of(const deer_graph *g, int32_t id, int i) {
  return g->edges[g->records[id].first + i];
}

static bool is_map(const deer_graph *g, int32_t id) { return g->records[id].op->map != 0; }

static void push(fuser *f, int *depth, int32_t id) {
  const int32_t first = f->group[id];
  if (f->stamp[first] == f->search) return;
  f->stamp[first] = f->search;
  f->stack[(*depth)++] = first;
}

/* pushes what the members of a group read, except what lies in group `except` */
static void push_inputs(fuser *f, int *depth, int32_t first, int32_t except) {
  for (int32_t id = first; id; id = f->chain[id])
    for (int i = 0; i < f->g->records[id].n_inputs; i++) {
      const int32_t input = deer_same_elements(f->g, input_of(f->g, id, i));
      if (f->group[input] != except) push(f, depth, input);
    }
}

/* does group `reader` read group `source` through something outside both? */
static bool reads_indirectly(fuser *f, int32_t reader, int32_t source) {
  int depth = 0;
  f->search++;
  f->stamp[reader] = f->search;
  push_inputs(f, &depth, reader, source);
  while (depth > 0) {
    const int32_t first = f->stack[--depth];
    if (first == source) return true;
    push_inputs(f, &depth, first, 0);
  }
  return false;
}

/* a chain's members stay in the order of their numbers */
static void merge(fuser *f, int32_t a, int32_t b) {
  int32_t first = a < b ? a : b, second = a < b ? b : a;
  for (int32_t id = second; id; id = f->chain[id]) f->group[id] = first;
  f->members[first] += f->members[second];
  int32_t *link = &f->chain[first], other = second;
  while (other) {
    if (*link == 0 || *link > other) {
      const int32_t rest = *link;
      *link = other;
      other = rest;
    }
    link = &f->chain[*link];
  }
}

static void join_inputs(fuser *f, int32_t id) {
  for (int i = 0; i < f->g->records[id].n_inputs; i++) {
    const int32_t input = deer_same_elements(f->g, input_of(f->g, id, i));
    const int32_t source = f->group[input], reader = f->group[id];
    if (!is_map(f->g, input) || source == reader || count_of(f->g, input) != count_of(f->g, id))
      continue;
    if (f->members[source] + f->members[reader] > DEER_CHAIN_LINKS) continue;
    if (!reads_indirectly(f, reader, source)) merge(f, source, reader);
  }
}

static void make_groups(fuser *f) {
  for (int32_t id = 1; id < f->g->n; id++) {
    f->group[id] = id;
    f->members[id] = 1;
  }
  for (int32_t id = 1; id < f->g->n; id++)
    if (f->live[id] && is_map(f->g, id)) join_inputs(f, id);
}

/* ---- units ---- */

static void mark_live(const deer_graph *g, const deer_node *outputs, int n, bool *live) {
  for (int i = 0; i < n; i++) live[outputs[i].id] = true;
  for (int32_t id = g->n - 1; id > 0; id--)
    for (int i = 0; live[id] && i < g->records[id].n_inputs; i++) live[input_of(g, id, i)] = true;
}

/* does a chain read this node on the fly, so that it needs no memory for that? */
static bool read_through(const deer_record *r) {
  size_t kept, inner;
  return r->op == &deer_op_cast || deer_is_repeat(r, &kept, &inner);
}

/* marks what must be in memory: what outputs show, what other units read */
static void mark_stored(fuser *f, const deer_node *outputs, int n) {
  const deer_graph *g = f->g;
  deer_plan *p = f->plan;
  for (int i = 0; i < n; i++) {
    const int32_t owner = deer_memory_owner(g, outputs[i].id);
    p->stored[owner] = p->kept[owner] = true;
  }
  for (int32_t id = g->n - 1; id > 0; id--) {
    const deer_record *r = &g->records[id];
    if (!f->live[id] || deer_is_alias(r)) continue;
    for (int i = 0; i < r->n_inputs; i++) {
      const int32_t input = input_of(g, id, i), same = deer_same_elements(g, input);
      const bool chained =
          is_map(g, id) && (read_through(&g->records[same]) || f->group[same] == f->group[id]);
      /* whether an assigned value needs memory is known when chains have been joined */
      const bool assigned = r->op == &deer_op_assign && is_map(g, same);
      if (!chained && !assigned) p->stored[deer_memory_owner(g, input)] = true;
    }
  }
}

/* sources and aliases have no unit; what chains read through has one only when stored */
static bool has_unit(const fuser *f, int32_t id) {
  const deer_record *r = &f->g->records[id];
  if (!f->live[id] || !r->op->run || r->op == &deer_op_assign) return false;
  if (is_map(f->g, id)) return f->group[id] == id;
  return !read_through(r) || f->plan->stored[id];
}

static deer_status add_unit(fuser *f, int32_t first) {
  deer_plan *p = f->plan;
  deer_unit *unit = &p->units[p->n_units];
  const int n = is_map(f->g, first) ? f->members[first] : 1;
  unit->nodes = deer_alloc_array((size_t)n, sizeof *unit->nodes);
  if (!unit->nodes) return DEER_ENOMEM;
  for (int32_t id = first; unit->n < n; id = f->chain[id]) {
    p->unit_of[id] = p->n_units;
    unit->nodes[unit->n++] = id;
  }
  p->n_units++;
  return DEER_OK;
}

static deer_status make_units(fuser *f) {
  for (int32_t id = 0; id < f->g->n; id++) f->plan->unit_of[id] = -1;
  for (int32_t id = 1; id < f->g->n; id++)
    if (has_unit(f, id)) DEER_TRY(add_unit(f, id));
  return DEER_OK;
}

/* ---- what must run before what ---- */

static deer_status run_after(deer_plan *p, int unit, int before) {
  deer_unit *u = &p->units[unit];
  if (before < 0 || before == unit) return DEER_OK;
  for (int i = 0; i < u->n_after; i++)
    if (u->after[i] == before) return DEER_OK;
  if (u->n_after == u->room_after) {
    const int room = u->room_after ? 2 * u->room_after : 8;
    int *grown = deer_realloc(u->after, (size_t)room * sizeof *grown);
    if (!grown) return DEER_ENOMEM;
    u->after = grown;
    u->room_after = room;
  }
  u->after[u->n_after++] = before;
  return DEER_OK;
}

/* the unit that reads node `id` waits for whoever makes it, through aliases and what is read
 * through */
static deer_status wait_for(fuser *f, int unit, int32_t id) {
  for (;;) {
    id = deer_memory_owner(f->g, id);
    if (f->plan->unit_of[id] >= 0) return run_after(f->plan, unit, f->plan->unit_of[id]);
    if (f->g->records[id].n_inputs == 0) return DEER_OK;
    id = input_of(f->g, id, 0);
  }
}

static deer_status order_units(fuser *f) {
  deer_plan *p = f->plan;
  int last_stateful = -1;
  for (int u = 0; u < p->n_units; u++) {
    const deer_unit *unit = &p->units[u];
    for (int k = 0; k < unit->n; k++)
      for (int i = 0; i < f->g->records[unit->nodes[k]].n_inputs; i++)
        DEER_TRY(wait_for(f, u, input_of(f->g, unit->nodes[k], i)));
    if (!f->g->records[unit->nodes[0]].op->stateful) continue;
    DEER_TRY(run_after(p, u, last_stateful));
    last_stateful = u;
  }
  return DEER_OK;
}

/* must unit `late` run after unit `early`? */
static bool is_after(fuser *f, int late, int early) {
  int depth = 0;
  const deer_plan *p = f->plan;
  f->search++;
  f->stack[depth++] = late;
  f->stamp[late] = f->search;
  while (depth > 0) {
    const deer_unit *unit = &p->units[f->stack[--depth]];
    for (int i = 0; i < unit->n_after; i++) {
      if (unit->after[i] == early) return true;
      if (f->stamp[unit->after[i]] == f->search) continue;
      f->stamp[unit->after[i]] = f->search;
      f->stack[depth++] = unit->after[i];
    }
  }
  return false;
}

/* ---- assignments ---- */

/* do two variables share memory? */
static bool overlap(const deer_record *a, const deer_record *b) {
  return a->external < b->external + b->shape.dim[0] && b->external < a->external + a->shape.dim[0];
}

/* Does unit u read the memory of variable `v`? Chains read what lies behind a repeat. With `other`:
 * does it read it other than element by element, as another variable or repeated? */
static bool reads(fuser *f, int u, int32_t v, bool other) {
  const deer_unit *unit = &f->plan->units[u];
  for (int k = 0; k < unit->n; k++)
    for (int i = 0; i < f->g->records[unit->nodes[k]].n_inputs; i++) {
      int32_t id = deer_memory_owner(f->g, input_of(f->g, unit->nodes[k], i));
      bool aligned = other;
      while (f->plan->unit_of[id] < 0 && read_through(&f->g->records[id])) {
        aligned = aligned && count_of(f->g, input_of(f->g, id, 0)) == count_of(f->g, id);
        id = deer_memory_owner(f->g, input_of(f->g, id, 0));
      }
      const deer_record *r = &f->g->records[id];
      if (r->op == &deer_op_variable && !(aligned && id == v) && overlap(r, &f->g->records[v]))
        return true;
    }
  return false;
}

static bool assigned_elsewhere(const fuser *f, int32_t assign) {
  const deer_graph *g = f->g;
  const deer_record *v = &g->records[input_of(g, assign, 0)];
  for (int32_t id = 1; id < g->n; id++) {
    const deer_record *r = &g->records[id];
    if (id == assign || !f->live[id] || r->op != &deer_op_assign) continue;
    if (overlap(&g->records[g->edges[r->first]], v)) return true;
    /* another assignment copies what this one overwrites */
    const deer_record *value = &g->records[deer_memory_owner(g, g->edges[r->first + 1])];
    if (value->op == &deer_op_variable && overlap(value, v)) return true;
  }
  return false;
}

/* The chain that can write straight into the variable, or -1: it computes the value, no other unit
 * that reads the variable has to wait for it. */
static int joinable(fuser *f, int32_t assign) {
  const deer_graph *g = f->g;
  const int32_t v = input_of(g, assign, 0), value = deer_same_elements(g, input_of(g, assign, 1));
  const int unit = f->plan->unit_of[value];
  if (!is_map(g, value) || f->plan->target[value]) return -1;
  if (assigned_elsewhere(f, assign) || reads(f, unit, v, true)) return -1;
  for (int u = 0; u < f->plan->n_units; u++)
    if (u != unit && reads(f, u, v, false) && is_after(f, u, unit)) return -1;
  return unit;
}

static deer_status join_assigns(fuser *f) {
  const deer_graph *g = f->g;
  for (int32_t id = 1; id < g->n; id++) {
    if (!f->live[id] || g->records[id].op != &deer_op_assign) continue;
    const int unit = joinable(f, id);
    const int32_t v = input_of(g, id, 0);
    if (unit >= 0) f->plan->target[deer_same_elements(g, input_of(g, id, 1))] = v;
    for (int u = 0; unit >= 0 && u < f->plan->n_units; u++)
      if (u != unit && reads(f, u, v, false)) DEER_TRY(run_after(f->plan, unit, u));
  }
  return DEER_OK;
}

/* the assignments that are left copy their values at the end, one after the other */
static deer_status add_copies(fuser *f) {
  const deer_graph *g = f->g;
  deer_plan *p = f->plan;
  int last_copy = 0;
  for (int32_t id = 1; id < g->n; id++) {
    if (!f->live[id] || g->records[id].op != &deer_op_assign) continue;
    const int32_t value = deer_same_elements(g, input_of(g, id, 1));
    if (p->target[value] == input_of(g, id, 0)) continue;
    const int copy = p->n_units;
    p->stored[deer_memory_owner(g, value)] = true;
    DEER_TRY(add_unit(f, id));
    /* the first waits for all units, each other one for the one before it */
    for (int u = last_copy; u < copy; u++) DEER_TRY(run_after(p, copy, u));
    last_copy = copy;
  }
  return DEER_OK;
}

/* ---- order ---- */

/* depth first from the last units down, so that what is made is soon read */
static deer_status sort_units(deer_plan *p) {
  const size_t n = (size_t)p->n_units + 1;
  int *stack = deer_alloc_array(n, sizeof *stack), *next = deer_alloc_array(n, sizeof *next);
  char *state = deer_alloc_array(n, 1);
  int done = 0;
  for (int root = 0; stack && next && state && root < p->n_units; root++) {
    int depth = 0;
    if (state[root]) continue;
    stack[depth++] = root;
    state[root] = 1;
    while (depth > 0) {
      const int u = stack[depth - 1];
      if (next[u] == p->units[u].n_after) {
        p->order[done++] = u;
        depth--;
        continue;
      }
      const int before = p->units[u].after[next[u]++];
      if (state[before]) continue;
      state[before] = 1;
      stack[depth++] = before;
    }
  }
  const bool complete = stack && next && state;
  deer_free(stack);
  deer_free(next);
  deer_free(state);
  return complete ? DEER_OK : DEER_ENOMEM;
}

/* ---- all of it ---- */

static deer_status make_plan(fuser *f, const deer_node *outputs, int n) {
  mark_live(f->g, outputs, n, f->live);
  make_groups(f);
  mark_stored(f, outputs, n);
  DEER_TRY(make_units(f));
  DEER_TRY(order_units(f));
  DEER_TRY(join_assigns(f));
  DEER_TRY(add_copies(f));
  return sort_units(f->plan);
}

static bool get_memory(fuser *f, deer_plan *p, size_t n) {
  f->live = deer_alloc_array(n, sizeof *f->live);
  f->group = deer_alloc_array(n, sizeof *f->group);
  f->chain = deer_alloc_array(n, sizeof *f->chain);
  f->members = deer_alloc_array(n, sizeof *f->members);
  f->stamp = deer_alloc_array(n, sizeof *f->stamp);
  f->stack = deer_alloc_array(n, sizeof *f->stack);
  p->unit_of = deer_alloc_array(n, sizeof *p->unit_of);
  p->kept = deer_alloc_array(n, sizeof *p->kept);
  p->stored = deer_alloc_array(n, sizeof *p->stored);
  p->target = deer_alloc_array(n, sizeof *p->target);
  p->units = deer_alloc_array(n, sizeof *p->units);
  p->order = deer_alloc_array(n, sizeof *p->order);
  p->home = deer_alloc_array(n, sizeof *p->home);
  return f->live && f->group && f->chain && f->members && f->stamp && f->stack && p->unit_of &&
         p->kept && p->stored && p->target && p->units && p->order && p->home;
}

deer_status deer_plan_new(const deer_graph *g, const deer_node *outputs, int n, deer_plan **plan) {
  *plan = NULL;
  deer_plan *p = deer_alloc(sizeof *p);
  if (!p) return DEER_ENOMEM;
  p->g = g;
  fuser f = {.g = g, .plan = p};
  deer_status status = get_memory(&f, p, (size_t)g->n) ? make_plan(&f, outputs, n) : DEER_ENOMEM;
  deer_free(f.live);
  deer_free(f.group);
  deer_free(f.chain);
  deer_free(f.members);
  deer_free(f.stamp);
  deer_free(f.stack);
  if (status == DEER_OK)
    *plan = p;
  else
    deer_plan_free(p);
  return status;
}

void deer_plan_free(deer_plan *p) {
  if (!p) return;
  for (int u = 0; p->units && u < p->n_units; u++) {
    deer_free(p->units[u].nodes);
    deer_free(p->units[u].after);
  }
  deer_free(p->unit_of);
  deer_free(p->kept);
  deer_free(p->stored);
  deer_free(p->target);
  deer_free(p->units);
  deer_free(p->order);
  deer_free(p->home);
  deer_free(p);
}
