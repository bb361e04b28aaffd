/* op.h: what an op is. For files in graph/ only; everybody else builds with graph.h.
 * A new op is one const struct in a file of graph/op and one line in ops.def. */
#ifndef DEER_OP_H
#define DEER_OP_H

#include "graph/graph.h"

/* Settings of one node; each op documents which it uses. */
typedef struct deer_attr {
  double real[2];
  int number[6];
  deer_shape shape;
  unsigned mask;
  const int *list; /* n_list integers; the graph keeps a copy */
  int n_list;
  deer_rng *stream; /* owned by the caller */
} deer_attr;

typedef struct deer_operand {
  deer_dtype dtype;
  deer_shape shape;
  void *data; /* set in a program, NULL while building */
} deer_operand;

/* One node as a kernel sees it. Buffers never overlap, except where `alias` says so. */
typedef struct deer_step {
  const struct deer_op *op;
  const deer_operand *in;
  int n_in;
  deer_operand out;
  const deer_attr *attr;
  void *scratch; /* op->scratch bytes, shared by all steps: contents do not survive the step */
  struct deer_chain *chain; /* what a unit of elementwise ops runs; NULL for other steps */
  int part, parts;          /* which part of a divided step this is; 0 of 1 for a whole one */
} deer_step;

typedef struct deer_op {
  const char *name;
  int n_inputs; /* -1: any number */
  bool alias;   /* the output is the memory of input 0; `run` is NULL */
  int map;      /* elementwise: the line of op/maps.def; `run` is then deer_map_run */

  /* Running it changes what the next stateful step gives (it draws from a stream): such steps run
   * in the order in which their nodes were made, each once, and equal ones are not merged. */
  bool stateful;

  /* Sets step->out.shape and dtype (preset: those of input 0) from the inputs and attributes.
   * On a mistake returns deer_fail(...) with a message that does not name the op or the inputs: the
   * graph adds "add(r_t [32], gather_12 [32, 1]): " in front. NULL: one real input or several of
   * equal shape. */
  deer_status (*shape)(deer_step *step);

  /* Bytes of scratch; NULL for none. */
  size_t (*scratch)(const deer_step *step);

  /* The kernel. Writes every element of out. */
  void (*run)(const deer_step *step);

  /* Can a step be divided so that threads share it? `run` then does part `part` of `parts`, whose
   * results do not depend on the number of parts. Returns the most parts that make sense; NULL: 1.
   */
  int (*parts)(const deer_step *step);

  /* Floating-point operations of one run; NULL: one per element of the largest operand. */
  double (*flops)(const deer_step *step);

  /* Emits nodes: gx[i] = gradient of the loss to input i given gy, that to the output. Entries
   * start as DEER_NONE, which means zero. NULL: no gradient passes. */
  void (*grad)(deer_graph *g, deer_node self, deer_node gy, deer_node *gx);
} deer_op;

/* Adds a node. Checks number, rank and type through op->shape; returns DEER_NONE and remembers the
 * first mistake. */
deer_node deer_graph_add(deer_graph *g, const deer_op *op, const deer_node *in, int n,
                         const deer_attr *attr);

/* For gradient rules: input i and the attributes of a node. */
deer_node deer_node_input(const deer_graph *g, deer_node node, int i);
const deer_attr *deer_node_attr(const deer_graph *g, deer_node node);

/* attr.mask of conv2d, conv2d_input and the compiler's product: what becomes of each element of the
 * result on its way out, in this order. The bias [channels or columns of the result] and the gate
 * (of the shape of the result) follow the two inputs that there always are. There are no builders
 * because the compiler finds the places. */
enum {
  DEER_FINISH_BIAS = 1, /* the bias of its channel is added */
  DEER_FINISH_RELU = 2, /* 0 where <= 0, as deer_relu */
  DEER_FINISH_GATE = 4, /* 0 where the gate is 0, as deer_where(gate, x, zeros) */
  DEER_FINISH_SLOPE = 8 /* of products alone: x - x y^2 with y the gate, as the gradient of tanh */
};

/* attr.number[0] of sum in a compiled graph: of the squares of all elements. */
#define DEER_SUM_SQUARES 1

/* Every op of ops.def, in its order; NULL past the end. */
const deer_op *deer_op_at(int i);

#define OP(name) extern const deer_op deer_op_##name;
#include "graph/ops.def"
#undef OP

#endif
