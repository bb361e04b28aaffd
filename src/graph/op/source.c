/* source.c: where values come from and where they go: inputs, variables, constants, flat blocks. */
#include "graph/internal.h"

#include <math.h>
#include <string.h>

/* ---- sources: the program fills or finds their memory, there is nothing to compute ---- */

static deer_status source_shape(deer_step *step) {
  step->out.shape = step->attr->shape;
  step->out.dtype = (deer_dtype)step->attr->number[0];
  return DEER_OK;
}

const deer_op deer_op_input = {.name = "input", .shape = source_shape};
const deer_op deer_op_variable = {.name = "variable", .shape = source_shape};
const deer_op deer_op_constant = {.name = "constant", .shape = source_shape};

deer_node deer_input(deer_graph *g, const char *name, deer_dtype dtype, deer_shape shape) {
  deer_attr attr = {.number = {(int)dtype}, .shape = shape};
  return deer_name(g, deer_graph_add(g, &deer_op_input, NULL, 0, &attr), name);
}

deer_node deer_variable(deer_graph *g, const char *name, deer_real *data, int size) {
  deer_attr attr = {.number = {DEER_DTYPE_REAL}, .shape = DEER_SHAPE(size)};
  deer_node node = deer_graph_add(g, &deer_op_variable, NULL, 0, &attr);
  if (node.id) g->records[node.id].external = data;
  return deer_name(g, node, name);
}

deer_node deer_constant(deer_graph *g, deer_shape shape, double value) {
  deer_attr attr = {.number = {DEER_DTYPE_REAL}, .shape = shape, .real = {value}};
  return deer_graph_add(g, &deer_op_constant, NULL, 0, &attr);
}

/* ---- the same memory under another shape ---- */

static deer_status view_shape(deer_step *step) {
  const deer_operand *block = &step->in[0];
  int offset = step->attr->number[0];
  DEER_TRY(deer_shape_check(&step->attr->shape, "view"));
  size_t count = deer_shape_count(&step->attr->shape);
  if (block->dtype != DEER_DTYPE_REAL || block->shape.rank != 1)
    return deer_fail(DEER_ESHAPE, "expected a flat block of reals");
  if (offset < 0 || (size_t)offset + count > (size_t)block->shape.dim[0])
    return deer_fail(DEER_ESHAPE, "elements %d to %zu lie outside", offset, (size_t)offset + count);
  step->out.shape = step->attr->shape;
  return DEER_OK;
}

/* the gradient of a view is gathered by deer_gradients into one pack per block */
const deer_op deer_op_view = {.name = "view", .n_inputs = 1, .alias = true, .shape = view_shape};

deer_node deer_view(deer_graph *g, deer_node block, int offset, deer_shape shape) {
  deer_attr attr = {.number = {offset}, .shape = shape};
  return deer_graph_add(g, &deer_op_view, &block, 1, &attr);
}

static deer_status reshape_shape(deer_step *step) {
  const deer_shape *from = &step->in[0].shape, *to = &step->attr->shape;
  char text[DEER_SHAPE_TEXT];
  DEER_TRY(deer_shape_check(to, "new shape"));
  if (deer_shape_count(from) != deer_shape_count(to))
    return deer_fail(DEER_ESHAPE, "cannot become %s", deer_shape_text(to, text));
  step->out.shape = *to;
  return DEER_OK;
}

static void reshape_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  gx[0] = deer_reshape(g, gy, deer_node_shape(g, deer_node_input(g, self, 0)));
}

const deer_op deer_op_reshape = {
    .name = "reshape", .n_inputs = 1, .alias = true, .shape = reshape_shape, .grad = reshape_grad};

deer_node deer_reshape(deer_graph *g, deer_node x, deer_shape shape) {
  if (deer_graph_has(g, x) && deer_shape_equal(&g->records[x.id].shape, &shape)) return x;
  return deer_graph_add(g, &deer_op_reshape, &x, 1, &(deer_attr){.shape = shape});
}

static deer_status same_as_input(deer_step *step) {
  (void)step; /* shape and type of the output are preset */
  return DEER_OK;
}

const deer_op deer_op_stop = {.name = "stop", .n_inputs = 1, .alias = true, .shape = same_as_input};

deer_node deer_stop(deer_graph *g, deer_node x) {
  return deer_graph_add(g, &deer_op_stop, &x, 1, NULL);
}

/* ---- the same value with another gradient: real[0] is the factor, or the limit ---- */

static deer_status scale_gradient_shape(deer_step *step) {
  if (!isfinite(step->attr->real[0]))
    return deer_fail(DEER_EINVAL, "needs a finite factor, got %g", step->attr->real[0]);
  return DEER_OK;
}

static deer_status clip_gradient_shape(deer_step *step) {
  if (!(step->attr->real[0] >= 0))
    return deer_fail(DEER_EINVAL, "the limit must not be below 0, got %g", step->attr->real[0]);
  return DEER_OK;
}

static void scale_gradient_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  gx[0] = deer_scale(g, gy, deer_node_attr(g, self)->real[0]);
}

static void clip_gradient_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  const double limit = deer_node_attr(g, self)->real[0];
  gx[0] = deer_clip(g, gy, -limit, limit);
}

const deer_op deer_op_scale_gradient = {.name = "scale_gradient",
                                        .n_inputs = 1,
                                        .alias = true,
                                        .shape = scale_gradient_shape,
                                        .grad = scale_gradient_grad};
const deer_op deer_op_clip_gradient = {.name = "clip_gradient",
                                       .n_inputs = 1,
                                       .alias = true,
                                       .shape = clip_gradient_shape,
                                       .grad = clip_gradient_grad};

deer_node deer_scale_gradient(deer_graph *g, deer_node x, double factor) {
  return deer_graph_add(g, &deer_op_scale_gradient, &x, 1, &(deer_attr){.real = {factor}});
}

deer_node deer_clip_gradient(deer_graph *g, deer_node x, double limit) {
  return deer_graph_add(g, &deer_op_clip_gradient, &x, 1, &(deer_attr){.real = {limit}});
}

/* ---- laying parts into a flat block ---- */

static deer_status pack_shape(deer_step *step) {
  int size = step->attr->number[0];
  if (step->attr->n_list != step->n_in)
    return deer_fail(DEER_ESHAPE, "expected one offset per part");
  for (int i = 0; i < step->n_in; i++) {
    size_t end = (size_t)step->attr->list[i] + deer_shape_count(&step->in[i].shape);
    if (step->in[i].dtype != DEER_DTYPE_REAL || step->attr->list[i] < 0 || end > (size_t)size)
      return deer_fail(DEER_ESHAPE, "part %d does not lie in a block of %d reals", i, size);
  }
  step->out.shape = DEER_SHAPE(size);
  return DEER_OK;
}

static void pack_run(const deer_step *step) {
  deer_real *block = step->out.data;
  memset(block, 0, (size_t)step->attr->number[0] * sizeof *block);
  /* parts may overlap: the same parameters used twice */
  for (int i = 0; i < step->n_in; i++) {
    const deer_real *part = step->in[i].data;
    deer_real *target = block + step->attr->list[i];
    size_t n = deer_shape_count(&step->in[i].shape);
    for (size_t k = 0; k < n; k++) target[k] += part[k];
  }
}

static void pack_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  int n = g->records[self.id].n_inputs;
  for (int i = 0; i < n; i++)
    gx[i] = deer_view(g, gy, deer_node_attr(g, self)->list[i],
                      deer_node_shape(g, deer_node_input(g, self, i)));
}

const deer_op deer_op_pack = {
    .name = "pack", .n_inputs = -1, .shape = pack_shape, .run = pack_run, .grad = pack_grad};

deer_node deer_pack(deer_graph *g, const deer_node *parts, const int *offsets, int n, int size) {
  if (n < 1) return deer_constant(g, DEER_SHAPE(size), 0);
  deer_attr attr = {.number = {size}, .list = offsets, .n_list = n};
  return deer_graph_add(g, &deer_op_pack, parts, n, &attr);
}

/* ---- update ---- */

static deer_status assign_shape(deer_step *step) {
  if (step->in[1].dtype != DEER_DTYPE_REAL ||
      !deer_shape_equal(&step->in[0].shape, &step->in[1].shape))
    return deer_fail(DEER_ESHAPE, "shapes differ");
  return DEER_OK;
}

static void assign_run(const deer_step *step) {
  memmove(step->out.data, step->in[1].data, deer_shape_count(&step->out.shape) * sizeof(deer_real));
}

const deer_op deer_op_assign = {
    .name = "assign", .n_inputs = 2, .alias = true, .shape = assign_shape, .run = assign_run};

deer_node deer_assign(deer_graph *g, deer_node variable, deer_node value) {
  if (deer_graph_has(g, variable) && g->records[variable.id].op != &deer_op_variable)
    return deer_graph_fail(g, "assign: the target is not a variable");
  return deer_graph_add(g, &deer_op_assign, (deer_node[]){variable, value}, 2, NULL);
}
