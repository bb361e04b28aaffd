/* gemm.c: register-tiled matrix products without packing (B is packed only where it comes
 * transposed), one kernel for AVX-512 and one for AVX2, chosen at the first call. */
#include "tensor/gemm.h"

/* 1 when the library's real number is float */
#define KERNELS_float 1
#define GLUE(a, b)    a##b
#define KERNELS(real) GLUE(KERNELS_, real)

#if KERNELS(DEER_REAL) && defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define ROWS  6  /* of C in registers */
#define PANEL 64 /* columns of a packed panel */
#define K_BLOCK                                                                                    \
  512 /* elements of k before C goes back to memory; a panel of B stays in the second cache */

typedef struct span {
  int first, n;
} span;

typedef struct tile {
  const float *a, *b;
  float *c;
  ptrdiff_t a_row, a_step, ldb, ldc; /* a_row: to the next row of A', a_step: to its next element */
  int k;
  bool add;               /* C += instead of C = */
  const float *bias;      /* at the tile's first column; NULL: none */
  deer_epilogue epilogue; /* NONE until k ends */
  const float *gate;
  ptrdiff_t ldgate;
  union {
    __mmask16 wide_m;
    __m256i narrow_m;
  } mask; /* of the last vector of a row */
} tile;

/* ---- AVX-512 ---- */

#define NAME(x)                wide_##x
#define ISA                    __attribute__((target("avx512f,avx2,fma")))
#define WIDTH                  16
#define VECTORS                4
#define VECTOR                 __m512
#define MASK                   __mmask16
#define TAIL(n)                (__mmask16)((1u << (n)) - 1u)
#define LOAD(p)                _mm512_loadu_ps(p)
#define STORE(p, x)            _mm512_storeu_ps(p, x)
#define LOAD_TAIL(p, mask)     _mm512_maskz_loadu_ps(mask, p)
#define STORE_TAIL(p, mask, x) _mm512_mask_storeu_ps(p, mask, x)
#define SPREAD(p)              _mm512_set1_ps(*(p))
#define FMA(a, b, c)           _mm512_fmadd_ps(a, b, c)
#define ADD(a, b)              _mm512_add_ps(a, b)
#define ZERO()                 _mm512_setzero_ps()
#define KEEP(x, y, compare)    _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(y, ZERO(), compare), x)
#define GATHER(p, stride)                                                                          \
  _mm512_i32gather_ps(                                                                             \
      _mm512_mullo_epi32(_mm512_set1_epi32(stride),                                                \
                         _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)), \
      p, 4)
#include "tensor/gemm_tile.inc"
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
#undef GATHER

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
#define GATHER(p, stride)                                                                          \
  _mm256_i32gather_ps(                                                                             \
      p, _mm256_mullo_epi32(_mm256_set1_epi32(stride), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)), \
      4)
#include "tensor/gemm_tile.inc"

/* ---- choice ---- */

static int allowed = 2;

void deer_gemm_allow(int level) { allowed = level; }

/* what this CPU can run */
static int best_level(void) {
  if (__builtin_cpu_supports("avx512f")) return 2;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 1 : 0;
}

bool deer_gemm_own(const deer_product *p) {
  int level = best_level();
  if (level > allowed) level = allowed;
  if (level == 0 || (p->beta != 0 && p->beta != 1)) return false;
  if (level == 2)
    wide_product(p);
  else
    narrow_product(p);
  return true;
}

#else

void deer_gemm_allow(int level) { (void)level; }

bool deer_gemm_own(const deer_product *p) {
  (void)p;
  return false;
}

#endif
