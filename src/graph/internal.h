/* internal.h: what a graph holds; for graph.c, grad.c, program.c and dump.c. */
#ifndef DEER_GRAPH_INTERNAL_H
#define DEER_GRAPH_INTERNAL_H

#include "graph/op.h"

typedef struct deer_record {
  const deer_op *op;
  deer_dtype dtype;
  deer_shape shape;
  deer_attr attr;      /* attr.list is owned by the graph */
  int first, n_inputs; /* inputs are edges[first .. first + n_inputs) */
  deer_real *external; /* memory of a variable */
  char *name;          /* NULL: the op's name and the id */
} deer_record;

struct deer_graph {
  deer_record *records; /* records[0] is "none"; inputs come before the nodes that use them */
  int n, room;
  int32_t *edges;
  int n_edges, edge_room;
  deer_status status; /* of the first mistake */
  char *message;      /* of the first mistake */
};

/* Is it a node of this graph? "None" is not. */
bool deer_graph_has(const deer_graph *g, deer_node node);

#define DEER_NODE_NAME 64

/* The given name of a node, or "matmul_7". */
const char *deer_node_name(const deer_graph *g, int32_t id, char text[DEER_NODE_NAME]);

#endif
