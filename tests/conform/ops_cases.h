/* ops_cases.h: what every op must compute, written a second time and as plainly as possible. A new
 * op adds one function here if no closed form fits, and at least one line to the table. */
#ifndef OPS_CASES_H
#define OPS_CASES_H

#include <math.h>
#include <string.h>

#include "graph/op.h"

#define MAX_INPUTS 3

typedef struct example example;

struct example {
  const char *op;    /* the op of ops.def that this example is about */
  const char *kinds; /* one letter per input: r real, v real variable, u uint8, i int32 */
  deer_shape in[MAX_INPUTS];
  deer_node (*build)(deer_graph *g, const deer_node *in, const example *e);

  /* the expected value: of one element, or of the whole output */
  double (*each)(const double *v, const example *e);
  void (*whole)(const example *e, const double *const *in, double *out);

  bool constant;    /* the output does not change with the inputs: gradients must be zero */
  bool stopped;     /* it does, but gradients must be zero all the same */
  double low, high; /* real inputs lie between, -2 and 2 when both are 0 */
  int below;        /* integer inputs are 0 .. below - 1 */
  int p[6];         /* settings of the op */
  double s[2];
  unsigned mask;
  deer_shape shape;
};

/* ---- elementwise ---- */

#define BUILD(name, expression)                                                                    \
  static deer_node build_##name(deer_graph *g, const deer_node *in, const example *e) {            \
    (void)g, (void)in, (void)e;                                                                    \
    return expression;                                                                             \
  }

#define EACH(name, graph, number)                                                                  \
  BUILD(name, graph)                                                                               \
  static double each_##name(const double *v, const example *e) {                                   \
    (void)e;                                                                                       \
    return number;                                                                                 \
  }

static double clipped(double x, double low, double high) {
  return x < low ? low : x > high ? high : x;
}

static double huber(double x, double t) { return fabs(x) <= t ? x * x / 2 : t * (fabs(x) - t / 2); }

EACH(input, in[0], v[0])
EACH(variable, deer_square(g, in[0]), v[0] * v[0])
EACH(constant, deer_mul(g, in[0], deer_constant(g, e->in[0], 2.5)), v[0] * 2.5)
EACH(stop, deer_stop(g, in[0]), v[0])
EACH(add, deer_add(g, in[0], in[1]), v[0] + v[1])
EACH(add_same, deer_add(g, in[0], in[0]), v[0] + v[0])
EACH(sub, deer_sub(g, in[0], in[1]), v[0] - v[1])
EACH(mul, deer_mul(g, in[0], in[1]), v[0] * v[1])
EACH(mul_same, deer_mul(g, in[0], in[0]), v[0] * v[0])
EACH(div, deer_div(g, in[0], in[1]), v[0] / v[1])
EACH(min2, deer_min(g, in[0], in[1]), v[0] < v[1] ? v[0] : v[1])
EACH(max2, deer_max(g, in[0], in[1]), v[0] > v[1] ? v[0] : v[1])
EACH(greater_equal, deer_greater_equal(g, deer_sign(g, in[0]), deer_sign(g, in[1])),
     (v[0] > 0) >= (v[1] > 0))
EACH(equal, deer_equal(g, deer_sign(g, in[0]), deer_sign(g, in[1])), (v[0] > 0) == (v[1] > 0))
EACH(less, deer_less(g, in[0], in[1]), v[0] < v[1])
EACH(less_equal, deer_less_equal(g, deer_sign(g, in[0]), deer_sign(g, in[1])),
     (v[0] > 0) <= (v[1] > 0))
EACH(pow, deer_pow(g, in[0], in[1]), pow(v[0], v[1]))
EACH(power, deer_power(g, in[0], e->s[0]), pow(v[0], e->s[0]))
EACH(sin, deer_sin(g, in[0]), sin(v[0]))
EACH(cos, deer_cos(g, in[0]), cos(v[0]))
EACH(expm1, deer_expm1(g, in[0]), expm1(v[0]))
EACH(log1p, deer_log1p(g, in[0]), log1p(v[0]))
EACH(leaky_relu, deer_leaky_relu(g, in[0], e->s[0]), v[0] > 0 ? v[0] : e->s[0] * v[0])
EACH(elu, deer_elu(g, in[0], e->s[0]), v[0] > 0 ? v[0] : e->s[0] * (exp(v[0]) - 1))
EACH(selu, deer_selu(g, in[0]),
     1.0507009873554805 * (v[0] > 0 ? v[0] : 1.6732632423543772 * (exp(v[0]) - 1)))
EACH(gelu, deer_gelu(g, in[0]),
     v[0] / (1 + exp(-2 * sqrt(2 / acos(-1)) * (v[0] + 0.044715 * pow(v[0], 3)))))
EACH(swish, deer_swish(g, in[0]), v[0] / (1 + exp(-v[0])))
EACH(hard_swish, deer_hard_swish(g, in[0]), v[0] * clipped(v[0] + 3, 0, 6) / 6)
EACH(softplus, deer_softplus(g, in[0]), log(1 + exp(v[0])))
EACH(scale_gradient, deer_scale_gradient(g, in[0], 1), v[0])
EACH(clip_gradient, deer_clip_gradient(g, in[0], 1e9), v[0])
EACH(min_square, deer_min(g, deer_square(g, in[0]), in[1]), fmin(v[0] * v[0], v[1]))
EACH(greater, deer_greater(g, in[0], in[1]), v[0] > v[1] ? 1 : 0)
EACH(where, deer_where(g, deer_relu(g, in[0]), in[1], in[2]), v[0] > 0 ? v[1] : v[2])
EACH(scale, deer_scale(g, in[0], e->s[0]), v[0] * e->s[0])
EACH(shift, deer_shift(g, in[0], e->s[0]), v[0] + e->s[0])
EACH(clip, deer_clip(g, in[0], e->s[0], e->s[1]), clipped(v[0], e->s[0], e->s[1]))
EACH(huber, deer_huber(g, in[0], e->s[0]), huber(v[0], e->s[0]))
EACH(neg, deer_neg(g, in[0]), -v[0])
EACH(abs, deer_abs(g, in[0]), fabs(v[0]))
EACH(sign, deer_sign(g, in[0]), v[0] > 0 ? 1 : v[0] < 0 ? -1 : 0)
EACH(exp, deer_exp(g, in[0]), exp(v[0]))
EACH(log, deer_log(g, in[0]), log(v[0]))
EACH(sqrt, deer_sqrt(g, in[0]), sqrt(v[0]))
EACH(square, deer_square(g, in[0]), v[0] * v[0])
EACH(tanh, deer_tanh(g, in[0]), tanh(v[0]))
EACH(sigmoid, deer_sigmoid(g, in[0]), 1 / (1 + exp(-v[0])))
EACH(relu, deer_relu(g, in[0]), v[0] > 0 ? v[0] : 0)
EACH(relu_square, deer_square(g, deer_relu(g, in[0])), v[0] > 0 ? v[0] * v[0] : 0)
EACH(cast, deer_cast(g, in[0]), v[0])
EACH(reshape, deer_reshape(g, in[0], e->shape), v[0])

#include "ops_math.h"

/* ---- places: from the number of an element to its indices and back ---- */

static void indices_of(size_t place, const deer_shape *shape, int *index) {
  for (int i = shape->rank - 1; i >= 0; i--) {
    index[i] = (int)(place % (size_t)shape->dim[i]);
    place /= (size_t)shape->dim[i];
  }
}

static size_t place_of(const int *index, const deer_shape *shape) {
  size_t place = 0;
  for (int i = 0; i < shape->rank; i++) place = place * (size_t)shape->dim[i] + (size_t)index[i];
  return place;
}

/* the place in the smaller tensor of an element of the larger one, whose kept axes it has */
static size_t kept_place(size_t place, const deer_shape *large, unsigned kept) {
  int index[DEER_MAX_RANK];
  size_t at = 0;
  indices_of(place, large, index);
  for (int i = 0; i < large->rank; i++)
    if (kept & DEER_AXIS(i)) at = at * (size_t)large->dim[i] + (size_t)index[i];
  return at;
}

/* ---- flat blocks: p[0] is the offset, shape that of the view ---- */

BUILD(view, deer_view(g, in[0], e->p[0], e->shape))

static void whole_view(const example *e, const double *const *in, double *out) {
  for (size_t i = 0; i < deer_shape_count(&e->shape); i++) out[i] = in[0][i + (size_t)e->p[0]];
}

/* two parts, which overlap when p says so, in a block of p[2] */
BUILD(pack, deer_pack(g, in, e->p, 2, e->p[2]))

static void whole_pack(const example *e, const double *const *in, double *out) {
  memset(out, 0, (size_t)e->p[2] * sizeof *out);
  for (int k = 0; k < 2; k++)
    for (size_t i = 0; i < deer_shape_count(&e->in[k]); i++) out[i + (size_t)e->p[k]] += in[k][i];
}

/* ---- products ---- */

BUILD(matmul, deer_matmul(g, in[0], in[1], e->p[0], e->p[1]))

/* a single product is a batch of one */
static void whole_matmul(const example *e, const double *const *in, double *out) {
  const int ta = e->p[0], tb = e->p[1], first = e->in[0].rank - 2;
  const int m = e->in[0].dim[first + ta], k = e->in[0].dim[first + 1 - ta];
  const int n = e->in[1].dim[first + 1 - tb], batch = first ? e->in[0].dim[0] : 1;
  for (int place = 0; place < batch * m * n; place++) {
    const int c = place / (m * n), i = place / n % m, j = place % n;
    out[place] = 0;
    for (int l = 0; l < k; l++) {
      const int a = c * m * k + (ta ? l * m + i : i * k + l);
      const int b = c * k * n + (tb ? j * k + l : l * n + j);
      out[place] += in[0][a] * in[1][b];
    }
  }
}

#include "picture_cases.h"

#include "ops_axes.h"

/* ---- shape: transpose has its axes in p; the others axis, start, length ---- */

BUILD(transpose, deer_transpose(g, in[0], e->p))
BUILD(concat, deer_concat(g, in, (int)strlen(e->kinds), e->p[0]))
BUILD(concat_same, deer_concat(g, (deer_node[]){in[0], in[0]}, 2, e->p[0]))
BUILD(stack, deer_stack(g, in, (int)strlen(e->kinds), e->p[0]))
BUILD(slice, deer_slice(g, in[0], e->p[0], e->p[1], e->p[2]))
BUILD(pad, deer_pad(g, in[0], e->p[0], e->p[1], e->p[2]))

static void whole_transpose(const example *e, const double *const *in, double *out) {
  const deer_shape *x = &e->in[0];
  deer_shape y = *x;
  for (int i = 0; i < x->rank; i++) y.dim[i] = x->dim[e->p[i]];
  for (size_t place = 0; place < deer_shape_count(x); place++) {
    int from[DEER_MAX_RANK], to[DEER_MAX_RANK];
    indices_of(place, x, from);
    for (int i = 0; i < x->rank; i++) to[i] = from[e->p[i]];
    out[place_of(to, &y)] = in[0][place];
  }
}

/* lays `in` of shape `x` into `out` of shape `y`, `start` along the axis; leaves out what does not
 * fit */
static void lay(const double *in, const deer_shape *x, double *out, const deer_shape *y, int axis,
                int start) {
  for (size_t place = 0; place < deer_shape_count(x); place++) {
    int index[DEER_MAX_RANK];
    indices_of(place, x, index);
    index[axis] += start;
    if (index[axis] < 0 || index[axis] >= y->dim[axis]) continue;
    out[place_of(index, y)] = in[place];
  }
}

static void whole_concat(const example *e, const double *const *in, double *out) {
  const int axis = e->p[0], n = (int)strlen(e->kinds);
  deer_shape y = e->in[0];
  for (int k = 1; k < n; k++) y.dim[axis] += e->in[k].dim[axis];
  for (int k = 0, start = 0; k < n; start += e->in[k++].dim[axis])
    lay(in[k], &e->in[k], out, &y, axis, start);
}

static void whole_concat_same(const example *e, const double *const *in, double *out) {
  deer_shape y = e->in[0];
  y.dim[e->p[0]] *= 2;
  for (int k = 0; k < 2; k++) lay(in[0], &e->in[0], out, &y, e->p[0], k * e->in[0].dim[e->p[0]]);
}

/* parts lie side by side along the new axis p[0] */
static void whole_stack(const example *e, const double *const *in, double *out) {
  const int n = (int)strlen(e->kinds);
  for (size_t place = 0; place < deer_shape_count(&e->in[0]); place++)
    for (int k = 0; k < n; k++) {
      int from[DEER_MAX_RANK], to[DEER_MAX_RANK];
      deer_shape y = {.rank = e->in[0].rank + 1};
      indices_of(place, &e->in[0], from);
      for (int i = 0; i < y.rank; i++) {
        const int old = i - (i > e->p[0]);
        y.dim[i] = i == e->p[0] ? n : e->in[0].dim[old];
        to[i] = i == e->p[0] ? k : from[old];
      }
      out[place_of(to, &y)] = in[k][place];
    }
}

static void whole_slice(const example *e, const double *const *in, double *out) {
  deer_shape y = e->in[0];
  y.dim[e->p[0]] = e->p[2];
  lay(in[0], &e->in[0], out, &y, e->p[0], -e->p[1]);
}

static void whole_pad(const example *e, const double *const *in, double *out) {
  deer_shape y = e->in[0];
  y.dim[e->p[0]] = e->p[2];
  memset(out, 0, deer_shape_count(&y) * sizeof *out);
  lay(in[0], &e->in[0], out, &y, e->p[0], e->p[1]);
}

/* ---- the table ---- */

/* a shape as DEER_SHAPE makes it, in the form that a static table may hold */
#define S(...)                                                                                     \
  {                                                                                                \
    .rank = (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)), .dim = { __VA_ARGS__ }              \
  }
#define SCALAR                                                                                     \
  { .rank = 0 }
#define FORM(name)   .build = build_##name, .each = each_##name
#define WHOLE(name)  .build = build_##name, .whole = whole_##name
#define WHOLE2(b, w) .build = build_##b, .whole = whole_##w

#define GAMMA(n, from, to, order)                                                                  \
  {                                                                                                \
    .op = "polygamma", .kinds = "r", .in = {S(n)}, FORM(polygamma), .low = from, .high = to,       \
    .p = {                                                                                         \
      order                                                                                        \
    }                                                                                              \
  }
#define INVERSE(n, diagonal)                                                                       \
  {                                                                                                \
    .op = "spd_inverse", .kinds = "r", .in = {S(n, n)}, WHOLE(spd_inverse), .low = -1, .high = 1,  \
    .s = {                                                                                         \
      diagonal                                                                                     \
    }                                                                                              \
  }

static const example examples[] = {
    /* sources and flat blocks */
    {.op = "input", .kinds = "r", .in = {S(3, 2)}, FORM(input)},
    {.op = "variable", .kinds = "v", .in = {S(5)}, FORM(variable)},
    {.op = "constant", .kinds = "r", .in = {S(2, 3)}, FORM(constant)},
    {.op = "constant", .kinds = "r", .in = {SCALAR}, FORM(constant)},
    {.op = "view", .kinds = "v", .in = {S(10)}, WHOLE(view), .p = {3}, .shape = S(2, 3)},
    {.op = "view", .kinds = "r", .in = {S(6)}, WHOLE(view), .p = {5}, .shape = SCALAR},
    {.op = "pack", .kinds = "rr", .in = {S(2, 3), S(4)}, WHOLE(pack), .p = {5, 0, 12}},
    {.op = "pack", .kinds = "rr", .in = {S(2, 3), S(4)}, WHOLE(pack), .p = {1, 3, 9}},
    {.op = "reshape", .kinds = "r", .in = {S(2, 6)}, FORM(reshape), .shape = S(3, 2, 2)},
    {.op = "reshape", .kinds = "r", .in = {S(1, 1)}, FORM(reshape), .shape = SCALAR},
    {.op = "stop", .kinds = "r", .in = {S(4)}, FORM(stop), .stopped = true},

    /* elementwise; 37 elements are two whole blocks of a vector kernel and a rest */
    {.op = "scale_gradient", .kinds = "r", .in = {S(5)}, FORM(scale_gradient)},
    {.op = "clip_gradient", .kinds = "r", .in = {S(5)}, FORM(clip_gradient)},
    {.op = "add", .kinds = "rr", .in = {S(5, 7), S(5, 7)}, FORM(add)},
    {.op = "add", .kinds = "rr", .in = {SCALAR, SCALAR}, FORM(add)},
    {.op = "add", .kinds = "r", .in = {S(3)}, FORM(add_same)},
    {.op = "sub", .kinds = "rr", .in = {S(37), S(37)}, FORM(sub)},
    {.op = "mul", .kinds = "rr", .in = {S(2, 3, 4), S(2, 3, 4)}, FORM(mul)},
    {.op = "mul", .kinds = "r", .in = {S(4)}, FORM(mul_same)},
    {.op = "div", .kinds = "rr", .in = {S(13), S(13)}, FORM(div), .low = 0.5, .high = 2.5},
    {.op = "div", .kinds = "rr", .in = {S(2, 3), S(2, 3)}, FORM(div), .low = -2.5, .high = -0.5},
    {.op = "min", .kinds = "rr", .in = {S(37), S(37)}, FORM(min2)},
    {.op = "min", .kinds = "rr", .in = {S(19), S(19)}, FORM(min_square)},
    {.op = "max", .kinds = "rr", .in = {S(37), S(37)}, FORM(max2)},
    {.op = "greater", .kinds = "rr", .in = {S(21), S(21)}, FORM(greater), .constant = true},
    {.op = "greater", .kinds = "rr", .in = {S(21), S(21)}, FORM(less), .constant = true},
    {.op = "greater_equal",
     .kinds = "rr",
     .in = {S(21), S(21)},
     FORM(greater_equal),
     .constant = true},
    {.op = "greater_equal",
     .kinds = "rr",
     .in = {S(21), S(21)},
     FORM(less_equal),
     .constant = true},
    {.op = "equal", .kinds = "rr", .in = {S(21), S(21)}, FORM(equal), .constant = true},
    {.op = "pow", .kinds = "rr", .in = {S(37), S(37)}, FORM(pow), .low = 0.3, .high = 3},
    {.op = "pow", .kinds = "r", .in = {S(19)}, FORM(power), .s = {3}},
    {.op = "pow", .kinds = "r", .in = {S(19)}, FORM(power), .s = {-1.5}, .low = 0.3, .high = 3},
    {.op = "where", .kinds = "rrr", .in = {S(3, 7), S(3, 7), S(3, 7)}, FORM(where)},
    {.op = "scale", .kinds = "r", .in = {S(37)}, FORM(scale), .s = {-1.75}},
    {.op = "scale", .kinds = "r", .in = {S(3)}, FORM(scale), .s = {0}},
    {.op = "shift", .kinds = "r", .in = {S(2, 2)}, FORM(shift), .s = {0.3}},
    {.op = "clip", .kinds = "r", .in = {S(37)}, FORM(clip), .s = {-0.9, 1.3}},
    {.op = "clip", .kinds = "r", .in = {S(9)}, FORM(clip), .s = {-INFINITY, 0.4}},
    {.op = "clip", .kinds = "r", .in = {S(37)}, FORM(huber), .s = {1}},
    {.op = "clip", .kinds = "r", .in = {S(4, 4)}, FORM(huber), .s = {0.3}},
    {.op = "square", .kinds = "r", .in = {S(9)}, FORM(power), .s = {2}},
    {.op = "sqrt", .kinds = "r", .in = {S(9)}, FORM(power), .s = {0.5}, .low = 0.3, .high = 3},
    {.op = "div", .kinds = "r", .in = {S(9)}, FORM(power), .s = {-1}},
    {.op = "neg", .kinds = "r", .in = {S(37)}, FORM(neg)},
    {.op = "abs", .kinds = "r", .in = {S(37)}, FORM(abs)},
    {.op = "sign", .kinds = "r", .in = {S(37)}, FORM(sign), .constant = true},
    {.op = "exp", .kinds = "r", .in = {S(37)}, FORM(exp)},
    {.op = "log", .kinds = "r", .in = {S(37)}, FORM(log), .low = 0.3, .high = 3},
    {.op = "sqrt", .kinds = "r", .in = {S(37)}, FORM(sqrt), .low = 0.3, .high = 3},
    {.op = "square", .kinds = "r", .in = {S(37)}, FORM(square)},
    {.op = "tanh", .kinds = "r", .in = {S(37)}, FORM(tanh)},
    {.op = "tanh", .kinds = "r", .in = {SCALAR}, FORM(tanh)},
    {.op = "sigmoid", .kinds = "r", .in = {S(37)}, FORM(sigmoid), .low = -4, .high = 4},
    {.op = "relu", .kinds = "r", .in = {S(37)}, FORM(relu)},
    {.op = "relu", .kinds = "r", .in = {S(2, 9)}, FORM(relu_square)},
    {.op = "lgamma", .kinds = "r", .in = {S(37)}, FORM(lgamma), .low = 0.2, .high = 3},
    {.op = "lgamma", .kinds = "r", .in = {S(11)}, FORM(lgamma), .low = 3, .high = 60},
    GAMMA(17, 0.3, 3, 0),
    GAMMA(5, 9, 90, 0),
    GAMMA(9, 0.5, 4, 1),
    GAMMA(9, 1, 20, 4),
    {.op = "sin", .kinds = "r", .in = {S(37)}, FORM(sin), .low = -20, .high = 20},
    {.op = "cos", .kinds = "r", .in = {S(37)}, FORM(cos), .low = -20, .high = 20},
    {.op = "expm1", .kinds = "r", .in = {S(37)}, FORM(expm1)},
    {.op = "log1p", .kinds = "r", .in = {S(37)}, FORM(log1p), .low = -0.7, .high = 3},
    {.op = "leaky_relu", .kinds = "r", .in = {S(37)}, FORM(leaky_relu), .s = {0.2}},
    {.op = "leaky_relu", .kinds = "r", .in = {S(9)}, FORM(leaky_relu), .s = {-1.5}},
    {.op = "elu", .kinds = "r", .in = {S(37)}, FORM(elu), .s = {1}},
    {.op = "elu", .kinds = "r", .in = {S(9)}, FORM(elu), .s = {0.4}},
    {.op = "elu", .kinds = "r", .in = {S(9)}, FORM(selu)},
    {.op = "tanh", .kinds = "r", .in = {S(37)}, FORM(gelu), .low = -4, .high = 4},
    {.op = "sigmoid", .kinds = "r", .in = {S(37)}, FORM(swish), .low = -4, .high = 4},
    {.op = "clip", .kinds = "r", .in = {S(37)}, FORM(hard_swish), .low = -5, .high = 5},
    {.op = "softplus", .kinds = "r", .in = {S(37)}, FORM(softplus), .low = -9, .high = 9},
    {.op = "cast", .kinds = "u", .in = {S(3, 11)}, FORM(cast), .below = 256},
    {.op = "cast", .kinds = "i", .in = {S(7)}, FORM(cast), .below = 100000},

    /* products */
    {.op = "matmul", .kinds = "rr", .in = {S(3, 4), S(4, 5)}, WHOLE(matmul)},
    {.op = "matmul", .kinds = "rr", .in = {S(4, 3), S(4, 5)}, WHOLE(matmul), .p = {1, 0}},
    {.op = "matmul", .kinds = "rr", .in = {S(3, 4), S(5, 4)}, WHOLE(matmul), .p = {0, 1}},
    {.op = "matmul", .kinds = "rr", .in = {S(4, 3), S(5, 4)}, WHOLE(matmul), .p = {1, 1}},
    {.op = "matmul", .kinds = "rr", .in = {S(1, 6), S(6, 4)}, WHOLE(matmul)},
    {.op = "matmul", .kinds = "rr", .in = {S(6, 1), S(4, 6)}, WHOLE(matmul), .p = {1, 1}},
    {.op = "matmul", .kinds = "rr", .in = {S(5, 6), S(6, 1)}, WHOLE(matmul)},
    {.op = "matmul", .kinds = "rr", .in = {S(6, 5), S(1, 6)}, WHOLE(matmul), .p = {1, 1}},
    {.op = "matmul", .kinds = "rr", .in = {S(1, 1), S(1, 1)}, WHOLE(matmul)},
    {.op = "matmul", .kinds = "rr", .in = {S(2, 3, 4), S(2, 4, 2)}, WHOLE(matmul)},
    {.op = "matmul", .kinds = "rr", .in = {S(3, 4, 3), S(3, 4, 2)}, WHOLE(matmul), .p = {1, 0}},
    {.op = "matmul", .kinds = "rr", .in = {S(2, 3, 4), S(2, 2, 4)}, WHOLE(matmul), .p = {0, 1}},
    {.op = "matmul", .kinds = "rr", .in = {S(2, 4, 3), S(2, 2, 4)}, WHOLE(matmul), .p = {1, 1}},
    {.op = "matmul", .kinds = "rr", .in = {S(1, 1, 4), S(1, 4, 1)}, WHOLE(matmul)},
    INVERSE(4, 5),
    INVERSE(9, 7),
    INVERSE(1, 3),
    {.op = "diagonal", .kinds = "r", .in = {S(5, 5)}, WHOLE(diagonal)},
    {.op = "diagonal_matrix", .kinds = "r", .in = {S(5)}, WHOLE(diagonal_matrix)},
    {.op = "diagonal_matrix", .kinds = "r", .in = {S(1)}, WHOLE(diagonal_matrix)},
    {.op = "conv2d",
     .kinds = "rr",
     .in = {S(2, 3, 6, 5), S(4, 3, 3, 2)},
     WHOLE(conv2d),
     .p = {1, 1}},
    {.op = "conv2d",
     .kinds = "rr",
     .in = {S(2, 2, 8, 9), S(3, 2, 2, 5)},
     WHOLE(conv2d),
     .p = {3, 2}},
    {.op = "conv2d",
     .kinds = "rr",
     .in = {S(3, 1, 7, 1), S(1, 1, 2, 1)},
     WHOLE(conv2d),
     .p = {1, 1}},
    {.op = "conv2d",
     .kinds = "rr",
     .in = {S(1, 2, 3, 3), S(2, 2, 3, 3)},
     WHOLE(conv2d),
     .p = {5, 5}},
    {.op = "conv2d",
     .kinds = "rr",
     .in = {S(2, 2, 4, 5), S(3, 2, 3, 3)},
     WHOLE(conv2d),
     .p = {1, 1, 1, 1}},
    {.op = "conv2d",
     .kinds = "rr",
     .in = {S(2, 1, 5, 4), S(2, 1, 2, 4)},
     WHOLE(conv2d),
     .p = {2, 3, 3, 1}},
    {.op = "conv2d",
     .kinds = "rr",
     .in = {S(1, 1, 2, 2), S(1, 1, 4, 5)},
     WHOLE(conv2d),
     .p = {1, 1, 1, 2}},
    {.op = "conv2d",
     .kinds = "ur",
     .in = {S(2, 2, 5, 4), S(3, 2, 2, 3)},
     WHOLE(conv2d),
     .p = {1, 1},
     .below = 256},
    {.op = "conv2d",
     .kinds = "ur",
     .in = {S(2, 2, 5, 4), S(3, 2, 2, 3)},
     WHOLE(conv2d),
     .p = {2, 1, 1, 2},
     .below = 256},
    {.op = "conv2d",
     .kinds = "ur",
     .in = {S(2, 2, 5, 4), S(3, 2, 2, 3)},
     WHOLE(conv2d_scaled),
     .p = {2, 1, 1, 2},
     .s = {0.125, -3.5},
     .below = 256},
    {.op = "conv2d", .kinds = "rr", .in = {S(2, 3, 7), S(4, 3, 2)}, WHOLE(conv1d), .p = {1, 1}},
    {.op = "conv2d",
     .kinds = "rr",
     .in = {S(2, 2, 7), S(3, 2, 3)},
     WHOLE(conv1d),
     .p = {1, 2, 0, 2}},
    {.op = "conv2d",
     .kinds = "rrr",
     .in = {S(2, 2, 4, 4), S(3, 2, 2, 3), S(3)},
     WHOLE(conv2d_finished),
     .p = {1, 1},
     .mask = DEER_FINISH_BIAS},
    {.op = "conv2d",
     .kinds = "rrr",
     .in = {S(2, 2, 4, 4), S(3, 2, 2, 3), S(3)},
     WHOLE(conv2d_finished),
     .p = {1, 1},
     .mask = DEER_FINISH_BIAS | DEER_FINISH_RELU},
    {.op = "conv2d",
     .kinds = "rrr",
     .in = {S(2, 2, 4, 4), S(3, 2, 2, 3), S(2, 3, 3, 2)},
     WHOLE(conv2d_finished),
     .p = {1, 1},
     .mask = DEER_FINISH_RELU | DEER_FINISH_GATE},
    {.op = "conv2d_input",
     .kinds = "rr",
     .in = {S(3, 2, 3, 2), S(2, 3, 2, 3)},
     WHOLE(conv2d_input),
     .p = {2, 1},
     .shape = S(2, 2, 6, 4)},
    {.op = "conv2d_input",
     .kinds = "rr",
     .in = {S(3, 2, 3, 2), S(2, 3, 3, 5)},
     WHOLE(conv2d_input),
     .p = {2, 1, 1, 1},
     .shape = S(2, 2, 6, 4)},
    {.op = "conv2d_input",
     .kinds = "rrr",
     .in = {S(3, 2, 3, 2), S(2, 3, 2, 3), S(2, 2, 6, 4)},
     WHOLE(conv2d_input_finished),
     .p = {2, 1},
     .mask = DEER_FINISH_GATE,
     .shape = S(2, 2, 6, 4)},
    {.op = "conv2d_input",
     .kinds = "rrr",
     .in = {S(3, 2, 3, 2), S(2, 3, 2, 3), S(2)},
     WHOLE(conv2d_input_finished),
     .p = {2, 1},
     .mask = DEER_FINISH_BIAS | DEER_FINISH_RELU,
     .shape = S(2, 2, 6, 4)},
    {.op = "conv2d_input",
     .kinds = "rr",
     .in = {S(2, 3, 2, 3), S(2, 2, 3, 2)},
     WHOLE2(conv_transpose, conv2d_input),
     .p = {2, 3, 1, 0},
     .shape = S(2, 3, 4, 6)},
    {.op = "conv2d_filter",
     .kinds = "rr",
     .in = {S(2, 2, 6, 4), S(2, 3, 2, 3)},
     WHOLE(conv2d_filter),
     .p = {2, 1},
     .shape = S(3, 2, 3, 2)},
    {.op = "conv2d_filter",
     .kinds = "rr",
     .in = {S(2, 2, 6, 4), S(2, 3, 3, 5)},
     WHOLE(conv2d_filter),
     .p = {2, 1, 1, 1},
     .shape = S(3, 2, 3, 2)},
    {.op = "conv2d_filter",
     .kinds = "ur",
     .in = {S(2, 2, 6, 4), S(2, 3, 2, 3)},
     WHOLE(conv2d_filter),
     .p = {2, 1},
     .below = 256,
     .shape = S(3, 2, 3, 2)},
    {.op = "conv2d_filter",
     .kinds = "ur",
     .in = {S(2, 2, 6, 4), S(2, 3, 2, 3)},
     WHOLE(conv2d_filter_scaled),
     .p = {2, 1},
     .s = {-0.25, 1},
     .below = 256,
     .shape = S(3, 2, 3, 2)},
    {.op = "maxpool2d",
     .kinds = "r",
     .in = {S(2, 3, 4, 6)},
     WHOLE(maxpool),
     .p = {2, 3, 0, 0, 2, 3}},
    {.op = "maxpool2d",
     .kinds = "r",
     .in = {S(1, 2, 5, 7)},
     WHOLE(maxpool),
     .p = {2, 2, 0, 0, 2, 2}},
    {.op = "maxpool2d",
     .kinds = "r",
     .in = {S(2, 2, 5, 8)},
     WHOLE(maxpool),
     .p = {1, 3, 0, 0, 3, 2}},
    {.op = "poolindex2d",
     .kinds = "r",
     .in = {S(2, 2, 5, 6)},
     WHOLE(maxpool),
     .p = {2, 1, 1, 2, 3, 3}},
    {.op = "poolindex2d",
     .kinds = "r",
     .in = {S(1, 2, 1, 3)},
     WHOLE(maxpool),
     .p = {3, 4, 2, 3, 3, 4}},
    {.op = "sumpool2d",
     .kinds = "r",
     .in = {S(2, 2, 4, 6)},
     WHOLE(avgpool),
     .p = {2, 3, 0, 0, 2, 3}},
    {.op = "sumpool2d",
     .kinds = "r",
     .in = {S(1, 2, 5, 9)},
     WHOLE(avgpool),
     .p = {1, 2, 0, 0, 3, 2}},
    {.op = "sumpool2d_input",
     .kinds = "r",
     .in = {S(2, 2, 5, 6)},
     WHOLE(avgpool),
     .p = {2, 1, 1, 2, 3, 3}},
    {.op = "sumpool2d_input",
     .kinds = "r",
     .in = {S(1, 1, 2, 7)},
     WHOLE(avgpool),
     .p = {3, 4, 1, 3, 3, 4}},
    /* axes */
    {.op = "sum", .kinds = "r", .in = {S(3, 4)}, WHOLE(sum), .mask = 0x1},
    {.op = "sum", .kinds = "r", .in = {S(3, 70)}, WHOLE(sum), .mask = 0x1},
    {.op = "sum", .kinds = "r", .in = {S(3, 37)}, WHOLE(sum), .mask = 0x2},
    {.op = "sum", .kinds = "r", .in = {S(3, 4)}, WHOLE(sum), .mask = 0x3},
    {.op = "sum", .kinds = "r", .in = {S(3, 4)}, WHOLE(sum), .mask = 0},
    {.op = "sum", .kinds = "r", .in = {S(2, 3, 2, 3)}, WHOLE(sum), .mask = 0xd},
    {.op = "sum", .kinds = "r", .in = {S(2, 3, 2, 3)}, WHOLE(sum), .mask = 0x5},
    {.op = "sum", .kinds = "r", .in = {S(2, 3, 1, 3)}, WHOLE(sum), .mask = 0xa},
    {.op = "sum", .kinds = "r", .in = {S(2, 2, 2, 2, 2, 2)}, WHOLE(sum), .mask = 0x2a},
    {.op = "sum", .kinds = "r", .in = {S(2, 1, 3)}, WHOLE(sum), .mask = 0x2},
    {.op = "sum", .kinds = "r", .in = {S(2, 3)}, WHOLE(sum), .mask = DEER_ALL_AXES},
    {.op = "sum", .kinds = "r", .in = {SCALAR}, WHOLE(sum), .mask = DEER_ALL_AXES},
    {.op = "sum", .kinds = "r", .in = {S(4, 5)}, WHOLE(mean), .mask = 0x1},
    {.op = "sum", .kinds = "r", .in = {S(4, 5)}, WHOLE(mean), .mask = DEER_ALL_AXES},
    {.op = "expand", .kinds = "r", .in = {S(4)}, WHOLE(expand), .mask = 0x2, .shape = S(3, 4)},
    {.op = "expand", .kinds = "r", .in = {S(3)}, WHOLE(expand), .mask = 0x1, .shape = S(3, 4)},
    {.op = "expand",
     .kinds = "r",
     .in = {S(3)},
     WHOLE(expand),
     .mask = 0x2,
     .shape = S(2, 3, 2, 2)},
    {.op = "expand", .kinds = "r", .in = {SCALAR}, WHOLE(expand), .shape = S(2, 3)},
    {.op = "expand", .kinds = "r", .in = {SCALAR}, WHOLE(expand), .shape = SCALAR},
    {.op = "expand",
     .kinds = "r",
     .in = {S(2, 3)},
     WHOLE(expand),
     .mask = 0xa,
     .shape = S(2, 2, 3, 3)},
    {.op = "expand",
     .kinds = "r",
     .in = {S(2, 3)},
     WHOLE(expand),
     .mask = 0x5,
     .shape = S(2, 2, 3)},
    {.op = "expand",
     .kinds = "r",
     .in = {S(2, 1)},
     WHOLE(expand),
     .mask = 0x3,
     .shape = S(2, 1, 2)},
    {.op = "sum", .kinds = "r", .in = {S(4, 5)}, WHOLE(var), .mask = 0x1},
    {.op = "sum", .kinds = "r", .in = {S(2, 3, 4)}, WHOLE(var), .mask = 0x5},
    {.op = "sum", .kinds = "r", .in = {S(2, 3, 4)}, WHOLE(std), .mask = 0x6},
    {.op = "sum", .kinds = "r", .in = {S(7)}, WHOLE(std), .mask = DEER_ALL_AXES},
    {.op = "max_last", .kinds = "r", .in = {S(4, 5)}, WHOLE2(max_last, max), .p = {1}},
    {.op = "max_last", .kinds = "r", .in = {S(2, 3, 2)}, WHOLE(max), .p = {2}},
    {.op = "max_last", .kinds = "r", .in = {S(2, 3, 4, 2)}, WHOLE(max), .p = {1}},
    {.op = "max_last", .kinds = "r", .in = {S(5, 4)}, WHOLE(max), .p = {0}},
    {.op = "max_last", .kinds = "r", .in = {S(6)}, WHOLE2(max_last, max)},
    {.op = "min_last", .kinds = "r", .in = {S(4, 5)}, WHOLE2(min_last, min), .p = {1}},
    {.op = "min_last", .kinds = "r", .in = {S(3, 4, 2)}, WHOLE(min), .p = {1}},
    {.op = "min_last", .kinds = "r", .in = {S(3, 4, 2)}, WHOLE(min), .p = {0}},
    {.op = "argmax_last",
     .kinds = "r",
     .in = {S(3)},
     WHOLE2(argmax_last, argmax),
     .constant = true},
    {.op = "argmax_last", .kinds = "r", .in = {S(4, 5)}, WHOLE(argmax), .p = {1}, .constant = true},
    {.op = "argmax_last", .kinds = "r", .in = {S(4, 5)}, WHOLE(argmax), .p = {0}, .constant = true},
    {.op = "argmin_last",
     .kinds = "r",
     .in = {S(3)},
     WHOLE2(argmin_last, argmin),
     .constant = true},
    {.op = "argmin_last",
     .kinds = "r",
     .in = {S(2, 5, 3)},
     WHOLE(argmin),
     .p = {1},
     .constant = true},
    {.op = "logsumexp", .kinds = "r", .in = {S(4, 5)}, WHOLE(logsumexp), .p = {1}},
    {.op = "logsumexp", .kinds = "r", .in = {S(2, 20, 2)}, WHOLE(logsumexp), .p = {1}},
    {.op = "logsumexp", .kinds = "r", .in = {S(7)}, WHOLE(logsumexp)},
    {.op = "softmax", .kinds = "r", .in = {S(4, 5)}, WHOLE(softmax), .p = {1}},
    {.op = "softmax", .kinds = "r", .in = {S(2, 3, 4)}, WHOLE(softmax), .p = {0}},
    {.op = "softmax", .kinds = "r", .in = {S(2, 3, 2, 2)}, WHOLE(softmax), .p = {1}},
    {.op = "softmax", .kinds = "r", .in = {S(2, 40)}, WHOLE(softmax), .p = {1}},
    {.op = "softmax", .kinds = "r", .in = {S(3, 1)}, WHOLE(softmax), .p = {1}},
    {.op = "log_softmax", .kinds = "r", .in = {S(4, 5)}, WHOLE(log_softmax), .p = {1}},
    {.op = "log_softmax", .kinds = "r", .in = {S(3, 4, 2)}, WHOLE(log_softmax), .p = {1}},
    {.op = "log_softmax", .kinds = "r", .in = {S(18)}, WHOLE(log_softmax)},
    {.op = "cumsum", .kinds = "r", .in = {S(9)}, WHOLE(cumsum)},
    {.op = "cumsum", .kinds = "r", .in = {S(3, 4)}, WHOLE(cumsum), .p = {1}},
    {.op = "cumsum", .kinds = "r", .in = {S(3, 70)}, WHOLE(cumsum), .p = {0}},
    {.op = "cumsum", .kinds = "r", .in = {S(2, 3, 4)}, WHOLE(cumsum_reverse), .p = {1}},
    {.op = "cumsum", .kinds = "r", .in = {S(2, 5)}, WHOLE(cumsum_reverse), .p = {1}},
    {.op = "standardize",
     .kinds = "rrr",
     .in = {S(4, 6), S(6), S(6)},
     WHOLE(layer_norm),
     .s = {1e-5}},
    {.op = "inverse_deviation",
     .kinds = "rrr",
     .in = {S(2, 3, 20), S(20), S(20)},
     WHOLE(layer_norm),
     .s = {0.1}},
    {.op = "standardize_back", .kinds = "r", .in = {S(37)}, WHOLE(layer_norm_bare), .s = {0.01}},
    {.op = "sum", .kinds = "rrr", .in = {S(5, 3), S(3), S(3)}, WHOLE(batch_norm), .s = {0.01}},
    {.op = "sum", .kinds = "rrr", .in = {S(2, 3, 2, 2), S(3), S(3)}, WHOLE(batch_norm), .s = {0.1}},
    {.op = "sqrt",
     .kinds = "rrr",
     .in = {S(5, 3), S(3), S(3)},
     WHOLE(batch_norm),
     .s = {0.1},
     .p = {1}},

    /* choosing elements; with few values to choose from, some come more than once */
    {.op = "take", .kinds = "ri", .in = {S(3, 5), S(3, 4)}, WHOLE(take), .below = 5},
    {.op = "take", .kinds = "ri", .in = {S(4), S(9)}, WHOLE(take), .below = 4},
    {.op = "take", .kinds = "ri", .in = {S(2, 2, 3), S(2, 2, 1)}, WHOLE(take), .below = 3},
    {.op = "take", .kinds = "ri", .in = {S(5, 3), S(5)}, WHOLE2(gather, take), .below = 3},
    {.op = "take", .kinds = "ri", .in = {S(4), SCALAR}, WHOLE2(gather, take), .below = 4},
    {.op = "put", .kinds = "ri", .in = {S(3, 4), S(3, 4)}, WHOLE(put), .below = 3, .p = {5}},
    {.op = "put", .kinds = "ri", .in = {S(2), S(2)}, WHOLE(put), .below = 1, .p = {1}},
    {.op = "put", .kinds = "i", .in = {S(3, 2)}, WHOLE(one_hot), .below = 4, .p = {4}},
    {.op = "put", .kinds = "i", .in = {SCALAR}, WHOLE(one_hot), .below = 3, .p = {3}},
    {.op = "rows", .kinds = "ri", .in = {S(4, 3), S(5)}, WHOLE(rows), .below = 4},
    {.op = "rows", .kinds = "ri", .in = {S(3, 2, 2), S(2, 2)}, WHOLE(rows), .below = 3},
    {.op = "rows", .kinds = "ri", .in = {S(5), S(2, 4)}, WHOLE(rows), .below = 5},
    {.op = "rows", .kinds = "ri", .in = {S(4, 3), SCALAR}, WHOLE(rows), .below = 4},
    {.op = "put_rows", .kinds = "ri", .in = {S(5, 3), S(5)}, WHOLE(put_rows), .below = 4, .p = {4}},
    {.op = "put_rows",
     .kinds = "ri",
     .in = {S(2, 3), S(2, 3)},
     WHOLE(put_rows),
     .below = 2,
     .p = {3}},
    {.op = "put_rows",
     .kinds = "ri",
     .in = {S(2, 2), SCALAR},
     WHOLE(put_rows),
     .below = 2,
     .p = {3}},

    /* shape */
    {.op = "transpose", .kinds = "r", .in = {S(3, 4)}, WHOLE(transpose), .p = {1, 0}},
    {.op = "transpose", .kinds = "r", .in = {S(2, 3, 4)}, WHOLE(transpose), .p = {2, 0, 1}},
    {.op = "transpose", .kinds = "r", .in = {S(2, 3, 2, 3)}, WHOLE(transpose), .p = {0, 2, 3, 1}},
    {.op = "transpose", .kinds = "r", .in = {S(2, 3, 1, 2)}, WHOLE(transpose), .p = {3, 2, 1, 0}},
    {.op = "transpose", .kinds = "r", .in = {S(2, 3)}, WHOLE(transpose), .p = {0, 1}},
    {.op = "transpose", .kinds = "r", .in = {SCALAR}, WHOLE(transpose)},
    {.op = "concat", .kinds = "rr", .in = {S(2, 3), S(2, 4)}, WHOLE(concat), .p = {1}},
    {.op = "concat", .kinds = "rrr", .in = {S(1, 2), S(3, 2), S(2, 2)}, WHOLE(concat), .p = {0}},
    {.op = "concat", .kinds = "rr", .in = {S(2, 1, 2), S(2, 3, 2)}, WHOLE(concat), .p = {1}},
    {.op = "concat", .kinds = "r", .in = {S(2, 3)}, WHOLE(concat_same), .p = {1}},
    {.op = "concat", .kinds = "rrr", .in = {S(2, 3), S(2, 3), S(2, 3)}, WHOLE(stack), .p = {0}},
    {.op = "concat", .kinds = "rr", .in = {S(2, 3), S(2, 3)}, WHOLE(stack), .p = {1}},
    {.op = "concat", .kinds = "rr", .in = {S(2, 3), S(2, 3)}, WHOLE(stack), .p = {2}},
    {.op = "concat", .kinds = "rr", .in = {SCALAR, SCALAR}, WHOLE(stack), .p = {0}},
    {.op = "slice", .kinds = "r", .in = {S(4, 5)}, WHOLE(slice), .p = {1, 2, 2}},
    {.op = "slice", .kinds = "r", .in = {S(4, 5)}, WHOLE(slice), .p = {0, 1, 3}},
    {.op = "slice", .kinds = "r", .in = {S(2, 3, 2)}, WHOLE(slice), .p = {1, 0, 3}},
    {.op = "pad", .kinds = "r", .in = {S(2, 3)}, WHOLE(pad), .p = {1, 1, 5}},
    {.op = "pad", .kinds = "r", .in = {S(2, 3)}, WHOLE(pad), .p = {0, 0, 3}},
    {.op = "pad", .kinds = "r", .in = {S(2, 3, 2)}, WHOLE(pad), .p = {1, 2, 5}},
};

#undef FORM
#undef WHOLE
#undef WHOLE2

#endif
