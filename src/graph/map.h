/* map.h: the elementwise kernels: one line each in op/maps.def, compiled for every kind of CPU and
 * chosen when the program starts. For files in graph/ only. */
#ifndef DEER_MAP_H
#define DEER_MAP_H

#include "graph/op.h"

/* Which line of op/maps.def an elementwise op has. */
enum {
  DEER_MAP_NONE,
#define MAP(name, operands, expression) DEER_MAP_##name,
#include "graph/op/maps.def"
#undef MAP
  DEER_MAPS
};

/* out[i] = f(in[0][i], in[1][i], ...) for n elements, with the two numbers p and q of the node.
 * `out` may be one of the inputs, but must not overlap one in any other way. */
typedef void deer_map(const deer_real *const *in, deer_real *out, size_t n, const double pq[2]);

/* The kernel of a line for this CPU. All kernels of a line give the same bits. */
deer_map *deer_map_kernel(int map);

/* `run` of every op with a map. */
void deer_map_run(const deer_step *step);

/* The members of an elementwise op whose kernel is the line of its name in op/maps.def. */
#define DEER_ELEMENTWISE(op, operands)                                                             \
  .name = #op, .n_inputs = operands, .map = DEER_MAP_##op, .run = deer_map_run

#endif
