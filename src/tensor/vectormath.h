/* vectormath.h: exp, log, tanh and the like of the library's real number, for kernels.
 *
 * The float functions have no branches, calls or tables, so the compiler turns loops over them into
 * vector code, and they use basic operations only, so an element has the same bits wherever it
 * stands, on any CPU and with any compiler that neither reorders nor fuses (-ffp-contract=off).
 * They are within 3 ulp and treat infinities and NaN as libm does. For double they are libm's. */
#ifndef DEER_VECTORMATH_H
#define DEER_VECTORMATH_H

#include <math.h>
#include <string.h>

#include "base/base.h"

#define DEER_EXP(x)      _Generic((deer_real)0, float : deer_expf, double : exp)(x)
#define DEER_LOG(x)      _Generic((deer_real)0, float : deer_logf, double : log)(x)
#define DEER_TANH(x)     _Generic((deer_real)0, float : deer_tanhf, double : tanh)(x)
#define DEER_SIN_PART(x) _Generic((deer_real)0, float : deer_sin_part, double : sin)(x)
#define DEER_COS_PART(x) _Generic((deer_real)0, float : deer_cos_part, double : cos)(x)
#define DEER_SQRT(x)     _Generic((deer_real)0, float : sqrtf, double : sqrt)(x)
#define DEER_FABS(x)     _Generic((deer_real)0, float : fabsf, double : fabs)(x)

static inline uint32_t deer_float_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline float deer_bits_float(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* a where the condition holds, else b, without a branch */
static inline float deer_select(bool condition, float a, float b) {
  const uint32_t mask = 0U - (uint32_t)condition;
  return deer_bits_float((deer_float_bits(a) & mask) | (deer_float_bits(b) & ~mask));
}

/* ln 2 in two parts; the first has so few bits that its products with small integers are exact */
#define DEER_LN2_HIGH 0.693359375F
#define DEER_LN2_LOW  -2.12194440e-4F

/* 2^n for -126 <= n <= 127 */
static inline float deer_power_of_two(int32_t n) {
  return deer_bits_float((uint32_t)(n + 127) << 23);
}

/* Splits x into n ln 2 + r with |r| <= ln 2 / 2; returns e^r - 1 by its Taylor series. |x| <= 104,
 * or NaN, which comes back as NaN with any n. */
static inline float deer_expm1_part(float x, int32_t *n) {
  /* adding 1.5 * 2^23 rounds to an integer, which is then in the low bits */
  const float shifted = x * 1.44269504F + 12582912.0F, whole = shifted - 12582912.0F;
  *n = (int32_t)(deer_float_bits(shifted) & 0x7fffff) - 0x400000;
  const float r = (x - whole * DEER_LN2_HIGH) - whole * DEER_LN2_LOW;
  float p = 1.0F / 5040;
  p = p * r + 1.0F / 720;
  p = p * r + 1.0F / 120;
  p = p * r + 1.0F / 24;
  p = p * r + 1.0F / 6;
  p = p * r + 0.5F;
  return p * r * r + r;
}

static inline float deer_expf(float x) {
  /* beyond these bounds the result is 0 or infinity anyhow; NaN passes both comparisons */
  const float low = deer_select(x < -104.0F, -104.0F, x);
  const float clamped = deer_select(low > 89.0F, 89.0F, low);
  int32_t n;
  const float part = 1.0F + deer_expm1_part(clamped, &n);
  /* in two steps, since 2^n itself may be too large or too small; the half is rounded down */
  const int32_t half = (int32_t)((uint32_t)(n + 256) >> 1) - 128;
  return part * deer_power_of_two(half) * deer_power_of_two(n - half);
}

/* e / (e + 2) with e = e^(2 |x|) - 1, and the sign of x */
static inline float deer_tanhf(float x) {
  const float size = fabsf(x), clamped = deer_select(size > 10.0F, 10.0F, size);
  int32_t n;
  const float part = deer_expm1_part(2.0F * clamped, &n), power = deer_power_of_two(n & 63);
  const float e = power * part + (power - 1.0F);
  return copysignf(e / (e + 2.0F), x);
}

/* 2 atanh(s) + n ln 2 with x = m 2^n, 0.7 < m < 1.5 and s = (m - 1) / (m + 1), by its Taylor series
 */
static inline float deer_logf(float x) {
  const float minimum = 1.17549435e-38F;
  const bool subnormal = x < minimum;
  const float normal = deer_select(subnormal, x * 8388608.0F, x);
  /* the bits of m become those of a number near 1, what is left over the exponent counts as n */
  const uint32_t bits = deer_float_bits(normal) - 0x3f3504f3;
  const int32_t n = (int32_t)(bits >> 23) - 512 * (int32_t)(bits >> 31) - 23 * (int32_t)subnormal;
  const float m = deer_bits_float((bits & 0x7fffff) + 0x3f3504f3), f = m - 1.0F;
  const float s = f / (2.0F + f), z = s * s;
  float p = 1.0F / 9;
  p = p * z + 1.0F / 7;
  p = p * z + 1.0F / 5;
  p = p * z + 1.0F / 3;
  const float whole = (float)n;
  const float y = whole * DEER_LN2_HIGH + (2.0F * s + (2.0F * s * z * p + whole * DEER_LN2_LOW));
  /* 0, negative numbers, infinity and NaN */
  const float special = deer_select(x == 0, -INFINITY, deer_select(x < 0, NAN, x));
  return deer_select((x > 0) & (x < INFINITY), y, special);
}

/* sine and cosine of |x| <= pi / 2 by their Taylor series; the cosine is within an ulp of 1 */
static inline float deer_sin_part(float x) {
  const float z = x * x;
  float p = -1.0F / 39916800;
  p = p * z + 1.0F / 362880;
  p = p * z - 1.0F / 5040;
  p = p * z + 1.0F / 120;
  p = p * z - 1.0F / 6;
  return x + x * z * p;
}

static inline float deer_cos_part(float x) {
  const float z = x * x;
  float p = 1.0F / 479001600;
  p = p * z - 1.0F / 3628800;
  p = p * z + 1.0F / 40320;
  p = p * z - 1.0F / 720;
  p = p * z + 1.0F / 24;
  return (1.0F - 0.5F * z) + z * z * p;
}

#endif
