/* program.c: from a graph to a list of kernel calls over one arena, and running it. */
#include "base/pool.h"
#include "graph/program.h"
#include "tensor/blas.h"

#include <string.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

/* ---- memory ---- */

/* the memory of an alias: that of its input, for a view some way in */
static void *alias_data(const deer_graph *g, const deer_record *r, void *const *data) {
  char *base = data[g->edges[r->first]];
  if (base && r->op == &deer_op_view) base += (size_t)r->attr.number[0] * sizeof(deer_real);
  return base;
}

static void fill_constant(const deer_record *r, deer_real *data) {
  size_t n = deer_shape_count(&r->shape);
  for (size_t i = 0; i < n; i++) data[i] = (deer_real)r->attr.real[0];
}

static void find_data(deer_program *p, const deer_layout *layout) {
  const deer_graph *g = p->g;
  for (int32_t id = 1; id < g->n; id++) {
    const deer_record *r = &g->records[id];
    if (r->op == &deer_op_variable)
      p->data[id] = r->external;
    else if (r->op->alias)
      p->data[id] = alias_data(g, r, p->data);
    else if (deer_has_memory(p->plan, id))
      p->data[id] = p->arena + layout->offset[id];
    if (p->data[id] && r->op == &deer_op_constant) fill_constant(r, p->data[id]);
  }
}

static deer_status lay_out(deer_program *p) {
  deer_layout layout;
  deer_status status = deer_layout_new(p->plan, deer_threads(), &layout);
  p->data = deer_alloc_array((size_t)p->g->n, sizeof *p->data);
  p->arena_bytes = layout.total;
  if (status == DEER_OK) p->arena = deer_alloc(layout.total);
  if (!p->data || !p->arena) status = DEER_ENOMEM;
  if (status == DEER_OK) find_data(p, &layout);
  deer_free(layout.offset);
  return status;
}

/* ---- steps ---- */

/* a fused unit: its kernels know their memory */
static size_t chain_scratch(const deer_step *step) { return deer_chain_scratch(step->chain); }

static int chain_parts(const deer_step *step) {
  return (int)((step->chain->n + step->chain->length - 1) / step->chain->length);
}

static const deer_op fused = {
    .name = "chain", .run = deer_chain_run, .scratch = chain_scratch, .parts = chain_parts};

/* appends the kernel call of unit u; `operands` has room for its inputs */
static deer_status add_step(deer_program *p, int u, deer_operand *operands) {
  const deer_graph *g = p->g;
  const deer_unit *unit = &p->plan->units[u];
  const int32_t id = unit->nodes[unit->n - 1];
  const deer_record *r = &g->records[id];
  p->unit_of_step[p->n_steps] = u;
  deer_step *step = &p->steps[p->n_steps++];
  *step = (deer_step){
      .op = r->op, .attr = &r->attr, .out = {r->dtype, r->shape, p->data[id]}, .parts = 1};
  if (r->op->map) {
    step->op = &fused;
    return deer_chain_new(p->plan, unit, p->data, &step->chain);
  }
  for (int i = 0; i < r->n_inputs; i++) {
    int32_t from = g->edges[r->first + i];
    operands[i] = (deer_operand){g->records[from].dtype, g->records[from].shape, p->data[from]};
  }
  step->in = operands;
  step->n_in = r->n_inputs;
  return DEER_OK;
}

static deer_status make_steps(deer_program *p) {
  const deer_plan *plan = p->plan;
  p->steps = deer_alloc_array((size_t)plan->n_units, sizeof *p->steps);
  p->unit_of_step = deer_alloc_array((size_t)plan->n_units, sizeof *p->unit_of_step);
  p->operands = deer_alloc_array((size_t)p->g->n_edges, sizeof *p->operands);
  if (!p->steps || !p->unit_of_step || !p->operands) return DEER_ENOMEM;
  deer_operand *next = p->operands;
  for (int i = 0; i < plan->n_units; i++) {
    const int u = plan->order[i];
    if (deer_is_laid_out(plan, u)) continue;
    DEER_TRY(add_step(p, u, next));
    next += p->steps[p->n_steps - 1].n_in;
  }
  return DEER_OK;
}

/* each lane has a scratch of its own, as large as any step asks for */
static deer_status add_scratch(deer_program *p) {
  size_t most = 0;
  for (int i = 0; i < p->n_steps; i++) {
    const deer_step *step = &p->steps[i];
    size_t bytes = step->op->scratch ? step->op->scratch(step) : 0;
    if (bytes > most) most = bytes;
  }
  most = (most + 63) / 64 * 64;
  p->scratch = deer_alloc_array(p->lanes ? (size_t)p->n_lanes : 1, most);
  if (!p->scratch) return DEER_ENOMEM;
  for (int i = 0; i < p->n_steps; i++) p->steps[i].scratch = p->scratch;
  for (int l = 0; p->lanes && l < p->n_lanes; l++)
    for (int i = 0; i < p->lanes[l].n; i++)
      p->steps[p->lanes[l].steps[i]].scratch = p->scratch + (size_t)l * most;
  return DEER_OK;
}

/* ---- compile ---- */

/* where the caller finds inputs and outputs */
static void show(deer_program *p, const deer_graph *g, const deer_node *outputs, int n,
                 const int32_t *place) {
  for (int32_t id = 1; id < g->n; id++)
    if (place[id] && g->records[id].op == &deer_op_input) p->shown[id] = p->data[place[id]];
  for (int i = 0; i < n; i++) p->shown[outputs[i].id] = p->data[place[outputs[i].id]];
}

static deer_status build(deer_program *p, const deer_graph *g, const deer_node *outputs, int n) {
  p->n_nodes = g->n;
  p->shown = deer_alloc_array((size_t)g->n, sizeof *p->shown);
  int32_t *place = deer_alloc_array((size_t)g->n, sizeof *place);
  deer_node *wanted = deer_alloc_array((size_t)n + 1, sizeof *wanted);
  deer_status status = p->shown && place && wanted ? DEER_OK : DEER_ENOMEM;
  if (status == DEER_OK) status = deer_simplify(g, outputs, n, &p->g, place);
  for (int i = 0; i < n && status == DEER_OK; i++) wanted[i].id = place[outputs[i].id];
  if (status == DEER_OK) status = deer_plan_new(p->g, wanted, n, &p->plan);
  if (status == DEER_OK) status = lay_out(p);
  if (status == DEER_OK) status = make_steps(p);
  if (status == DEER_OK) status = deer_schedule(p, deer_threads());
  if (status == DEER_OK) status = add_scratch(p);
  if (status == DEER_OK) show(p, g, outputs, n, place);
  deer_free(place);
  deer_free(wanted);
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
  if (status == DEER_OK) status = deer_explain_begin(p);
  if (status == DEER_OK)
    *program = p;
  else
    deer_program_free(p);
  return status;
}

void deer_program_free(deer_program *p) {
  if (!p) return;
  deer_explain_end(p);
  for (int i = 0; p->steps && i < p->n_steps; i++)
    if (p->steps[i].part == 0) deer_chain_free(p->steps[i].chain);
  deer_lanes_free(p);
  deer_plan_free(p->plan);
  deer_graph_free(p->g);
  deer_free((void *)p->shown);
  deer_free((void *)p->data);
  deer_free(p->arena);
  deer_free(p->scratch);
  deer_free(p->steps);
  deer_free(p->unit_of_step);
  deer_free(p->spent);
  deer_free(p->operands);
  deer_free(p);
}

/* ---- run ---- */

#if defined(__SSE__)
unsigned deer_flush_subnormals(void) {
  unsigned mode = _mm_getcsr();
  _mm_setcsr(mode | 0x8040);
  return mode;
}
void deer_restore_mode(unsigned mode) { _mm_setcsr(mode); }
#else
unsigned deer_flush_subnormals(void) { return 0; }
void deer_restore_mode(unsigned mode) { (void)mode; }
#endif

void deer_program_run(deer_program *p) {
  if (p->lanes && !p->profiled) {
    deer_lanes_run(p);
    return;
  }
  unsigned mode = deer_flush_subnormals();
  if (p->profiled)
    deer_program_run_timed(p);
  else
    for (int i = 0; i < p->n_steps; i++) p->steps[i].op->run(&p->steps[i]);
  deer_restore_mode(mode);
}

void *deer_program_data(const deer_program *p, deer_node node) {
  return node.id > 0 && node.id < p->n_nodes ? p->shown[node.id] : NULL;
}

int deer_program_steps(const deer_program *p) { return p->n_steps; }
