/* natural.h: parts of natural-gradient methods (Kakade 2001; Schulman et al. 2015,
 * arXiv:1502.05477): products with a Hessian or Fisher matrix that is never written down, linear
 * equations solved by such products, and a step that is shortened until it helps. */
#ifndef DEER_NATURAL_H
#define DEER_NATURAL_H

#include "graph/graph.h"

/* H v, where H is the Hessian of the scalar `kl` to the variable `parameters` [n] and `vector` is
 * [n]. When kl is the mean Kullback-Leibler divergence of a distribution from itself with its own
 * parameters stopped, H is the Fisher matrix. No gradient passes through the vector. Pearlmutter
 * 1994. */
deer_node deer_fisher_vector_product(deer_graph *g, deer_node kl, deer_node parameters,
                                     deer_node vector);

/* Writes A v into `product`, for a symmetric matrix A known to `context`. */
typedef void deer_multiply(void *context, const deer_real *v, deer_real *product);

typedef struct deer_conjugate {
  int size;
  deer_multiply *multiply;
  void *context;
  int most;         /* iterations */
  double tolerance; /* done when |b - A x| <= tolerance |b| */
  deer_real *work;  /* 3 size numbers */
} deer_conjugate;

/* Solves A x = b for a positive definite A by conjugate gradients from x = 0; *iterations says in
 * how many. A direction without curvature ends it early, with the best x so far. DEER_EDATA when a
 * product is not finite. Hestenes and Stiefel 1952. */
deer_status deer_conjugate_gradient(const deer_conjugate *system, const deer_real *b, deer_real *x,
                                    int *iterations);

/* x = start + fraction direction, for fraction = 1, shrink, shrink^2, ... */
typedef struct deer_line {
  int size;
  deer_real *x; /* where `loss` finds the point */
  const deer_real *start, *direction;
  double shrink; /* above 0, below 1 */
  int most;      /* fractions tried */

  /* A point is taken when it is allowed and its loss lies below that of the start by at least
   * `ratio` fraction `expected`, and by something. `expected` is the decrease that the slope at the
   * start promises for fraction 1. */
  double ratio, expected;
  double (*loss)(void *context, bool *allowed); /* *allowed is true before the call */
  void *context;
} deer_line;

/* Backtracking: the first fraction taken, with x there; 0 when none is, with x at the start. A loss
 * that is not a number is never taken. Armijo 1966. */
double deer_line_search(const deer_line *line);

#endif
