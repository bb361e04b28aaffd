/* rng.h: reproducible random numbers. Every stochastic call takes a stream; streams split from one
 * seed, so that adding a draw in one place changes nothing elsewhere. Generator: xoshiro256++
 * (Blackman and Vigna 2018), seeded by splitmix64. A stream is a plain value: copying it copies its
 * future. */
#ifndef DEER_RNG_H
#define DEER_RNG_H

#include "base/base.h"

typedef struct deer_rng {
  uint64_t s[4];
} deer_rng;

/* A stream that depends on `seed` alone. */
deer_rng deer_rng_seed(uint64_t seed);

/* An independent stream named `name` ("replay", "policy"): the same parent state and name give the
 * same stream. The parent does not move. */
deer_rng deer_rng_split(const deer_rng *parent, const char *name);

uint64_t deer_rng_bits(deer_rng *rng); /* 64 random bits */

/* The next `n` results of deer_rng_bits. Arrays of real numbers: tensor/fill.h. */
void deer_rng_fill(deer_rng *rng, uint64_t *words, size_t n);

double deer_rng_uniform(deer_rng *rng);             /* [0, 1), 53 bits */
uint64_t deer_rng_below(deer_rng *rng, uint64_t n); /* 0 .. n-1, without bias; n >= 1 */
double deer_rng_normal(deer_rng *rng); /* mean 0, variance 1 (polar method, no stored half) */

#endif
