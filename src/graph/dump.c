/* dump.c: nodes and graphs as people read them. */
#include "graph/internal.h"

#include <stdio.h>
#include <string.h>

const char *deer_node_text(const deer_graph *g, deer_node node, char text[DEER_NODE_TEXT]) {
  if (!deer_graph_has(g, node)) return strcpy(text, "no node");
  const deer_record *r = &g->records[node.id];
  char name[DEER_NODE_NAME], shape[DEER_SHAPE_TEXT];
  bool real = r->dtype == DEER_DTYPE_REAL;
  snprintf(text, DEER_NODE_TEXT, "%s %s%s%s", deer_node_name(g, node.id, name),
           real ? "" : deer_dtype_name(r->dtype), real ? "" : " ",
           deer_shape_text(&r->shape, shape));
  return text;
}

/* ---- dot ---- */

/* text that grows; with `text` NULL it is only measured */
typedef struct writer {
  char *text;
  size_t used, size;
} writer;

static void put(writer *w, const char *format, ...) DEER_PRINTF(2, 3);

static void put(writer *w, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(w->text ? w->text + w->used : NULL, w->text ? w->size - w->used : 0, format,
                    arguments);
  va_end(arguments);
  if (n > 0) w->used += (size_t)n;
}

/* what dot would take for its own is escaped */
static void put_quoted(writer *w, const char *text) {
  for (; *text; text++) put(w, strchr("\"\\", *text) ? "\\%c" : "%c", *text);
}

/* sources and updates stand out */
static const char *style(const deer_op *op) {
  if (op == &deer_op_input) return ", shape=invhouse, style=filled, fillcolor=lightblue";
  if (op == &deer_op_variable) return ", shape=box, style=filled, fillcolor=lightyellow";
  if (op == &deer_op_assign) return ", shape=box, style=filled, fillcolor=lightpink";
  return op == &deer_op_constant ? ", shape=plaintext" : "";
}

static void put_node(writer *w, const deer_graph *g, int32_t id) {
  const deer_record *r = &g->records[id];
  char shape[DEER_SHAPE_TEXT];
  put(w, "  n%d [label=\"", id);
  if (r->name) {
    put_quoted(w, r->name);
    put(w, "\\n");
  }
  if (r->op == &deer_op_constant)
    put(w, "%g", r->attr.real[0]);
  else
    put(w, "%s", r->op->name);
  put(w, "\\n%s %s\"%s];\n", deer_dtype_name(r->dtype), deer_shape_text(&r->shape, shape),
      style(r->op));
  for (int i = 0; i < r->n_inputs; i++) put(w, "  n%d -> n%d;\n", g->edges[r->first + i], id);
}

static void put_graph(writer *w, const deer_graph *g) {
  put(w, "digraph deer {\n  node [fontname=\"sans-serif\", fontsize=10];\n");
  for (int32_t id = 1; id < g->n; id++) put_node(w, g, id);
  put(w, "}\n");
}

char *deer_graph_dot(const deer_graph *g) {
  writer w = {0};
  put_graph(&w, g);
  w = (writer){.text = deer_alloc(w.used + 1), .size = w.used + 1};
  if (w.text) put_graph(&w, g);
  return w.text;
}
