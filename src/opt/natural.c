/* natural.c: products with Hessians, conjugate gradients, line search. */
#include "opt/natural.h"

#include <math.h>
#include <string.h>

deer_node deer_fisher_vector_product(deer_graph *g, deer_node kl, deer_node parameters,
                                     deer_node vector) {
  deer_node slope, product;
  deer_status status = deer_gradients(g, kl, &parameters, 1, &slope);
  if (status == DEER_OK) {
    deer_node along = deer_sum(g, deer_mul(g, slope, deer_stop(g, vector)), DEER_ALL_AXES);
    status = deer_gradients(g, along, &parameters, 1, &product);
  }
  return status == DEER_OK ? product : deer_graph_fail(g, "%s", deer_error());
}

/* ---- conjugate gradients ---- */

/* always added up in the same order */
static double dot(const deer_real *a, const deer_real *b, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
  return sum;
}

/* y += factor x */
static void add_scaled(deer_real *restrict y, double factor, const deer_real *restrict x, int n) {
  for (int i = 0; i < n; i++) y[i] += (deer_real)factor * x[i];
}

deer_status deer_conjugate_gradient(const deer_conjugate *system, const deer_real *b, deer_real *x,
                                    int *iterations) {
  const int n = system->size;
  deer_real *residual = system->work, *p = residual + n, *product = p + n;
  memset(x, 0, (size_t)n * sizeof *x);
  memcpy(residual, b, (size_t)n * sizeof *b);
  memcpy(p, b, (size_t)n * sizeof *b);
  double rest = dot(b, b, n);
  const double enough = system->tolerance * system->tolerance * rest;
  for (*iterations = 0; *iterations < system->most && rest > enough; ++*iterations) {
    system->multiply(system->context, p, product);
    const double curvature = dot(p, product, n);
    if (!isfinite(curvature))
      return deer_fail(DEER_EDATA, "conjugate gradients: a product is %g at iteration %d",
                       curvature, *iterations + 1);
    if (curvature <= 0) break;
    add_scaled(x, rest / curvature, p, n);
    add_scaled(residual, -rest / curvature, product, n);
    const double before = rest;
    rest = dot(residual, residual, n);
    for (int i = 0; i < n; i++) p[i] = residual[i] + (deer_real)(rest / before) * p[i];
  }
  return DEER_OK;
}

/* ---- line search ---- */

static double loss_at(const deer_line *line, double fraction, bool *allowed) {
  for (int i = 0; i < line->size; i++)
    line->x[i] = line->start[i] + (deer_real)fraction * line->direction[i];
  *allowed = true;
  return line->loss(line->context, allowed);
}

double deer_line_search(const deer_line *line) {
  bool allowed;
  const double start = loss_at(line, 0, &allowed);
  double fraction = 1;
  for (int i = 0; i < line->most; i++, fraction *= line->shrink) {
    const double gain = start - loss_at(line, fraction, &allowed);
    if (allowed && gain > 0 && gain >= line->ratio * fraction * line->expected) return fraction;
  }
  memcpy(line->x, line->start, (size_t)line->size * sizeof *line->x);
  return 0;
}
