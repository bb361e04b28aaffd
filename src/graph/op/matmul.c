/* matmul.c: the product of two matrices, or of a batch of pairs, either of which may be stored
 * transposed. */
#include "graph/op/internal.h"

#include "tensor/blas.h"

/* number[0] and number[1] say whether the first and the second operand are stored transposed */
static bool transposed(const deer_step *step, int i) { return step->attr->number[i] != 0; }

/* rows (0) or columns (1) of a matrix of operand i, as it is stored */
static int stored(const deer_step *step, int i, int axis) {
  const deer_shape *shape = &step->in[i].shape;
  return shape->dim[shape->rank - 2 + axis];
}

/* the same as the product sees it */
static int extent(const deer_step *step, int i, int axis) {
  return stored(step, i, transposed(step, i) ? 1 - axis : axis);
}

static deer_status matmul_shape(deer_step *step) {
  const deer_shape *a = &step->in[0].shape, *b = &step->in[1].shape;
  for (int i = 0; i < 2; i++) {
    DEER_TRY(check_dtype(step, i, DEER_DTYPE_REAL));
    if (step->in[i].shape.rank != 3)
      DEER_TRY(check_rank(step, i, 2, "a matrix or a batch of matrices"));
  }
  if (a->rank != b->rank)
    return deer_fail(DEER_ESHAPE, "a matrix does not multiply a batch of matrices");
  if (a->rank == 3 && a->dim[0] != b->dim[0])
    return deer_fail(DEER_ESHAPE, "%d matrices do not meet %d", a->dim[0], b->dim[0]);
  if (extent(step, 0, 1) != extent(step, 1, 0))
    return deer_fail(DEER_ESHAPE, "%d columns%s do not meet %d rows%s", extent(step, 0, 1),
                     transposed(step, 0) ? " (first transposed)" : "", extent(step, 1, 0),
                     transposed(step, 1) ? " (second transposed)" : "");
  step->out.shape.dim[a->rank - 2] = extent(step, 0, 0);
  step->out.shape.dim[a->rank - 1] = extent(step, 1, 1);
  return DEER_OK;
}

static void matmul_run(const deer_step *step) {
  deer_product p = {.transpose_a = transposed(step, 0),
                    .transpose_b = transposed(step, 1),
                    .m = extent(step, 0, 0),
                    .n = extent(step, 1, 1),
                    .k = extent(step, 0, 1),
                    .a = in_real(step, 0),
                    .b = in_real(step, 1),
                    .lda = stored(step, 0, 1),
                    .ldb = stored(step, 1, 1),
                    .ldc = extent(step, 1, 1),
                    .c = out_real(step)};
  const int count = step->out.shape.rank == 3 ? step->out.shape.dim[0] : 1;
  for (int i = 0; i < count; i++) {
    deer_gemm(&p);
    p.a += (size_t)p.m * (size_t)p.k;
    p.b += (size_t)p.k * (size_t)p.n;
    p.c += (size_t)p.m * (size_t)p.n;
  }
}

static double matmul_flops(const deer_step *step) {
  return 2.0 * (double)out_count(step) * extent(step, 0, 1);
}

static void matmul_grad(deer_graph *g, deer_node self, deer_node gy, deer_node *gx) {
  const deer_node a = deer_node_input(g, self, 0), b = deer_node_input(g, self, 1);
  const deer_attr *attr = deer_node_attr(g, self);
  const bool ta = attr->number[0] != 0, tb = attr->number[1] != 0;
  /* gradient of A' = gy B'^T, of B' = A'^T gy; each is transposed where its operand is stored so */
  gx[0] = ta ? deer_matmul(g, b, gy, tb, true) : deer_matmul(g, gy, b, false, !tb);
  gx[1] = tb ? deer_matmul(g, gy, a, true, ta) : deer_matmul(g, a, gy, !ta, false);
}

const deer_op deer_op_matmul = {.name = "matmul",
                                .n_inputs = 2,
                                .shape = matmul_shape,
                                .run = matmul_run,
                                .flops = matmul_flops,
                                .grad = matmul_grad};

deer_node deer_matmul(deer_graph *g, deer_node a, deer_node b, bool transpose_a, bool transpose_b) {
  const deer_node in[] = {a, b};
  return deer_graph_add(g, &deer_op_matmul, in, 2,
                        &(deer_attr){.number = {transpose_a, transpose_b}});
}
