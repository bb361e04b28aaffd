/* vec.h: n environments of one space that act in step, each on one of the pool's threads where that
 * pays. An environment whose episode is over begins another one in the same step. Results do not
 * depend on the number of threads. */
#ifndef DEER_VEC_H
#define DEER_VEC_H

#include "env/env.h"

#define DEER_MAX_ENVS 65536

typedef struct deer_vec_env {
  const deer_space *space;
  int n;
  int active;      /* only the first so many act in a step; n unless the caller lowers it */
  int64_t repeats; /* how often each does its action in a step, see deer_env_repeat; 0 is as 1 */

  /* Of subject s, in its dtype. Present observations: [n, shape...]. What reset wrote, new where an
   * episode began: [n, history, shape...]. What was observed last, new where an episode was
   * truncated: [n, shape...]. */
  void *observation[DEER_MAX_SUBJECTS], *history[DEER_MAX_SUBJECTS];
  void *final_observation[DEER_MAX_SUBJECTS];

  /* Of the last step: [n] each. Where it is not DEER_RUNNING, another episode has begun. */
  double *reward;
  deer_ending *ending;
} deer_vec_env;

/* Borrows the environments, whose spaces must be equal. Environments of one `group` (any numbers;
 * NULL: each is a group) share something, a Lua state for instance, and are never called from two
 * threads at once; the group of the first one runs on the caller's thread. DEER_EINVAL when the
 * spaces differ or n is not 1 .. DEER_MAX_ENVS. */
deer_status deer_vec_env_new(deer_env *const *envs, int n, const int *group, deer_vec_env **vec);
void deer_vec_env_free(deer_vec_env *vec);

/* Begins an episode of `mode` in each environment but those that have just begun one of that mode.
 * Fails as deer_vec_step does. */
deer_status deer_vec_reset(deer_vec_env *vec, int mode);

/* One step of each environment: actions is [n, actions.size], each in the space. On failure the
 * status and the message are those of the first environment that failed, with "environment i: " in
 * front unless it is DEER_ECALLBACK or DEER_EINTERRUPT, which Ctrl-C brings about; then only
 * deer_vec_reset may be called. DEER_EDATA for rewards and observations that are not finite. */
deer_status deer_vec_step(deer_vec_env *vec, const deer_real *actions);

#endif
