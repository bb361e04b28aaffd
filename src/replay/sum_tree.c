/* sum_tree.c: a heap of sums over sixteen children each. A batch goes through it level by level, so
 * that its cache misses overlap. */
#include "replay/sum_tree.h"

enum { FAN = DEER_SUM_TREE_FAN };

/* blocks of children, the last one filled up with zeros */
static int64_t blocks(int64_t n) { return (n + FAN - 1) / FAN; }

deer_status deer_sum_tree_init(deer_sum_tree *tree, int64_t n) {
  int64_t nodes = blocks(n);
  tree->leaf = deer_alloc_array((size_t)nodes * FAN, sizeof *tree->leaf);
  if (!tree->leaf) return DEER_ENOMEM;
  for (bool root = false; !root; nodes = blocks(nodes)) {
    double *sums = deer_alloc_array((size_t)blocks(nodes) * FAN, sizeof *sums);
    if (!sums) return DEER_ENOMEM;
    tree->sum[tree->depth++] = sums;
    root = nodes == 1;
  }
  return DEER_OK;
}

void deer_sum_tree_free(deer_sum_tree *tree) {
  deer_free(tree->leaf);
  for (int level = 0; level < tree->depth; level++) deer_free(tree->sum[level]);
  *tree = (deer_sum_tree){0};
}

double deer_sum_tree_total(const deer_sum_tree *tree) { return tree->sum[tree->depth - 1][0]; }

/* ---- changing ---- */

/* the sum of four children */
#define SUM_OF_FOUR(x) (((double)(x)[0] + (double)(x)[1]) + ((double)(x)[2] + (double)(x)[3]))

/* the sums of the quarters of a block */
#define QUARTERS(child, quarter)                                                                   \
  const double quarter[4] = {SUM_OF_FOUR(child), SUM_OF_FOUR((child) + 4),                         \
                             SUM_OF_FOUR((child) + 8), SUM_OF_FOUR((child) + 12)}

static double sum_leaves(const deer_real *child) {
  QUARTERS(child, quarter);
  return SUM_OF_FOUR(quarter);
}

static double sum_nodes(const double *child) {
  QUARTERS(child, quarter);
  return SUM_OF_FOUR(quarter);
}

/* Makes the sums right above n nodes anew and puts their places in `node`; returns how many. */
static int climb(deer_sum_tree *tree, int level, int64_t *node, int n) {
  int parents = 0;
  for (int i = 0; i < n; i++) {
    int64_t parent = node[i] / FAN, first = parent * FAN;
    if (parents > 0 && node[parents - 1] == parent) continue;
    tree->sum[level][parent] =
        level == 0 ? sum_leaves(tree->leaf + first) : sum_nodes(tree->sum[level - 1] + first);
    node[parents++] = parent;
  }
  return parents;
}

enum { AT_ONCE = 256 };

void deer_sum_tree_set(deer_sum_tree *tree, int n, const int64_t *index, const deer_real *weight) {
  int64_t node[AT_ONCE];
  for (int done = 0; done < n; done += AT_ONCE) {
    int many = n - done < AT_ONCE ? n - done : AT_ONCE;
    for (int i = 0; i < many; i++) {
      node[i] = index[done + i];
      tree->leaf[node[i]] = weight[done + i];
    }
    for (int level = 0; level < tree->depth; level++) many = climb(tree, level, node, many);
  }
}

/* ---- finding ---- */

/* Which of four neighbours a target lies in; takes from it what lies before. By comparing instead
 * of branches, which nobody could predict, and in registers. */
#define FIND_IN_FOUR(weight, target, found)                                                        \
  do {                                                                                             \
    const double x_ = (target), end0_ = (double)(weight)[0], end1_ = end0_ + (double)(weight)[1],  \
                 end2_ = end1_ + (double)(weight)[2];                                              \
    double begin_ = x_ >= end0_ ? end0_ : 0;                                                       \
    begin_ = x_ >= end1_ ? end1_ : begin_;                                                         \
    begin_ = x_ >= end2_ ? end2_ : begin_;                                                         \
    (target) = x_ - begin_;                                                                        \
    (found) = (x_ >= end0_) + (x_ >= end1_) + (x_ >= end2_);                                       \
    /* rounding may leave a target a little beyond the end of the last that has a weight */        \
    if (!((weight)[found] > 0))                                                                    \
      while ((found) > 0 && !((weight)[found] > 0)) (found)--;                                     \
  } while (0)

/* which of sixteen */
#define FIND(name, real)                                                                           \
  static inline int name(const real *child, double *target) {                                      \
    QUARTERS(child, quarter);                                                                      \
    int first, found;                                                                              \
    double x = *target;                                                                            \
    FIND_IN_FOUR(quarter, x, first);                                                               \
    FIND_IN_FOUR(child + 4 * first, x, found);                                                     \
    *target = x;                                                                                   \
    return 4 * first + found;                                                                      \
  }
FIND(find_leaf, deer_real)
FIND(find_node, double)

/* asks for the children that the next level will look at */
static inline void prefetch_block(const void *child, size_t bytes) {
  for (size_t at = 0; at < bytes; at += 64) __builtin_prefetch((const char *)child + at);
  __builtin_prefetch((const char *)child + bytes - 1);
}

void deer_sum_tree_find(const deer_sum_tree *tree, int n, double *target, int64_t *index) {
  for (int i = 0; i < n; i++) index[i] = 0;
  for (int level = tree->depth - 2; level >= 0; level--) {
    const double *sum = tree->sum[level], *below = level > 0 ? tree->sum[level - 1] : NULL;
    for (int i = 0; i < n; i++) {
      index[i] = index[i] * FAN + find_node(sum + index[i] * FAN, &target[i]);
      if (below)
        prefetch_block(below + index[i] * FAN, FAN * sizeof *below);
      else
        prefetch_block(tree->leaf + index[i] * FAN, FAN * sizeof *tree->leaf);
    }
  }
  for (int i = 0; i < n; i++)
    index[i] = index[i] * FAN + find_leaf(tree->leaf + index[i] * FAN, &target[i]);
}
