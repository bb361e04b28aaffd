/* gather.c: the product of gathered rows for AVX-512, AVX2 and in plain C, chosen at each call, and
 * what brings its operands into shape. */
#include "tensor/gather.h"

/* 1 when the library's real number is float */
#define KERNELS_float 1
#define GLUE(a, b)    a##b
#define KERNELS(real) GLUE(KERNELS_, real)

/* ---- plain C ---- */

#if defined(FP_FAST_FMAF) && KERNELS(DEER_REAL)
#define MULTIPLY_ADD(a, b, c) __builtin_fmaf(a, b, c)
#else
#define MULTIPLY_ADD(a, b, c) ((c) + (a) * (b))
#endif

/* DEER_GATHER_WIDTH columns at j of one row, so that their sums stay in registers */
static void plain_strip(const deer_gather_product *p, const deer_real *a, int j, deer_real *c) {
  deer_real sum[DEER_GATHER_WIDTH] = {0};
  const deer_real *b = p->b + j;
  for (int v = 0; p->add && v < DEER_GATHER_WIDTH; v++) sum[v] = c[v];
  for (int k = 0; k < p->k; k++, b += p->columns) {
    const deer_real x = a[p->a_step[k]];
    for (int v = 0; v < DEER_GATHER_WIDTH; v++) sum[v] = MULTIPLY_ADD(x, b[v], sum[v]);
  }
  for (int v = 0; v < DEER_GATHER_WIDTH; v++) c[v] = sum[v];
}

static void plain_product(const deer_gather_product *p) {
  for (int i = 0; i < p->m; i++) {
    deer_real *c = p->c + (ptrdiff_t)(p->c_row ? p->c_row[i] : i) * p->columns;
    for (int j = 0; j < p->columns; j += DEER_GATHER_WIDTH)
      plain_strip(p, p->a + p->a_row[i], j, c + j);
  }
}

static deer_real finished(const deer_finish *f, int row, ptrdiff_t at, deer_real x) {
  if (f->bias) x += f->bias[row];
  if (f->relu && x <= 0) x = 0;
  return f->gate && f->gate[at] == 0 ? 0 : x;
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

#if KERNELS(DEER_REAL) && defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

/* ---- AVX-512 ---- */

#define NAME(x)      wide_##x
#define ISA          __attribute__((target("avx512f,avx2,fma")))
#define WIDTH        16
#define VECTORS      4
#define VECTOR       __m512
#define LOAD(p)      _mm512_loadu_ps(p)
#define STORE(p, x)  _mm512_storeu_ps(p, x)
#define SPREAD(p)    _mm512_set1_ps(*(p))
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define ZERO()       _mm512_setzero_ps()
#include "tensor/gather_tile.inc"
#undef NAME
#undef ISA
#undef WIDTH
#undef VECTORS
#undef VECTOR
#undef LOAD
#undef STORE
#undef SPREAD
#undef FMA
#undef ZERO

/* ---- AVX2 ---- */

#define NAME(x)      narrow_##x
#define ISA          __attribute__((target("avx2,fma")))
#define WIDTH        8
#define VECTORS      2
#define VECTOR       __m256
#define LOAD(p)      _mm256_loadu_ps(p)
#define STORE(p, x)  _mm256_storeu_ps(p, x)
#define SPREAD(p)    _mm256_broadcast_ss(p)
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define ZERO()       _mm256_setzero_ps()
#include "tensor/gather_tile.inc"

CONVERT(narrow, ISA)

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

/* x where y compared with 0 is true, else 0 */
#define KEEP(x, y, compare) _mm256_and_ps(x, _mm256_cmp_ps(y, ZERO(), compare))

/* the square at row i and column j */
static inline ISA void square(const deer_transposition *t, int i, int j) {
  const deer_finish *f = &t->finish;
  const float *from = t->from + i * t->from_row + j;
  const ptrdiff_t at = j * t->to_row + i;
  __m256 x[8];
  for (int r = 0; r < 8; r++) x[r] = LOAD(from + r * t->from_row);
  turn(x);
  for (int r = 0; f->bias && r < 8; r++) x[r] = _mm256_add_ps(x[r], SPREAD(f->bias + j + r));
  for (int r = 0; f->relu && r < 8; r++) x[r] = KEEP(x[r], x[r], _CMP_NLE_UQ);
  for (int r = 0; f->gate && r < 8; r++)
    x[r] = KEEP(x[r], LOAD(f->gate + at + r * t->to_row), _CMP_NEQ_UQ);
  for (int r = 0; r < 8; r++) STORE(t->to + at + r * t->to_row, x[r]);
}

/* in squares; the last ones of a row and of a column reach back over what is there already */
static ISA void narrow_transpose(const deer_transposition *t) {
  if (t->rows < 8 || t->columns < 8) {
    plain_transpose(t);
    return;
  }
  for (int i = 0; i < t->rows; i += 8)
    for (int j = 0; j < t->columns; j += 8)
      square(t, i + 8 <= t->rows ? i : t->rows - 8, j + 8 <= t->columns ? j : t->columns - 8);
}

/* ---- choice ---- */

static int allowed = 2;

void deer_gather_allow(int level) { allowed = level; }

/* what this CPU can run */
static int best_level(void) {
  if (allowed >= 2 && __builtin_cpu_supports("avx512f")) return 2;
  const bool narrow = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return allowed >= 1 && narrow ? 1 : 0;
}

void deer_gather_gemm(const deer_gather_product *product) {
  const int level = best_level();
  (level == 2 ? wide_product : level == 1 ? narrow_product : plain_product)(product);
}

void deer_transpose_block(const deer_transposition *t) {
  (best_level() > 0 ? narrow_transpose : plain_transpose)(t);
}

void deer_reals_of_bytes(const uint8_t *from, size_t n, deer_real factor, deer_real term,
                         deer_real *to) {
  (best_level() > 0 ? narrow_convert : plain_convert)(from, n, factor, term, to);
}

#else

void deer_gather_allow(int level) { (void)level; }

void deer_gather_gemm(const deer_gather_product *product) { plain_product(product); }

void deer_transpose_block(const deer_transposition *t) { plain_transpose(t); }

void deer_reals_of_bytes(const uint8_t *from, size_t n, deer_real factor, deer_real term,
                         deer_real *to) {
  plain_convert(from, n, factor, term, to);
}

#endif
