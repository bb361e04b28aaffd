/* gemm.h: the library's own matrix products; for tensor/ only. */
#ifndef DEER_GEMM_H
#define DEER_GEMM_H

#include "tensor/blas.h"

/* The product by a kernel for this CPU (AVX-512 or AVX2, float, beta 0 or 1); false, with nothing
 * done, when there is none for it. How an element is summed depends on k, the transposes and
 * whether n is at most 8, not on the number of rows, its row's place, or which of the two kernels
 * runs: in a wider result, or where A is transposed, it is one chain of fused multiply-adds over k,
 * in order; in the other narrow ones it is sixteen chains (gemm_narrow.inc). */
bool deer_gemm_own(const deer_product *product);

#endif
