/* random.c: nodes that draw from a stream at each run, and dropout made of them. */
#include "graph/op/internal.h"

#include "tensor/fill.h"

/* attr: shape of the output, the stream */
static deer_status random_shape(deer_step *step) {
  DEER_TRY(deer_shape_check(&step->attr->shape, "result"));
  if (!step->attr->stream) return deer_fail(DEER_EINVAL, "needs a stream, got NULL");
  step->out.shape = step->attr->shape;
  step->out.dtype = DEER_DTYPE_REAL;
  return DEER_OK;
}

static void random_uniform_run(const deer_step *step) {
  deer_fill_uniform(step->attr->stream, out_real(step), out_count(step));
}

static void random_normal_run(const deer_step *step) {
  deer_fill_normal(step->attr->stream, out_real(step), out_count(step));
}

static void random_gumbel_run(const deer_step *step) {
  deer_fill_gumbel(step->attr->stream, out_real(step), out_count(step));
}

const deer_op deer_op_random_uniform = {
    .name = "random_uniform", .stateful = true, .shape = random_shape, .run = random_uniform_run};
const deer_op deer_op_random_normal = {
    .name = "random_normal", .stateful = true, .shape = random_shape, .run = random_normal_run};
const deer_op deer_op_random_gumbel = {
    .name = "random_gumbel", .stateful = true, .shape = random_shape, .run = random_gumbel_run};

static deer_node draw(deer_graph *g, const deer_op *op, deer_rng *stream, deer_shape shape) {
  return deer_graph_add(g, op, NULL, 0, &(deer_attr){.shape = shape, .stream = stream});
}

deer_node deer_random_uniform(deer_graph *g, deer_rng *stream, deer_shape shape) {
  return draw(g, &deer_op_random_uniform, stream, shape);
}

deer_node deer_random_normal(deer_graph *g, deer_rng *stream, deer_shape shape) {
  return draw(g, &deer_op_random_normal, stream, shape);
}

deer_node deer_random_gumbel(deer_graph *g, deer_rng *stream, deer_shape shape) {
  return draw(g, &deer_op_random_gumbel, stream, shape);
}

/* the mask is 0 or 1 / (1 - rate) and has no gradient of its own, as greater has none */
deer_node deer_dropout(deer_graph *g, deer_node x, double rate, deer_rng *stream) {
  if (!(rate >= 0 && rate < 1))
    return deer_graph_fail(g, "dropout: the rate must be at least 0 and below 1, got %g", rate);
  if (rate == 0) return x;
  const deer_shape shape = deer_node_shape(g, x);
  const deer_node u = deer_random_uniform(g, stream, shape);
  const deer_node dropped = deer_greater(g, deer_constant(g, shape, rate), u);
  const deer_node kept = deer_constant(g, shape, 1 / (1 - rate));
  return deer_mul(g, x, deer_where(g, dropped, zeros_like(g, kept), kept));
}
