/* product.c: a product of two matrices with what follows it in a network: a bias, a ReLU, or the
 * derivative of one. The compiler makes it out of a matmul and its only reader, so it has no
 * gradient of its own. */
#include "graph/compile.h"
#include "graph/op/internal.h"
#include "tensor/blas.h"

static bool transposed(const deer_step *step, int i) { return step->attr->number[i] != 0; }

static int extent(const deer_step *step, int i, int axis) {
  return step->in[i].shape.dim[transposed(step, i) ? 1 - axis : axis];
}

static deer_status product_shape(deer_step *step) {
  step->out.shape = DEER_SHAPE(extent(step, 0, 0), extent(step, 1, 1));
  return DEER_OK;
}

static void product_run(const deer_step *step) {
  const int flags = step->attr->number[2];
  deer_product p = {.transpose_a = transposed(step, 0),
                    .transpose_b = transposed(step, 1),
                    .m = step->out.shape.dim[0],
                    .n = step->out.shape.dim[1],
                    .k = extent(step, 0, 1),
                    .a = in_real(step, 0),
                    .b = in_real(step, 1),
                    .lda = step->in[0].shape.dim[1],
                    .ldb = step->in[1].shape.dim[1],
                    .ldc = step->out.shape.dim[1],
                    .c = out_real(step)};
  if (flags & DEER_PRODUCT_BIAS) p.bias = in_real(step, 2);
  if (flags & DEER_PRODUCT_RELU) p.epilogue = DEER_EPILOGUE_RELU;
  if (flags & DEER_PRODUCT_GATE) {
    p.epilogue = DEER_EPILOGUE_GATE;
    p.gate = in_real(step, step->n_in - 1);
    p.ldgate = p.n;
  }
  deer_gemm(&p);
}

static double product_flops(const deer_step *step) {
  return 2.0 * step->out.shape.dim[0] * step->out.shape.dim[1] * extent(step, 0, 1);
}

/* number[0] and number[1] as in matmul, number[2] holds the flags */
const deer_op deer_product_op = {.name = "product",
                                 .n_inputs = -1,
                                 .shape = product_shape,
                                 .run = product_run,
                                 .flops = product_flops};
