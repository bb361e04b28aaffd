/* mt19937.c: the Mersenne Twister, seeded and read as numpy's RandomState does. */
#include "base/mt19937.h"

#define N 624
#define M 397

void deer_mt19937_seed(deer_mt19937 *mt, uint32_t seed) {
  for (uint32_t i = 0; i < N; i++) {
    mt->state[i] = seed;
    seed = 1812433253u * (seed ^ (seed >> 30)) + i + 1;
  }
  mt->next = N;
}

/* the next block of N words */
static void twist(deer_mt19937 *mt) {
  uint32_t *s = mt->state;
  for (int i = 0; i < N; i++) {
    uint32_t y = (s[i] & 0x80000000u) | (s[(i + 1) % N] & 0x7fffffffu);
    s[i] = s[(i + M) % N] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0);
  }
  mt->next = 0;
}

uint32_t deer_mt19937_bits(deer_mt19937 *mt) {
  if (mt->next >= N) twist(mt);
  uint32_t y = mt->state[mt->next++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

double deer_mt19937_uniform(deer_mt19937 *mt) {
  uint32_t high = deer_mt19937_bits(mt) >> 5, low = deer_mt19937_bits(mt) >> 6;
  return (high * 67108864.0 + low) / 9007199254740992.0;
}

uint32_t deer_mt19937_below(deer_mt19937 *mt, uint32_t n) {
  if (n < 2) return 0;
  uint32_t largest = n - 1, mask = largest, value;
  for (int shift = 1; shift < 32; shift *= 2) mask |= mask >> shift;
  do value = deer_mt19937_bits(mt) & mask;
  while (value > largest);
  return value;
}
