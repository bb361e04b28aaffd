/* graph.c: building: the list of nodes, shapes, names and the first mistake. */
#include "graph/internal.h"

#include <stdio.h>
#include <string.h>

static const deer_op *const ops[] = {
#define OP(name) &deer_op_##name,
#include "graph/ops.def"
#undef OP
};

const deer_op *deer_op_at(int i) {
  return i >= 0 && i < (int)(sizeof ops / sizeof *ops) ? ops[i] : NULL;
}

/* ---- life ---- */

deer_graph *deer_graph_new(void) {
  deer_graph *g = deer_alloc(sizeof *g);
  if (!g) return NULL;
  g->room = 64;
  g->records = deer_alloc_array((size_t)g->room, sizeof *g->records);
  if (!g->records) {
    deer_free(g);
    return NULL;
  }
  g->n = 1;
  return g;
}

void deer_graph_free(deer_graph *g) {
  if (!g) return;
  for (int i = 1; i < g->n; i++) {
    deer_free(g->records[i].name);
    deer_free((void *)g->records[i].attr.list);
  }
  deer_free(g->records);
  deer_free(g->edges);
  deer_free(g->message);
  deer_free(g);
}

/* ---- mistakes ---- */

deer_status deer_graph_status(const deer_graph *g) {
  if (g->status == DEER_OK) return DEER_OK;
  return deer_fail(g->status, "%s", g->message ? g->message : "out of memory");
}

void deer_graph_forget(deer_graph *g) {
  g->status = DEER_OK;
  deer_free(g->message);
  g->message = NULL;
}

/* keeps the pending error of this thread as the graph's, if it is the first */
static deer_node remember(deer_graph *g, deer_status status) {
  if (g->status == DEER_OK) {
    g->status = status;
    char text[1024];
    snprintf(text, sizeof text, "%s", deer_error());
    g->message = deer_strdup(text);
  }
  return DEER_NONE;
}

deer_node deer_graph_fail(deer_graph *g, const char *format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return remember(g, deer_fail(DEER_ESHAPE, "%s", text));
}

/* ---- names ---- */

bool deer_graph_has(const deer_graph *g, deer_node node) { return node.id > 0 && node.id < g->n; }

deer_node deer_name(deer_graph *g, deer_node node, const char *name) {
  if (!deer_graph_has(g, node)) return node;
  char *copy = deer_strdup(name);
  if (!copy) return remember(g, DEER_ENOMEM);
  deer_free(g->records[node.id].name);
  g->records[node.id].name = copy;
  return node;
}

const char *deer_node_name(const deer_graph *g, int32_t id, char text[DEER_NODE_NAME]) {
  const deer_record *r = &g->records[id];
  if (r->name)
    snprintf(text, DEER_NODE_NAME, "%s", r->name);
  else
    snprintf(text, DEER_NODE_NAME, "%s_%d", r->op->name, id);
  return text;
}

/* "add(r_t [32], gather_12 [32, 1])" */
static void describe_call(const deer_graph *g, const deer_op *op, const deer_node *in, int n,
                          char text[512]) {
  size_t used = (size_t)snprintf(text, 512, "%s(", op->name);
  for (int i = 0; i < n && used < 512; i++) {
    char name[DEER_NODE_NAME], shape[DEER_SHAPE_TEXT];
    used += (size_t)snprintf(text + used, 512 - used, "%s%s %s", i ? ", " : "",
                             deer_node_name(g, in[i].id, name),
                             deer_shape_text(&g->records[in[i].id].shape, shape));
  }
  if (used < 512) snprintf(text + used, 512 - used, ")");
}

/* ---- growing ---- */

/* the array, or a larger copy when it has no room for `more` elements; NULL without memory */
static void *make_room(void *array, int *room, int used, int more, size_t size) {
  if (array && used + more <= *room) return array;
  int bigger = *room ? 2 * *room : 64;
  while (bigger < used + more) bigger *= 2;
  void *grown = deer_realloc(array, (size_t)bigger * size);
  if (grown) *room = bigger;
  return grown;
}

/* appends a record with its edges and a copy of the attributes; NULL without memory */
static deer_record *append(deer_graph *g, const deer_node *in, int n, const deer_attr *attr) {
  deer_record *records = make_room(g->records, &g->room, g->n, 1, sizeof *records);
  if (!records) return NULL;
  g->records = records;
  int32_t *edges = make_room(g->edges, &g->edge_room, g->n_edges, n, sizeof *edges);
  if (!edges) return NULL;
  g->edges = edges;
  int *list = NULL;
  if (attr->n_list > 0) {
    size_t bytes = (size_t)attr->n_list * sizeof *list;
    list = deer_alloc(bytes);
    if (!list) return NULL;
    memcpy(list, attr->list, bytes);
  }
  deer_record *r = &g->records[g->n];
  *r = (deer_record){.attr = *attr, .first = g->n_edges, .n_inputs = n};
  r->attr.list = list;
  for (int i = 0; i < n; i++) g->edges[g->n_edges++] = in[i].id;
  g->n++;
  return r;
}

/* ---- adding a node ---- */

/* the rule of ops without one of their own: one real input or several of equal shape */
static deer_status equal_shapes(deer_step *step) {
  for (int i = 0; i < step->n_in; i++)
    if (step->in[i].dtype != DEER_DTYPE_REAL)
      return deer_fail(DEER_ESHAPE, "expected real numbers, got %s",
                       deer_dtype_name(step->in[i].dtype));
  for (int i = 1; i < step->n_in; i++)
    if (!deer_shape_equal(&step->in[0].shape, &step->in[i].shape))
      return deer_fail(DEER_ESHAPE, "shapes differ");
  return DEER_OK;
}

/* fills step->out; the failure message names the op and its inputs */
static deer_status infer(deer_graph *g, deer_step *step, const deer_node *in) {
  const deer_op *op = step->op;
  deer_status status = DEER_OK;
  if (op->n_inputs >= 0 && step->n_in != op->n_inputs)
    status = deer_fail(DEER_ESHAPE, "expected %d inputs, got %d", op->n_inputs, step->n_in);
  if (status == DEER_OK) status = op->shape ? op->shape(step) : equal_shapes(step);
  if (status == DEER_OK) status = deer_shape_check(&step->out.shape, "result");
  if (status == DEER_OK) return DEER_OK;
  char call[512];
  describe_call(g, op, in, step->n_in, call);
  return deer_fail(status, "%s: %s", call, deer_error());
}

deer_node deer_graph_add(deer_graph *g, const deer_op *op, const deer_node *in, int n,
                         const deer_attr *attr) {
  if (g->status != DEER_OK) return DEER_NONE;
  deer_operand few[8], *operands = few;
  if (n > 8) operands = deer_alloc_array((size_t)n, sizeof *operands);
  if (!operands) return remember(g, DEER_ENOMEM);
  deer_status status = DEER_OK;
  for (int i = 0; i < n && status == DEER_OK; i++) {
    const deer_record *r = deer_graph_has(g, in[i]) ? &g->records[in[i].id] : NULL;
    if (!r)
      status = deer_fail(DEER_EINVAL, "%s: input %d is not a node of this graph", op->name, i + 1);
    else if (r->op == &deer_op_assign)
      status = deer_fail(DEER_EINVAL, "%s: the result of an assignment cannot be used", op->name);
    else
      operands[i] = (deer_operand){r->dtype, r->shape, NULL};
  }
  deer_attr none = {0};
  deer_step step = {.op = op, .in = operands, .n_in = n, .attr = attr ? attr : &none};
  if (n > 0) step.out = operands[0];
  if (status == DEER_OK) status = infer(g, &step, in);
  deer_record *r = NULL;
  if (status == DEER_OK) {
    r = append(g, in, n, step.attr);
    if (!r) status = DEER_ENOMEM;
  }
  if (operands != few) deer_free(operands);
  if (status != DEER_OK) return remember(g, status);
  r->op = op;
  r->dtype = step.out.dtype;
  r->shape = step.out.shape;
  return (deer_node){g->n - 1};
}

/* ---- looking ---- */

deer_shape deer_node_shape(const deer_graph *g, deer_node node) {
  return g->records[deer_graph_has(g, node) ? node.id : 0].shape;
}

deer_dtype deer_node_dtype(const deer_graph *g, deer_node node) {
  return g->records[deer_graph_has(g, node) ? node.id : 0].dtype;
}

deer_node deer_node_input(const deer_graph *g, deer_node node, int i) {
  return (deer_node){g->edges[g->records[node.id].first + i]};
}

const deer_attr *deer_node_attr(const deer_graph *g, deer_node node) {
  return &g->records[node.id].attr;
}

/* ---- dump ---- */

/* "%7 = matmul(x, w) float32 [32, 50]\n"; returns its length whether or not it fits */
static size_t line(const deer_graph *g, int32_t id, char *text, size_t size) {
  const deer_record *r = &g->records[id];
  char name[DEER_NODE_NAME], shape[DEER_SHAPE_TEXT];
  size_t used = 0;
#define PUT(...)                                                                                   \
  used += (size_t)snprintf(text ? text + used : NULL, text ? size - used : 0, __VA_ARGS__)
  PUT("%%%d%s%s = %s(", id, r->name ? " " : "", r->name ? r->name : "", r->op->name);
  for (int i = 0; i < r->n_inputs; i++)
    PUT("%s%s", i ? ", " : "", deer_node_name(g, g->edges[r->first + i], name));
  PUT(") %s %s\n", deer_dtype_name(r->dtype), deer_shape_text(&r->shape, shape));
#undef PUT
  return used;
}

char *deer_graph_text(const deer_graph *g) {
  size_t size = 1, used = 0;
  for (int32_t i = 1; i < g->n; i++) size += line(g, i, NULL, 0);
  char *text = deer_alloc(size);
  for (int32_t i = 1; text && i < g->n; i++) used += line(g, i, text + used, size - used);
  return text;
}
