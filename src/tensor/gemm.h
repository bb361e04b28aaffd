/* gemm.h: the library's own matrix product for small and middle sizes; for tensor/ only. */
#ifndef DEER_GEMM_H
#define DEER_GEMM_H

#include "tensor/blas.h"

/* The product by a kernel for this CPU (AVX-512 or AVX2, float); false, with nothing done, when
 * there is none for it. Every element is one chain of fused multiply-adds over k, in order: its
 * bits do not depend on the number of rows, on its place, or on which of the two kernels runs. */
bool deer_gemm_own(const deer_product *product);

/* For tests: which kernels may run; 0 none, 1 AVX2, 2 AVX-512 too (the start). What the CPU lacks
 * never runs. */
void deer_gemm_allow(int level);

#endif
