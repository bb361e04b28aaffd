/* grad.c: reverse mode. Walks the nodes from the loss backwards and emits the gradient of each as
 * nodes, so the result can be differentiated again. */
#include "graph/internal.h"

#include <string.h>

typedef struct part {
  int32_t block; /* the node a view looks into */
  int offset;
  deer_node gradient;
} part;

typedef struct backward {
  deer_graph *g;
  int n;              /* nodes that existed before */
  deer_node *adjoint; /* gradient of the loss to each of them, none so far */
  bool *needed;       /* does the node depend on one of those asked for? */
  part *parts;        /* gradients of views, waiting for their block */
  int n_parts;
} backward;

/* marks every node that depends on a wanted one */
static void mark_needed(backward *b, const deer_node *wrt, int n) {
  for (int i = 0; i < n; i++) b->needed[wrt[i].id] = true;
  for (int32_t id = 1; id < b->n; id++) {
    const deer_record *r = &b->g->records[id];
    bool passes = r->op->grad || r->op == &deer_op_view;
    for (int i = 0; passes && i < r->n_inputs; i++)
      if (b->needed[b->g->edges[r->first + i]]) b->needed[id] = true;
  }
}

static void accumulate(backward *b, int32_t id, deer_node gradient) {
  deer_node *sum = &b->adjoint[id];
  *sum = sum->id ? deer_add(b->g, *sum, gradient) : gradient;
}

/* the views into block `id` have all been met: their gradients make one pack */
static deer_status collect_parts(backward *b, int32_t id) {
  int n = 0;
  for (int i = 0; i < b->n_parts; i++) n += b->parts[i].block == id;
  if (n == 0) return DEER_OK;
  deer_node *nodes = deer_alloc_array((size_t)n, sizeof *nodes);
  int *offsets = deer_alloc_array((size_t)n, sizeof *offsets);
  if (nodes && offsets) {
    for (int i = 0, k = 0; i < b->n_parts; i++) {
      if (b->parts[i].block != id) continue;
      nodes[k] = b->parts[i].gradient;
      offsets[k++] = b->parts[i].offset;
    }
    int size = b->g->records[id].shape.dim[0];
    accumulate(b, id, deer_pack(b->g, nodes, offsets, n, size));
  }
  deer_status status = nodes && offsets ? DEER_OK : DEER_ENOMEM;
  deer_free(nodes);
  deer_free(offsets);
  return status;
}

/* passes the gradient of node `id` on to its inputs */
static deer_status pass_back(backward *b, int32_t id, deer_node *gx) {
  deer_graph *g = b->g;
  deer_record r = g->records[id]; /* a copy: emitting nodes may move the array */
  deer_node self = {id};
  if (r.op == &deer_op_view) {
    b->parts[b->n_parts++] = (part){g->edges[r.first], r.attr.number[0], b->adjoint[id]};
    return DEER_OK;
  }
  if (!r.op->grad) return DEER_OK;
  memset(gx, 0, (size_t)r.n_inputs * sizeof *gx);
  r.op->grad(g, self, b->adjoint[id], gx);
  for (int i = 0; i < r.n_inputs; i++) {
    int32_t input = g->edges[r.first + i];
    if (gx[i].id && b->needed[input]) accumulate(b, input, gx[i]);
  }
  return deer_graph_status(g);
}

static deer_status walk(backward *b, deer_node loss, deer_node *gx) {
  b->adjoint[loss.id] = deer_constant(b->g, DEER_SCALAR, 1);
  for (int32_t id = loss.id; id > 0; id--) {
    DEER_TRY(collect_parts(b, id));
    if (b->adjoint[id].id && b->needed[id]) DEER_TRY(pass_back(b, id, gx));
  }
  return DEER_OK;
}

static deer_status check(deer_graph *g, deer_node loss, const deer_node *wrt, int n) {
  DEER_TRY(deer_graph_status(g));
  char text[DEER_NODE_TEXT];
  if (!deer_graph_has(g, loss))
    deer_graph_fail(g, "gradients: the loss is not a node of this graph");
  else if (g->records[loss.id].shape.rank != 0 || g->records[loss.id].dtype != DEER_DTYPE_REAL)
    deer_graph_fail(g, "gradients: the loss %s is not a real scalar",
                    deer_node_text(g, loss, text));
  for (int i = 0; i < n; i++)
    if (!deer_graph_has(g, wrt[i]))
      deer_graph_fail(g, "gradients: node %d is not a node of this graph", i + 1);
  return deer_graph_status(g);
}

deer_status deer_gradients(deer_graph *g, deer_node loss, const deer_node *wrt, int n,
                           deer_node *out) {
  for (int i = 0; i < n; i++) out[i] = DEER_NONE;
  DEER_TRY(check(g, loss, wrt, n));
  size_t count = (size_t)g->n;
  int widest = 1;
  for (int i = 1; i < g->n; i++)
    if (g->records[i].n_inputs > widest) widest = g->records[i].n_inputs;
  backward b = {.g = g, .n = g->n};
  b.adjoint = deer_alloc_array(count, sizeof *b.adjoint);
  b.needed = deer_alloc_array(count, sizeof *b.needed);
  b.parts = deer_alloc_array(count, sizeof *b.parts);
  deer_node *gx = deer_alloc_array((size_t)widest, sizeof *gx);
  deer_status status = b.adjoint && b.needed && b.parts && gx ? DEER_OK : DEER_ENOMEM;
  if (status == DEER_OK) {
    mark_needed(&b, wrt, n);
    status = walk(&b, loss, gx);
  }
  for (int i = 0; status == DEER_OK && i < n; i++) {
    out[i] = b.adjoint[wrt[i].id];
    if (!out[i].id) out[i] = deer_constant(g, g->records[wrt[i].id].shape, 0);
  }
  deer_free(b.adjoint);
  deer_free(b.needed);
  deer_free(b.parts);
  deer_free(gx);
  return status == DEER_OK ? deer_graph_status(g) : status;
}
