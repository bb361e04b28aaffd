/* simplify.c: from a graph to an equivalent one with less to do. A graph is written anew node by
 * node; on the way a rule may answer with a simpler node, and a node that is already there is not
 * added twice. */
#include "graph/compile.h"

#include <math.h>
#include <string.h>

typedef struct rewriter rewriter;

/* What the node `r`, whose inputs have become `in`, becomes. */
typedef deer_node rule(rewriter *w, const deer_record *r, deer_node *in);

struct rewriter {
  const deer_graph *from;
  deer_graph *to;
  int32_t *place;     /* of nodes of `from` in `to` */
  int *uses;          /* of nodes of `from`, by nodes and outputs */
  int32_t *came;      /* the node of `from` that a node of `to` stands for */
  int32_t *buckets;   /* first node of `to` with a hash */
  int32_t *next;      /* the next one with the same hash */
  uint32_t n_buckets; /* a power of two */
  rule *rule;
};

/* ---- equal nodes ---- */

static uint32_t mix(uint32_t hash, const void *bytes, size_t n) {
  const unsigned char *at = bytes;
  for (size_t i = 0; i < n; i++) hash = (hash ^ at[i]) * 16777619U;
  return hash;
}

static uint32_t hash_of(const deer_op *op, const deer_node *in, int n, const deer_attr *attr) {
  uint32_t hash = mix(2166136261U, &op, sizeof op);
  hash = mix(hash, in, (size_t)n * sizeof *in);
  hash = mix(hash, attr->real, sizeof attr->real);
  hash = mix(hash, attr->number, sizeof attr->number);
  return mix(hash, &attr->mask, sizeof attr->mask);
}

static bool same_attr(const deer_attr *a, const deer_attr *b) {
  return memcmp(a->real, b->real, sizeof a->real) == 0 &&
         memcmp(a->number, b->number, sizeof a->number) == 0 && a->mask == b->mask &&
         a->stream == b->stream && deer_shape_equal(&a->shape, &b->shape) &&
         a->n_list == b->n_list &&
         (a->n_list == 0 || memcmp(a->list, b->list, (size_t)a->n_list * sizeof *a->list) == 0);
}

static bool is_same(const rewriter *w, int32_t id, const deer_record *r, const deer_node *in) {
  const deer_record *known = &w->to->records[id];
  if (known->op != r->op || known->n_inputs != r->n_inputs || known->external != r->external ||
      !same_attr(&known->attr, &r->attr))
    return false;
  for (int i = 0; i < r->n_inputs; i++)
    if (w->to->edges[known->first + i] != in[i].id) return false;
  return true;
}

/* may two nodes that look the same be one? */
static bool may_merge(const deer_op *op) {
  return op != &deer_op_input && op != &deer_op_assign && !op->stateful;
}

/* the node of `to` that is this one: found, or added */
static deer_node keep(rewriter *w, const deer_record *r, const deer_node *in) {
  const uint32_t hash = hash_of(r->op, in, r->n_inputs, &r->attr);
  int32_t *bucket = &w->buckets[hash & (w->n_buckets - 1)];
  for (int32_t id = *bucket; id && may_merge(r->op); id = w->next[id])
    if (is_same(w, id, r, in)) return (deer_node){id};
  const deer_node node = deer_graph_add(w->to, r->op, in, r->n_inputs, &r->attr);
  if (!node.id) return node;
  w->to->records[node.id].external = r->external;
  w->next[node.id] = *bucket;
  *bucket = node.id;
  return node;
}

/* ---- first pass: constants and identities ---- */

static bool is_op(const rewriter *w, deer_node node, const deer_op *op) {
  return w->to->records[node.id].op == op;
}

static bool is_constant(const rewriter *w, deer_node node, double *value) {
  if (!is_op(w, node, &deer_op_constant)) return false;
  *value = w->to->records[node.id].attr.real[0];
  return true;
}

static bool is_number(const rewriter *w, deer_node node, double number) {
  double value;
  return is_constant(w, node, &value) && value == number;
}

static deer_node make_constant(rewriter *w, deer_shape shape, double value) {
  const deer_record r = {.op = &deer_op_constant,
                         .attr = {.number = {DEER_DTYPE_REAL}, .shape = shape, .real = {value}}};
  return keep(w, &r, NULL);
}

static deer_node make_unary(rewriter *w, const deer_op *op, deer_node x, double setting) {
  const deer_record r = {.op = op, .n_inputs = 1, .attr = {.real = {setting}}};
  return keep(w, &r, &x);
}

/* an elementwise op of constants: its kernel is asked for the one value */
static bool fold(const rewriter *w, const deer_record *r, const deer_node *in, double *value) {
  deer_real x[3], y;
  for (int i = 0; i < r->n_inputs; i++) {
    double v;
    if (!is_constant(w, in[i], &v)) return false;
    x[i] = (deer_real)v;
  }
  deer_map_kernel(r->op->map)((const deer_real *const[]){x, x + 1, x + 2}, &y, 1, r->attr.real);
  *value = (double)y;
  return true;
}

/* the operand that an identity gives back: x for x + 0, x - 0, x * 1, x / 1; else none */
static deer_node unchanged(const rewriter *w, const deer_record *r, const deer_node *in) {
  const deer_op *op = r->op;
  const double setting = r->attr.real[0];
  if (op == &deer_op_add && is_number(w, in[0], 0)) return in[1];
  if (op == &deer_op_mul && is_number(w, in[0], 1)) return in[1];
  if ((op == &deer_op_add || op == &deer_op_sub) && is_number(w, in[1], 0)) return in[0];
  if ((op == &deer_op_mul || op == &deer_op_div) && is_number(w, in[1], 1)) return in[0];
  if ((op == &deer_op_scale && setting == 1) || (op == &deer_op_shift && setting == 0))
    return in[0];
  return DEER_NONE;
}

static deer_node arithmetic(rewriter *w, const deer_record *r, deer_node *in) {
  double value;
  const deer_node same = unchanged(w, r, in);
  /* what is computed from a variable is its old value: only aliases show the new one */
  if (same.id && !is_op(w, (deer_node){deer_memory_owner(w->to, same.id)}, &deer_op_variable))
    return same;
  const deer_op *op = r->op == &deer_op_add   ? &deer_op_shift
                      : r->op == &deer_op_mul ? &deer_op_scale
                                              : NULL;
  for (int i = 0; op && i < 2; i++)
    if (is_constant(w, in[i], &value) && isfinite(value))
      return make_unary(w, op, in[1 - i], value);
  return keep(w, r, in);
}

/* ops that only lay elements out anew turn a constant into a constant */
static bool lays_out(const deer_op *op) {
  return op == &deer_op_expand || op == &deer_op_reshape || op == &deer_op_transpose ||
         op == &deer_op_slice;
}

/* ops that differ from their input in their gradient alone, which exists by now */
static bool only_the_gradient(const deer_op *op) {
  return op == &deer_op_stop || op == &deer_op_scale_gradient || op == &deer_op_clip_gradient;
}

static deer_node simpler(rewriter *w, const deer_record *r, deer_node *in) {
  double value;
  if (only_the_gradient(r->op)) return in[0];
  if (r->op->map) {
    if (fold(w, r, in, &value)) return make_constant(w, r->shape, value);
    return arithmetic(w, r, in);
  }
  if (lays_out(r->op) && is_constant(w, in[0], &value)) return make_constant(w, r->shape, value);
  if (r->op == &deer_op_reshape) {
    if (is_op(w, in[0], &deer_op_reshape)) in[0] = deer_node_input(w->to, in[0], 0);
    if (deer_shape_equal(&r->shape, &w->to->records[in[0].id].shape)) return in[0];
  }
  return keep(w, r, in);
}

/* ---- second pass: what a product or a convolution does on the way out ---- */

static int uses_of(const rewriter *w, deer_node node) { return w->uses[w->came[node.id]]; }

/* one that nobody else reads and that does no more than `taken` so far */
static bool is_unfinished(const rewriter *w, deer_node node, unsigned taken) {
  const deer_record *r = &w->to->records[node.id];
  if (r->op != &deer_product_op && r->op != &deer_op_conv2d && r->op != &deer_op_conv2d_input)
    return false;
  return uses_of(w, node) == 1 && (r->attr.mask & ~taken) == 0;
}

/* the node with one more thing to do and perhaps an input */
static deer_node finish(rewriter *w, deer_node node, unsigned flag, deer_node extra) {
  deer_record r = w->to->records[node.id];
  deer_node in[4];
  for (int i = 0; i < r.n_inputs; i++) in[i] = deer_node_input(w->to, node, i);
  if (extra.id) in[r.n_inputs++] = extra;
  r.attr.mask |= flag;
  return keep(w, &r, in);
}

/* a bias repeated over everything but axis 1: columns of a matrix, channels of pictures */
static bool is_bias(const rewriter *w, deer_node node, deer_node result) {
  const deer_record *r = &w->to->records[node.id];
  return r->op == &deer_op_expand && r->attr.mask == DEER_AXIS(1) &&
         r->shape.rank == w->to->records[result.id].shape.rank;
}

static deer_node reshaped(rewriter *w, deer_node x, deer_shape shape) {
  const deer_shape have = deer_node_shape(w->to, x);
  const deer_record r = {.op = &deer_op_reshape, .attr = {.shape = shape}, .n_inputs = 1};
  return deer_shape_equal(&have, &shape) ? x : keep(w, &r, &x);
}

/* a convolution of bytes that are cast and scaled reads them itself */
static deer_node read_bytes(rewriter *w, const deer_record *r, deer_node *in) {
  deer_record conv = *r;
  deer_node x = in[0];
  if (is_op(w, x, &deer_op_scale)) {
    conv.attr.real[0] = w->to->records[x.id].attr.real[0];
    x = (deer_node){deer_same_elements(w->to, deer_node_input(w->to, x, 0).id)};
  }
  const deer_node from = is_op(w, x, &deer_op_cast) ? deer_node_input(w->to, x, 0) : DEER_NONE;
  const bool whole = r->attr.real[0] == 0 && r->attr.real[1] == 0;
  if (!from.id || !whole || deer_node_dtype(w->to, from) != DEER_DTYPE_U8) return keep(w, r, in);
  in[0] = reshaped(w, from, deer_node_shape(w->to, in[0]));
  return keep(w, &conv, in);
}

/* x where the gate is not 0, x being unfinished or the only reshape of something unfinished */
static deer_node gated(rewriter *w, const deer_record *r, deer_node gate, deer_node x) {
  const bool seen_anew = is_op(w, x, &deer_op_reshape) && uses_of(w, x) == 1;
  const deer_node from = seen_anew ? deer_node_input(w->to, x, 0) : x;
  if (!is_unfinished(w, from, 0)) return DEER_NONE;
  gate = reshaped(w, gate, deer_node_shape(w->to, from));
  return reshaped(w, finish(w, from, DEER_FINISH_GATE, gate), r->shape);
}

/* x - x y^2, the gradient of y = tanh: one node when x is a product that nobody else reads */
static deer_node sloped(rewriter *w, deer_node x, deer_node taken) {
  if (!is_op(w, x, &deer_product_op) || w->to->records[x.id].attr.mask != 0 || uses_of(w, x) != 2 ||
      !is_op(w, taken, &deer_op_mul) || uses_of(w, taken) != 1)
    return DEER_NONE;
  const bool first = deer_node_input(w->to, taken, 0).id == x.id;
  const deer_node square = deer_node_input(w->to, taken, first);
  if (deer_node_input(w->to, taken, !first).id != x.id || !is_op(w, square, &deer_op_square))
    return DEER_NONE;
  return finish(w, x, DEER_FINISH_SLOPE, deer_node_input(w->to, square, 0));
}

/* a sum of all squares that nobody else reads: a norm, a mean squared error */
static deer_node summed(rewriter *w, const deer_record *r, deer_node *in) {
  deer_record sum = *r;
  if (r->shape.rank > 0 || !is_op(w, in[0], &deer_op_square) || uses_of(w, in[0]) != 1)
    return DEER_NONE;
  const deer_node x = deer_node_input(w->to, in[0], 0);
  sum.attr.number[0] = DEER_SUM_SQUARES;
  return keep(w, &sum, &x);
}

static deer_node product(rewriter *w, const deer_record *r, const deer_node *in) {
  const deer_record made = {.op = &deer_product_op,
                            .attr = {.number = {r->attr.number[0], r->attr.number[1]}},
                            .n_inputs = 2};
  return keep(w, &made, in);
}

static deer_node epilogue(rewriter *w, const deer_record *r, deer_node *in) {
  if (r->op == &deer_op_matmul && r->shape.rank == 2) return product(w, r, in);
  if (r->op == &deer_op_conv2d || r->op == &deer_op_conv2d_filter) return read_bytes(w, r, in);
  for (int i = 0; r->op == &deer_op_add && i < 2; i++)
    if (is_unfinished(w, in[i], 0) && is_bias(w, in[1 - i], in[i]))
      return finish(w, in[i], DEER_FINISH_BIAS, deer_node_input(w->to, in[1 - i], 0));
  if (r->op == &deer_op_relu && is_unfinished(w, in[0], DEER_FINISH_BIAS))
    return finish(w, in[0], DEER_FINISH_RELU, DEER_NONE);
  deer_node x = DEER_NONE;
  if (r->op == &deer_op_where && is_number(w, in[2], 0)) x = gated(w, r, in[0], in[1]);
  if (r->op == &deer_op_sub) x = sloped(w, in[0], in[1]);
  if (r->op == &deer_op_sum) x = summed(w, r, in);
  return x.id ? x : keep(w, r, in);
}

/* ---- writing a graph anew ---- */

/* inputs stay, even those that a rule made superfluous: the caller fills them */
static void count_uses(const deer_graph *g, const deer_node *outputs, int n, int *uses) {
  for (int i = 0; i < n; i++) uses[outputs[i].id]++;
  for (int32_t id = g->n - 1; id > 0; id--)
    for (int i = 0; uses[id] && i < g->records[id].n_inputs; i++)
      uses[g->edges[g->records[id].first + i]]++;
}

static deer_status rewrite_node(rewriter *w, int32_t id, deer_node *in) {
  const deer_record *r = &w->from->records[id];
  for (int i = 0; i < r->n_inputs; i++) in[i].id = w->place[w->from->edges[r->first + i]];
  const deer_node node = w->rule(w, r, in);
  DEER_TRY(deer_graph_status(w->to));
  w->place[id] = node.id;
  w->came[node.id] = id;
  deer_record *made = &w->to->records[node.id];
  if (!r->name || made->name) return DEER_OK;
  made->name = deer_strdup(r->name);
  return made->name ? DEER_OK : DEER_ENOMEM;
}

static deer_status rewrite_all(rewriter *w) {
  const deer_graph *g = w->from;
  int widest = 4;
  for (int i = 1; i < g->n; i++)
    if (g->records[i].n_inputs > widest) widest = g->records[i].n_inputs;
  deer_node *in = deer_alloc_array((size_t)widest, sizeof *in);
  deer_status status = in ? DEER_OK : DEER_ENOMEM;
  for (int32_t id = 1; id < g->n && status == DEER_OK; id++)
    if (w->uses[id]) status = rewrite_node(w, id, in);
  deer_free(in);
  return status;
}

/* g written anew with a rule; place[id] as in deer_simplify */
static deer_status rewrite(const deer_graph *g, const deer_node *outputs, int n, rule *apply,
                           deer_graph **made, int32_t *place) {
  const size_t most = 4 * (size_t)g->n + 4; /* a rule adds four nodes at most */
  rewriter w = {.from = g, .place = place, .rule = apply, .n_buckets = 64};
  while (w.n_buckets < (uint32_t)g->n) w.n_buckets *= 2;
  w.to = deer_graph_new();
  w.uses = deer_alloc_array((size_t)g->n, sizeof *w.uses);
  w.came = deer_alloc_array(most, sizeof *w.came);
  w.next = deer_alloc_array(most, sizeof *w.next);
  w.buckets = deer_alloc_array(w.n_buckets, sizeof *w.buckets);
  deer_status status = w.to && w.uses && w.came && w.next && w.buckets ? DEER_OK : DEER_ENOMEM;
  if (status == DEER_OK) {
    count_uses(g, outputs, n, w.uses);
    status = rewrite_all(&w);
  }
  deer_free(w.uses);
  deer_free(w.came);
  deer_free(w.next);
  deer_free(w.buckets);
  if (status != DEER_OK) deer_graph_free(w.to);
  *made = status == DEER_OK ? w.to : NULL;
  return status;
}

deer_status deer_simplify(const deer_graph *g, const deer_node *outputs, int n, deer_graph **simple,
                          int32_t *place) {
  *simple = NULL;
  int32_t *second = NULL;
  deer_graph *middle = NULL;
  deer_node *through = deer_alloc_array((size_t)n + 1, sizeof *through);
  deer_status status = through ? rewrite(g, outputs, n, simpler, &middle, place) : DEER_ENOMEM;
  if (status == DEER_OK) {
    second = deer_alloc_array((size_t)middle->n, sizeof *second);
    status = second ? DEER_OK : DEER_ENOMEM;
  }
  for (int i = 0; i < n && status == DEER_OK; i++) through[i].id = place[outputs[i].id];
  if (status == DEER_OK) status = rewrite(middle, through, n, epilogue, simple, second);
  for (int id = 0; id < g->n && status == DEER_OK; id++) place[id] = second[place[id]];
  deer_graph_free(middle);
  deer_free(through);
  deer_free(second);
  return status;
}
