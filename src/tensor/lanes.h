/* lanes.h: loops over neighbours, eight at a time, for the kernels of tensor/ that are compiled for
 * each kind of CPU. */
#ifndef DEER_LANES_H
#define DEER_LANES_H

#include <string.h>

#include "base/base.h"
#include "tensor/target.h"

#define DEER_LANES  8
#define DEER_INLINE static inline __attribute__((always_inline))
typedef deer_real deer_reals __attribute__((vector_size(DEER_LANES * sizeof(deer_real))));
typedef double deer_doubles __attribute__((vector_size(DEER_LANES * sizeof(double))));

/* eight neighbours; the same as doubles */
#define DEER_LOAD(p)                                                                               \
  __extension__({                                                                                  \
    deer_reals eight_;                                                                             \
    memcpy(&eight_, p, sizeof eight_);                                                             \
    eight_;                                                                                        \
  })
#define DEER_WIDEN(reals) __builtin_convertvector(reals, deer_doubles)

/* total = the sum over all i < n of a term that is written twice: `lanes` for the eight elements
 * from i on, `one` for element i. Its order depends on n alone; four terms are added as they are
 * before their sum becomes double. */
#define DEER_SUM(total, n, lanes, one)                                                             \
  do {                                                                                             \
    size_t i = 0;                                                                                  \
    (total) = 0;                                                                                   \
    if ((n) >= DEER_LANES) {                                                                       \
      deer_doubles part_ = {0}, other_ = {0};                                                      \
      deer_reals four_[4];                                                                         \
      double all_[DEER_LANES];                                                                     \
      while (i + 8 * DEER_LANES <= (n)) {                                                          \
        DEER_FOUR_TERMS(lanes);                                                                    \
        part_ += DEER_WIDEN((four_[0] + four_[1]) + (four_[2] + four_[3]));                        \
        DEER_FOUR_TERMS(lanes);                                                                    \
        other_ += DEER_WIDEN((four_[0] + four_[1]) + (four_[2] + four_[3]));                       \
      }                                                                                            \
      for (; i + DEER_LANES <= (n); i += DEER_LANES) part_ += DEER_WIDEN(lanes);                   \
      part_ += other_;                                                                             \
      memcpy(all_, &part_, sizeof all_);                                                           \
      (total) = ((all_[0] + all_[4]) + (all_[2] + all_[6])) +                                      \
                ((all_[1] + all_[5]) + (all_[3] + all_[7]));                                       \
    }                                                                                              \
    for (; i < (n); i++) (total) += (double)(one);                                                 \
  } while (0)
#define DEER_FOUR_TERMS(lanes)                                                                     \
  four_[0] = lanes, i += DEER_LANES, four_[1] = lanes, i += DEER_LANES;                            \
  four_[2] = lanes, i += DEER_LANES, four_[3] = lanes, i += DEER_LANES

/* Defines the function `head`, which takes `parameters` and calls `body` with `arguments`, in the
 * form for this CPU: body is DEER_INLINE. */
#ifdef DEER_HAVE_TARGETS
#define DEER_FOR_EVERY_CPU(head, body, parameters, arguments)                                      \
  static void generic_##body parameters { body arguments; }                                        \
  static DEER_AVX2 void narrow_##body parameters { body arguments; }                               \
  static DEER_AVX512 void wide_##body parameters { body arguments; }                               \
  head parameters {                                                                                \
    const int level_ = deer_cpu_level();                                                           \
    if (level_ == 2)                                                                               \
      wide_##body arguments;                                                                       \
    else if (level_ == 1)                                                                          \
      narrow_##body arguments;                                                                     \
    else                                                                                           \
      generic_##body arguments;                                                                    \
  }
#else
#define DEER_FOR_EVERY_CPU(head, body, parameters, arguments)                                      \
  head parameters { body arguments; }
#endif

#endif
