/* fill.h: arrays of random numbers, some hundred millions a second.
 *
 * One 64-bit word of the stream gives two numbers, the last one half used where n is odd. The same
 * stream gives the same bits on every CPU. The double build gives the same numbers up to rounding.
 */
#ifndef DEER_FILL_H
#define DEER_FILL_H

#include "base/rng.h"

/* [0, 1), multiples of 2^-24. */
void deer_fill_uniform(deer_rng *rng, deer_real *out, size_t n);

/* Mean 0, variance 1, none beyond 6.7. Box and Muller 1958. */
void deer_fill_normal(deer_rng *rng, deer_real *out, size_t n);

/* The standard Gumbel distribution, -log(-log(u)), none beyond -2.9 and 16.7. */
void deer_fill_gumbel(deer_rng *rng, deer_real *out, size_t n);

/* The gamma distribution of scale 1 and shape shapes[i] > 0, at least the smallest normal number;
 * NaN for other shapes. Takes as many words as it needs, and draws one by one. Marsaglia and Tsang
 * 2000. */
void deer_fill_gamma(deer_rng *rng, const deer_real *shapes, deer_real *out, size_t n);

#endif
