/* map.c: the elementwise kernels of op/maps.def for each kind of CPU. */
#include "graph/map.h"

#include "tensor/target.h"
#include "tensor/vectormath.h"

/* an iteration touches its own elements alone, even where out is one of the inputs */
#if defined(__clang__)
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

/* the three operands are loaded whatever is chosen of them, which lets the loop vectorise */
#define LOAD_1(in) const deer_real x = (in)[0][i]
#define LOAD_2(in) const deer_real a = (in)[0][i], b = (in)[1][i]
#define LOAD_3(in) const deer_real c = (in)[0][i], a = (in)[1][i], b = (in)[2][i]

/* one kernel for each line, all with the attribute TARGET and the name KERNEL(name) */
#define MAP(name, operands, expression)                                                            \
  static TARGET void KERNEL(name)(const deer_real *const *in, deer_real *out, size_t n,            \
                                  const double pq[2]) {                                            \
    const deer_real *const row[] = {in[0], operands > 1 ? in[1] : in[0],                           \
                                    operands > 2 ? in[2] : in[0]};                                 \
    const deer_real p = (deer_real)pq[0], q = (deer_real)pq[1];                                    \
    (void)p, (void)q;                                                                              \
    INDEPENDENT                                                                                    \
    for (size_t i = 0; i < n; i++) {                                                               \
      LOAD_##operands(row);                                                                        \
      out[i] = (deer_real)(expression);                                                            \
    }                                                                                              \
  }

#define TARGET
#define KERNEL(name) generic_##name
#include "graph/op/maps.def"
#undef TARGET
#undef KERNEL

#ifdef DEER_HAVE_TARGETS
#define TARGET       DEER_AVX2
#define KERNEL(name) narrow_##name
#include "graph/op/maps.def"
#undef TARGET
#undef KERNEL

#define TARGET       DEER_AVX512
#define KERNEL(name) wide_##name
#include "graph/op/maps.def"
#undef TARGET
#undef KERNEL
#endif
#undef MAP

/* ---- choice ---- */

deer_map *deer_map_kernel(int map) {
  static deer_map *const generic[DEER_MAPS] = {
      NULL,
#define MAP(name, operands, expression) generic_##name,
#include "graph/op/maps.def"
#undef MAP
  };
#ifdef DEER_HAVE_TARGETS
  static deer_map *const narrow[DEER_MAPS] = {
      NULL,
#define MAP(name, operands, expression) narrow_##name,
#include "graph/op/maps.def"
#undef MAP
  };
  static deer_map *const wide[DEER_MAPS] = {
      NULL,
#define MAP(name, operands, expression) wide_##name,
#include "graph/op/maps.def"
#undef MAP
  };
  const int level = deer_cpu_level();
  if (level > 0) return level == 2 ? wide[map] : narrow[map];
#endif
  return generic[map];
}

void deer_map_run(const deer_step *step) {
  const deer_real *in[3];
  for (int i = 0; i < step->n_in; i++) in[i] = step->in[i].data;
  deer_map_kernel(step->op->map)(in, step->out.data, deer_shape_count(&step->out.shape),
                                 step->attr->real);
}
