/* kfac.c: Kronecker-factored curvature of dense layers. */
#include "opt/kfac.h"

#include "opt/opt.h"

#include <math.h>

typedef struct factor {
  int n;                     /* rows and columns */
  deer_real *mean, *inverse; /* [n n] */
} factor;

typedef struct layer {
  int weight; /* where [in, out] lies in the block, behind it the bias [out] */
  factor input, output;
} layer;

struct deer_kfac {
  deer_kfac_options options;
  deer_real weight_so_far; /* 1 - decay^t: what the running means add up to */
  int n;
  layer *layers; /* sorted by `weight` */
  int *order;    /* layers[i] is taps[order[i]] */

  /* while building: 2 n + 1 nodes and their places */
  deer_node *nodes;
  int *places;
};

/* ---- life ---- */

static deer_status make_factor(factor *f, int n) {
  f->n = n;
  f->mean = deer_alloc_array((size_t)n * (size_t)n, sizeof *f->mean);
  f->inverse = deer_alloc_array((size_t)n * (size_t)n, sizeof *f->inverse);
  if (!f->mean || !f->inverse) return DEER_ENOMEM;
  for (int i = 0; i < n; i++) f->inverse[i * (n + 1)] = 1;
  return DEER_OK;
}

/* the place behind the parameters of a layer */
static int end_of(const layer *l) { return l->weight + l->input.n * l->output.n; }

/* the layers in the order of the block, by insertion */
static void sort_layers(deer_kfac *k, const deer_net_tap *taps) {
  for (int i = 0; i < k->n; i++) {
    int at = i;
    for (; at > 0 && taps[k->order[at - 1]].weight > taps[i].weight; at--)
      k->order[at] = k->order[at - 1];
    k->order[at] = i;
  }
}

static deer_status make_layers(deer_kfac *k, const deer_graph *g, const deer_net_tap *taps) {
  for (int i = 0; i < k->n; i++) {
    const deer_net_tap *tap = &taps[k->order[i]];
    const deer_shape in = deer_node_shape(g, tap->input), out = deer_node_shape(g, tap->output);
    layer *l = &k->layers[i];
    if (in.rank != 2 || out.rank != 2)
      return deer_fail(DEER_ESHAPE, "kfac: layer %d does not map [batch, in] to [batch, out]",
                       k->order[i] + 1);
    l->weight = tap->weight;
    DEER_TRY(make_factor(&l->input, in.dim[1] + 1));
    DEER_TRY(make_factor(&l->output, out.dim[1]));
    if (i > 0 && end_of(l - 1) > l->weight)
      return deer_fail(DEER_ESHAPE, "kfac: layers %d and %d overlap", k->order[i - 1] + 1,
                       k->order[i] + 1);
  }
  return DEER_OK;
}

deer_status deer_kfac_new(const deer_kfac_options *options, const deer_graph *g,
                          const deer_net_tap *taps, int n, deer_kfac **kfac) {
  *kfac = NULL;
  if (!(options->decay >= 0 && options->decay < 1))
    return deer_fail(DEER_EINVAL, "kfac: decay must be at least 0 and below 1, got %g",
                     options->decay);
  if (!(options->damping > 0) || !isfinite(options->damping))
    return deer_fail(DEER_EINVAL, "kfac: damping must be above 0, got %g", options->damping);
  if (n < 1) return deer_fail(DEER_EINVAL, "kfac: the network has no dense layer");
  deer_kfac *k = deer_alloc(sizeof *k);
  if (!k) return DEER_ENOMEM;
  const size_t most = 2 * (size_t)n + 1;
  k->options = *options;
  k->layers = deer_alloc_array((size_t)n, sizeof *k->layers);
  k->order = deer_alloc_array((size_t)n, sizeof *k->order);
  k->nodes = deer_alloc_array(most, sizeof *k->nodes);
  k->places = deer_alloc_array(most, sizeof *k->places);
  deer_status status = DEER_ENOMEM;
  if (k->layers && k->order && k->nodes && k->places) {
    k->n = n;
    sort_layers(k, taps);
    status = make_layers(k, g, taps);
  }
  if (status == DEER_OK)
    *kfac = k;
  else
    deer_kfac_free(k);
  return status;
}

deer_real *deer_kfac_state(deer_kfac *k, int i, int *size) {
  if (i < 0 || i > 4 * k->n) return NULL;
  *size = 1;
  if (i == 4 * k->n) return &k->weight_so_far;
  factor *f = i & 2 ? &k->layers[i / 4].output : &k->layers[i / 4].input;
  *size = f->n * f->n;
  return i & 1 ? f->inverse : f->mean;
}

void deer_kfac_free(deer_kfac *k) {
  if (!k) return;
  for (int i = 0; i < k->n; i++)
    for (int j = 0; j < 2; j++) {
      factor *f = j ? &k->layers[i].output : &k->layers[i].input;
      deer_free(f->mean);
      deer_free(f->inverse);
    }
  deer_free(k->layers);
  deer_free(k->order);
  deer_free(k->nodes);
  deer_free(k->places);
  deer_free(k);
}

/* ---- factors ---- */

static deer_node variable_of(deer_graph *g, const char *name, const factor *f, deer_real *data) {
  return deer_variable(g, name, data, f->n * f->n);
}

/* the running mean with times rows^T rows counted in */
static deer_node observe_rows(deer_kfac *k, deer_graph *g, factor *f, deer_node rows,
                              double times) {
  deer_node old = variable_of(g, "kfac_mean", f, f->mean);
  deer_node fresh = deer_scale(g, deer_matmul(g, rows, rows, true, false), times);
  deer_node flat = deer_reshape(g, fresh, DEER_SHAPE(f->n * f->n));
  return deer_assign(g, old, deer_moving_mean(g, old, flat, k->options.decay));
}

/* [x, 1] */
static deer_node with_ones(deer_graph *g, deer_node x) {
  const int batch = deer_node_shape(g, x).dim[0];
  const deer_node parts[] = {x, deer_constant(g, DEER_SHAPE(batch, 1), 1)};
  return deer_concat(g, parts, 2, 1);
}

int deer_kfac_observe(deer_kfac *k, deer_graph *g, const deer_net_tap *taps, deer_node loss,
                      deer_node *assigns) {
  deer_node *outputs = k->nodes, *slopes = outputs + k->n;
  for (int i = 0; i < k->n; i++) outputs[i] = taps[k->order[i]].output;
  if (deer_gradients(g, loss, outputs, k->n, slopes) != DEER_OK) {
    deer_graph_fail(g, "%s", deer_error());
    return 0;
  }
  int n = 0;
  for (int i = 0; i < k->n; i++) {
    layer *l = &k->layers[i];
    /* the loss is a mean, so the gradient of one sample is batch times its row of slopes */
    const double batch = deer_node_shape(g, slopes[i]).dim[0];
    deer_node rows = with_ones(g, taps[k->order[i]].input);
    assigns[n++] = observe_rows(k, g, &l->input, rows, 1 / batch);
    assigns[n++] = observe_rows(k, g, &l->output, slopes[i], batch);
  }
  deer_node weight = deer_variable(g, "kfac_weight", &k->weight_so_far, 1);
  deer_node one = deer_constant(g, DEER_SHAPE(1), 1);
  assigns[n++] = deer_assign(g, weight, deer_moving_mean(g, weight, one, k->options.decay));
  return n;
}

/* ---- inverses ---- */

/* the mean of all observations, as a matrix */
static deer_node mean_of(deer_kfac *k, deer_graph *g, factor *f) {
  deer_node sum = variable_of(g, "kfac_mean", f, f->mean);
  deer_node weight = deer_variable(g, "kfac_weight", &k->weight_so_far, 1);
  weight = deer_expand(g, deer_reshape(g, weight, DEER_SCALAR), DEER_SHAPE(f->n * f->n), 0);
  return deer_reshape(g, deer_div(g, sum, weight), DEER_SHAPE(f->n, f->n));
}

/* the mean of the diagonal; where nothing was ever seen, a little */
static deer_node size_of(deer_graph *g, deer_node matrix) {
  deer_node size = deer_mean(g, deer_diagonal(g, matrix), DEER_ALL_AXES);
  return deer_max(g, size, deer_constant(g, DEER_SCALAR, 1e-12));
}

/* (matrix + term I)^-1 */
static deer_node invert(deer_graph *g, factor *f, deer_node matrix, deer_node term) {
  deer_node diagonal = deer_diagonal_matrix(g, deer_expand(g, term, DEER_SHAPE(f->n), 0));
  deer_node inverse = deer_spd_inverse(g, deer_add(g, matrix, diagonal));
  return deer_assign(g, variable_of(g, "kfac_inverse", f, f->inverse),
                     deer_reshape(g, inverse, DEER_SHAPE(f->n * f->n)));
}

int deer_kfac_invert(deer_kfac *k, deer_graph *g, deer_node *assigns) {
  const double root = sqrt(k->options.damping);
  int n = 0;
  for (int i = 0; i < k->n; i++) {
    layer *l = &k->layers[i];
    deer_node a = mean_of(k, g, &l->input), b = mean_of(k, g, &l->output);
    /* damping shared out in proportion to the sizes of the factors: pi of equation 28 */
    deer_node share = deer_sqrt(g, deer_div(g, size_of(g, a), size_of(g, b)));
    assigns[n++] = invert(g, &l->input, a, deer_scale(g, share, root));
    deer_node rest = deer_div(g, deer_constant(g, DEER_SCALAR, root), share);
    assigns[n++] = invert(g, &l->output, b, rest);
  }
  return n;
}

/* ---- direction ---- */

static deer_node inverse_of(deer_graph *g, factor *f) {
  return deer_reshape(g, variable_of(g, "kfac_inverse", f, f->inverse), DEER_SHAPE(f->n, f->n));
}

deer_node deer_kfac_direction(deer_kfac *k, deer_graph *g, deer_node gradient) {
  const int size = deer_node_shape(g, gradient).dim[0];
  int n = 0, at = 0;
  for (int i = 0; i <= k->n; i++) {
    const int next = i < k->n ? k->layers[i].weight : size;
    /* parameters between the layers */
    if (next > at) {
      k->places[n] = at;
      k->nodes[n++] = deer_view(g, gradient, at, DEER_SHAPE(next - at));
    }
    if (i == k->n) break;
    layer *l = &k->layers[i];
    deer_node part = deer_view(g, gradient, next, DEER_SHAPE(l->input.n, l->output.n));
    part = deer_matmul(g, part, inverse_of(g, &l->output), false, false);
    k->places[n] = next;
    k->nodes[n++] = deer_matmul(g, inverse_of(g, &l->input), part, false, false);
    at = end_of(l);
  }
  return deer_pack(g, k->nodes, k->places, n, size);
}

deer_node deer_trust_region(deer_graph *g, deer_node direction, deer_node gradient,
                            deer_node learning_rate, double most) {
  deer_node rate = deer_reshape(g, learning_rate, DEER_SCALAR);
  deer_node along = deer_sum(g, deer_mul(g, direction, gradient), DEER_ALL_AXES);
  deer_node divergence = deer_scale(g, deer_mul(g, deer_square(g, rate), along), 0.5);
  deer_node limit = deer_constant(g, DEER_SCALAR, most);
  deer_node share = deer_sqrt(g, deer_div(g, limit, deer_max(g, divergence, limit)));
  return deer_mul(g, direction, deer_expand(g, share, deer_node_shape(g, direction), 0));
}
