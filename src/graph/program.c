/* program.c: from a graph to a list of kernel calls over one arena, and running it. */
#include "graph/internal.h"
#include "tensor/blas.h"

#include <string.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

struct deer_program {
  int n_nodes;   /* of the graph it was made from */
  void **data;   /* memory of node i; NULL where the program does not have it */
  bool *visible; /* inputs and outputs: what deer_program_data may show */
  char *arena;   /* all memory of the program */
  void *scratch; /* the largest any step asks for */
  deer_step *steps;
  int n_steps;
  deer_operand *operands; /* inputs of all steps */
  deer_attr *attrs;       /* one per step; lists are owned */
};

/* ---- what is needed ---- */

/* nodes the outputs depend on */
static void mark(const deer_graph *g, const deer_node *outputs, int n, bool *live) {
  for (int i = 0; i < n; i++) live[outputs[i].id] = true;
  for (int32_t id = g->n - 1; id > 0; id--)
    for (int i = 0; live[id] && i < g->records[id].n_inputs; i++)
      live[g->edges[g->records[id].first + i]] = true;
}

/* ---- memory ---- */

static size_t padded(size_t bytes) { return (bytes + 63) / 64 * 64; }

static size_t node_bytes(const deer_record *r) {
  return padded(deer_shape_count(&r->shape) * deer_dtype_size(r->dtype));
}

static bool owns_memory(const deer_record *r) {
  return !r->op->alias && r->op != &deer_op_variable;
}

/* the memory of an alias: that of its input, for a view some way in */
static void *alias_data(const deer_graph *g, const deer_record *r, void *const *data) {
  char *base = data[g->edges[r->first]];
  if (r->op == &deer_op_view) base += (size_t)r->attr.number[0] * sizeof(deer_real);
  return base;
}

static void fill_constant(const deer_record *r, deer_real *data) {
  size_t n = deer_shape_count(&r->shape);
  for (size_t i = 0; i < n; i++) data[i] = (deer_real)r->attr.real[0];
}

/* one buffer per node that needs one, in one arena */
static deer_status lay_out(deer_program *p, const deer_graph *g, const bool *live) {
  size_t total = 0;
  for (int id = 1; id < g->n; id++)
    if (live[id] && owns_memory(&g->records[id])) total += node_bytes(&g->records[id]);
  p->arena = deer_alloc(total);
  if (!p->arena) return DEER_ENOMEM;
  char *next = p->arena;
  for (int id = 1; id < g->n; id++) {
    const deer_record *r = &g->records[id];
    if (!live[id]) continue;
    if (r->op == &deer_op_variable) {
      p->data[id] = r->external;
    } else if (r->op->alias) {
      p->data[id] = alias_data(g, r, p->data);
    } else {
      p->data[id] = next;
      next += node_bytes(r);
    }
    if (r->op == &deer_op_constant) fill_constant(r, p->data[id]);
  }
  return DEER_OK;
}

/* ---- steps ---- */

static deer_status copy_attr(const deer_attr *from, deer_attr *to) {
  *to = *from;
  if (from->n_list == 0) return DEER_OK;
  size_t bytes = (size_t)from->n_list * sizeof *from->list;
  int *list = deer_alloc(bytes);
  to->list = list;
  if (!list) return DEER_ENOMEM;
  memcpy(list, from->list, bytes);
  return DEER_OK;
}

/* appends the kernel call of one node; `operands` has room for its inputs */
static deer_status add_step(deer_program *p, const deer_graph *g, int32_t id,
                            deer_operand *operands) {
  const deer_record *r = &g->records[id];
  for (int i = 0; i < r->n_inputs; i++) {
    int32_t from = g->edges[r->first + i];
    operands[i] = (deer_operand){g->records[from].dtype, g->records[from].shape, p->data[from]};
  }
  deer_attr *attr = &p->attrs[p->n_steps];
  p->steps[p->n_steps++] = (deer_step){.op = r->op,
                                       .in = operands,
                                       .n_in = r->n_inputs,
                                       .out = {r->dtype, r->shape, p->data[id]},
                                       .attr = attr};
  return copy_attr(&r->attr, attr);
}

static bool is_step(const deer_graph *g, const bool *live, int32_t id, bool assigns) {
  const deer_op *op = g->records[id].op;
  return live[id] && op->run && (op == &deer_op_assign) == assigns;
}

/* kernel calls in the order of the nodes, assignments after everything else */
static deer_status make_steps(deer_program *p, const deer_graph *g, const bool *live) {
  size_t n_steps = 0, n_operands = 0;
  for (int32_t id = 1; id < g->n; id++) {
    if (!live[id] || !g->records[id].op->run) continue;
    n_steps++;
    n_operands += (size_t)g->records[id].n_inputs;
  }
  p->steps = deer_alloc_array(n_steps, sizeof *p->steps);
  p->attrs = deer_alloc_array(n_steps, sizeof *p->attrs);
  p->operands = deer_alloc_array(n_operands, sizeof *p->operands);
  if (!p->steps || !p->attrs || !p->operands) return DEER_ENOMEM;
  deer_operand *next = p->operands;
  for (int assigns = 0; assigns < 2; assigns++)
    for (int32_t id = 1; id < g->n; id++) {
      if (!is_step(g, live, id, assigns)) continue;
      DEER_TRY(add_step(p, g, id, next));
      next += g->records[id].n_inputs;
    }
  return DEER_OK;
}

static deer_status add_scratch(deer_program *p) {
  size_t most = 0;
  for (int i = 0; i < p->n_steps; i++) {
    const deer_step *step = &p->steps[i];
    size_t bytes = step->op->scratch ? step->op->scratch(step) : 0;
    if (bytes > most) most = bytes;
  }
  p->scratch = deer_alloc(most);
  if (!p->scratch) return DEER_ENOMEM;
  for (int i = 0; i < p->n_steps; i++) p->steps[i].scratch = p->scratch;
  return DEER_OK;
}

/* ---- compile ---- */

static deer_status build(deer_program *p, const deer_graph *g, const deer_node *outputs, int n) {
  size_t count = (size_t)g->n;
  p->n_nodes = g->n;
  p->data = deer_alloc_array(count, sizeof *p->data);
  p->visible = deer_alloc_array(count, sizeof *p->visible);
  bool *live = deer_alloc_array(count, sizeof *live);
  deer_status status = p->data && p->visible && live ? DEER_OK : DEER_ENOMEM;
  if (status == DEER_OK) {
    mark(g, outputs, n, live);
    for (int32_t id = 1; id < g->n; id++)
      p->visible[id] = live[id] && g->records[id].op == &deer_op_input;
    for (int i = 0; i < n; i++) p->visible[outputs[i].id] = true;
    status = lay_out(p, g, live);
  }
  if (status == DEER_OK) status = make_steps(p, g, live);
  if (status == DEER_OK) status = add_scratch(p);
  deer_free(live);
  return status;
}

deer_status deer_compile(deer_graph *g, const deer_node *outputs, int n, deer_program **program) {
  *program = NULL;
  for (int i = 0; i < n; i++)
    if (g->status == DEER_OK && !deer_graph_has(g, outputs[i]))
      deer_graph_fail(g, "compile: output %d is not a node of this graph", i + 1);
  DEER_TRY(deer_graph_status(g));
  /* several threads would add in an order of their own */
  deer_blas_start();
  deer_program *p = deer_alloc(sizeof *p);
  if (!p) return DEER_ENOMEM;
  deer_status status = build(p, g, outputs, n);
  if (status == DEER_OK)
    *program = p;
  else
    deer_program_free(p);
  return status;
}

void deer_program_free(deer_program *p) {
  if (!p) return;
  for (int i = 0; p->attrs && i < p->n_steps; i++) deer_free((void *)p->attrs[i].list);
  deer_free(p->data);
  deer_free(p->visible);
  deer_free(p->arena);
  deer_free(p->scratch);
  deer_free(p->steps);
  deer_free(p->operands);
  deer_free(p->attrs);
  deer_free(p);
}

/* ---- run ---- */

/* moving averages that fade out become subnormal numbers, on which the CPU is a hundred times
 * slower: while a program runs they count as zero */
#if defined(__SSE__)
static unsigned flush_subnormals(void) {
  unsigned mode = _mm_getcsr();
  _mm_setcsr(mode | 0x8040);
  return mode;
}
static void restore_mode(unsigned mode) { _mm_setcsr(mode); }
#else
static unsigned flush_subnormals(void) { return 0; }
static void restore_mode(unsigned mode) { (void)mode; }
#endif

void deer_program_run(deer_program *p) {
  unsigned mode = flush_subnormals();
  for (int i = 0; i < p->n_steps; i++) p->steps[i].op->run(&p->steps[i]);
  restore_mode(mode);
}

void *deer_program_data(const deer_program *p, deer_node node) {
  bool known = node.id > 0 && node.id < p->n_nodes && p->visible[node.id];
  return known ? p->data[node.id] : NULL;
}

int deer_program_steps(const deer_program *p) { return p->n_steps; }
