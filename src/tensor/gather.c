/* gather.c: the product of gathered rows for AVX-512, AVX2 and in plain C, chosen at each call, and
 * what brings its operands into shape. */
#include "tensor/gather.h"

#include "tensor/target.h"

/* ---- plain C ---- */

#if defined(FP_FAST_FMAF) && DEER_REAL_IS_FLOAT
#define MULTIPLY_ADD(a, b, c) __builtin_fmaf(a, b, c)
#else
#define MULTIPLY_ADD(a, b, c) ((c) + (a) * (b))
#endif

static deer_real finished(const deer_finish *f, int row, ptrdiff_t at, deer_real x) {
  if (f->bias) x += f->bias[row];
  if (f->relu && x <= 0) x = 0;
  return f->gate && f->gate[at] == 0 ? 0 : x;
}

/* `n` columns at j of row i, at most DEER_GATHER_WIDTH, so that their sums stay in registers */
static void plain_strip(const deer_gather_product *p, int i, int j, int n) {
  const ptrdiff_t place = (p->c_row ? p->c_row[i] : i) * p->c_unit + j;
  const deer_real *a = p->a + p->a_row[i];
  deer_real sum[DEER_GATHER_WIDTH] = {0}, *c = p->c + place;
  for (int v = 0; p->add && v < n; v++) sum[v] = c[v];
  for (int k = 0; k < p->k; k++) {
    const deer_real x = a[p->a_step[k]], *b = p->b + p->b_step[k] + j;
    if (n == DEER_GATHER_WIDTH)
      for (int v = 0; v < DEER_GATHER_WIDTH; v++) sum[v] = MULTIPLY_ADD(x, b[v], sum[v]);
    else
      for (int v = 0; v < n; v++) sum[v] = MULTIPLY_ADD(x, b[v], sum[v]);
  }
  for (int v = 0; v < n; v++) c[v] = finished(&p->finish, i, place + v, sum[v]);
}

static void plain_product(const deer_gather_product *p) {
  for (int i = 0; i < p->m; i++)
    for (int j = 0; j < p->columns; j += DEER_GATHER_WIDTH) {
      const int left = p->columns - j;
      plain_strip(p, i, j, left < DEER_GATHER_WIDTH ? left : DEER_GATHER_WIDTH);
    }
}

static void plain_transpose(const deer_transposition *t) {
  for (int j = 0; j < t->columns; j++)
    for (int i = 0; i < t->rows; i++) {
      const ptrdiff_t at = j * t->to_row + i;
      t->to[at] = finished(&t->finish, j, at, t->from[i * t->from_row + j]);
    }
}

#define CONVERT(name, attribute)                                                                   \
  static attribute void name##_convert(const uint8_t *restrict from, size_t n, deer_real factor,   \
                                       deer_real term, deer_real *restrict to) {                   \
    for (size_t i = 0; i < n; i++) to[i] = factor * ((deer_real)from[i] + term);                   \
  }
CONVERT(plain, )

#if DEER_REAL_IS_FLOAT && defined(DEER_HAVE_TARGETS)

#include <immintrin.h>

/* some rows of C, at most 8, from one column on */
typedef struct tile {
  const deer_gather_product *p;
  const float *a[8], *b;
  float *c[8];
} tile;

typedef void kernel(const tile *t);

/* the tile at row i and column j; past the last row of C it has the last one again */
static void aim(tile *t, int i, int j, int rows) {
  const deer_gather_product *p = t->p;
  t->b = p->b + j;
  for (int r = 0; r < rows; r++) {
    const int row = i + r < p->m ? i + r : p->m - 1;
    t->a[r] = p->a + p->a_row[row];
    t->c[r] = p->c + (p->c_row ? p->c_row[row] : row) * p->c_unit + j;
  }
}

/* n in whole tiles of `rows` */
static int whole(int n, int rows) { return (n + rows - 1) / rows * rows; }

/* ---- AVX-512 ---- */

#define WIDTH 16
#include "tensor/isa.inc"
#include "tensor/gather_tile.inc"

/* ---- AVX2 ---- */

#undef WIDTH
#define WIDTH 8
#include "tensor/isa.inc"
#include "tensor/gather_tile.inc"

CONVERT(avx2, ISA)

/* turns 8 x 8: pairs of rows are interleaved by ones, by twos, by fours */
static inline ISA void turn(__m256 x[8]) {
  __m256 y[8];
  for (int i = 0; i < 8; i += 2) {
    y[i] = _mm256_unpacklo_ps(x[i], x[i + 1]);
    y[i + 1] = _mm256_unpackhi_ps(x[i], x[i + 1]);
  }
  for (int i = 0; i < 8; i += 4)
    for (int k = 0; k < 2; k++) {
      x[i + 2 * k] = _mm256_shuffle_ps(y[i + k], y[i + 2 + k], 0x44);
      x[i + 2 * k + 1] = _mm256_shuffle_ps(y[i + k], y[i + 2 + k], 0xee);
    }
  for (int i = 0; i < 4; i++) {
    y[i] = _mm256_permute2f128_ps(x[i], x[i + 4], 0x20);
    y[i + 4] = _mm256_permute2f128_ps(x[i], x[i + 4], 0x31);
  }
  for (int i = 0; i < 8; i++) x[i] = y[i];
}

/* the square at row i and column j */
static inline ISA void square(const deer_transposition *t, int i, int j) {
  const deer_finish *f = &t->finish;
  const float *from = t->from + i * t->from_row + j;
  const ptrdiff_t at = j * t->to_row + i;
  __m256 x[8];
  for (int r = 0; r < 8; r++) x[r] = LOAD(from + r * t->from_row);
  turn(x);
  for (int r = 0; f->bias && r < 8; r++) x[r] = ADD(x[r], SPREAD(f->bias + j + r));
  for (int r = 0; f->relu && r < 8; r++) x[r] = KEEP(x[r], x[r], _CMP_NLE_UQ);
  for (int r = 0; f->gate && r < 8; r++)
    x[r] = KEEP(x[r], LOAD(f->gate + at + r * t->to_row), _CMP_NEQ_UQ);
  for (int r = 0; r < 8; r++) STORE(t->to + at + r * t->to_row, x[r]);
}

/* in squares; the last ones of a row and of a column reach back over what is there already */
static ISA void avx2_transpose(const deer_transposition *t) {
  if (t->rows < 8 || t->columns < 8) {
    plain_transpose(t);
    return;
  }
  for (int i = 0; i < t->rows; i += 8)
    for (int j = 0; j < t->columns; j += 8)
      square(t, i + 8 <= t->rows ? i : t->rows - 8, j + 8 <= t->columns ? j : t->columns - 8);
}

/* ---- choice ---- */

void deer_gather_gemm(const deer_gather_product *product) {
  const int level = deer_cpu_level();
  (level == 2 ? avx512_product : level == 1 ? avx2_product : plain_product)(product);
}

void deer_transpose_block(const deer_transposition *t) {
  (deer_cpu_level() > 0 ? avx2_transpose : plain_transpose)(t);
}

void deer_reals_of_bytes(const uint8_t *from, size_t n, deer_real factor, deer_real term,
                         deer_real *to) {
  (deer_cpu_level() > 0 ? avx2_convert : plain_convert)(from, n, factor, term, to);
}

#else

void deer_gather_gemm(const deer_gather_product *product) { plain_product(product); }

void deer_transpose_block(const deer_transposition *t) { plain_transpose(t); }

void deer_reals_of_bytes(const uint8_t *from, size_t n, deer_real factor, deer_real term,
                         deer_real *to) {
  plain_convert(from, n, factor, term, to);
}

#endif
