/* test_compile.c: what the compiler makes of a graph gives the same numbers as running it node by
 * node: random graphs with gradients and updates, for one thread and for several. And by name: what
 * each pass must do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/pool.h"
#include "base/rng.h"
#include "graph/program.h"

static deer_program *compiled(deer_graph *g, const deer_node *outputs, int n) {
  deer_program *program;
  if (deer_compile(g, outputs, n, &program) != DEER_OK) fail_msg("%s", deer_error());
  return program;
}

/* ---- random graphs ---- */

#define MOST_NODES 160
#define MOST_COUNT 6400 /* elements of a node */
#define PARAMETERS 600
#define SHOWN      6 /* nodes that are outputs */

typedef struct garden {
  deer_rng rng;
  deer_graph *g;
  deer_node nodes[MOST_NODES]; /* real ones of any shape */
  int n;
  deer_node inputs[3], bytes; /* filled before each run */
  deer_node a, b;             /* variables of PARAMETERS and of 64 numbers */
  deer_node assigns[4];
  int n_assigns;
} garden;

typedef struct memory {
  deer_real a[PARAMETERS], b[64];
} memory;

static int below(garden *q, int n) { return (int)deer_rng_below(&q->rng, (uint64_t)n); }

static deer_node any(garden *q) { return q->nodes[below(q, q->n)]; }

/* a node of the given shape, or none */
static deer_node like(garden *q, const deer_shape *shape) {
  for (int i = 0, at = below(q, q->n); i < q->n; i++, at = (at + 1) % q->n) {
    const deer_shape have = deer_node_shape(q->g, q->nodes[at]);
    if (deer_shape_equal(&have, shape)) return q->nodes[at];
  }
  return DEER_NONE;
}

static void grow(garden *q, deer_node node) {
  if (node.id && q->n < MOST_NODES) q->nodes[q->n++] = node;
}

/* what neighbours in a chain become one kernel from: sums, differences and quotients of products,
 * scaled and squared numbers and roots */
static deer_node term(garden *q, deer_node x, deer_node y) {
  deer_graph *g = q->g;
  switch (below(q, 5)) {
  case 0:
    return deer_scale(g, x, 0.25 * (1 + below(q, 5)));
  case 1:
    return deer_mul(g, x, y);
  case 2:
    return deer_scale(g, deer_square(g, x), 0.3);
  case 3:
    return deer_sqrt(g, deer_shift(g, deer_square(g, x), 0.5));
  default:
    return x;
  }
}

static deer_node pair(garden *q, deer_node x, deer_node y) {
  deer_graph *g = q->g;
  switch (below(q, 4)) {
  case 0:
    return deer_sub(g, x, y);
  case 1:
    return deer_mul(g, x, y);
  case 2:
    return deer_div(g, x, deer_shift(g, deer_abs(g, y), 1));
  default:
    return deer_add(g, x, y);
  }
}

static void grow_map(garden *q) {
  deer_graph *g = q->g;
  const deer_node x = any(q);
  const deer_shape shape = deer_node_shape(g, x);
  const deer_node y = like(q, &shape), z = like(q, &shape);
  switch (below(q, 14)) {
  case 0:
    grow(q, deer_add(g, x, y));
    break;
  case 1:
    grow(q, deer_tanh(g, deer_mul(g, x, y)));
    break;
  case 2:
    grow(q, deer_relu(g, x));
    break;
  case 3:
    grow(q, deer_where(g, deer_greater(g, x, y), z, x));
    break;
  case 4:
    grow(q, deer_sub(g, x, deer_scale(g, y, 0.5)));
    break;
  case 5:
    grow(q, deer_add(g, x, deer_constant(g, shape, below(q, 2))));
    break;
  case 6:
    grow(q, deer_mul(g, deer_constant(g, shape, below(q, 3)), x));
    break;
  case 7:
    grow(q, deer_sigmoid(g, deer_stop(g, x)));
    break;
  case 8:
    grow(q, deer_where(g, x, y, deer_constant(g, shape, 0)));
    break;
  case 9:
    grow(q, deer_tanh(g, x));
    grow(q, deer_tanh(g, x)); /* the same once more */
    break;
  case 10:
    grow(q, deer_div(g, x, deer_shift(g, deer_square(g, y), 1)));
    break;
  case 11:
    grow(q, deer_min(g, x, deer_max(g, y, z)));
    break;
  default: {
    const deer_node first = term(q, x, y);
    grow(q, deer_tanh(g, below(q, 2) ? pair(q, first, term(q, z, x)) : pair(q, z, first)));
  }
  }
}

static void grow_product(garden *q) {
  for (int tries = 0; tries < 50; tries++) {
    const deer_node a = any(q), b = any(q);
    const deer_shape x = deer_node_shape(q->g, a), y = deer_node_shape(q->g, b);
    if (x.rank != 2 || y.rank != 2) continue;
    const bool ta = below(q, 2), tb = below(q, 2);
    if (x.dim[ta ? 0 : 1] != y.dim[tb ? 1 : 0]) continue;
    if (x.dim[ta ? 1 : 0] * y.dim[tb ? 0 : 1] > MOST_COUNT) continue;
    deer_node product = deer_scale(q->g, deer_matmul(q->g, a, b, ta, tb), 0.1);
    if (below(q, 2)) product = deer_matmul(q->g, a, b, ta, tb);
    const deer_shape shape = deer_node_shape(q->g, product), row = DEER_SHAPE(shape.dim[1]);
    const deer_node bias = like(q, &row), gate = like(q, &shape);
    if (bias.id && below(q, 2))
      product = deer_add(q->g, product, deer_expand(q->g, bias, shape, DEER_AXIS(1)));
    if (below(q, 3) == 0) product = deer_relu(q->g, product);
    if (gate.id && below(q, 3) == 0)
      product = deer_where(q->g, gate, product, deer_constant(q->g, shape, 0));
    if (gate.id && below(q, 3) == 0) {
      const deer_node square = deer_square(q->g, deer_tanh(q->g, gate));
      const deer_node taken =
          below(q, 2) ? deer_mul(q->g, product, square) : deer_mul(q->g, square, product);
      product = below(q, 4) ? deer_sub(q->g, product, taken) : deer_sub(q->g, taken, product);
    }
    if (below(q, 3) == 0) grow(q, product);
    grow(q, deer_tanh(q->g, product));
    return;
  }
}

static void grow_axes(garden *q) {
  deer_graph *g = q->g;
  const deer_node x = any(q);
  const deer_shape shape = deer_node_shape(g, x);
  if (below(q, 4) == 0) {
    const deer_node sum = deer_sum(g, deer_square(g, x), DEER_ALL_AXES);
    grow(q, deer_sqrt(g, deer_shift(g, sum, 1)));
    return;
  }
  if (below(q, 2) && shape.rank > 0) {
    grow(q, deer_tanh(g, deer_mean(g, x, DEER_AXIS(below(q, shape.rank)))));
    return;
  }
  const deer_node y = any(q);
  const deer_shape wide = deer_node_shape(g, y);
  /* a scalar onto anything, a vector onto the rows or columns of a matrix */
  if (shape.rank == 0)
    grow(q, deer_add(g, y, deer_expand(g, x, wide, 0)));
  else if (shape.rank == 1 && wide.rank == 2 && wide.dim[1] == shape.dim[0])
    grow(q, deer_sub(g, y, deer_expand(g, x, wide, DEER_AXIS(1))));
  else if (shape.rank == 1 && wide.rank == 2 && wide.dim[0] == shape.dim[0])
    grow(q, deer_add(g, y, deer_expand(g, x, wide, DEER_AXIS(0))));
}

static void grow_shape(garden *q) {
  deer_graph *g = q->g;
  const deer_node x = any(q);
  const deer_shape shape = deer_node_shape(g, x);
  if (shape.rank != 2) return;
  switch (below(q, 4)) {
  case 0:
    grow(q, deer_reshape(g, x, DEER_SHAPE(shape.dim[1], shape.dim[0])));
    break;
  case 1:
    grow(q, deer_transpose(g, x, (const int[]){1, 0}));
    break;
  case 2:
    grow(q, deer_slice(g, x, 0, 0, (shape.dim[0] + 1) / 2));
    break;
  default:
    if (shape.dim[0] * shape.dim[1] * 2 <= MOST_COUNT)
      grow(q, deer_concat(g, (const deer_node[]){x, x}, 2, below(q, 2)));
  }
}

/* new values of the variables, what still reads the old ones, and assignments in any order */
static void update(garden *q, const deer_node gradient[2]) {
  deer_graph *g = q->g;
  const deer_node a = deer_sub(g, q->a, deer_scale(g, deer_clip(g, gradient[0], -1, 1), 0.1));
  const deer_node b = deer_sub(g, q->b, deer_scale(g, deer_clip(g, gradient[1], -1, 1), 0.1));
  const deer_node mixed = deer_add(g, deer_scale(g, q->b, 0.9), deer_scale(g, b, 0.1));
  const deer_node sum = deer_sum(g, b, DEER_ALL_AXES);
  grow(q, deer_add(g, b, q->b));
  if (below(q, 2)) grow(q, deer_mul(g, q->b, deer_expand(g, sum, DEER_SHAPE(64), 0)));
  grow(q, deer_sum(g, deer_tanh(g, q->b), DEER_ALL_AXES));
  for (int n = 1 + below(q, 4); n > 0; n--) {
    deer_node *assign = &q->assigns[q->n_assigns++];
    switch (below(q, 5)) {
    case 0:
      *assign = deer_assign(g, q->b, b);
      break;
    case 1:
      *assign = deer_assign(g, q->b, mixed);
      break;
    case 2:
      *assign = deer_assign(g, q->b, deer_view(g, below(q, 2) ? a : q->a, 64, DEER_SHAPE(64)));
      break;
    default:
      *assign = deer_assign(g, q->a, a);
    }
  }
}

/* sources, then nodes of all kinds, then gradients and updates */
static void plant(garden *q, uint64_t seed, memory *m) {
  static const int sizes[] = {1, 2, 3, 33, 64};
  *q = (garden){.rng = deer_rng_seed(seed), .g = deer_graph_new()};
  deer_graph *g = q->g;
  for (int i = 0; i < 3; i++) {
    const deer_shape shape = DEER_SHAPE(sizes[below(q, 5)], sizes[below(q, 5)]);
    grow(q, q->inputs[i] = deer_input(g, "x", DEER_DTYPE_REAL, shape));
  }
  q->bytes = deer_input(g, "bytes", DEER_DTYPE_U8, DEER_SHAPE(sizes[below(q, 5)], 64));
  grow(q, deer_scale(g, deer_cast(g, q->bytes), 1.0 / 255));
  q->a = deer_variable(g, "a", m->a, PARAMETERS);
  q->b = deer_variable(g, "b", m->b, 64);
  grow(q, q->b);
  for (int i = 0; i < 3; i++) {
    const deer_shape shape = DEER_SHAPE(sizes[below(q, 3)], sizes[below(q, 4)]);
    const int last = PARAMETERS - (int)deer_shape_count(&shape);
    grow(q, deer_view(g, q->a, below(q, last), shape));
  }
  for (int steps = 20 + below(q, 25); steps > 0; steps--) {
    const int kind = below(q, 10);
    if (kind < 5)
      grow_map(q);
    else if (kind < 7)
      grow_product(q);
    else if (kind < 9)
      grow_axes(q);
    else
      grow_shape(q);
  }
  deer_node loss = deer_mean(g, deer_square(g, any(q)), DEER_ALL_AXES), gradient[2];
  for (int i = 0; i < 3; i++)
    loss = deer_add(g, loss, deer_mean(g, deer_square(g, any(q)), DEER_ALL_AXES));
  if (deer_gradients(g, loss, (deer_node[]){q->a, q->b}, 2, gradient) != DEER_OK)
    fail_msg("seed %d: %s", (int)seed, deer_error());
  grow(q, loss);
  update(q, gradient);
}

/* ---- node by node ---- */

typedef struct naive {
  void **data; /* of every node */
  const deer_graph *g;
} naive;

static void *source_data(const naive *v, int32_t id) {
  const deer_record *r = &v->g->records[id];
  const size_t n = deer_shape_count(&r->shape);
  if (r->op == &deer_op_variable) return r->external;
  if (r->op->alias) {
    char *base = v->data[v->g->edges[r->first]];
    return r->op == &deer_op_view ? base + (size_t)r->attr.number[0] * sizeof(deer_real) : base;
  }
  deer_real *made = calloc(n, sizeof(deer_real));
  for (size_t i = 0; r->op == &deer_op_constant && i < n; i++) made[i] = (deer_real)r->attr.real[0];
  return made;
}

static naive naive_new(const deer_graph *g) {
  naive v = {.data = calloc((size_t)g->n, sizeof *v.data), .g = g};
  for (int32_t id = 1; id < g->n; id++) v.data[id] = source_data(&v, id);
  return v;
}

static void naive_free(naive *v) {
  for (int32_t id = 1; id < v->g->n; id++)
    if (v->g->records[id].op != &deer_op_variable && !v->g->records[id].op->alias)
      free(v->data[id]);
  free(v->data);
}

static void naive_step(const naive *v, int32_t id) {
  const deer_record *r = &v->g->records[id];
  deer_operand in[64];
  if (!r->op->run) return;
  for (int i = 0; i < r->n_inputs; i++) {
    const int32_t from = v->g->edges[r->first + i];
    in[i] = (deer_operand){v->g->records[from].dtype, v->g->records[from].shape, v->data[from]};
  }
  deer_step step = {.op = r->op, .in = in, .n_in = r->n_inputs, .attr = &r->attr, .parts = 1};
  step.out = (deer_operand){r->dtype, r->shape, v->data[id]};
  step.scratch = r->op->scratch ? malloc(r->op->scratch(&step)) : NULL;
  r->op->run(&step);
  free(step.scratch);
}

/* assignments after everything else; those that nobody lists as an output do not happen */
static void naive_run(const naive *v, const deer_node *assigns, int n) {
  for (int32_t id = 1; id < v->g->n; id++)
    if (v->g->records[id].op != &deer_op_assign) naive_step(v, id);
  for (int i = 0; i < n; i++) naive_step(v, assigns[i].id);
}

/* ---- running them ---- */

typedef struct harvest {
  double *values; /* of the last nodes, and of both variables after each run */
  int n;
} harvest;

/* memory of a node: of the program, or of the naive one */
static void *data_of(const deer_program *p, const naive *v, deer_node node) {
  return p ? deer_program_data(p, node) : v->data[node.id];
}

static void fill_inputs(const garden *q, const deer_program *p, const naive *v, deer_rng *rng) {
  for (int i = 0; i < 3; i++) {
    const deer_shape shape = deer_node_shape(q->g, q->inputs[i]);
    deer_real *x = data_of(p, v, q->inputs[i]);
    const size_t n = deer_shape_count(&shape);
    for (size_t k = 0; k < n; k++) {
      const deer_real value = (deer_real)deer_rng_normal(rng);
      if (x) x[k] = value;
    }
  }
  const deer_shape shape = deer_node_shape(q->g, q->bytes);
  uint8_t *bytes = data_of(p, v, q->bytes);
  for (size_t k = 0; k < deer_shape_count(&shape); k++) {
    const uint8_t value = (uint8_t)deer_rng_below(rng, 256);
    if (bytes) bytes[k] = value;
  }
}

static void put(harvest *h, const deer_real *x, size_t n) {
  for (size_t i = 0; i < n; i++) h->values[h->n++] = (double)x[i];
}

static harvest reap(const garden *q, deer_program *p, memory *m, const memory *start) {
  harvest h = {.values = calloc(3 * (SHOWN * MOST_COUNT + PARAMETERS + 64), sizeof(double))};
  deer_rng rng = deer_rng_seed(11);
  naive v = naive_new(q->g);
  *m = *start;
  for (int run = 0; run < 3; run++) {
    fill_inputs(q, p, &v, &rng);
    if (p)
      deer_program_run(p);
    else
      naive_run(&v, q->assigns, q->n_assigns);
    for (int i = q->n - SHOWN; i < q->n; i++) {
      const deer_shape shape = deer_node_shape(q->g, q->nodes[i]);
      put(&h, data_of(p, &v, q->nodes[i]), deer_shape_count(&shape));
    }
    put(&h, m->a, PARAMETERS);
    put(&h, m->b, 64);
  }
  naive_free(&v);
  return h;
}

static deer_program *compile_garden(const garden *q) {
  deer_node outputs[SHOWN + 4];
  int n = 0;
  for (int i = q->n - SHOWN; i < q->n; i++) outputs[n++] = q->nodes[i];
  for (int i = 0; i < q->n_assigns; i++) outputs[n++] = q->assigns[i];
  return compiled(q->g, outputs, n);
}

static void expect_close(const harvest *a, const harvest *b, uint64_t seed) {
  assert_int_equal(a->n, b->n);
  for (int i = 0; i < a->n; i++)
    if (!(fabs(a->values[i] - b->values[i]) <= 2e-3 * (1 + fabs(a->values[i]))))
      fail_msg("seed %d, number %d of %d: %.9g and %.9g", (int)seed, i, a->n, a->values[i],
               b->values[i]);
}

#define GARDENS 300

static void random_graphs_keep_their_meaning(void **state) {
  (void)state;
  static memory m, start;
  deer_lanes_insist(true);
  deer_rng rng = deer_rng_seed(3);
  for (int i = 0; i < PARAMETERS; i++) start.a[i] = (deer_real)(0.3 * deer_rng_normal(&rng));
  for (int i = 0; i < 64; i++) start.b[i] = (deer_real)(0.3 * deer_rng_normal(&rng));
  for (uint64_t seed = 1; seed <= GARDENS; seed++) {
    garden q;
    plant(&q, seed, &m);
    deer_program *program = compile_garden(&q);
    const harvest expected = reap(&q, NULL, &m, &start), got = reap(&q, program, &m, &start);
    expect_close(&expected, &got, seed);
    for (int threads = 2; threads <= 3; threads++) {
      assert_int_equal(deer_threads_set(threads), DEER_OK);
      deer_program *parallel = compile_garden(&q);
      const harvest same = reap(&q, parallel, &m, &start);
      assert_int_equal(same.n, got.n);
      assert_memory_equal(same.values, got.values, (size_t)got.n * sizeof *got.values);
      free(same.values);
      deer_program_free(parallel);
    }
    deer_threads_set(1);
    free(expected.values);
    free(got.values);
    deer_program_free(program);
    deer_graph_free(q.g);
  }
}

/* ---- each pass by itself ---- */

/* steps of a program with one output, and what it computes from x = 0, 1, 2, ... */
static int steps_of(deer_graph *g, deer_node x, deer_node out, double *first) {
  deer_program *p = compiled(g, &out, 1);
  const deer_shape shape = deer_node_shape(g, x);
  deer_real *in = deer_program_data(p, x);
  for (size_t i = 0; i < deer_shape_count(&shape); i++) in[i] = (deer_real)i;
  deer_program_run(p);
  *first = (double)*(deer_real *)deer_program_data(p, out);
  const int steps = deer_program_steps(p);
  deer_program_free(p);
  return steps;
}

static void a_chain_is_one_step(void **state) {
  (void)state;
  deer_graph *g = deer_graph_new();
  const deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(3000));
  const deer_node first = deer_reshape(g, deer_slice(g, x, 0, 2, 1), DEER_SCALAR);
  deer_node y = deer_add(g, deer_square(g, x), deer_expand(g, first, DEER_SHAPE(3000), 0));
  y = deer_reshape(g, y, DEER_SHAPE(30, 100));
  y = deer_mul(g, y, deer_shift(g, y, 1));
  double value;
  /* the slice, and everything else */
  assert_int_equal(steps_of(g, x, y, &value), 2);
  assert_true(value == 6); /* (0 + 2) (2 + 1) */
  deer_graph_free(g);
}

static void equal_nodes_are_computed_once(void **state) {
  (void)state;
  deer_graph *g = deer_graph_new();
  const deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(4, 4));
  const deer_node a = deer_matmul(g, x, x, false, true), b = deer_matmul(g, x, x, false, true);
  double value;
  assert_int_equal(steps_of(g, x, deer_add(g, a, b), &value), 2);
  assert_true(value == 28);
  deer_graph_free(g);
}

static void constants_are_folded(void **state) {
  (void)state;
  deer_graph *g = deer_graph_new();
  const deer_shape shape = DEER_SHAPE(5);
  const deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, shape);
  const deer_node two = deer_exp(g, deer_log(g, deer_constant(g, DEER_SCALAR, 2)));
  deer_node y = deer_mul(g, deer_shift(g, x, 3), deer_expand(g, two, shape, 0));
  y = deer_div(g, deer_sub(g, y, deer_constant(g, shape, 0)), deer_constant(g, shape, 1));
  double value;
  assert_int_equal(steps_of(g, x, y, &value), 1);
  assert_true(fabs(value - 6) < 1e-6);
  deer_graph_free(g);
}

static void a_layer_is_one_product(void **state) {
  (void)state;
  deer_graph *g = deer_graph_new();
  const deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(3, 3));
  deer_node y = deer_matmul(g, x, x, true, false);
  const deer_node bias = deer_constant(g, DEER_SHAPE(3), -40);
  const deer_node row = deer_sum(g, deer_expand(g, bias, DEER_SHAPE(3, 3), DEER_AXIS(1)), 1);
  y = deer_add(g, y, deer_expand(g, row, DEER_SHAPE(3, 3), DEER_AXIS(1)));
  double value;
  /* the sum over rows of the bias, and the product with bias and ReLU */
  assert_int_equal(steps_of(g, x, deer_relu(g, y), &value), 2);
  assert_true(value == 0); /* 45 - 120 */
  /* a product that somebody else reads stays as it is */
  const deer_node shared = deer_add(g, deer_relu(g, y), deer_matmul(g, x, x, true, false));
  assert_int_equal(steps_of(g, x, shared, &value), 3);
  assert_true(value == 45);
  /* tanh, and the product with the gradient of that tanh */
  const deer_node d = deer_matmul(g, x, x, false, false);
  const deer_node taken = deer_mul(g, d, deer_square(g, deer_tanh(g, x)));
  assert_int_equal(steps_of(g, x, deer_sub(g, d, taken), &value), 2);
  assert_true(value == 15);
  deer_graph_free(g);
}

/* one step for gradient, momentum and parameters; the second variable follows the first one's old
 * value in another */
static void updates_join_their_chain(void **state) {
  (void)state;
  static deer_real w[2000], v[2000];
  for (int i = 0; i < 2000; i++) w[i] = 1, v[i] = (deer_real)i;
  deer_graph *g = deer_graph_new();
  const deer_node a = deer_variable(g, "w", w, 2000), b = deer_variable(g, "v", v, 2000);
  const deer_node next_b = deer_add(g, deer_scale(g, b, 0.5), a);
  const deer_node next_a = deer_sub(g, a, deer_mul(g, next_b, a));
  const deer_node outputs[] = {deer_assign(g, b, next_b), deer_assign(g, a, next_a)};
  deer_program *p = compiled(g, outputs, 2);
  assert_int_equal(deer_program_steps(p), 1);
  deer_program_run(p);
  for (int i = 0; i < 2000; i++) {
    assert_true(v[i] == (deer_real)(i * 0.5 + 1));
    assert_true(w[i] == 1 - v[i]);
  }
  deer_program_free(p);
  deer_graph_free(g);
}

/* v becomes a part of itself, repeated `n` by `m` times, plus 1: no block may read what an earlier
 * one, or another thread, has written */
static void expect_repeated(deer_shape shape, unsigned kept, int part, size_t inner) {
  enum { COUNT = 12000 };
  static deer_real v[COUNT];
  for (int i = 0; i < COUNT; i++) v[i] = (deer_real)(i % 97);
  deer_graph *g = deer_graph_new();
  const deer_node block = deer_variable(g, "v", v, COUNT);
  deer_node y = deer_expand(g, deer_view(g, block, 0, DEER_SHAPE(part)), shape, kept);
  y = deer_shift(g, deer_reshape(g, y, DEER_SHAPE(COUNT)), 1);
  const deer_node update = deer_assign(g, block, deer_mul(g, y, y));
  deer_program *p = compiled(g, &update, 1);
  deer_program_run(p);
  for (size_t i = 0; i < COUNT; i++) {
    const double old = (double)(i / inner % (size_t)part % 97);
    assert_true((double)v[i] == (old + 1) * (old + 1));
  }
  deer_program_free(p);
  deer_graph_free(g);
}

static void a_variable_repeats_a_part_of_itself(void **state) {
  (void)state;
  deer_lanes_insist(true);
  for (int threads = 1; threads <= 2; threads++) {
    deer_threads_set(threads);
    expect_repeated(DEER_SHAPE(3, 4000), DEER_AXIS(0), 3, 4000);
    expect_repeated(DEER_SHAPE(8, 1500), DEER_AXIS(1), 1500, 1);
    expect_repeated(DEER_SHAPE(1, 12000), DEER_AXIS(0), 1, 12000);
  }
  deer_lanes_insist(false);
  deer_threads_set(1);
}

/* ---- programs of several threads ---- */

static double total_flops(const deer_program *p) {
  char *text = deer_program_explain(p);
  const char *all = strstr(text, " all ");
  assert_non_null(all);
  double us, share, flops;
  assert_int_equal(sscanf(all, " all %lf %lf%% %lf", &us, &share, &flops), 3);
  deer_free(text);
  return flops;
}

static void run_inside(void *program, int worker) {
  if (worker == 0) deer_program_run(program);
}

/* a program that finds the threads busy computes the same, and as many operations */
static void one_thread_does_the_work_of_two(void **state) {
  (void)state;
  const deer_real least =
      sizeof(deer_real) == sizeof(float) ? (deer_real)FLT_MIN : (deer_real)DBL_MIN;
  deer_graph *g = deer_graph_new();
  const deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(400, 400));
  const deer_node y = deer_tanh(g, deer_tanh(g, deer_matmul(g, x, x, false, false)));
  const deer_node out[] = {y, deer_scale(g, deer_scale(g, deer_abs(g, x), 0.5), 2)};
  deer_program *one = compiled(g, out, 2);
  deer_threads_set(2);
  deer_lanes_insist(true);
  deer_program *two = compiled(g, out, 2);
  assert_true(deer_program_steps(two) > deer_program_steps(one));
  assert_true(total_flops(one) == total_flops(two));
  deer_real *in = deer_program_data(two, x), *shown = deer_program_data(two, out[1]);
  for (int i = 0; i < 400 * 400; i++) in[i] = i % 2 ? least : 1;
  deer_program_run(two);
  /* half of the least number counts as zero */
  assert_true(shown[0] == 1 && shown[1] == 0);
  for (int i = 0; i < 2; i++) shown[i] = -1;
  assert_true(deer_pool_run(2, run_inside, two));
  assert_true(shown[0] == 1 && shown[1] == 0);
  deer_program_free(one);
  deer_program_free(two);
  deer_graph_free(g);
  deer_lanes_insist(false);
  deer_threads_set(1);
}

/* a long sequence of layers needs the memory of two of them */
static void dead_buffers_make_room(void **state) {
  (void)state;
  deer_graph *g = deer_graph_new();
  const deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(64, 64));
  deer_node y = x;
  for (int i = 0; i < 50; i++) y = deer_tanh(g, deer_matmul(g, y, x, false, i % 2));
  deer_program *p = compiled(g, &y, 1);
  char *text = deer_program_explain(p);
  const char *bytes = strstr(text, "GFLOP") ? strstr(text, " bytes of memory") : NULL;
  assert_non_null(bytes);
  while (bytes > text && bytes[-1] != ' ') bytes--;
  assert_true(strtol(bytes, NULL, 10) <= 4 * 64 * 64 * (long)sizeof(deer_real));
  deer_free(text);
  deer_program_free(p);
  deer_graph_free(g);
}

static void long_chains_are_cut(void **state) {
  (void)state;
  deer_graph *g = deer_graph_new();
  const deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(10));
  deer_node y = x;
  for (int i = 0; i < 1000; i++) y = deer_shift(g, y, 1);
  double value;
  const int steps = steps_of(g, x, y, &value);
  assert_true(steps > 1 && steps < 40);
  assert_true(value == 1000);
  deer_graph_free(g);
}

/* where the other thread does not get a core, a program is hardly slower than on one thread */
static void a_busy_machine_is_survived(void **state) {
  (void)state;
  deer_lanes_insist(false);
  assert_int_equal(deer_threads_set(3), DEER_OK);
  deer_graph *g = deer_graph_new();
  const deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(256, 256));
  const deer_node y = deer_matmul(g, x, x, false, false);
  deer_program *p = compiled(g, &y, 1);
  assert_true(p->n_lanes == 3);
  for (int i = 0; i < 20; i++) deer_program_run(p);
  assert_true(p->alone > 0);
  p->alone = 1; /* so that every run is slow */
  p->alone_left = p->patience = p->slow = 0;
  int runs = 0;
  for (; runs < 100 && p->alone_left == 0; runs++) deer_program_run(p);
  const int first = p->alone_left;
  assert_true(first > 0);
  for (int i = 0; i < first; i++) deer_program_run(p);
  assert_int_equal(p->alone_left, 0);
  for (runs = 0; runs < 100 && p->alone_left == 0; runs++) deer_program_run(p);
  assert_true(p->alone_left == 2 * first);
  deer_threads_set(1);
  deer_program_free(p);
  deer_graph_free(g);
}

/* a forked child has no other threads, and does without them */
static void a_child_works_alone(void **state) {
  (void)state;
#ifdef __SANITIZE_THREAD__
  skip(); /* this sanitizer lets no child of several threads make threads */
#endif
  deer_lanes_insist(true);
  assert_int_equal(deer_threads_set(2), DEER_OK);
  deer_graph *g = deer_graph_new();
  const deer_node x = deer_input(g, "x", DEER_DTYPE_REAL, DEER_SHAPE(256, 256));
  const deer_node y = deer_sum(g, deer_matmul(g, x, x, false, false), DEER_ALL_AXES);
  deer_program *p = compiled(g, &y, 1);
  deer_real *in = deer_program_data(p, x);
  for (int i = 0; i < 256 * 256; i++) in[i] = 1;
  deer_program_run(p);
  const pid_t child = fork();
  if (child == 0) {
    deer_program_run(p);
    const bool right = *(deer_real *)deer_program_data(p, y) == 16777216;
    _exit(right && deer_threads() == 1 && deer_threads_set(2) == DEER_OK ? 0 : 1);
  }
  int status = -1;
  assert_true(waitpid(child, &status, 0) == child && status == 0);
  deer_threads_set(1);
  deer_program_free(p);
  deer_graph_free(g);
}

static void threads_are_checked(void **state) {
  (void)state;
  assert_int_equal(deer_threads_set(0), DEER_EINVAL);
  assert_int_equal(deer_threads_set(DEER_MAX_THREADS + 1), DEER_EINVAL);
  assert_int_equal(deer_threads(), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_chain_is_one_step),
      cmocka_unit_test(equal_nodes_are_computed_once),
      cmocka_unit_test(constants_are_folded),
      cmocka_unit_test(a_layer_is_one_product),
      cmocka_unit_test(updates_join_their_chain),
      cmocka_unit_test(a_variable_repeats_a_part_of_itself),
      cmocka_unit_test(one_thread_does_the_work_of_two),
      cmocka_unit_test(dead_buffers_make_room),
      cmocka_unit_test(long_chains_are_cut),
      cmocka_unit_test(a_child_works_alone),
      cmocka_unit_test(threads_are_checked),
      cmocka_unit_test(a_busy_machine_is_survived),
      cmocka_unit_test(random_graphs_keep_their_meaning),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
