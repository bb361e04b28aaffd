/* compile.h: the passes between a graph and a program; for files in graph/ only.
 *
 *   simplify   equal nodes become one, constants are folded, products take their bias and ReLU
 *   fuse       chains of elementwise ops become one unit, updates of variables join them
 *   arrange    an order of the units, and one arena in which dead buffers make room for new ones
 *   chain      how a fused unit runs: block by block, so that what is in between stays in L1
 *
 * program.c calls them in this order and makes the steps. */
#ifndef DEER_COMPILE_H
#define DEER_COMPILE_H

#include "graph/internal.h"
#include "graph/map.h"

/* ---- simplify.c ---- */

/* An equivalent graph with fewer nodes. place[id] is where a node of g went, 0 for what the outputs
 * do not need. On failure *simple is NULL. */
deer_status deer_simplify(const deer_graph *g, const deer_node *outputs, int n, deer_graph **simple,
                          int32_t *place);

/* A product of two matrices with more to do on the way out (product.c): number[0] and number[1]
 * as in matmul, mask as DEER_FINISH_BIAS and its like. */
extern const deer_op deer_product_op;

/* ---- fuse.c ---- */

/* What becomes one step: an op by itself, a chain of elementwise ops, or the copy of an
 * assignment. */
typedef struct deer_unit {
  int32_t *nodes; /* in order; one for an op by itself */
  int n;
  int *after; /* units that must have run before */
  int n_after, room_after;
} deer_unit;

typedef struct deer_plan {
  const deer_graph *g;
  int32_t *unit_of; /* of each node; -1 for sources, aliases, and what is read through */
  bool *kept;       /* an output: its memory lives as long as the program */
  bool *stored;     /* the node needs memory of its own */
  int32_t *target;  /* of a chain's node: the variable into whose memory it writes; or 0 */
  deer_unit *units;
  int n_units;
  int *order;    /* units in the order of running */
  int32_t *home; /* the pack in which a node lies as a part; or 0 */
} deer_plan;

/* Groups the nodes of g into units and orders them. The plan borrows g. */
deer_status deer_plan_new(const deer_graph *g, const deer_node *outputs, int n, deer_plan **plan);
void deer_plan_free(deer_plan *plan);

/* Is the node only another look at the memory or the values of its input? */
bool deer_is_alias(const deer_record *r);

/* The node whose memory this one is a look at, in the same order and number of elements. */
int32_t deer_same_elements(const deer_graph *g, int32_t id);

/* The node that owns the memory which this one lies in: as above, and through views. */
int32_t deer_memory_owner(const deer_graph *g, int32_t id);

/* An expand that chains read through: element i of the result is element (i / inner) % kept of the
 * input. False for other nodes. */
bool deer_is_repeat(const deer_record *r, size_t *kept, size_t *inner);

/* ---- arrange.c ---- */

/* Where everything lies in one arena. */
typedef struct deer_layout {
  size_t *offset; /* bytes, of nodes with memory of their own */
  size_t total;
} deer_layout;

/* Places the memory of inputs, constants, and stored nodes; what is read no more makes room. The
 * parts of a pack lie in it from the start where they fill it without overlap: it has no step. The
 * layout owns offset. With several threads buffers share a place only when no order of running can
 * bring them together. */
deer_status deer_layout_new(const deer_plan *plan, int threads, deer_layout *layout);

/* Does the node have memory in the arena? */
bool deer_has_memory(const deer_plan *plan, int32_t id);

/* Does unit u have nothing to do, its parts lying where they belong? */
bool deer_is_laid_out(const deer_plan *plan, int u);

/* ---- chain.c ---- */

/* One elementwise kernel of a chain. */
typedef struct deer_link {
  int map; /* the line of op/maps.def; DEER_MAP_NONE copies its input */
  deer_map *run;
  double pq[2];         /* its numbers */
  int n_in, in[3], out; /* slots */
} deer_link;

typedef enum deer_slot_kind {
  DEER_SLOT_STREAM, /* memory of n elements, passed block by block */
  DEER_SLOT_BLOCK,  /* a block in scratch memory */
  DEER_SLOT_FIXED,  /* a block of the chain's own that never changes: a constant */
  DEER_SLOT_REPEAT, /* a block in scratch, filled with repeated elements of `data` */
  DEER_SLOT_U8,     /* a block in scratch, converted from bytes */
  DEER_SLOT_I32     /* a block in scratch, converted from integers */
} deer_slot_kind;

typedef struct deer_slot {
  deer_slot_kind kind;
  char *data;         /* of the stream, the constant, or what is repeated or converted */
  int block;          /* which block of the scratch */
  size_t kept, inner; /* of a repeat */
  bool steady;        /* the same for every block: filled once a run */
} deer_slot;

/* What a fused unit runs. */
typedef struct deer_chain {
  size_t n, length; /* elements, and elements of a block */
  int n_slots, n_links, n_blocks;
  deer_slot *slots;
  deer_link *links;
} deer_chain;

#define DEER_CHAIN_BLOCK 1024 /* elements of a block at most: 4 KiB of float */
#define DEER_CHAIN_LINKS 64   /* kernels of a chain at most, without the copies at its end */

/* Makes the chain of a fused unit; data[id] is the memory of every node that has one. */
deer_status deer_chain_new(const deer_plan *plan, const deer_unit *unit, void *const *data,
                           deer_chain **chain);
void deer_chain_free(deer_chain *chain);
size_t deer_chain_scratch(const deer_chain *chain); /* bytes */

/* Runs the blocks of part step->part of step->parts. */
void deer_chain_run(const deer_step *step);

/* ---- couple.c ---- */

/* Makes one link of two where there is a kernel for both and nobody else reads what the first one
 * makes: it does not go through memory then. Bits stay the same. */
void deer_couple_links(deer_chain *chain);

#endif
