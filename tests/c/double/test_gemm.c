/* test_gemm.c: matrix products in double precision, where OpenBLAS computes them all. */
#include "../test_gemm.c"
