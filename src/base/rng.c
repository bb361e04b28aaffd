/* rng.c: xoshiro256++ streams split by name. */
#include "base/rng.h"

#include <math.h>

static uint64_t rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

static uint64_t splitmix(uint64_t *state) {
  uint64_t z = (*state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

deer_rng deer_rng_seed(uint64_t seed) {
  deer_rng rng;
  for (int i = 0; i < 4; i++) rng.s[i] = splitmix(&seed);
  return rng;
}

deer_rng deer_rng_split(const deer_rng *parent, const char *name) {
  /* FNV-1a over the name, started from the whole parent state */
  uint64_t hash = 0xcbf29ce484222325u;
  for (int i = 0; i < 4; i++) hash = (hash ^ parent->s[i]) * 0x100000001b3u, hash ^= hash >> 29;
  for (; *name; name++) hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
  return deer_rng_seed(hash);
}

static inline uint64_t next(uint64_t s[4]) {
  const uint64_t result = rotate(s[0] + s[3], 23) + s[0], t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate(s[3], 45);
  return result;
}

uint64_t deer_rng_bits(deer_rng *rng) { return next(rng->s); }

void deer_rng_fill(deer_rng *rng, uint64_t *words, size_t n) {
  deer_rng moving = *rng; /* a copy stays in registers */
  for (size_t i = 0; i < n; i++) words[i] = next(moving.s);
  *rng = moving;
}

double deer_rng_uniform(deer_rng *rng) { return (double)(deer_rng_bits(rng) >> 11) * 0x1p-53; }

uint64_t deer_rng_below(deer_rng *rng, uint64_t n) {
  if (n < 2) return 0;
  /* values below 2^64 mod n, the rest of an incomplete round, would favour small results; what is
   * not below n is none of them, so the remainder is seldom worked out */
  uint64_t bits = next(rng->s);
  while (bits < n && bits < (UINT64_MAX - n + 1) % n) bits = next(rng->s);
  return bits % n;
}

double deer_rng_normal(deer_rng *rng) {
  double x, y, r;
  do {
    x = 2 * deer_rng_uniform(rng) - 1;
    y = 2 * deer_rng_uniform(rng) - 1;
    r = x * x + y * y;
  } while (r >= 1 || r == 0);
  return x * sqrt(-2 * log(r) / r);
}
