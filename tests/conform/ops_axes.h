/* ops_axes.h: the part of ops_cases.h about ops that look along axes or choose by indices. */
#ifndef OPS_AXES_H
#define OPS_AXES_H

/* ---- axes ---- */

BUILD(sum, deer_sum(g, in[0], e->mask))
BUILD(mean, deer_mean(g, in[0], e->mask))
BUILD(expand, deer_expand(g, in[0], e->shape, e->mask))
BUILD(var, deer_var(g, in[0], e->mask))
BUILD(std, deer_std(g, in[0], e->mask))

/* elements of the result of a sum over e->mask */
static size_t count_left(const example *e) {
  size_t left = 1;
  for (int i = 0; i < e->in[0].rank; i++)
    if (!(e->mask & DEER_AXIS(i))) left *= (size_t)e->in[0].dim[i];
  return left;
}

static void whole_sum(const example *e, const double *const *in, double *out) {
  memset(out, 0, count_left(e) * sizeof *out);
  for (size_t i = 0; i < deer_shape_count(&e->in[0]); i++)
    out[kept_place(i, &e->in[0], ~e->mask)] += in[0][i];
}

static void whole_mean(const example *e, const double *const *in, double *out) {
  const size_t left = count_left(e), summed = deer_shape_count(&e->in[0]) / left;
  whole_sum(e, in, out);
  for (size_t i = 0; i < left; i++) out[i] /= (double)summed;
}

static void whole_var(const example *e, const double *const *in, double *out) {
  double mean[64];
  const size_t n = deer_shape_count(&e->in[0]), left = count_left(e);
  whole_mean(e, in, mean);
  memset(out, 0, left * sizeof *out);
  for (size_t i = 0; i < n; i++) {
    const size_t at = kept_place(i, &e->in[0], ~e->mask);
    out[at] += pow(in[0][i] - mean[at], 2) * (double)left / (double)n;
  }
}

static void whole_std(const example *e, const double *const *in, double *out) {
  whole_var(e, in, out);
  for (size_t i = 0; i < count_left(e); i++) out[i] = sqrt(out[i]);
}

static void whole_expand(const example *e, const double *const *in, double *out) {
  for (size_t i = 0; i < deer_shape_count(&e->shape); i++)
    out[i] = in[0][kept_place(i, &e->shape, e->mask)];
}

static int last_dim(const deer_shape *shape) { return shape->dim[shape->rank - 1]; }

/* ---- along one axis, p[0]: each line of x gives a line of out, one element or as many ---- */

typedef void line_function(const double *x, int n, double *out);

static void along(const example *e, const double *x, double *out, bool drop, line_function *f) {
  const deer_shape *shape = &e->in[0];
  const int axis = e->p[0], n = shape->dim[axis];
  for (size_t place = 0, k = 0; place < deer_shape_count(shape); place++) {
    int at[DEER_MAX_RANK];
    double line[64], result[64];
    indices_of(place, shape, at);
    if (at[axis] != 0) continue;
    for (int i = 0; i < n; i++) at[axis] = i, line[i] = x[place_of(at, shape)];
    f(line, n, result);
    for (int i = 0; !drop && i < n; i++) at[axis] = i, out[place_of(at, shape)] = result[i];
    if (drop) out[k++] = result[0];
  }
}

#define LINE(name, graph, drop)                                                                    \
  BUILD(name, graph)                                                                               \
  static void whole_##name(const example *e, const double *const *in, double *out) {               \
    along(e, in[0], out, drop, line_##name);                                                       \
  }

static void line_argmax(const double *x, int n, double *out) {
  *out = n - 1;
  for (int i = n - 1; i >= 0; i--)
    if (x[i] >= x[(int)*out]) *out = i;
}

static void line_argmin(const double *x, int n, double *out) {
  *out = n - 1;
  for (int i = n - 1; i >= 0; i--)
    if (x[i] <= x[(int)*out]) *out = i;
}

static void line_max(const double *x, int n, double *out) {
  line_argmax(x, n, out);
  *out = x[(int)*out];
}

static void line_min(const double *x, int n, double *out) {
  line_argmin(x, n, out);
  *out = x[(int)*out];
}

static void line_logsumexp(const double *x, int n, double *out) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += exp(x[i]);
  *out = log(sum);
}

static void line_softmax(const double *x, int n, double *out) {
  double total;
  line_logsumexp(x, n, &total);
  for (int i = 0; i < n; i++) out[i] = exp(x[i] - total);
}

static void line_log_softmax(const double *x, int n, double *out) {
  double total;
  line_logsumexp(x, n, &total);
  for (int i = 0; i < n; i++) out[i] = x[i] - total;
}

static void line_cumsum(const double *x, int n, double *out) {
  for (int i = 0; i < n; i++) out[i] = x[i] + (i > 0 ? out[i - 1] : 0);
}

static void line_cumsum_reverse(const double *x, int n, double *out) {
  for (int i = n - 1; i >= 0; i--) out[i] = x[i] + (i < n - 1 ? out[i + 1] : 0);
}

LINE(argmax, deer_argmax(g, in[0], e->p[0]), true)
LINE(argmin, deer_argmin(g, in[0], e->p[0]), true)
LINE(max, deer_max_axis(g, in[0], e->p[0]), true)
LINE(min, deer_min_axis(g, in[0], e->p[0]), true)
LINE(logsumexp, deer_logsumexp(g, in[0], e->p[0]), true)
LINE(softmax, deer_softmax(g, in[0], e->p[0]), false)
LINE(log_softmax, deer_log_softmax(g, in[0], e->p[0]), false)
LINE(cumsum, deer_cumsum(g, in[0], e->p[0], false), false)
LINE(cumsum_reverse, deer_cumsum(g, in[0], e->p[0], true), false)
BUILD(max_last, deer_max_last(g, in[0]))
BUILD(min_last, deer_min_last(g, in[0]))
BUILD(argmax_last, deer_argmax_last(g, in[0]))
BUILD(argmin_last, deer_argmin_last(g, in[0]))

/* ---- normalisation: along the last axis; per channel of axis 1, by itself or, with p[0], by given
 * statistics; epsilon in s ---- */

BUILD(layer_norm, deer_layer_norm(g, in[0], in[1], in[2], e->s[0]))
BUILD(layer_norm_bare, deer_layer_norm(g, in[0], DEER_NONE, DEER_NONE, e->s[0]))

static void whole_layer_norm_bare(const example *e, const double *const *in, double *out) {
  const int n = last_dim(&e->in[0]);
  for (size_t r = 0; r < deer_shape_count(&e->in[0]) / (size_t)n; r++) {
    const double *x = in[0] + r * (size_t)n;
    double mean = 0, variance = 0;
    for (int i = 0; i < n; i++) mean += x[i] / n;
    for (int i = 0; i < n; i++) variance += (x[i] - mean) * (x[i] - mean) / n;
    for (int i = 0; i < n; i++) *out++ = (x[i] - mean) / sqrt(variance + e->s[0]);
  }
}

static void whole_layer_norm(const example *e, const double *const *in, double *out) {
  whole_layer_norm_bare(e, in, out);
  const size_t n = (size_t)last_dim(&e->in[0]);
  for (size_t i = 0; i < deer_shape_count(&e->in[0]); i++)
    out[i] = out[i] * in[1][i % n] + in[2][i % n];
}

static deer_node build_batch_norm(deer_graph *g, const deer_node *in, const example *e) {
  const deer_shape channels = DEER_SHAPE(e->in[0].dim[1]);
  deer_batch_norm_spec spec = {.gain = in[1], .bias = in[2], .epsilon = e->s[0], .rate = 0.1};
  spec.mean = deer_constant(g, channels, 0.3);
  spec.variance = deer_constant(g, channels, 2);
  deer_node next[2];
  return e->p[0] ? deer_batch_norm(g, in[0], &spec, NULL, NULL)
                 : deer_batch_norm(g, in[0], &spec, &next[0], &next[1]);
}

static void whole_batch_norm(const example *e, const double *const *in, double *out) {
  const deer_shape *x = &e->in[0];
  const size_t inner = deer_shape_count(x) / (size_t)(x->dim[0] * x->dim[1]);
  for (size_t c = 0; c < (size_t)x->dim[1]; c++) {
    double mean = 0, square = 0, n = 0;
    for (size_t i = 0; i < deer_shape_count(x); i++) {
      if (i / inner % (size_t)x->dim[1] != c) continue;
      mean += in[0][i], square += in[0][i] * in[0][i], n++;
    }
    mean = e->p[0] ? 0.3 : mean / n;
    const double variance = e->p[0] ? 2 : square / n - mean * mean;
    for (size_t i = 0; i < deer_shape_count(x); i++)
      if (i / inner % (size_t)x->dim[1] == c)
        out[i] = (in[0][i] - mean) / sqrt(variance + e->s[0]) * in[1][c] + in[2][c];
  }
}

/* ---- choosing elements ---- */

BUILD(take, deer_take(g, in[0], in[1]))
BUILD(gather, deer_gather(g, in[0], in[1]))
BUILD(put, deer_put(g, in[0], in[1], e->p[0]))

/* row r, place i of the index belongs to element index[r, i] of row r */
static void whole_take(const example *e, const double *const *in, double *out) {
  const size_t n = (size_t)last_dim(&e->in[0]), rows = deer_shape_count(&e->in[0]) / n;
  const size_t m = deer_shape_count(&e->in[1]) / rows;
  for (size_t i = 0; i < rows * m; i++) out[i] = in[0][i / m * n + (size_t)in[1][i]];
}

static void whole_put(const example *e, const double *const *in, double *out) {
  const size_t n = (size_t)e->p[0], m = (size_t)last_dim(&e->in[0]);
  const size_t count = deer_shape_count(&e->in[0]);
  memset(out, 0, count / m * n * sizeof *out);
  for (size_t i = 0; i < count; i++) out[i / m * n + (size_t)in[1][i]] += in[0][i];
}

BUILD(one_hot, deer_one_hot(g, in[0], e->p[0]))
BUILD(rows, deer_rows(g, in[0], in[1]))
BUILD(put_rows, deer_put_rows(g, in[0], in[1], e->p[0]))

static void whole_one_hot(const example *e, const double *const *in, double *out) {
  for (size_t i = 0; i < deer_shape_count(&e->in[0]); i++)
    for (int k = 0; k < e->p[0]; k++) *out++ = k == (int)in[0][i];
}

static void whole_rows(const example *e, const double *const *in, double *out) {
  const size_t width = deer_shape_count(&e->in[0]) / (size_t)e->in[0].dim[0];
  for (size_t i = 0; i < deer_shape_count(&e->in[1]) * width; i++)
    out[i] = in[0][(size_t)in[1][i / width] * width + i % width];
}

static void whole_put_rows(const example *e, const double *const *in, double *out) {
  const size_t width = deer_shape_count(&e->in[0]) / deer_shape_count(&e->in[1]);
  memset(out, 0, (size_t)e->p[0] * width * sizeof *out);
  for (size_t i = 0; i < deer_shape_count(&e->in[0]); i++)
    out[(size_t)in[1][i / width] * width + i % width] += in[0][i];
}

#endif
