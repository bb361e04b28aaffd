/* scale_reward.c: rewards in other units. */
#include "env/wrapper.h"

typedef struct scale_reward {
  deer_wrapper wrapper;
  double factor, shift;
} scale_reward;

static const deer_field fields[] = {
    {"factor", DEER_FIELD_REAL, offsetof(scale_reward, factor), .fallback = 1, .min = -1e15,
     .max = 1e15, .help = "what rewards are multiplied by", .search_min = 0.01, .search_max = 10},
    {"shift", DEER_FIELD_REAL, offsetof(scale_reward, shift), .fallback = 0, .min = -1e15,
     .max = 1e15, .help = "what is added then"},
    {0}};

static deer_status act(deer_env *self, const deer_real *action, double *reward) {
  const scale_reward *w = (const scale_reward *)self;
  DEER_TRY(deer_env_act(w->wrapper.inner, action, reward));
  *reward = *reward * w->factor + w->shift;
  return DEER_OK;
}

const deer_env_class deer_wrapper_scale_reward = {
    DEER_WRAPPED,
    .name = "scale_reward",
    .help = "multiplies rewards by a factor and adds a number",
    .size = sizeof(scale_reward),
    .fields = fields,
    .init = deer_wrapped_init,
    .reset = deer_wrapped_reset,
    .act = act,
    .observe = deer_wrapped_observe};
