/* sum_tree.h: weights of which one is found in proportion: Schaul et al. 2016, appendix B.2.1, with
 * sixteen children to a node instead of two. For files in replay/ only.
 *
 * A sum is always made anew from its children, in one order, never by adding differences, so
 * rounding does not add up however often a weight changes. Weights are reals and their sums
 * doubles: of 10^6 weights all but the leaves stays in the second-level cache. */
#ifndef DEER_SUM_TREE_H
#define DEER_SUM_TREE_H

#include "base/base.h"

enum { DEER_SUM_TREE_FAN = 16, DEER_SUM_TREE_DEPTH = 12 };

typedef struct deer_sum_tree {
  int depth;                        /* levels of sums */
  deer_real *leaf;                  /* the weights, at least 0 */
  double *sum[DEER_SUM_TREE_DEPTH]; /* [0] right above the leaves, the last is the root */
} deer_sum_tree;

/* n weights of 0, 1 <= n <= 2^44. After a failure, DEER_ENOMEM, the tree can be freed. */
deer_status deer_sum_tree_init(deer_sum_tree *tree, int64_t n);
void deer_sum_tree_free(deer_sum_tree *tree);

double deer_sum_tree_total(const deer_sum_tree *tree);

/* leaf[index[i]] = weight[i] for n of them, each in O(log n). Sums shared by neighbours in `index`
 * are made once. */
void deer_sum_tree_set(deer_sum_tree *tree, int n, const int64_t *index, const deer_real *weight);

/* For each of n targets, in 0 .. total, the leaf in whose share of the total it lies: never one of
 * weight 0, unless all are. `target` is overwritten. */
void deer_sum_tree_find(const deer_sum_tree *tree, int n, double *target, int64_t *index);

#endif
