/* fill.c: arrays of random numbers: words of the stream, block by block, turned into numbers by
 * loops that the compiler vectorises for each instruction set. */
#include "tensor/fill.h"

#include "tensor/lanes.h"
#include "tensor/vectormath.h"

#define WORDS 128 /* of a block; each gives two numbers */
#define GROUP 8   /* words that are turned together */

/* (k + 1/2) / 2^31, in (0, 1] after rounding */
static inline deer_real fraction(uint32_t bits) {
  return ((deer_real)(int32_t)(bits >> 1) + (deer_real)0.5) * (deer_real)0x1p-31;
}

DEER_INLINE void uniform_block(const uint64_t *restrict words, int n, deer_real *restrict out) {
  for (int i = 0; i < n; i++) {
    out[2 * i] = (deer_real)(int32_t)((uint32_t)words[i] >> 8) * (deer_real)0x1p-24;
    out[2 * i + 1] = (deer_real)(int32_t)(words[i] >> 40) * (deer_real)0x1p-24;
  }
}

/* a radius, an angle in the right half of the circle, and a sign that turns it into the left */
DEER_INLINE void normal_block(const uint64_t *restrict words, int n, deer_real *restrict out) {
  for (int i = 0; i < n; i++) {
    const uint32_t low = (uint32_t)words[i], high = (uint32_t)(words[i] >> 32);
    const deer_real radius = DEER_SQRT(-2 * DEER_LOG(fraction(low)));
    const deer_real turned = (deer_real)(1 - 2 * (int32_t)(low & 1)) * radius;
    const deer_real angle = (deer_real)(int32_t)high * (deer_real)(1.57079632679489662 * 0x1p-31);
    out[2 * i] = turned * DEER_COS_PART(angle);
    out[2 * i + 1] = turned * DEER_SIN_PART(angle);
  }
}

/* of (k + 1/2) / 2^23, which is exact and neither 0 nor 1 */
static inline deer_real gumbel(uint32_t bits) {
  const deer_real u = ((deer_real)(int32_t)(bits >> 9) + (deer_real)0.5) * (deer_real)0x1p-23;
  return -DEER_LOG(-DEER_LOG(u));
}

DEER_INLINE void gumbel_block(const uint64_t *restrict words, int n, deer_real *restrict out) {
  for (int i = 0; i < n; i++) {
    out[2 * i] = gumbel((uint32_t)words[i]);
    out[2 * i + 1] = gumbel((uint32_t)(words[i] >> 32));
  }
}

DEER_FOR_EVERY_CPU(static void turn_uniform, uniform_block,
                   (const uint64_t *words, int n, deer_real *out), (words, n, out))
DEER_FOR_EVERY_CPU(static void turn_normal, normal_block,
                   (const uint64_t *words, int n, deer_real *out), (words, n, out))
DEER_FOR_EVERY_CPU(static void turn_gumbel, gumbel_block,
                   (const uint64_t *words, int n, deer_real *out), (words, n, out))

typedef void block_function(const uint64_t *words, int n, deer_real *out);

static void fill(deer_rng *rng, deer_real *out, size_t n, block_function *turn) {
  uint64_t words[WORDS];
  for (; n >= 2 * WORDS; n -= 2 * WORDS, out += 2 * WORDS) {
    deer_rng_fill(rng, words, WORDS);
    turn(words, WORDS, out);
  }
  if (n == 0) return;
  /* the rest is turned in whole groups, whose last words are not drawn */
  deer_real rest[2 * WORDS];
  const size_t used = (n + 1) / 2, whole = (used + GROUP - 1) / GROUP * GROUP;
  deer_rng_fill(rng, words, used);
  memset(words + used, 0, (whole - used) * sizeof *words);
  turn(words, (int)whole, rest);
  memcpy(out, rest, n * sizeof *out);
}

void deer_fill_uniform(deer_rng *rng, deer_real *out, size_t n) { fill(rng, out, n, turn_uniform); }

void deer_fill_normal(deer_rng *rng, deer_real *out, size_t n) { fill(rng, out, n, turn_normal); }

void deer_fill_gumbel(deer_rng *rng, deer_real *out, size_t n) { fill(rng, out, n, turn_gumbel); }

/* ---- gamma ---- */

/* shape of at least 1: d v with v = (1 + c x)^3 and a normal x, where few are rejected */
static double gamma_above_one(deer_rng *rng, double shape) {
  const double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
  for (;;) {
    const double x = deer_rng_normal(rng), root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root, u = deer_rng_uniform(rng), x2 = x * x;
    if (u < 1 - 0.0331 * x2 * x2 || log(u) < 0.5 * x2 + d * (1 - v + log(v))) return d * v;
  }
}

void deer_fill_gamma(deer_rng *rng, const deer_real *shapes, deer_real *out, size_t n) {
  const double least = (double)1.17549435e-38F;
  for (size_t i = 0; i < n; i++) {
    const double shape = (double)shapes[i];
    double x = NAN;
    if (shape > 0 && isfinite(shape)) {
      x = gamma_above_one(rng, shape < 1 ? shape + 1 : shape);
      /* from shape + 1 to shape: times u^(1 / shape) */
      if (shape < 1) x *= pow(1 - deer_rng_uniform(rng), 1 / shape);
    }
    out[i] = (deer_real)(x < least ? least : x);
  }
}
