/* ops_math.h: the part of ops_cases.h about gamma functions and matrices. */
#ifndef OPS_MATH_H
#define OPS_MATH_H

/* ---- gamma functions ---- */

EACH(lgamma, deer_lgamma(g, in[0]), lgamma(v[0]))
BUILD(polygamma, deer_polygamma(g, in[0], e->p[0]))

/* (-1)^(m+1) m! times the sum of (x + k)^-(m+1) over all k >= 0, the far ones as an integral; for
 * m = 0 what is left of it after the logarithm is taken off */
static double each_polygamma(const double *v, const example *e) {
  const int m = e->p[0], n = 3000;
  double sum = 0, factorial = 1, far = v[0] + n;
  for (int i = 2; i <= m; i++) factorial *= i;
  for (int k = n - 1; k >= 0; k--) sum += pow(v[0] + k, -m - 1);
  sum += m ? pow(far, -m) / m : -log(far);
  sum += pow(far, -m - 1) / 2 + (m + 1) * pow(far, -m - 2) / 12;
  return (m % 2 ? 1 : -1) * factorial * sum;
}

/* ---- matrices ---- */

/* a matrix between -1 and 1, and s[0] on the diagonal, which makes it positive definite */
BUILD(spd_inverse,
      deer_spd_inverse(g, deer_add(g, in[0],
                                   deer_diagonal_matrix(
                                       g, deer_constant(g, DEER_SHAPE(e->in[0].dim[0]), e->s[0])))))

/* Gauss and Jordan on the symmetric part */
static void whole_spd_inverse(const example *e, const double *const *in, double *out) {
  const int n = e->in[0].dim[0];
  double a[16][16];
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      a[i][j] = (in[0][i * n + j] + in[0][j * n + i]) / 2 + (i == j ? e->s[0] : 0);
      out[i * n + j] = i == j;
    }
  for (int k = 0; k < n; k++) {
    const double pivot = a[k][k];
    for (int j = 0; j < n; j++) a[k][j] /= pivot, out[k * n + j] /= pivot;
    for (int i = 0; i < n; i++) {
      const double times = a[i][k];
      for (int j = 0; i != k && j < n; j++)
        a[i][j] -= times * a[k][j], out[i * n + j] -= times * out[k * n + j];
    }
  }
}

BUILD(diagonal, deer_diagonal(g, in[0]))
BUILD(diagonal_matrix, deer_diagonal_matrix(g, in[0]))

static void whole_diagonal(const example *e, const double *const *in, double *out) {
  for (int i = 0, n = e->in[0].dim[0]; i < n; i++) out[i] = in[0][i * n + i];
}

static void whole_diagonal_matrix(const example *e, const double *const *in, double *out) {
  for (int i = 0, n = e->in[0].dim[0]; i < n * n; i++) out[i] = i / n == i % n ? in[0][i / n] : 0;
}

#endif
