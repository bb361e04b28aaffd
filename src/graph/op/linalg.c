/* linalg.c: the inverse of a positive definite matrix, and diagonals. */
#include "graph/op/internal.h"

#include <math.h>
#include <string.h>

static deer_status square_shape(deer_step *step) {
  const deer_shape *x = &step->in[0].shape;
  char text[DEER_SHAPE_TEXT];
  DEER_TRY(check_dtype(step, 0, DEER_DTYPE_REAL));
  if (x->rank == 2 && x->dim[0] == x->dim[1]) return DEER_OK;
  return deer_fail(DEER_ESHAPE, "expected a square matrix, got %s", deer_shape_text(x, text));
}

/* ---- inverse ----
 * Cholesky, in double whatever deer_real is: the matrices of curvature that are inverted are badly
 * conditioned. All inner loops run along rows without sums, so the compiler may vectorise them and
 * the result has the same bits everywhere. */

/* y -= factor x */
static void take_off(double *restrict y, double factor, const double *restrict x, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] -= factor * x[i];
}

/* The upper triangle of `a` becomes U with U^T U = A; false when A is not positive definite. */
static bool factor(double *a, size_t n) {
  for (size_t k = 0; k < n; k++) {
    double *row = a + k * n;
    const double pivot = sqrt(row[k]);
    if (!(pivot > 0) || !isfinite(pivot)) return false;
    for (size_t j = k; j < n; j++) row[j] /= pivot;
    for (size_t i = k + 1; i < n; i++) take_off(a + i * n + i, row[i], row + i, n - i);
  }
  return true;
}

/* From U^T U = A to the lower triangle of A^-1 in `x`: solves U^T Y = I, then U X = Y. */
static void solve(const double *u, double *x, size_t n) {
  for (size_t k = 0; k < n; k++) memset(x + k * n, 0, n * sizeof *x);
  for (size_t k = 0; k < n; k++) {
    x[k * n + k] = 1;
    for (size_t j = 0; j <= k; j++) x[k * n + j] /= u[k * n + k];
    for (size_t i = k + 1; i < n; i++) take_off(x + i * n, u[k * n + i], x + k * n, k + 1);
  }
  for (size_t k = n; k-- > 0;) {
    for (size_t i = k + 1; i < n; i++) take_off(x + k * n, u[k * n + i], x + i * n, k + 1);
    for (size_t j = 0; j <= k; j++) x[k * n + j] /= u[k * n + k];
  }
}

static size_t spd_inverse_scratch(const deer_step *step) {
  return 2 * out_count(step) * sizeof(double);
}

static void spd_inverse_run(const deer_step *step) {
  const deer_real *in = in_real(step, 0);
  deer_real *out = out_real(step);
  const size_t n = (size_t)step->out.shape.dim[0];
  double *a = step->scratch, *x = a + n * n;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++)
      a[i * n + j] = ((double)in[i * n + j] + (double)in[j * n + i]) / 2;
  if (factor(a, n))
    solve(a, x, n);
  else
    for (size_t i = 0; i < n * n; i++) x[i] = NAN;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j <= i; j++) out[i * n + j] = out[j * n + i] = (deer_real)x[i * n + j];
}

/* -Y S Y with the symmetric part S of gy */
static void spd_inverse_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  deer_node transposed = deer_transpose(g, gy, (int[]){1, 0});
  deer_node symmetric = deer_scale(g, deer_add(g, gy, transposed), -0.5);
  gx[0] = deer_matmul(g, deer_matmul(g, self, symmetric, false, false), self, false, false);
}

const deer_op deer_op_spd_inverse = {.name = "spd_inverse",
                                     .n_inputs = 1,
                                     .shape = square_shape,
                                     .scratch = spd_inverse_scratch,
                                     .run = spd_inverse_run,
                                     .grad = spd_inverse_grad};

deer_node deer_spd_inverse(deer_graph *g, deer_node x) {
  return deer_graph_add(g, &deer_op_spd_inverse, &x, 1, NULL);
}

/* ---- diagonals: each op is the transpose of the other ---- */

static deer_status diagonal_shape(deer_step *step) {
  DEER_TRY(square_shape(step));
  step->out.shape = DEER_SHAPE(step->in[0].shape.dim[0]);
  return DEER_OK;
}

static void diagonal_run(const deer_step *step) {
  const deer_real *in = in_real(step, 0);
  const size_t n = out_count(step);
  for (size_t i = 0; i < n; i++) out_real(step)[i] = in[i * (n + 1)];
}

static void diagonal_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  (void)self;
  gx[0] = deer_diagonal_matrix(g, gy);
}

static deer_status diagonal_matrix_shape(deer_step *step) {
  DEER_TRY(check_dtype(step, 0, DEER_DTYPE_REAL));
  DEER_TRY(check_rank(step, 0, 1, "a vector"));
  const int n = step->in[0].shape.dim[0];
  step->out.shape = DEER_SHAPE(n, n);
  return DEER_OK;
}

static void diagonal_matrix_run(const deer_step *step) {
  deer_real *out = out_real(step);
  const size_t n = (size_t)step->out.shape.dim[0];
  memset(out, 0, n * n * sizeof *out);
  for (size_t i = 0; i < n; i++) out[i * (n + 1)] = in_real(step, 0)[i];
}

static void diagonal_matrix_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  (void)self;
  gx[0] = deer_diagonal(g, gy);
}

const deer_op deer_op_diagonal = {.name = "diagonal",
                                  .n_inputs = 1,
                                  .shape = diagonal_shape,
                                  .run = diagonal_run,
                                  .grad = diagonal_grad};
const deer_op deer_op_diagonal_matrix = {.name = "diagonal_matrix",
                                         .n_inputs = 1,
                                         .shape = diagonal_matrix_shape,
                                         .run = diagonal_matrix_run,
                                         .grad = diagonal_matrix_grad};

deer_node deer_diagonal(deer_graph *g, deer_node x) {
  return deer_graph_add(g, &deer_op_diagonal, &x, 1, NULL);
}

deer_node deer_diagonal_matrix(deer_graph *g, deer_node x) {
  return deer_graph_add(g, &deer_op_diagonal_matrix, &x, 1, NULL);
}
