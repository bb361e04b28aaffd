/* opt.c: state and registry of the optimisers, gradient clipping. */
#include "opt/opt.h"

#include <string.h>

struct deer_opt {
  const deer_opt_class *kind;
  void *options;
  int size;
  deer_real *blocks[DEER_OPT_BLOCKS];
  deer_real scalars[DEER_OPT_SCALARS];
};

#define OPT(name) extern const deer_opt_class deer_opt_##name;
#include "opt/opts.def"
#undef OPT

static const deer_opt_class *const classes[] = {
#define OPT(name) &deer_opt_##name,
#include "opt/opts.def"
#undef OPT
};

const deer_opt_class *deer_opt_at(int i) {
  return i >= 0 && i < (int)(sizeof classes / sizeof *classes) ? classes[i] : NULL;
}

const deer_opt_class *deer_opt_find(const char *name) {
  for (int i = 0; deer_opt_at(i); i++)
    if (strcmp(deer_opt_at(i)->name, name) == 0) return deer_opt_at(i);
  return NULL;
}

/* ---- life ---- */

static deer_status fill(deer_opt *opt, const deer_option *options, int n) {
  const deer_opt_class *kind = opt->kind;
  opt->options = deer_alloc(kind->options_size);
  if (!opt->options) return DEER_ENOMEM;
  deer_fields_default(kind->fields, opt->options);
  for (int i = 0; i < n; i++) {
    deer_status status =
        deer_fields_set(kind->fields, opt->options, options[i].name, options[i].value);
    if (status != DEER_OK) return deer_fail(status, "%s: %s", kind->name, deer_error());
  }
  for (int i = 0; i < kind->n_blocks; i++) {
    opt->blocks[i] = deer_alloc_array((size_t)opt->size, sizeof(deer_real));
    if (!opt->blocks[i]) return DEER_ENOMEM;
  }
  for (int i = 0; i < kind->n_scalars; i++) opt->scalars[i] = (deer_real)kind->scalar_start;
  return DEER_OK;
}

deer_status deer_opt_new(const deer_opt_class *kind, const deer_option *options, int n, int size,
                         deer_opt **opt) {
  *opt = NULL;
  deer_opt *made = deer_alloc(sizeof *made);
  if (!made) return DEER_ENOMEM;
  made->kind = kind;
  made->size = size;
  deer_status status = fill(made, options, n);
  if (status == DEER_OK)
    *opt = made;
  else
    deer_opt_free(made);
  return status;
}

void deer_opt_free(deer_opt *opt) {
  if (!opt) return;
  for (int i = 0; i < DEER_OPT_BLOCKS; i++) deer_free(opt->blocks[i]);
  deer_free(opt->options);
  deer_free(opt);
}

/* ---- update ---- */

int deer_opt_minimize(deer_opt *opt, deer_graph *g, deer_node parameters, deer_node gradient,
                      deer_node learning_rate, deer_node assigns[DEER_OPT_ASSIGNS]) {
  const deer_opt_class *kind = opt->kind;
  deer_shape shape = DEER_SHAPE(opt->size);
  deer_node rate = deer_reshape(g, learning_rate, DEER_SCALAR);
  deer_opt_step step = {.g = g,
                        .options = opt->options,
                        .parameters = parameters,
                        .gradient = gradient,
                        .learning_rate = deer_expand(g, rate, shape, 0)};
  for (int i = 0; i < kind->n_blocks; i++)
    step.block[i] = deer_variable(g, "opt_block", opt->blocks[i], opt->size);
  for (int i = 0; i < kind->n_scalars; i++)
    step.scalar[i] = deer_variable(g, "opt_scalar", &opt->scalars[i], 1);
  deer_node updated = kind->rule(&step);
  int n = 0;
  for (int i = 0; i < kind->n_blocks; i++)
    assigns[n++] = deer_assign(g, step.block[i], step.next_block[i]);
  for (int i = 0; i < kind->n_scalars; i++)
    assigns[n++] = deer_assign(g, step.scalar[i], step.next_scalar[i]);
  assigns[n++] = deer_assign(g, parameters, updated);
  return n;
}

deer_node deer_moving_mean(deer_graph *g, deer_node old, deer_node fresh, double decay) {
  return deer_add(g, deer_scale(g, old, decay), deer_scale(g, fresh, 1 - decay));
}

deer_node deer_clip_norm(deer_graph *g, deer_node gradient, double limit) {
  deer_shape shape = deer_node_shape(g, gradient);
  deer_node norm = deer_sqrt(g, deer_sum(g, deer_square(g, gradient), DEER_ALL_AXES));
  deer_node bound = deer_constant(g, DEER_SCALAR, limit);
  deer_node factor = deer_div(g, bound, deer_max(g, norm, bound));
  return deer_mul(g, gradient, deer_expand(g, factor, shape, 0));
}
