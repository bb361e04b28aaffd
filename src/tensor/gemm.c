/* gemm.c: the library's own matrix products: kernels for AVX-512 and for AVX2, written once in
 * gemm_tile.inc and gemm_narrow.inc in the words of isa.inc, compiled for each, and chosen at every
 * call. */
#include "tensor/gemm.h"

#include "tensor/target.h"

#if DEER_REAL_IS_FLOAT && defined(DEER_HAVE_TARGETS)

#include <immintrin.h>

/* before a loop over registers, whose bounds are constants */
#ifdef __clang__
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

enum {
  ROWS = 6,       /* of C in registers */
  K_BLOCK = 512,  /* elements of k before C goes back to memory; such a panel stays in L2 */
  FAR = 1024,     /* row length from which each row lies on a page of its own */
  MANY = 96,      /* rows of C for which it pays to bring together what lies far apart */
  NARROW = 8,     /* columns up to which a result is narrow */
  NARROW_K = 2048 /* elements of k that a narrow result sums at a time */
};

/* where packed panels of B, or narrow results before they are turned, lie; and rows of A' */
static _Thread_local float packed[K_BLOCK * 64] __attribute__((aligned(64)));
static _Thread_local float turned_a[MANY * K_BLOCK] __attribute__((aligned(64)));

typedef struct span {
  int first, n;
} span;

/* the part of 0..end from `first` on that is at most n long */
static span part(int first, int n, int end) {
  return (span){first, end - first < n ? end - first : n};
}

/* the part of a product that is computed at a time */
typedef struct piece {
  span rows, columns, k;
  const float *a; /* its rows and elements of A' */
  ptrdiff_t a_row, a_step;
} piece;

typedef struct tile {
  const float *a, *b;
  float *c;
  ptrdiff_t a_row, a_step, ldb, ldc; /* a_row: to the next row of A', a_step: to its next element */
  int k, columns;
  bool add;               /* C += instead of C = */
  deer_epilogue epilogue; /* NONE until k ends */
  const float *bias;      /* at the tile's first column; NULL: none */
  const float *gate;      /* NULL: none */
  ptrdiff_t ldgate;
} tile;

/* rows of A and rows of B that meet in narrow results */
typedef struct strips {
  const float *a, *b;
  ptrdiff_t lda, ldb;
  int k;
} strips;

/* how a row of a narrow result, up to four columns of it, ends */
typedef struct ending {
  float *c; /* its first row */
  const float *gate;
  ptrdiff_t ldc, ldgate;
  bool add;
  deer_epilogue epilogue;
  __m128 bias;
} ending;

static bool reads_gate(deer_epilogue epilogue) {
  return epilogue == DEER_EPILOGUE_GATE || epilogue == DEER_EPILOGUE_SLOPE;
}

/* a column of C that can be computed as a row */
static bool lies_like_a_row(const deer_product *p) {
  return p->n == 1 && p->ldc == 1 && p->beta == 0 && !p->bias &&
         (!reads_gate(p->epilogue) || p->ldgate == 1);
}

/* all ones in the first n of 4 lanes */
static inline __m128i first_of_4(int n) {
  return _mm_cmpgt_epi32(_mm_set1_epi32(n), _mm_setr_epi32(0, 1, 2, 3));
}

/* ---- AVX-512 ---- */

#define WIDTH 16
#include "tensor/isa.inc"
#define LONG       16 /* vectors of a single row */
#define RELU(x)    _mm512_add_ps(_mm512_max_ps(ZERO(), x), ZERO())
#define LOW(x, y)  _mm512_unpacklo_ps(x, y)
#define HIGH(x, y) _mm512_unpackhi_ps(x, y)
#define LOW_PAIR(x, y)                                                                             \
  _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(x), _mm512_castps_pd(y)))
#define HIGH_PAIR(x, y)                                                                            \
  _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(x), _mm512_castps_pd(y)))
#define PARTS_OF(x, y, which) _mm512_shuffle_f32x4(x, y, which)
#define PART(to, x, i)        _mm512_insertf32x4(to, x, i)
#define FIRST_PART(x)         _mm512_castps128_ps512(x)
/* lanes l and l + 8 of the sixteen of an element */
#define FOLD(c)                                                                                    \
  _mm256_add_ps(_mm512_castps512_ps256(c[0]),                                                      \
                _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(c[0]), 1)))
#include "tensor/gemm_tile.inc"
#include "tensor/gemm_narrow.inc"
#undef LONG
#undef RELU
#undef LOW
#undef HIGH
#undef LOW_PAIR
#undef HIGH_PAIR
#undef PARTS_OF
#undef PART
#undef FIRST_PART
#undef FOLD

/* ---- AVX2 ---- */

#undef WIDTH
#define WIDTH 8
#include "tensor/isa.inc"
#define LONG       8
#define RELU(x)    _mm256_add_ps(_mm256_max_ps(ZERO(), x), ZERO())
#define LOW(x, y)  _mm256_unpacklo_ps(x, y)
#define HIGH(x, y) _mm256_unpackhi_ps(x, y)
#define LOW_PAIR(x, y)                                                                             \
  _mm256_castpd_ps(_mm256_unpacklo_pd(_mm256_castps_pd(x), _mm256_castps_pd(y)))
#define HIGH_PAIR(x, y)                                                                            \
  _mm256_castpd_ps(_mm256_unpackhi_pd(_mm256_castps_pd(x), _mm256_castps_pd(y)))
#define PART(to, x, i) _mm256_insertf128_ps(to, x, i)
#define FIRST_PART(x)  _mm256_castps128_ps256(x)
#define FOLD(c)        _mm256_add_ps(c[0], c[1])
#include "tensor/gemm_tile.inc"
#include "tensor/gemm_narrow.inc"

/* ---- choice ---- */

bool deer_gemm_own(const deer_product *p) {
  const int level = deer_cpu_level();
  if (level == 0 || (p->beta != 0 && p->beta != 1)) return false;
  if (level == 2)
    avx512_product(p);
  else
    avx2_product(p);
  return true;
}

#else

bool deer_gemm_own(const deer_product *p) {
  (void)p;
  return false;
}

#endif
