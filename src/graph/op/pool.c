/* pool.c: the largest and the mean of windows of a picture. number[0..3] of all ops are the window,
 * number[4] and [5] height and width of the kernel. */
#include "graph/op/window.h"

#include <math.h>
#include <string.h>

#include "tensor/target.h"

/* ---- geometry ---- */

typedef struct geometry {
  size_t planes;
  int height, width; /* of the picture */
  int out_h, out_w;  /* of the result */
  int kernel_h, kernel_w;
  deer_window window;
  deer_real *room; /* scratch */
} geometry;

/* the shape of the picture: an input, or, for the transpose, an attribute */
static const deer_shape *picture(const deer_step *step) {
  return step->op == &deer_op_sumpool2d_input ? &step->attr->shape : &step->in[0].shape;
}

static geometry geometry_of(const deer_step *step) {
  const int *n = step->attr->number;
  const deer_shape *x = picture(step);
  return (geometry){.planes = dims_product(x, 0, 2),
                    .height = x->dim[2],
                    .width = x->dim[3],
                    .out_h = (x->dim[2] + 2 * n[2] - n[4]) / n[0] + 1,
                    .out_w = (x->dim[3] + 2 * n[3] - n[5]) / n[1] + 1,
                    .kernel_h = n[4],
                    .kernel_w = n[5],
                    .window = {n[0], n[1], n[2], n[3]},
                    .room = step->scratch};
}

static deer_status check_kernel(const deer_shape *x, const int *n) {
  const deer_window window = {n[0], n[1], n[2], n[3]};
  DEER_TRY(check_window(window));
  const deer_shape padded = padded_shape(x, window);
  DEER_TRY(deer_shape_check(&padded, "padded picture"));
  if (n[4] < 1 || n[5] < 1 || n[4] > padded.dim[2] || n[5] > padded.dim[3])
    return deer_fail(DEER_ESHAPE, "windows of %d by %d do not fit into %d by %d", n[4], n[5],
                     padded.dim[2], padded.dim[3]);
  /* then every window has an element of the picture in it */
  if (n[2] >= n[4] || n[3] >= n[5])
    return deer_fail(DEER_ESHAPE, "padding of %d and %d is not smaller than windows of %d by %d",
                     n[2], n[3], n[4], n[5]);
  return DEER_OK;
}

static deer_status pool_shape(deer_step *step) {
  const deer_shape *x = &step->in[0].shape;
  DEER_TRY(check_dtype(step, 0, DEER_DTYPE_REAL));
  DEER_TRY(check_rank(step, 0, 4, "[batch, channels, height, width]"));
  DEER_TRY(check_kernel(x, step->attr->number));
  const geometry c = geometry_of(step);
  step->out.shape = DEER_SHAPE(x->dim[0], x->dim[1], c.out_h, c.out_w);
  return DEER_OK;
}

static deer_status poolindex_shape(deer_step *step) {
  DEER_TRY(pool_shape(step));
  step->out.dtype = DEER_DTYPE_I32;
  return DEER_OK;
}

static deer_status pool_input_shape(deer_step *step) {
  const deer_shape *x = &step->attr->shape;
  char text[DEER_SHAPE_TEXT];
  DEER_TRY(check_dtype(step, 0, DEER_DTYPE_REAL));
  DEER_TRY(deer_shape_check(x, "result"));
  if (x->rank != 4) return deer_fail(DEER_ESHAPE, "the result must have 4 axes");
  DEER_TRY(check_kernel(x, step->attr->number));
  const geometry c = geometry_of(step);
  const deer_shape wanted = DEER_SHAPE(x->dim[0], x->dim[1], c.out_h, c.out_w);
  if (!deer_shape_equal(&step->in[0].shape, &wanted))
    return deer_fail(DEER_ESHAPE, "input 1 must be %s", deer_shape_text(&wanted, text));
  step->out.shape = *x;
  return DEER_OK;
}

/* ---- rows of windows: first down the columns, which are neighbours, then along the result ---- */

/* one row of windows: most read a plane and write a row of the result */
typedef void row_function(const geometry *c, const deer_real *from, int row, void *to);

/* compiled for each kind of CPU */
#define INLINE static inline __attribute__((always_inline))
#ifdef DEER_HAVE_TARGETS
#define FOR_CPUS(name)                                                                             \
  static DEER_AVX2 void name##_avx2(const geometry *c, const deer_real *from, int row, void *to) { \
    name(c, from, row, to);                                                                        \
  }                                                                                                \
  static row_function *name##_function(void) { return deer_cpu_level() ? name##_avx2 : name; }
#else
#define FOR_CPUS(name)                                                                             \
  static row_function *name##_function(void) { return name; }
#endif

static void for_rows(const deer_step *step, row_function *function) {
  const geometry c = geometry_of(step);
  const deer_real *plane = in_real(step, 0);
  const size_t bytes = (size_t)c.out_w * deer_dtype_size(step->out.dtype);
  char *out = step->out.data;
  for (size_t p = 0; p < c.planes; p++, plane += c.height * c.width)
    for (int row = 0; row < c.out_h; row++, out += bytes) function(&c, plane, row, out);
}

/* the rows of the picture that a row of windows sees; at least one */
typedef struct span {
  int first, end;
} span;

static span rows_seen(const geometry *c, int row) {
  const int first = row * c->window.stride_h - c->window.pad_h, end = first + c->kernel_h;
  return (span){first < 0 ? 0 : first, end < c->height ? end : c->height};
}

/* element j of the windows of a row: which of them have it, and where it lies in the first one */
typedef struct tap {
  size_t first, n, at, stride;
} tap;

/* false when none has it: it lies in the padding */
static bool tap_at(const geometry *c, int j, tap *t) {
  const int stride = c->window.stride_w, x = j - c->window.pad_w;
  if (x >= c->width) return false;
  const int first = x < 0 ? (stride - 1 - x) / stride : 0;
  const int inside = (c->width - 1 - x) / stride + 1, end = inside < c->out_w ? inside : c->out_w;
  *t = (tap){.first = (size_t)first,
             .n = (size_t)(end - first),
             .at = (size_t)(x + first * stride),
             .stride = (size_t)stride};
  return end > first;
}

#define FOR_TAPS(c, t)                                                                             \
  for (int j = 0; j < (c)->kernel_w; j++)                                                          \
    if (tap_at(c, j, &(t)))

/* function(t, stride, ...); the compiler makes shuffles of the strides it knows */
#define BY_STRIDE(t, function, ...)                                                                \
  ((t)->stride == 1   ? function(t, 1, __VA_ARGS__)                                                \
   : (t)->stride == 2 ? function(t, 2, __VA_ARGS__)                                                \
                      : function(t, (t)->stride, __VA_ARGS__))

/* ---- largest: NaN counts as larger than everything ---- */

INLINE deer_real larger(deer_real x, deer_real y) {
  const deer_real number = x > y ? x : y;
  return x != x ? x : number;
}

INLINE void max_tap(const tap *t, size_t stride, const deer_real *restrict from,
                    deer_real *restrict best) {
  const size_t n = t->n;
  from += t->at, best += t->first;
  for (size_t o = 0; o < n; o++) best[o] = larger(from[o * stride], best[o]);
}

INLINE void largest_row(const geometry *c, const deer_real *plane, int row, void *out) {
  const span rows = rows_seen(c, row);
  const size_t width = (size_t)c->width, n = (size_t)c->out_w;
  const deer_real *restrict from = plane + (size_t)rows.first * width;
  deer_real *restrict down = c->room, *best = out;
  memcpy(down, from, width * sizeof *down);
  for (int y = rows.first + 1; y < rows.end; y++) {
    from += width;
    for (size_t x = 0; x < width; x++) down[x] = larger(from[x], down[x]);
  }
  for (size_t o = 0; o < n; o++) best[o] = -(deer_real)INFINITY;
  tap t;
  FOR_TAPS(c, t) BY_STRIDE(&t, max_tap, down, best);
}

FOR_CPUS(largest_row)

static void maxpool_run(const deer_step *step) { for_rows(step, largest_row_function()); }

/* what comes back goes where the value came from */
static void maxpool_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  const deer_node x = deer_node_input(g, self, 0);
  const deer_attr attr = *deer_node_attr(g, self);
  const deer_node index = deer_graph_add(g, &deer_op_poolindex2d, &x, 1, &attr);
  const deer_shape in = deer_node_shape(g, x), out = deer_node_shape(g, gy);
  const deer_shape flat = DEER_SHAPE(out.dim[0], out.dim[1], out.dim[2] * out.dim[3]);
  const deer_node planes =
      deer_put(g, deer_reshape(g, gy, flat), deer_reshape(g, index, flat), in.dim[2] * in.dim[3]);
  gx[0] = deer_reshape(g, planes, in);
}

/* ---- where in the plane the first largest lies ---- */

/* the largest of a column, or so far of a window, and where it lies */
typedef struct found {
  deer_real *best;
  int32_t *index;
} found;

/* Rows are worked on in whole vectors, in rooms that have space behind them: with elements left
 * over each would cost a jump that nothing foretells. */
#define VECTOR 8
static inline size_t whole(size_t n) { return (n + VECTOR - 1) / VECTOR * VECTOR; }

/* reals of a room for a row of the picture, and of the result */
static size_t room_down(const geometry *c) {
  return whole((size_t)c->width) + VECTOR * (size_t)c->window.stride_w;
}
static size_t room_along(const geometry *c) { return whole((size_t)c->out_w) + VECTOR; }

INLINE void index_tap(const tap *t, size_t stride, found down, found out) {
  const deer_real *restrict from = down.best + t->at;
  const int32_t *restrict from_index = down.index + t->at;
  deer_real *restrict best = out.best + t->first;
  int32_t *restrict index = out.index + t->first;
  const size_t n = whole(t->n);
  for (size_t o = 0; o < n; o++) {
    const deer_real x = from[o * stride], y = best[o];
    const int32_t at_x = from_index[o * stride], at_y = index[o];
    /* larger, or as large and before */
    const int above = (x > y) | ((x != x) & (y == y));
    const int equal = (x == y) | ((x != x) & (y != y));
    const int better = above | (equal & (at_x < at_y));
    best[o] = better ? x : y;
    index[o] = better ? at_x : at_y;
  }
}

/* a row of the picture, whose first element has the number `place`, against the columns above it */
INLINE void index_down(const deer_real *restrict row, size_t width, size_t place, found down) {
  deer_real *restrict best = down.best;
  int32_t *restrict index = down.index;
  const size_t n = whole(width);
  for (size_t i = 0; i < n; i++) {
    const deer_real x = row[i], y = best[i];
    const int better = !(x <= y) & (y == y);
    best[i] = better ? x : y;
    index[i] = better ? (int32_t)(place + i) : index[i];
  }
}

INLINE void index_row(const geometry *c, const deer_real *plane, int row, void *out) {
  const span rows = rows_seen(c, row);
  const size_t width = (size_t)c->width, n = (size_t)c->out_w, room = room_down(c);
  const found down = {c->room, (int32_t *)(c->room + room)};
  const found along = {c->room + 2 * room, (int32_t *)(c->room + 2 * room + room_along(c))};
  deer_real *copy = c->room + 2 * (room + room_along(c));
  size_t place = (size_t)rows.first * width;
  memcpy(down.best, plane + place, width * sizeof *plane);
  for (size_t i = 0; i < width; i++) down.index[i] = (int32_t)(place + i);
  for (int y = rows.first + 1; y < rows.end; y++) {
    place += width;
    memcpy(copy, plane + place, width * sizeof *copy);
    index_down(copy, width, place, down);
  }
  for (size_t o = 0; o < n; o++) along.best[o] = -(deer_real)INFINITY;
  for (size_t o = 0; o < n; o++) along.index[o] = INT32_MAX;
  tap t;
  FOR_TAPS(c, t) BY_STRIDE(&t, index_tap, down, along);
  memcpy(out, along.index, n * sizeof *along.index);
}

FOR_CPUS(index_row)

/* what lies behind the rows must never be found */
static void poolindex_run(const deer_step *step) {
  const geometry c = geometry_of(step);
  const size_t room = room_down(&c), width = (size_t)c.width;
  int32_t *index = (int32_t *)(c.room + room);
  deer_real *copy = c.room + 2 * (room + room_along(&c));
  for (size_t i = width; i < room; i++) {
    c.room[i] = copy[i] = -(deer_real)INFINITY;
    index[i] = INT32_MAX;
  }
  for_rows(step, index_row_function());
}

static size_t poolindex_scratch(const deer_step *step) {
  const geometry c = geometry_of(step);
  return (3 * room_down(&c) + 2 * room_along(&c)) * sizeof(deer_real);
}

/* one row of the picture */
static size_t pool_scratch(const deer_step *step) {
  return (size_t)geometry_of(step).width * sizeof(deer_real);
}

/* ---- sums, and their transpose ---- */

INLINE void sum_tap(const tap *t, size_t stride, const deer_real *restrict from,
                    deer_real *restrict sum) {
  const size_t n = t->n;
  from += t->at, sum += t->first;
  for (size_t o = 0; o < n; o++) sum[o] += from[o * stride];
}

INLINE void total_row(const geometry *c, const deer_real *plane, int row, void *out) {
  const span rows = rows_seen(c, row);
  const size_t width = (size_t)c->width;
  const deer_real *restrict from = plane + (size_t)rows.first * width;
  deer_real *restrict down = c->room, *sum = out;
  memcpy(down, from, width * sizeof *down);
  for (int y = rows.first + 1; y < rows.end; y++) {
    from += width;
    for (size_t x = 0; x < width; x++) down[x] += from[x];
  }
  memset(sum, 0, (size_t)c->out_w * sizeof *sum);
  tap t;
  FOR_TAPS(c, t) BY_STRIDE(&t, sum_tap, down, sum);
}

FOR_CPUS(total_row)

static void sumpool_run(const deer_step *step) { for_rows(step, total_row_function()); }

INLINE void spread_tap(const tap *t, size_t stride, const deer_real *restrict sum,
                       deer_real *restrict to) {
  const size_t n = t->n;
  sum += t->first, to += t->at;
  for (size_t o = 0; o < n; o++) to[o * stride] += sum[o];
}

/* adds a row of sums onto the elements they are made of */
INLINE void spread_row(const geometry *c, const deer_real *sum, int row, void *plane) {
  const span rows = rows_seen(c, row);
  const size_t width = (size_t)c->width;
  deer_real *restrict along = c->room;
  memset(along, 0, width * sizeof *along);
  tap t;
  FOR_TAPS(c, t) BY_STRIDE(&t, spread_tap, sum, along);
  deer_real *restrict to = (deer_real *)plane + (size_t)rows.first * width;
  for (int y = rows.first; y < rows.end; y++, to += width)
    for (size_t x = 0; x < width; x++) to[x] += along[x];
}

FOR_CPUS(spread_row)

static void sumpool_input_run(const deer_step *step) {
  const geometry c = geometry_of(step);
  row_function *spread = spread_row_function();
  const deer_real *sums = in_real(step, 0);
  deer_real *plane = out_real(step);
  memset(plane, 0, out_count(step) * sizeof *plane);
  for (size_t p = 0; p < c.planes; p++, plane += c.height * c.width)
    for (int row = 0; row < c.out_h; row++, sums += c.out_w) spread(&c, sums, row, plane);
}

static void sumpool_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  deer_attr attr = *deer_node_attr(g, self);
  attr.shape = deer_node_shape(g, deer_node_input(g, self, 0));
  gx[0] = deer_graph_add(g, &deer_op_sumpool2d_input, &gy, 1, &attr);
}

static void sumpool_input_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  deer_attr attr = *deer_node_attr(g, self);
  attr.shape = DEER_SCALAR;
  gx[0] = deer_graph_add(g, &deer_op_sumpool2d, &gy, 1, &attr);
}

const deer_op deer_op_maxpool2d = {.name = "maxpool2d",
                                   .n_inputs = 1,
                                   .scratch = pool_scratch,
                                   .shape = pool_shape,
                                   .run = maxpool_run,
                                   .grad = maxpool_grad};
const deer_op deer_op_poolindex2d = {.name = "poolindex2d",
                                     .n_inputs = 1,
                                     .scratch = poolindex_scratch,
                                     .shape = poolindex_shape,
                                     .run = poolindex_run};
const deer_op deer_op_sumpool2d = {.name = "sumpool2d",
                                   .n_inputs = 1,
                                   .scratch = pool_scratch,
                                   .shape = pool_shape,
                                   .run = sumpool_run,
                                   .grad = sumpool_grad};
const deer_op deer_op_sumpool2d_input = {.name = "sumpool2d_input",
                                         .n_inputs = 1,
                                         .scratch = pool_scratch,
                                         .shape = pool_input_shape,
                                         .run = sumpool_input_run,
                                         .grad = sumpool_input_grad};

/* ---- builders ---- */

static deer_attr pool_attr(int kh, int kw, deer_window w) {
  return (deer_attr){.number = {w.stride_h, w.stride_w, w.pad_h, w.pad_w, kh, kw}};
}

deer_node deer_maxpool2d(deer_graph *g, deer_node x, int kh, int kw, deer_window window) {
  const deer_attr attr = pool_attr(kh, kw, window);
  return deer_graph_add(g, &deer_op_maxpool2d, &x, 1, &attr);
}

deer_node deer_avgpool2d(deer_graph *g, deer_node x, int kh, int kw, deer_window window) {
  const deer_attr attr = pool_attr(kh, kw, window);
  const deer_node sum = deer_graph_add(g, &deer_op_sumpool2d, &x, 1, &attr);
  return deer_scale(g, sum, 1.0 / ((double)kh * kw));
}
