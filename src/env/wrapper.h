/* wrapper.h: environments around another one, which change what goes in or comes out. They can be
 * stacked. Each is a file in wrapper/, a const class struct at its end and one line in
 * wrappers.def. A wrapper written in Lua is an environment written in Lua. */
#ifndef DEER_WRAPPER_H
#define DEER_WRAPPER_H

#include "env/env.h"

/* An instance begins with this. When init runs, `base` has the space and the picture size of
 * `inner`, which init may change. */
typedef struct deer_wrapper {
  deer_env base;
  deer_env *inner;
} deer_wrapper;

/* Wraps `inner`, which is borrowed and outlives the wrapper, and nobody else uses meanwhile. Fails
 * with the message of the wrong option, DEER_ENOMEM or the failure of init; *env is then NULL. Free
 * with deer_env_free. */
deer_status deer_wrapper_new(const deer_env_class *kind, const deer_option *options, int n,
                             deer_env *inner, deer_env **env);

/* The environment in the middle of any number of wrappers; `env` itself when it is none. */
deer_env *deer_env_innermost(deer_env *env);

/* Members of a class that change nothing: what the inner environment says. */
deer_status deer_wrapped_init(deer_env *self, const deer_rng *rng);
deer_status deer_wrapped_reset(deer_env *self, int mode, void *const *history);
deer_status deer_wrapped_act(deer_env *self, const deer_real *action, double *reward);
deer_status deer_wrapped_observe(deer_env *self, void *const *observation);
deer_status deer_wrapped_ending(deer_env *self, deer_ending *ending);
deer_status deer_wrapped_summarize(deer_env *self, struct deer_replay *test_set);
deer_status deer_wrapped_render(deer_env *self, struct deer_canvas *canvas);
deer_status deer_wrapped_stop(deer_env *self);

/* The members that hardly any wrapper changes. */
#define DEER_WRAPPED                                                                               \
  .abi = DEER_ENV_ABI, .ending = deer_wrapped_ending, .summarize = deer_wrapped_summarize,         \
  .render = deer_wrapped_render, .stop = deer_wrapped_stop

/* Every wrapper of wrappers.def in its order; NULL past the end. By name: NULL when unknown. */
const deer_env_class *deer_wrapper_at(int i);
const deer_env_class *deer_wrapper_find(const char *name);

#endif
