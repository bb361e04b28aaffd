/* wrapper.c: registry and life of wrappers, and what those do that change nothing. */
#include "env/wrapper.h"

#include <string.h>

#define WRAPPER(name) extern const deer_env_class deer_wrapper_##name;
#include "env/wrappers.def"
#undef WRAPPER

static const deer_env_class *const classes[] = {
#define WRAPPER(name) &deer_wrapper_##name,
#include "env/wrappers.def"
#undef WRAPPER
};

const deer_env_class *deer_wrapper_at(int i) {
  return i >= 0 && i < (int)(sizeof classes / sizeof *classes) ? classes[i] : NULL;
}

const deer_env_class *deer_wrapper_find(const char *name) {
  for (int i = 0; deer_wrapper_at(i); i++)
    if (strcmp(deer_wrapper_at(i)->name, name) == 0) return deer_wrapper_at(i);
  return NULL;
}

/* ---- life ---- */

static deer_status start(deer_wrapper *w, const deer_option *options, int n) {
  const deer_env_class *kind = w->base.kind;
  deer_fields_default(kind->fields, w);
  for (int i = 0; i < n; i++) {
    deer_status status = deer_fields_set(kind->fields, w, options[i].name, options[i].value);
    if (status != DEER_OK) return deer_fail(status, "%s: %s", kind->name, deer_error());
  }
  w->base.space = w->inner->space;
  w->base.picture_width = w->inner->picture_width;
  w->base.picture_height = w->inner->picture_height;
  w->base.picture_rate = w->inner->picture_rate;
  /* what happens by chance happens inside */
  DEER_TRY(kind->init(&w->base, NULL));
  deer_status status = deer_space_check(&w->base.space);
  return status == DEER_OK ? status : deer_fail(status, "%s: %s", kind->name, deer_error());
}

deer_status deer_wrapper_new(const deer_env_class *kind, const deer_option *options, int n,
                             deer_env *inner, deer_env **env) {
  *env = NULL;
  deer_wrapper *made = deer_alloc(kind->size);
  if (!made) return DEER_ENOMEM;
  made->base.kind = kind;
  made->inner = inner;
  deer_status status = start(made, options, n);
  if (status == DEER_OK)
    *env = &made->base;
  else
    deer_env_free(&made->base);
  return status;
}

deer_env *deer_env_innermost(deer_env *env) {
  while (deer_wrapper_find(env->kind->name) == env->kind) env = ((deer_wrapper *)env)->inner;
  return env;
}

/* ---- no change ---- */

static deer_env *inner_of(deer_env *self) { return ((deer_wrapper *)self)->inner; }

deer_status deer_wrapped_init(deer_env *self, const deer_rng *rng) {
  (void)self;
  (void)rng;
  return DEER_OK;
}

deer_status deer_wrapped_reset(deer_env *self, int mode, void *const *history) {
  return deer_env_reset(inner_of(self), mode, history);
}

deer_status deer_wrapped_act(deer_env *self, const deer_real *action, double *reward) {
  return deer_env_act(inner_of(self), action, reward);
}

deer_status deer_wrapped_observe(deer_env *self, void *const *observation) {
  deer_env *inner = inner_of(self);
  return inner->kind->observe(inner, observation);
}

deer_status deer_wrapped_ending(deer_env *self, deer_ending *ending) {
  return deer_env_ending(inner_of(self), ending);
}

deer_status deer_wrapped_summarize(deer_env *self, struct deer_replay *test_set) {
  deer_env *inner = inner_of(self);
  return inner->kind->summarize ? inner->kind->summarize(inner, test_set) : DEER_OK;
}

deer_status deer_wrapped_render(deer_env *self, struct deer_canvas *canvas) {
  deer_env *inner = inner_of(self);
  if (inner->kind->render) return inner->kind->render(inner, canvas);
  return deer_fail(DEER_ESTATE, "%s draws no pictures", inner->kind->name);
}

deer_status deer_wrapped_stop(deer_env *self) {
  deer_env *inner = inner_of(self);
  return inner->kind->stop ? inner->kind->stop(inner) : DEER_OK;
}
