/* opt.c: state and registry of the optimisers, and the updates they emit. */
#include "opt/opt.h"

#include <string.h>

struct deer_opt {
  const deer_opt_class *kind;
  void *options;
  int size;
  deer_real *blocks[DEER_OPT_BLOCKS];
  deer_real scalars[DEER_OPT_SCALARS];
  deer_node updated; /* of the last update emitted */
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
  for (int i = 0; i < kind->n_scalars; i++) opt->scalars[i] = (deer_real)kind->scalar_start[i];
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

deer_real *deer_opt_state(deer_opt *opt, int i, int *size) {
  int n = opt->kind->n_blocks, scalar = i - n;
  if (i < 0 || scalar >= opt->kind->n_scalars) return NULL;
  *size = i < n ? opt->size : 1;
  return i < n ? opt->blocks[i] : &opt->scalars[scalar];
}

/* ---- update ---- */

int deer_opt_minimize(deer_opt *opt, deer_graph *g, deer_node parameters, deer_node gradient,
                      deer_node learning_rate, deer_node assigns[DEER_OPT_ASSIGNS]) {
  const deer_opt_class *kind = opt->kind;
  deer_node block[DEER_OPT_BLOCKS], scalar[DEER_OPT_SCALARS];
  deer_opt_step step = {.g = g,
                        .options = opt->options,
                        .parameters = parameters,
                        .gradient = gradient,
                        .learning_rate = deer_reshape(g, learning_rate, DEER_SCALAR)};
  for (int i = 0; i < kind->n_blocks; i++)
    step.block[i] = block[i] = deer_variable(g, "opt_block", opt->blocks[i], opt->size);
  for (int i = 0; i < kind->n_scalars; i++) {
    scalar[i] = deer_variable(g, "opt_scalar", &opt->scalars[i], 1);
    step.scalar[i] = deer_reshape(g, scalar[i], DEER_SCALAR);
  }
  opt->updated = kind->rule(&step);
  int n = 0;
  for (int i = 0; i < kind->n_blocks; i++)
    if (step.next_block[i].id) assigns[n++] = deer_assign(g, block[i], step.next_block[i]);
  for (int i = 0; i < kind->n_scalars; i++)
    if (step.next_scalar[i].id)
      assigns[n++] = deer_assign(g, scalar[i], deer_reshape(g, step.next_scalar[i], DEER_SHAPE(1)));
  assigns[n++] = deer_assign(g, parameters, opt->updated);
  return n;
}

deer_node deer_opt_updated(const deer_opt *opt) { return opt->updated; }

deer_node deer_soft_update(deer_graph *g, deer_node target, deer_node source, double tau) {
  if (!(tau > 0 && tau <= 1))
    return deer_graph_fail(g, "soft update: tau must lie above 0 and be at most 1, got %g", tau);
  if (tau == 1) return deer_assign(g, target, source);
  deer_node way = deer_sub(g, source, target);
  return deer_assign(g, target, deer_add(g, target, deer_scale(g, way, tau)));
}

/* ---- for the rules ---- */

deer_node deer_opt_spread(const deer_opt_step *step, deer_node scalar) {
  return deer_expand(step->g, scalar, deer_node_shape(step->g, step->parameters), 0);
}

deer_node deer_moving_mean(deer_graph *g, deer_node old, deer_node fresh, double decay) {
  return deer_add(g, deer_scale(g, old, decay), deer_scale(g, fresh, 1 - decay));
}

deer_node deer_opt_momentum(deer_opt_step *s, int i, deer_node direction, double momentum) {
  if (momentum == 0) return direction;
  deer_node kept = deer_scale(s->g, s->block[i], momentum);
  return s->next_block[i] = deer_add(s->g, kept, direction);
}
