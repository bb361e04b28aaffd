/* scale_action.c: a box of actions from -1 to 1, whatever it is inside. */
#include "env/wrapper.h"

static deer_status init(deer_env *self, const deer_rng *rng) {
  (void)rng;
  deer_action_space *actions = &self->space.actions;
  if (actions->n > 0)
    return deer_fail(DEER_EINVAL,
                     "scale_action scales continuous actions, the environment has discrete ones");
  for (int i = 0; i < actions->size; i++) actions->low[i] = -1, actions->high[i] = 1;
  return DEER_OK;
}

static deer_status act(deer_env *self, const deer_real *action, double *reward) {
  deer_env *inner = ((deer_wrapper *)self)->inner;
  const deer_action_space *box = &inner->space.actions;
  deer_real scaled[DEER_MAX_ACTION_SIZE];
  for (int i = 0; i < box->size; i++) {
    deer_real low = (deer_real)box->low[i], high = (deer_real)box->high[i];
    double share = 0.5 * ((double)action[i] + 1);
    deer_real x = (deer_real)(box->low[i] + (box->high[i] - box->low[i]) * share);
    scaled[i] = x < low ? low : x > high ? high : x; /* rounding must not leave the box */
  }
  return deer_env_act(inner, scaled, reward);
}

const deer_env_class deer_wrapper_scale_action = {
    DEER_WRAPPED,
    .name = "scale_action",
    .help = "continuous actions from -1 to 1 instead of the environment's box",
    .size = sizeof(deer_wrapper),
    .init = init,
    .reset = deer_wrapped_reset,
    .act = act,
    .observe = deer_wrapped_observe};
