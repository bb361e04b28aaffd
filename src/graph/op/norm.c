/* norm.c: layer and batch normalisation. Rows have kernels of their own, which read them two times
 * in place of seven; statistics of channels are compositions. */
#include "graph/op/internal.h"

#include "tensor/standard.h"

/* ---- rows: three ops, each the gradient of the others. real[0] is epsilon ---- */

static deer_row_block rows_of(const deer_step *step, int i) {
  const size_t n = last_dim(&step->in[i].shape);
  return (deer_row_block){in_real(step, i), deer_shape_count(&step->in[i].shape) / n, n, n};
}

static deer_status rows_shape(deer_step *step) {
  if (step->in[0].shape.rank == 0)
    return deer_fail(DEER_ESHAPE, "needs an axis to look along, got a scalar");
  if (!(step->attr->real[0] > 0))
    return deer_fail(DEER_EINVAL, "epsilon must be above 0, got %g", step->attr->real[0]);
  return check_dtype(step, 0, DEER_DTYPE_REAL);
}

static deer_status inverse_shape(deer_step *step) {
  DEER_TRY(rows_shape(step));
  return drop_last_axis(step);
}

static void standardize_run(const deer_step *step) {
  const deer_row_block x = rows_of(step, 0);
  deer_standardize_rows(&x, step->attr->real[0], out_real(step), NULL);
}

static void inverse_run(const deer_step *step) {
  const deer_row_block x = rows_of(step, 0);
  deer_standardize_rows(&x, step->attr->real[0], NULL, out_real(step));
}

/* inputs gy, y, r */
static void back_run(const deer_step *step) {
  const deer_row_block gy = rows_of(step, 0);
  deer_standardize_rows_back(&gy, in_real(step, 1), in_real(step, 2), out_real(step));
}

/* internal: its inputs fit */
static deer_status back_shape(deer_step *step) {
  (void)step;
  return DEER_OK;
}

static deer_node add_rows_op(deer_graph *g, const deer_op *op, deer_node x, double epsilon) {
  return deer_graph_add(g, op, &x, 1, &(deer_attr){.real = {epsilon}});
}

static deer_node add_back(deer_graph *g, deer_node gy, deer_node y, deer_node r) {
  return deer_graph_add(g, &deer_op_standardize_back, (deer_node[]){gy, y, r}, 3, NULL);
}

/* one number per row, in the shape of `like`; the sum of each row */
static deer_node spread(deer_graph *g, deer_node x, deer_node like) {
  const deer_shape shape = deer_node_shape(g, like);
  return deer_expand(g, x, shape, axes_left(&shape, DEER_AXIS(shape.rank - 1)));
}

static unsigned last_axis(const deer_graph *g, deer_node x) {
  return DEER_AXIS(deer_node_shape(g, x).rank - 1);
}

static void standardize_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  const deer_node x = deer_node_input(g, self, 0);
  const double epsilon = deer_node_attr(g, self)->real[0];
  gx[0] = add_back(g, gy, self, add_rows_op(g, &deer_op_inverse_deviation, x, epsilon));
}

/* r = (variance + epsilon)^(-1/2) changes with x by -r^2 y / n */
static void inverse_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  const deer_node x = deer_node_input(g, self, 0);
  const deer_shape shape = deer_node_shape(g, x);
  const deer_node y = add_rows_op(g, &deer_op_standardize, x, deer_node_attr(g, self)->real[0]);
  const deer_node slope =
      deer_scale(g, deer_mul(g, gy, deer_square(g, self)), -1.0 / shape.dim[shape.rank - 1]);
  gx[0] = deer_mul(g, spread(g, slope, x), y);
}

/* c = r (gy - mean(gy) - y mean(gy y)) is linear and symmetric in gy; h is the gradient to c */
static void back_grad(deer_graph *g, deer_node self, deer_node h, deer_node *gx) {
  const deer_node gy = deer_node_input(g, self, 0), y = deer_node_input(g, self, 1);
  const deer_node r = deer_node_input(g, self, 2);
  const unsigned last = last_axis(g, gy);
  const deer_node both =
      deer_add(g, deer_mul(g, h, spread(g, deer_mean(g, deer_mul(g, gy, y), last), gy)),
               deer_mul(g, gy, spread(g, deer_mean(g, deer_mul(g, h, y), last), gy)));
  gx[0] = add_back(g, h, y, r);
  gx[1] = deer_neg(g, deer_mul(g, spread(g, r, gy), both));
  gx[2] = deer_div(g, deer_sum(g, deer_mul(g, h, self), last), r);
}

const deer_op deer_op_standardize = {.name = "standardize",
                                     .n_inputs = 1,
                                     .shape = rows_shape,
                                     .run = standardize_run,
                                     .grad = standardize_grad};
/* 1 / sqrt(variance + epsilon) of each row */
const deer_op deer_op_inverse_deviation = {.name = "inverse_deviation",
                                           .n_inputs = 1,
                                           .shape = inverse_shape,
                                           .run = inverse_run,
                                           .grad = inverse_grad};
/* gy, y and 1 / deviation to the gradient of what was standardised to y */
const deer_op deer_op_standardize_back = {.name = "standardize_back",
                                          .n_inputs = 3,
                                          .shape = back_shape,
                                          .run = back_run,
                                          .grad = back_grad};

/* ---- gain and bias ---- */

/* x * gain + bias along the axes of `kept`; either may be missing */
static deer_node affine(deer_graph *g, deer_node x, deer_node gain, deer_node bias, unsigned kept) {
  const deer_shape shape = deer_node_shape(g, x);
  if (gain.id) x = deer_mul(g, x, deer_expand(g, gain, shape, kept));
  if (bias.id) x = deer_add(g, x, deer_expand(g, bias, shape, kept));
  return x;
}

deer_node deer_layer_norm(deer_graph *g, deer_node x, deer_node gain, deer_node bias,
                          double epsilon) {
  const deer_node y = add_rows_op(g, &deer_op_standardize, x, epsilon);
  const int rank = deer_node_shape(g, x).rank;
  return affine(g, y, gain, bias, rank > 0 ? DEER_AXIS(rank - 1) : 0);
}

/* ---- channels ---- */

static deer_node follow(deer_graph *g, deer_node old, deer_node fresh, double rate) {
  return deer_add(g, old, deer_scale(g, deer_sub(g, fresh, old), rate));
}

deer_node deer_batch_norm(deer_graph *g, deer_node x, const deer_batch_norm_spec *spec,
                          deer_node *next_mean, deer_node *next_variance) {
  const deer_shape shape = deer_node_shape(g, x);
  if (shape.rank < 2)
    return deer_graph_fail(g, "batch_norm: needs [batch, channels, ...], got %d axes", shape.rank);
  if (!(spec->epsilon > 0 && spec->rate >= 0 && spec->rate <= 1))
    return deer_graph_fail(g, "batch_norm: epsilon %g must be above 0, rate %g from 0 to 1",
                           spec->epsilon, spec->rate);
  const unsigned channels = DEER_AXIS(1), others = axes_left(&shape, channels);
  deer_node mean = spec->mean, variance = spec->variance;
  if (next_mean && next_variance) {
    mean = deer_mean(g, x, others);
    variance = deer_var(g, x, others);
    const double n = (double)deer_shape_count(&shape) / shape.dim[1];
    const deer_node unbiased = deer_scale(g, variance, n > 1 ? n / (n - 1) : 1);
    *next_mean = follow(g, spec->mean, mean, spec->rate);
    *next_variance = follow(g, spec->variance, unbiased, spec->rate);
  }
  const deer_node deviation = deer_sqrt(g, deer_shift(g, variance, spec->epsilon));
  const deer_node y = deer_div(g, deer_sub(g, x, deer_expand(g, mean, shape, channels)),
                               deer_expand(g, deviation, shape, channels));
  return affine(g, y, spec->gain, spec->bias, channels);
}
