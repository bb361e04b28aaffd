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

#if KERNELS(DEER_REAL) && defined(__x86_64__) && defined(__GNUC__)

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

#define NAME(x)                wide_##x
#define ISA                    __attribute__((target("avx512f,avx2,fma")))
#define WIDTH                  16
#define VECTORS                4
#define VECTOR                 __m512
#define MASK                   __mmask16
#define TAIL(n)                (__mmask16)((1U << (n)) - 1U) /* n <= 16 */
#define LOAD(p)                _mm512_loadu_ps(p)
#define STORE(p, x)            _mm512_storeu_ps(p, x)
#define LOAD_TAIL(p, mask)     _mm512_maskz_loadu_ps(mask, p)
#define STORE_TAIL(p, mask, x) _mm512_mask_storeu_ps(p, mask, x)
#define SPREAD(p)              _mm512_set1_ps(*(p))
#define FMA(a, b, c)           _mm512_fmadd_ps(a, b, c)
#define ADD(a, b)              _mm512_add_ps(a, b)
#define ZERO()                 _mm512_setzero_ps()
#define KEEP(x, y, compare)    _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(y, ZERO(), compare), x)
#include "tensor/gather_tile.inc"
#undef NAME
#undef ISA
#undef WIDTH
#undef VECTORS
#undef VECTOR
#undef MASK
#undef TAIL
#undef LOAD
#undef STORE
#undef LOAD_TAIL
#undef STORE_TAIL
#undef SPREAD
#undef FMA
#undef ADD
#undef ZERO
#undef KEEP

/* ---- AVX2 ---- */

/* all ones in the first n of 8 lanes */
static __attribute__((target("avx2"))) __m256i narrow_tail(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

#define NAME(x)                narrow_##x
#define ISA                    __attribute__((target("avx2,fma")))
#define WIDTH                  8
#define VECTORS                2
#define VECTOR                 __m256
#define MASK                   __m256i
#define TAIL(n)                narrow_tail(n)
#define LOAD(p)                _mm256_loadu_ps(p)
#define STORE(p, x)            _mm256_storeu_ps(p, x)
#define LOAD_TAIL(p, mask)     _mm256_maskload_ps(p, mask)
#define STORE_TAIL(p, mask, x) _mm256_maskstore_ps(p, mask, x)
#define SPREAD(p)              _mm256_broadcast_ss(p)
#define FMA(a, b, c)           _mm256_fmadd_ps(a, b, c)
#define ADD(a, b)              _mm256_add_ps(a, b)
#define ZERO()                 _mm256_setzero_ps()
#define KEEP(x, y, compare)    _mm256_and_ps(x, _mm256_cmp_ps(y, ZERO(), compare))
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
