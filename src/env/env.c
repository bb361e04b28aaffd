/* env.c: registry and life of environments written in C. */
#include "env/env.h"

#include <string.h>

#define ENV(name) extern const deer_env_class deer_env_##name;
#include "../../envs/envs.def"
#undef ENV

static const deer_env_class *const classes[] = {
#define ENV(name) &deer_env_##name,
#include "../../envs/envs.def"
#undef ENV
};

const deer_env_class *deer_env_at(int i) {
  return i >= 0 && i < (int)(sizeof classes / sizeof *classes) ? classes[i] : NULL;
}

const deer_env_class *deer_env_find(const char *name) {
  for (int i = 0; deer_env_at(i); i++)
    if (strcmp(deer_env_at(i)->name, name) == 0) return deer_env_at(i);
  return NULL;
}

static deer_status start(deer_env *env, const deer_option *options, int n, const deer_rng *rng) {
  const deer_env_class *kind = env->kind;
  if (kind->abi != DEER_ENV_ABI)
    return deer_fail(DEER_EINVAL, "%s: made for version %d of the interface, this is %d",
                     kind->name, kind->abi, DEER_ENV_ABI);
  deer_fields_default(kind->fields, env);
  for (int i = 0; i < n; i++) {
    deer_status status = deer_fields_set(kind->fields, env, options[i].name, options[i].value);
    if (status != DEER_OK) return deer_fail(status, "%s: %s", kind->name, deer_error());
  }
  env->streams[0] = deer_rng_split(rng, "training");
  env->streams[1] = deer_rng_split(rng, "tests");
  DEER_TRY(kind->init(env, rng));
  deer_status status = deer_space_check(&env->space);
  return status == DEER_OK ? status : deer_fail(status, "%s: %s", kind->name, deer_error());
}

deer_status deer_env_new(const deer_env_class *kind, const deer_option *options, int n,
                         const deer_rng *rng, deer_env **env) {
  *env = NULL;
  deer_env *made = deer_alloc(kind->size);
  if (!made) return DEER_ENOMEM;
  made->kind = kind;
  made->mode = DEER_ENV_NO_EPISODE;
  deer_status status = start(made, options, n, rng);
  if (status == DEER_OK)
    *env = made;
  else
    deer_env_free(made);
  return status;
}

void deer_env_free(deer_env *env) {
  if (!env) return;
  if (env->kind->finish) env->kind->finish(env);
  deer_free(env);
}

/* ---- one episode ---- */

deer_status deer_env_reset(deer_env *env, int mode, void *const *history) {
  env->mode = mode;
  env->steps = 0;
  return env->kind->reset(env, mode, history);
}

deer_status deer_env_act(deer_env *env, const deer_real *action, double *reward) {
  if (env->mode == DEER_ENV_NO_EPISODE)
    return deer_fail(DEER_EINVAL, "%s: an action before the first reset, which begins an episode",
                     env->kind->name);
  env->steps++;
  return env->kind->act(env, action, reward);
}

deer_status deer_env_ending(deer_env *env, deer_ending *ending) {
  *ending = DEER_RUNNING;
  if (env->kind->ending) DEER_TRY(env->kind->ending(env, ending));
  if (*ending == DEER_RUNNING && env->max_steps > 0 && env->steps >= env->max_steps)
    *ending = DEER_TRUNCATED;
  return DEER_OK;
}

deer_status deer_env_repeat(deer_env *env, const deer_real *action, int64_t times, double *reward) {
  DEER_TRY(deer_env_act(env, action, reward));
  for (int64_t i = 1; i < times; i++) {
    deer_ending ending;
    double more;
    DEER_TRY(deer_env_ending(env, &ending));
    if (ending != DEER_RUNNING) break;
    DEER_TRY(deer_env_act(env, action, &more));
    *reward += more;
  }
  return DEER_OK;
}

deer_rng *deer_env_rng(deer_env *env) { return &env->streams[env->mode >= 0]; }
