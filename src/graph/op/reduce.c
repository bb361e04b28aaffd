/* reduce.c: sums over axes and their transpose, and the moments made of them.
 *
 * Sum and expand see a tensor as groups of axes: neighbours that are all kept, or all summed over,
 * are one group. Sums are kept in double and added in an order that depends on the shape alone. */
#include "graph/op/internal.h"

#include "tensor/sums.h"

#include <string.h>

/* ---- groups of axes ---- */

typedef struct group {
  size_t dim;
  size_t big;   /* stride in the tensor that has all axes */
  size_t small; /* stride in the one that has the kept axes; 0 for the others */
  bool kept;
} group;

typedef struct groups {
  int n; /* at least 1 */
  group at[DEER_MAX_RANK];
} groups;

/* the groups of `shape`, where the axes of `kept` also belong to the smaller tensor */
static groups groups_of(const deer_shape *shape, unsigned kept) {
  groups all = {.n = 0};
  for (int i = 0; i < shape->rank; i++) {
    const bool keep = (kept & DEER_AXIS(i)) != 0;
    if (shape->dim[i] == 1) continue;
    if (all.n == 0 || all.at[all.n - 1].kept != keep)
      all.at[all.n++] = (group){.dim = 1, .kept = keep};
    all.at[all.n - 1].dim *= (size_t)shape->dim[i];
  }
  if (all.n == 0) all.at[all.n++] = (group){.dim = 1, .kept = true};

  size_t big = 1, small = 1;
  for (int i = all.n - 1; i >= 0; i--) {
    group *at = &all.at[i];
    at->big = big;
    big *= at->dim;
    if (!at->kept) continue;
    at->small = small;
    small *= at->dim;
  }
  return all;
}

/* ---- sum: mask holds the axes to sum over; number[0] is DEER_SUM_SQUARES where the compiler found
 * that squares of all elements are summed ---- */

static deer_status sum_shape(deer_step *step) {
  const deer_shape *x = &step->in[0].shape;
  const unsigned mask = step->attr->mask;
  DEER_TRY(check_dtype(step, 0, DEER_DTYPE_REAL));
  if (mask != DEER_ALL_AXES && mask >> x->rank)
    return deer_fail(DEER_ESHAPE, "the mask 0x%x names an axis beyond the last of %d", mask,
                     x->rank);
  step->out.shape = DEER_SCALAR;
  for (int i = 0; i < x->rank; i++)
    if (!(mask & DEER_AXIS(i))) step->out.shape.dim[step->out.shape.rank++] = x->dim[i];
  return DEER_OK;
}

/* the rows found by `rows`, each `n` long, are summed into one; the last axis of the walk is one
 * matrix at a time */
#define COLUMNS 64
static void sum_columns(const deer_real *x, walk rows, size_t n, deer_real *out) {
  deer_row_block m = {.rows = 1};
  if (rows.rank > 0) {
    m.rows = rows.dim[--rows.rank];
    m.stride = rows.stride[rows.rank];
    rows.count /= m.rows;
  }
  for (size_t first = 0; first < n; first += COLUMNS) {
    double total[COLUMNS] = {0};
    m.columns = n - first < COLUMNS ? n - first : COLUMNS;
    for (size_t r = 0; r < rows.count; r++, walk_next(&rows)) {
      m.x = x + rows.offset + first;
      deer_add_rows(&m, total);
    }
    for (size_t j = 0; j < m.columns; j++) out[first + j] = (deer_real)total[j];
  }
}

static void sum_run(const deer_step *step) {
  if (step->attr->number[0] == DEER_SUM_SQUARES) {
    *out_real(step) =
        (deer_real)deer_sum_squares(in_real(step, 0), deer_shape_count(&step->in[0].shape));
    return;
  }
  const groups all = groups_of(&step->in[0].shape, ~step->attr->mask);
  const group last = all.at[all.n - 1];
  const deer_real *x = in_real(step, 0);
  deer_real *out = out_real(step);

  /* the last group is a row in memory; of the others, some give the elements of out, some are
   * summed over */
  walk kept = {.count = 1}, summed = {.count = 1};
  for (int i = 0; i < all.n - 1; i++)
    walk_add(all.at[i].kept ? &kept : &summed, all.at[i].dim, all.at[i].big);
  if (!last.kept && summed.count == 1) {
    deer_sum_rows(&(deer_row_block){x, kept.count, last.dim, last.dim}, out);
    return;
  }
  for (size_t k = 0; k < kept.count; k++, walk_next(&kept)) {
    if (last.kept) {
      sum_columns(x + kept.offset, summed, last.dim, out + k * last.dim);
      continue;
    }
    double total = 0;
    for (size_t s = 0; s < summed.count; s++, walk_next(&summed))
      total += deer_sum_row(x + kept.offset + summed.offset, last.dim);
    out[k] = (deer_real)total;
  }
}

static void sum_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  const deer_shape x = deer_node_shape(g, deer_node_input(g, self, 0));
  gx[0] = deer_expand(g, gy, x, axes_left(&x, deer_node_attr(g, self)->mask));
}

const deer_op deer_op_sum = {
    .name = "sum", .n_inputs = 1, .shape = sum_shape, .run = sum_run, .grad = sum_grad};

deer_node deer_sum(deer_graph *g, deer_node x, unsigned mask) {
  return deer_graph_add(g, &deer_op_sum, &x, 1, &(deer_attr){.mask = mask});
}

deer_node deer_mean(deer_graph *g, deer_node x, unsigned mask) {
  const deer_node sum = deer_sum(g, x, mask);
  const deer_shape all = deer_node_shape(g, x), left = deer_node_shape(g, sum);
  const double count = (double)deer_shape_count(&all) / (double)deer_shape_count(&left);
  return deer_scale(g, sum, 1 / count);
}

/* ---- expand: shape is that of the result, mask holds its axes that x has ---- */

static deer_status expand_shape(deer_step *step) {
  const deer_shape *x = &step->in[0].shape, *shape = &step->attr->shape;
  const unsigned kept = step->attr->mask;
  char text[DEER_SHAPE_TEXT];
  DEER_TRY(check_dtype(step, 0, DEER_DTYPE_REAL));
  DEER_TRY(deer_shape_check(shape, "result"));
  if (kept >> shape->rank)
    return deer_fail(DEER_ESHAPE, "the mask 0x%x names an axis that %s does not have", kept,
                     deer_shape_text(shape, text));
  int axis = 0;
  for (int i = 0; i < shape->rank; i++) {
    if (!(kept & DEER_AXIS(i))) continue;
    if (axis >= x->rank || x->dim[axis++] != shape->dim[i])
      return deer_fail(DEER_ESHAPE, "axis %d of %s does not fit the input", i,
                       deer_shape_text(shape, text));
  }
  if (axis != x->rank)
    return deer_fail(DEER_ESHAPE, "the mask 0x%x names %d axes, the input has %d", kept, axis,
                     x->rank);
  step->out.shape = *shape;
  return DEER_OK;
}

static void expand_run(const deer_step *step) {
  const groups all = groups_of(&step->out.shape, step->attr->mask);
  const group last = all.at[all.n - 1];
  const deer_real *restrict x = in_real(step, 0);
  deer_real *restrict out = out_real(step);
  walk outer = {.count = 1};
  for (int i = 0; i < all.n - 1; i++) walk_add(&outer, all.at[i].dim, all.at[i].small);
  for (size_t k = 0; k < outer.count; k++, walk_next(&outer), out += last.dim) {
    if (last.kept) {
      memcpy(out, x + outer.offset, last.dim * sizeof *out);
      continue;
    }
    const deer_real value = x[outer.offset];
    for (size_t i = 0; i < last.dim; i++) out[i] = value;
  }
}

static void expand_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  const deer_shape shape = deer_node_shape(g, self);
  gx[0] = deer_sum(g, gy, axes_left(&shape, deer_node_attr(g, self)->mask));
}

const deer_op deer_op_expand = {
    .name = "expand", .n_inputs = 1, .shape = expand_shape, .run = expand_run, .grad = expand_grad};

deer_node deer_expand(deer_graph *g, deer_node x, deer_shape shape, unsigned kept) {
  return deer_graph_add(g, &deer_op_expand, &x, 1, &(deer_attr){.shape = shape, .mask = kept});
}

/* ---- moments ---- */

deer_node deer_var(deer_graph *g, deer_node x, unsigned mask) {
  const deer_shape shape = deer_node_shape(g, x);
  const deer_node mean = deer_expand(g, deer_mean(g, x, mask), shape, axes_left(&shape, mask));
  return deer_mean(g, deer_square(g, deer_sub(g, x, mean)), mask);
}

deer_node deer_std(deer_graph *g, deer_node x, unsigned mask) {
  return deer_sqrt(g, deer_var(g, x, mask));
}
