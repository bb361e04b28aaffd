/* target.h: code for several kinds of CPU in one program. A function with one of these attributes
 * is compiled for that kind and must be called only where deer_cpu_level says so. Contraction is
 * off everywhere (-ffp-contract=off), so that all forms of a function give the same bits: what is
 * fused is written fmaf. */
#ifndef DEER_TARGET_H
#define DEER_TARGET_H

#include "tensor/tensor.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define DEER_HAVE_TARGETS 1
#define DEER_AVX2         __attribute__((target("avx2,fma")))
#if defined(__clang__)
#define DEER_AVX512                                                                                \
  __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,fma"), min_vector_width(512)))
#else
#define DEER_AVX512                                                                                \
  __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,fma,prefer-vector-width=512")))
#endif
#endif

/* 1 where the library's real number is float, which the vector code is written for */
#define DEER_REAL_IS_FLOAT       DEER_IS_FLOAT(DEER_REAL)
#define DEER_IS_FLOAT(real)      DEER_IS_FLOAT_GLUE(real)
#define DEER_IS_FLOAT_GLUE(real) DEER_IS_FLOAT_##real
#define DEER_IS_FLOAT_float      1

#endif
