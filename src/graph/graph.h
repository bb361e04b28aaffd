/* graph.h: describe a computation once, compile it, run it many times.
 *
 * A graph is a list of nodes with static shapes. Builder functions need no checking: the first
 * mistake is remembered, later calls pass "none" through, and deer_compile reports it with the
 * names of the nodes. Gradients are nodes, so gradients of gradients exist. There is no implicit
 * broadcasting: deer_expand says which axes are new.
 *
 *   deer_graph *g = deer_graph_new();
 *   deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(32, 4));
 *   deer_node y = deer_tanh(g, deer_matmul(g, x, w, false, false));
 *   deer_program *p;
 *   if (deer_compile(g, &y, 1, &p) == DEER_OK) { ...fill deer_program_data(p, x)...;
 * deer_program_run(p); }
 */
#ifndef DEER_GRAPH_H
#define DEER_GRAPH_H

#include "base/rng.h"
#include "tensor/tensor.h"

typedef struct deer_graph deer_graph;
typedef struct deer_program deer_program;
typedef struct deer_node {
  int32_t id;
} deer_node; /* id 0 is "none" */

#define DEER_NONE ((deer_node){0})

/* ---- life ---- */

deer_graph *deer_graph_new(void); /* NULL without memory */
void deer_graph_free(deer_graph *g);

/* DEER_OK, or the status of the first mistake, whose message is then in deer_error(). */
deer_status deer_graph_status(const deer_graph *g);

/* Forgets the first mistake, for whoever has reported it and wants to go on: nodes made before it
 * can be used as if the faulty call had not been. */
void deer_graph_forget(deer_graph *g);

/* Remembers a mistake (DEER_ESHAPE) found while describing; returns DEER_NONE. */
deer_node deer_graph_fail(deer_graph *g, const char *format, ...) DEER_PRINTF(2, 3);

/* Gives a node a name for messages and dumps; returns the node. The text is copied. */
deer_node deer_name(deer_graph *g, deer_node node, const char *name);

/* Shape and type of a node; "none", and a node of another graph, is a real scalar. */
deer_shape deer_node_shape(const deer_graph *g, deer_node node);
deer_dtype deer_node_dtype(const deer_graph *g, deer_node node);

/* ---- sources ---- */

/* A buffer of the program that the caller fills before each run. */
deer_node deer_input(deer_graph *g, const char *name, deer_dtype dtype, deer_shape shape);

/* `size` reals owned by the caller that outlive every program made from the graph: parameters,
 * optimiser state, scalars like the learning rate. Read at each run; written by deer_assign. Shape
 * [size]. */
deer_node deer_variable(deer_graph *g, const char *name, deer_real *data, int size);

/* Every element is `value`. */
deer_node deer_constant(deer_graph *g, deer_shape shape, double value);

/* 0, 1, ..., n - 1, real [n]. */
deer_node deer_arange(deer_graph *g, int n);

/* ---- flat blocks: all parameters of a network lie in one variable ---- */

/* The elements `offset`... of a [n] block seen in `shape`; no copy. Its gradient lands in one
 * deer_pack. */
deer_node deer_view(deer_graph *g, deer_node block, int offset, deer_shape shape);

/* A [size] block with `n` nodes laid at `offsets`, zero elsewhere; the transpose of deer_view. */
deer_node deer_pack(deer_graph *g, const deer_node *parts, const int *offsets, int n, int size);

/* ---- elementwise; operands have equal shapes ---- */

deer_node deer_add(deer_graph *g, deer_node a, deer_node b);
deer_node deer_sub(deer_graph *g, deer_node a, deer_node b);
deer_node deer_mul(deer_graph *g, deer_node a, deer_node b);
deer_node deer_div(deer_graph *g, deer_node a, deer_node b);
deer_node deer_min(deer_graph *g, deer_node a,
                   deer_node b); /* the gradient goes to a where equal */
deer_node deer_max(deer_graph *g, deer_node a,
                   deer_node b); /* the gradient goes to a where equal */
deer_node deer_greater(deer_graph *g, deer_node a,
                       deer_node b); /* 1 where a > b, else 0; no gradient */
deer_node deer_greater_equal(deer_graph *g, deer_node a, deer_node b); /* a >= b, as above */
deer_node deer_less(deer_graph *g, deer_node a, deer_node b);
deer_node deer_less_equal(deer_graph *g, deer_node a, deer_node b);
deer_node deer_equal(deer_graph *g, deer_node a, deer_node b);
deer_node deer_where(deer_graph *g, deer_node condition, deer_node a,
                     deer_node b); /* a where condition != 0 */

deer_node deer_scale(deer_graph *g, deer_node x, double factor);          /* factor * x */
deer_node deer_shift(deer_graph *g, deer_node x, double term);            /* x + term */
deer_node deer_clip(deer_graph *g, deer_node x, double low, double high); /* gradient 0 outside */
deer_node deer_neg(deer_graph *g, deer_node x);
deer_node deer_abs(deer_graph *g, deer_node x);
deer_node deer_sign(deer_graph *g, deer_node x); /* -1, 0, 1; no gradient */
deer_node deer_exp(deer_graph *g, deer_node x);
deer_node deer_log(deer_graph *g, deer_node x);
deer_node deer_sqrt(deer_graph *g, deer_node x);
deer_node deer_square(deer_graph *g, deer_node x);
deer_node deer_tanh(deer_graph *g, deer_node x);
deer_node deer_sigmoid(deer_graph *g, deer_node x);
deer_node deer_relu(deer_graph *g, deer_node x); /* max(x, 0); gradient 0 at 0 */

/* For x > 0; NaN below. */
deer_node deer_lgamma(deer_graph *g, deer_node x);               /* log of the gamma function */
deer_node deer_polygamma(deer_graph *g, deer_node x, int order); /* its derivative order + 1 */

deer_node deer_sin(deer_graph *g, deer_node x); /* |x| up to 1e6; farther out it loses meaning */
deer_node deer_cos(deer_graph *g, deer_node x);
deer_node deer_expm1(deer_graph *g, deer_node x); /* exp(x) - 1 */
deer_node deer_log1p(deer_graph *g, deer_node x); /* log(1 + x) */

/* a^b; of a negative number for whole b alone, NaN otherwise. No gradient to b where a <= 0. */
deer_node deer_pow(deer_graph *g, deer_node a, deer_node b);
deer_node deer_power(deer_graph *g, deer_node x, double exponent);

deer_node deer_leaky_relu(deer_graph *g, deer_node x, double slope); /* slope * x where x <= 0 */
deer_node deer_softplus(deer_graph *g, deer_node x);                 /* log(1 + exp(x)) */

/* alpha (exp(x) - 1) where x <= 0: Clevert et al. 2015. Klambauer et al. 2017 fix alpha and scale
 * it. */
deer_node deer_elu(deer_graph *g, deer_node x, double alpha);
deer_node deer_selu(deer_graph *g, deer_node x);

/* The tanh form of Hendrycks and Gimpel 2016 ("gelu_new", "gelu_pytorch_tanh" elsewhere), not that
 * with erf: x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). */
deer_node deer_gelu(deer_graph *g, deer_node x);

/* x sigmoid(x), also called SiLU: Ramachandran et al. 2017. x clip(x + 3, 0, 6) / 6: Howard et al.
 * 2019. */
deer_node deer_swish(deer_graph *g, deer_node x);
deer_node deer_hard_swish(deer_graph *g, deer_node x);

/* The same value with another gradient, without a copy: none, one multiplied by `factor`, one
 * clipped to [-limit, limit], limit >= 0. */
deer_node deer_stop(deer_graph *g, deer_node x);
deer_node deer_scale_gradient(deer_graph *g, deer_node x, double factor);
deer_node deer_clip_gradient(deer_graph *g, deer_node x, double limit);

/* uint8 or int32 to real. */
deer_node deer_cast(deer_graph *g, deer_node x);

/* ---- products ---- */

/* [m, k] by [k, n] -> [m, n], or a batch of such, [b, m, k] by [b, k, n] -> [b, m, n]; either
 * operand may be stored transposed. */
deer_node deer_matmul(deer_graph *g, deer_node a, deer_node b, bool transpose_a, bool transpose_b);

/* The inverse of a symmetric positive definite matrix, of (x + x^T) / 2 to be exact; NaN throughout
 * when that is not positive definite. Worked out in double precision. */
deer_node deer_spd_inverse(deer_graph *g, deer_node x);

deer_node deer_diagonal(deer_graph *g, deer_node x);        /* [n, n] -> [n] */
deer_node deer_diagonal_matrix(deer_graph *g, deer_node x); /* [n] -> [n, n], zeros beside it */

/* ---- pictures: [batch, channels, height, width] ---- */

/* How windows lie on a picture: the steps from one to the next, at least 1, and the rows and
 * columns of zeros on each of two opposite sides. n elements give (n + 2 pad - kernel) / stride + 1
 * windows; what is left over is not seen. */
typedef struct deer_window {
  int stride_h, stride_w, pad_h, pad_w;
} deer_window;

/* Cross-correlation. x [batch, channels, h, w], real or uint8 (taken as it is), filters [filters,
 * channels, kh, kw] -> [batch, filters, windows, windows]. */
deer_node deer_conv2d(deer_graph *g, deer_node x, deer_node filters, deer_window window);

/* The same in one dimension: x [batch, channels, n], filters [filters, channels, k]. */
deer_node deer_conv1d(deer_graph *g, deer_node x, deer_node filters, int stride, int pad);

/* The transpose of deer_conv2d with these filters, also called deconvolution: x [batch, filters, h,
 * w] -> [batch, channels, (h - 1) stride_h + kh - 2 pad_h, (w - 1) stride_w + kw - 2 pad_w]. */
deer_node deer_conv2d_transpose(deer_graph *g, deer_node x, deer_node filters, deer_window window);

/* Largest value of each kh by kw window; padding is left out, so it must be smaller than the
 * window. The gradient goes to the first largest. */
deer_node deer_maxpool2d(deer_graph *g, deer_node x, int kh, int kw, deer_window window);

/* Mean of each kh by kw window; zeros of the padding, which must be smaller than the window, count.
 */
deer_node deer_avgpool2d(deer_graph *g, deer_node x, int kh, int kw, deer_window window);

/* ---- axes; a mask has bit i set for axis i ---- */

#define DEER_AXIS(i)  (1u << (i))
#define DEER_ALL_AXES 0xffffffffu

/* Sum or mean over the axes of `mask`, which disappear. */
deer_node deer_sum(deer_graph *g, deer_node x, unsigned mask);
deer_node deer_mean(deer_graph *g, deer_node x, unsigned mask);

/* Repeats x to `shape`: the axes of x are, in order, the axes of `shape` named by `kept`; the
 * others are new. A bias [n] onto [batch, n] is kept = DEER_AXIS(1); a scalar onto anything is kept
 * = 0. Transpose of deer_sum. */
deer_node deer_expand(deer_graph *g, deer_node x, deer_shape shape, unsigned kept);

/* Variance (divided by the number of elements) and its root over the axes of `mask`, which
 * disappear. The root has an infinite gradient where all elements are equal. */
deer_node deer_var(deer_graph *g, deer_node x, unsigned mask);
deer_node deer_std(deer_graph *g, deer_node x, unsigned mask);

/* Largest and smallest along an axis, which disappears, and where they are (int32, no gradient).
 * The first one wins a tie and gets the whole gradient; a NaN wins against numbers. Another axis
 * than the last costs a transpose. */
deer_node deer_max_axis(deer_graph *g, deer_node x, int axis);
deer_node deer_min_axis(deer_graph *g, deer_node x, int axis);
deer_node deer_argmax(deer_graph *g, deer_node x, int axis);
deer_node deer_argmin(deer_graph *g, deer_node x, int axis);
deer_node deer_max_last(deer_graph *g, deer_node x);
deer_node deer_min_last(deer_graph *g, deer_node x);
deer_node deer_argmax_last(deer_graph *g, deer_node x);
deer_node deer_argmin_last(deer_graph *g, deer_node x);

/* exp(x) / sum exp(x) along an axis, its logarithm, and log sum exp(x), for which the axis
 * disappears. Exact for large and for infinite elements: -inf is probability 0. Another axis than
 * the last costs a transpose. */
deer_node deer_softmax(deer_graph *g, deer_node x, int axis);
deer_node deer_log_softmax(deer_graph *g, deer_node x, int axis);
deer_node deer_logsumexp(deer_graph *g, deer_node x, int axis);

/* Running sum along an axis: element i is the sum of 0..i, or, reversed, of i..n-1. Same shape. */
deer_node deer_cumsum(deer_graph *g, deer_node x, int axis, bool reverse);

/* ---- choosing elements ---- */

/* Along the last axis: x [..., n], index int32 [..., m] with values 0..n-1 -> [..., m]. Indices
 * outside are clamped by the kernel, so that a wrong one can never read outside. */
deer_node deer_take(deer_graph *g, deer_node x, deer_node index);

/* Transpose of deer_take: adds x [..., m] at `index` [..., m] into zeros [..., n]. */
deer_node deer_put(deer_graph *g, deer_node x, deer_node index, int n);

/* One element per row: x [..., n], index int32 [...] -> [...]. */
deer_node deer_gather(deer_graph *g, deer_node x, deer_node index);

/* Ones at the index: int32 [...] with values 0..n-1 -> real [..., n]. */
deer_node deer_one_hot(deer_graph *g, deer_node index, int n);

/* Rows of a table, as of an embedding: table [n, d...], index int32 [...] -> [..., d...]. */
deer_node deer_rows(deer_graph *g, deer_node table, deer_node index);

/* Transpose of deer_rows: adds x [..., d...] to the rows `index` [...] of zeros [n, d...]. */
deer_node deer_put_rows(deer_graph *g, deer_node x, deer_node index, int n);

/* ---- shape ---- */

deer_node deer_reshape(deer_graph *g, deer_node x, deer_shape shape); /* no copy */
deer_node deer_transpose(deer_graph *g, deer_node x,
                         const int *axes); /* output axis i is input axis axes[i] */
deer_node deer_concat(deer_graph *g, const deer_node *parts, int n, int axis);
/* Parts of equal shape side by side along a new axis, 0 to rank; 256 parts at most. */
deer_node deer_stack(deer_graph *g, const deer_node *parts, int n, int axis);
deer_node deer_slice(deer_graph *g, deer_node x, int axis, int start, int length);
/* The transpose of deer_slice: x lies at `start` of an axis of `length`, zeros around it. */
deer_node deer_pad(deer_graph *g, deer_node x, int axis, int start, int length);

/* ---- random numbers ----
 * Drawn anew at each run from a stream that the caller owns and that outlives every program made
 * from the graph. Each node draws for itself, in the order in which the nodes were made. No
 * gradient. What the outputs do not need is left out and draws nothing. A NULL stream is an
 * error. */

deer_node deer_random_uniform(deer_graph *g, deer_rng *stream, deer_shape shape); /* [0, 1) */
deer_node deer_random_normal(deer_graph *g, deer_rng *stream, deer_shape shape);  /* N(0, 1) */

/* -log(-log(u)): argmax(logits + gumbel) draws from softmax(logits). */
deer_node deer_random_gumbel(deer_graph *g, deer_rng *stream, deer_shape shape);

/* From the gamma distributions of the given shapes (above 0), scale 1; in the shape of that node.
 * Marsaglia and Tsang 2000. */
deer_node deer_random_gamma(deer_graph *g, deer_rng *stream, deer_node shape);

/* Srivastava et al. 2014: each element is 0 with probability `rate`, else x / (1 - rate).
 * 0 <= rate < 1; at 0 it is x itself. */
deer_node deer_dropout(deer_graph *g, deer_node x, double rate, deer_rng *stream);

/* ---- normalisation ---- */

/* Ba, Kiros and Hinton 2016: along the last axis, (x - mean) / sqrt(variance + epsilon) * gain +
 * bias. x [..., n]; gain and bias [n], or DEER_NONE for none. epsilon > 0. */
deer_node deer_layer_norm(deer_graph *g, deer_node x, deer_node gain, deer_node bias,
                          double epsilon);

/* What batch normalisation needs, [channels] each; gain and bias may be DEER_NONE. */
typedef struct deer_batch_norm_spec {
  deer_node gain, bias;
  deer_node mean, variance; /* running statistics */
  double epsilon, rate;     /* epsilon > 0; how fast the statistics follow, 0 to 1 */
} deer_batch_norm_spec;

/* Ioffe and Szegedy 2015, for x [batch, channels, ...]. Inference: next_mean and next_variance are
 * NULL, the running statistics are used. Training: those of this batch are, with gradient, and the
 * two nodes receive what the running ones become, to be assigned by the caller; running +
 * rate (fresh - running), where the fresh variance is unbiased. */
deer_node deer_batch_norm(deer_graph *g, deer_node x, const deer_batch_norm_spec *spec,
                          deer_node *next_mean, deer_node *next_variance);

/* ---- losses ---- */

/* Huber 1964: x^2 / 2 where |x| <= threshold, threshold (|x| - threshold / 2) beyond. threshold >
 * 0. */
deer_node deer_huber(deer_graph *g, deer_node x, double threshold);

/* ---- gradient, update, compile, run ---- */

/* d loss / d wrt[i] as nodes in out[i] (zeros where there is no path). `loss` is a real scalar.
 * Fails with the sticky error of the graph. */
deer_status deer_gradients(deer_graph *g, deer_node loss, const deer_node *wrt, int n,
                           deer_node *out);

/* At the end of a run, after every other node is computed, `variable` takes `value`; updates happen
 * in the order in which they were made. The result is compiled by listing it as an output. */
deer_node deer_assign(deer_graph *g, deer_node variable, deer_node value);

/* A program that computes `outputs` (what they do not need is left out). It does not need the graph
 * any more. Fails with the sticky error of the graph or DEER_ENOMEM; *program is then NULL. */
deer_status deer_compile(deer_graph *g, const deer_node *outputs, int n, deer_program **program);
void deer_program_free(deer_program *program);

/* Computes everything. Allocates nothing and cannot fail. Subnormal numbers count as zero. */
void deer_program_run(deer_program *program);

/* The memory of an input, or of an output after a run; NULL for a node the program does not have.
 * Intermediate nodes must not be read: their memory may be reused. */
void *deer_program_data(const deer_program *program, deer_node node);

/* Steps of one run, for tests and the curious. */
int deer_program_steps(const deer_program *program);

/* From now on runs are timed step by step (a few dozen nanoseconds more for each step), or no
 * longer. Fails with DEER_ENOMEM. */
deer_status deer_program_profile(deer_program *program, bool on);

/* Each step of the program in a line: microseconds in the mean of the timed runs, share, floating-
 * point operations, bytes read and written, what it does. Owned by the caller (deer_free); NULL
 * without memory. */
char *deer_program_explain(const deer_program *program);

/* From now on every program is timed from its making on, and when one that ran is freed `listener`
 * gets what deer_program_explain says. NULL: no longer. Not while other threads compile. */
typedef void deer_explain_listener(void *context, const char *text);
void deer_explain_set(deer_explain_listener *listener, void *context);

/* The graph as text, one node a line: "%7 = matmul(x, w) float32 [32, 50]". Owned by the caller
 * (deer_free). */
char *deer_graph_text(const deer_graph *g);

/* The graph in the language of Graphviz: `dot -Tsvg`. Owned by the caller (deer_free). */
char *deer_graph_dot(const deer_graph *g);

/* Writes a node as messages name it: "q_tm1 [32, 2]", "argmax_last_7 int32 [32]"; returns `text`.
 */
#define DEER_NODE_TEXT 192
const char *deer_node_text(const deer_graph *g, deer_node node, char text[DEER_NODE_TEXT]);

#endif
