/* product.c: a product of two matrices with what follows it in a network: a bias, a ReLU, or the
 * derivative of one or of tanh. The compiler makes it out of a matmul and its only reader, so it
 * has no gradient of its own. */
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

/* a part has some of the rows, or, where there are few, of the columns */
#define PART_ROWS    24
#define PART_COLUMNS 64

static bool by_columns(const deer_step *step) {
  return step->out.shape.dim[1] >= 2 * PART_COLUMNS &&
         (transposed(step, 1) || step->out.shape.dim[0] < 2 * PART_ROWS);
}

static int product_parts(const deer_step *step) {
  const int parts =
      by_columns(step) ? step->out.shape.dim[1] / PART_COLUMNS : step->out.shape.dim[0] / PART_ROWS;
  return parts > 1 ? parts : 1;
}

/* `unit` times as many rows or columns as there are in a part, and where they begin */
static int begin_of(const deer_step *step, int part, int n, int unit) {
  const int blocks = (n + unit - 1) / unit, begin = blocks * part / step->parts * unit;
  return begin < n ? begin : n;
}

static void take_rows(const deer_step *step, deer_product *p) {
  const int begin = begin_of(step, step->part, p->m, PART_ROWS);
  p->m = begin_of(step, step->part + 1, p->m, PART_ROWS) - begin;
  p->a += (ptrdiff_t)begin * (p->transpose_a ? 1 : p->lda);
  p->c += (ptrdiff_t)begin * p->ldc;
  if (p->gate) p->gate += (ptrdiff_t)begin * p->ldgate;
}

static void take_columns(const deer_step *step, deer_product *p) {
  const int begin = begin_of(step, step->part, p->n, PART_COLUMNS);
  p->n = begin_of(step, step->part + 1, p->n, PART_COLUMNS) - begin;
  p->b += (ptrdiff_t)begin * (p->transpose_b ? p->ldb : 1);
  p->c += begin;
  if (p->gate) p->gate += begin;
  if (p->bias) p->bias += begin;
}

static void product_run(const deer_step *step) {
  const unsigned flags = step->attr->mask;
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
  if (flags & DEER_FINISH_BIAS) p.bias = in_real(step, 2);
  if (flags & DEER_FINISH_RELU) p.epilogue = DEER_EPILOGUE_RELU;
  if (flags & (DEER_FINISH_GATE | DEER_FINISH_SLOPE)) {
    p.epilogue = flags & DEER_FINISH_GATE ? DEER_EPILOGUE_GATE : DEER_EPILOGUE_SLOPE;
    p.gate = in_real(step, step->n_in - 1);
    p.ldgate = p.n;
  }
  if (step->parts > 1 && by_columns(step))
    take_columns(step, &p);
  else if (step->parts > 1)
    take_rows(step, &p);
  deer_gemm(&p);
}

static double product_flops(const deer_step *step) {
  return 2.0 * step->out.shape.dim[0] * step->out.shape.dim[1] * extent(step, 0, 1);
}

/* number[0] and number[1] as in matmul, mask holds the flags */
const deer_op deer_product_op = {.name = "product",
                                 .n_inputs = -1,
                                 .shape = product_shape,
                                 .run = product_run,
                                 .parts = product_parts,
                                 .flops = product_flops};
