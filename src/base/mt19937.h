/* mt19937.h: the Mersenne Twister as numpy's RandomState draws from it, so that a seed gives the
 * numbers that published experiments were made with. Matsumoto and Nishimura 1998. New code uses
 * rng.h. */
#ifndef DEER_MT19937_H
#define DEER_MT19937_H

#include "base/base.h"

typedef struct deer_mt19937 {
  uint32_t state[624];
  int next; /* position in `state` of the next word; 624 when a new block is due */
} deer_mt19937;

void deer_mt19937_seed(deer_mt19937 *mt, uint32_t seed);
uint32_t deer_mt19937_bits(deer_mt19937 *mt);
double deer_mt19937_uniform(deer_mt19937 *mt); /* [0, 1), 53 bits, RandomState.rand() */
uint32_t deer_mt19937_below(deer_mt19937 *mt,
                            uint32_t n); /* RandomState.randint(0, n), masked rejection; n >= 1 */

#endif
