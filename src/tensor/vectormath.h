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

#define DEER_EXP(x)   _Generic((deer_real)0, float : deer_expf, double : exp)(x)
#define DEER_LOG(x)   _Generic((deer_real)0, float : deer_logf, double : log)(x)
#define DEER_TANH(x)  _Generic((deer_real)0, float : deer_tanhf, double : tanh)(x)
#define DEER_EXPM1(x) _Generic((deer_real)0, float : deer_expm1f, double : expm1)(x)
#define DEER_LOG1P(x) _Generic((deer_real)0, float : deer_log1pf, double : log1p)(x)
#define DEER_SOFTPLUS(x)                                                                           \
  _Generic((deer_real)0, float : deer_softplusf, double : deer_softplus_wide)(x)
#define DEER_SIN(x)    _Generic((deer_real)0, float : deer_sinf, double : sin)(x)
#define DEER_COS(x)    _Generic((deer_real)0, float : deer_cosf, double : cos)(x)
#define DEER_POW(x, y) _Generic((deer_real)0, float : deer_powf, double : pow)(x, y)
#define DEER_SELECT(condition, a, b)                                                               \
  _Generic((deer_real)0, float : deer_select, double : deer_select_wide)(condition, a, b)
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

/* the bits of a where those of the mask are 1, else those of b */
static inline float deer_blend(uint32_t mask, float a, float b) {
  return deer_bits_float((deer_float_bits(a) & mask) | (deer_float_bits(b) & ~mask));
}

/* a where the condition holds, else b, without a branch */
static inline float deer_select(bool condition, float a, float b) {
  return deer_blend(0U - (uint32_t)condition, a, b);
}

static inline uint64_t deer_double_bits(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline double deer_bits_double(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static inline double deer_select_wide(bool condition, double a, double b) {
  const uint64_t mask = 0U - (uint64_t)condition;
  return deer_bits_double((deer_double_bits(a) & mask) | (deer_double_bits(b) & ~mask));
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
  float p = 1.0F / 5040.0F;
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

/* h / (h + 1) with h = (e^(2 |x|) - 1) / 2, and the sign of x. 2 |x| is n ln 2 + 2 r with |r| <=
 * ln 2 / 4; (e^(2 r) - 1) / 2 is r + r^2 p(r), where p has the least relative error. Networks spend
 * so much time here that it is worth fused multiply-adds, which are asked for by name. */
static inline float deer_tanhf(float x) {
  /* at most 10; bits of NaN, which are those above infinity, wrap around to below all others */
  const uint32_t nan = 0x7f800001, most = 0x41200000 - nan;
  const uint32_t bits = (deer_float_bits(x) & 0x7fffffff) - nan;
  const float size = deer_bits_float((bits < most ? bits : most) + nan);
  /* adding 1.5 * 2^23 rounds to an integer, which is then in the low bits */
  const float shifted = fmaf(size, 2.88539008F, 12582912.0F), n = shifted - 12582912.0F;
  const float r = fmaf(n, -0.34657359028F, size), square = r * r;
  float p = fmaf(0.1338674138F, r, 0.3333376485F);
  p = fmaf(0.04442395175F, square, p);
  p = fmaf(p, square, fmaf(0.6666616876F, r, 0.9999999624F));
  const float part = fmaf(p, square, r);
  /* 2^n: what lies above the low bits of n leaves the word */
  const float power = deer_bits_float((deer_float_bits(shifted) << 23) + 0x3f800000);
  const float h = fmaf(power, part, fmaf(power, 0.5F, -0.5F));
  return copysignf(h / (h + 1.0F), x);
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
  float p = 1.0F / 6227020800.0F;
  p = p * z - 1.0F / 39916800.0F;
  p = p * z + 1.0F / 362880.0F;
  p = p * z - 1.0F / 5040.0F;
  p = p * z + 1.0F / 120;
  p = p * z - 1.0F / 6;
  return x + x * z * p;
}

static inline float deer_cos_part(float x) {
  const float z = x * x;
  float p = -1.0F / 87178291200.0F;
  p = p * z + 1.0F / 479001600.0F;
  p = p * z - 1.0F / 3628800.0F;
  p = p * z + 1.0F / 40320.0F;
  p = p * z - 1.0F / 720;
  p = p * z + 1.0F / 24;
  return (1.0F - 0.5F * z) + z * z * p;
}

#define DEER_HALF_PI  1.57079632679489661923
#define DEER_ROUND_64 6755399441055744.0 /* 1.5 * 2^52: adding it rounds a double to an integer */

/* The sine of x and `quarters` right angles. x less its multiple of pi / 2 is taken in double; what
 * is left lies within pi / 4 and is turned back by as many right angles. */
static inline float deer_sin_turned(float x, uint32_t quarters) {
  const double shifted = (double)x * (1 / DEER_HALF_PI) + DEER_ROUND_64;
  const double r = (double)x - (shifted - DEER_ROUND_64) * DEER_HALF_PI;
  const uint32_t turns = (uint32_t)deer_double_bits(shifted) + quarters;
  const float near = (float)r, s = deer_sin_part(near), c = deer_cos_part(near);
  const float y = deer_blend(0U - (turns & 1), c, s);
  const float turned = deer_bits_float(deer_float_bits(y) ^ ((turns & 2) << 30));
  /* of numbers so large that nothing is left of their fraction; NaN and infinity give NaN */
  return deer_select(fabsf(near) > 1.0F, 0.0F, turned);
}

/* Sine and cosine, within 2 ulp up to |x| = 4 and within 2^-23 up to 1e6; farther out the fraction
 * that the result depends on fades. */
static inline float deer_sinf(float x) { return deer_sin_turned(x, 0); }
static inline float deer_cosf(float x) { return deer_sin_turned(x, 1); }

/* e^x - 1, close for small x too */
static inline float deer_expm1f(float x) {
  const float low = deer_select(x < -30.0F, -30.0F, x), near = deer_select(low > 30.0F, 30.0F, low);
  int32_t n;
  const float part = deer_expm1_part(near, &n), power = deer_power_of_two(n);
  return deer_select(x > 30.0F, deer_expf(x), power * part + (power - 1.0F));
}

/* log(1 + x), close for small x too: what is lost when 1 + x is rounded comes back as d / (1 + x)
 */
static inline float deer_log1pf(float x) {
  const float u = 1.0F + x, d = x - (u - 1.0F), y = deer_logf(u);
  return deer_select((x > -1.0F) & (x < INFINITY), y + d / u, y);
}

/* log(1 + e^x): the larger of x and 0, and log(1 + e) with e = e^-|x|, which is 2 atanh(s) with
 * s = e / (2 + e) */
static inline float deer_softplusf(float x) {
  const float e = deer_expf(-fabsf(x)), s = e / (2.0F + e), z = s * s;
  float p = 1.0F / 13;
  p = p * z + 1.0F / 11;
  p = p * z + 1.0F / 9;
  p = p * z + 1.0F / 7;
  p = p * z + 1.0F / 5;
  p = p * z + 1.0F / 3;
  return deer_select(x <= 0, 0, x) + (2.0F * s + 2.0F * s * z * p);
}

static inline double deer_softplus_wide(double x) { return fmax(x, 0) + log1p(exp(-fabs(x))); }

/* log(x) in double for a normal x > 0; within 1e-11, which leaves y log(x) close in float */
static inline double deer_log_wide(float x) {
  const uint32_t bits = deer_float_bits(x) - 0x3f3504f3;
  const int32_t n = (int32_t)(bits >> 23) - 512 * (int32_t)(bits >> 31);
  const double f = (double)deer_bits_float((bits & 0x7fffff) + 0x3f3504f3) - 1;
  const double s = f / (2 + f), z = s * s;
  double p = 1.0 / 13;
  p = p * z + 1.0 / 11;
  p = p * z + 1.0 / 9;
  p = p * z + 1.0 / 7;
  p = p * z + 1.0 / 5;
  p = p * z + 1.0 / 3;
  return (double)n * 0.693147180559945309 + (2 * s + 2 * s * z * p);
}

/* e^t in double, rounded to float; |t| <= 120 */
static inline float deer_exp_wide(double t) {
  const double shifted = t * 1.44269504088896341 + DEER_ROUND_64, n = shifted - DEER_ROUND_64;
  const double r = t - n * 0.693147180559945309;
  double p = 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 0.5;
  /* what is above the low bits of n leaves the word */
  return (float)((p * r * r + r + 1) * deer_bits_double((deer_double_bits(shifted) + 1023) << 52));
}

/* x^y as in libm: of negative x for whole y alone; 1 where y is 0 or x is 1 */
static inline float deer_powf(float x, float y) {
  const float size = fabsf(x);
  const bool tiny = size < 1.17549435e-38F;
  const double t = (double)y * (deer_log_wide(deer_select(tiny, size * 8388608.0F, size)) -
                                (double)deer_select(tiny, 23, 0) * 0.693147180559945309);
  /* beyond these bounds the result is 0 or infinity anyhow */
  const double low = deer_select_wide(t < -120, -120, t);
  float result = deer_exp_wide(deer_select_wide(low > 120, 120, low));

  /* where the logarithm is infinite, the result is 0 or infinity unless y is 0 */
  const float end = deer_select((size == 0) ^ (y > 0), INFINITY, 0);
  result = deer_select((size == 0) | (size == INFINITY), end, result);

  /* numbers from 2^24 on are even */
  const bool large = fabsf(y) >= 16777216.0F;
  const int32_t whole = (int32_t)deer_select(large, 0, y);
  const bool is_whole = large | ((float)whole == y);
  const uint32_t odd = (uint32_t)whole & (uint32_t)is_whole;
  result = deer_bits_float(deer_float_bits(result) ^
                           ((deer_float_bits(x) & 0x80000000U) & (0U - (odd & 1))));
  result = deer_select((x < 0) & (size < INFINITY) & !is_whole, NAN, result);
  result = deer_select((x != x) | (y != y), x + y, result);
  const bool one = (y == 0) | (x == 1.0F) | ((size == 1.0F) & (fabsf(y) == INFINITY));
  return deer_select(one, 1.0F, result);
}

#endif
