/* clip_reward.c: rewards between two bounds, or only their signs. Mnih et al. 2015,
 * doi:10.1038/nature14236. */
#include "env/wrapper.h"

typedef struct clip_reward {
  deer_wrapper wrapper;
  double low, high;
  bool sign;
} clip_reward;

static const deer_field fields[] = {
    {"low", DEER_FIELD_REAL, offsetof(clip_reward, low), .fallback = -1, .min = -1e30, .max = 1e30,
     .help = "rewards below count as this"},
    {"high", DEER_FIELD_REAL, offsetof(clip_reward, high), .fallback = 1, .min = -1e30, .max = 1e30,
     .help = "rewards above count as this"},
    {"sign", DEER_FIELD_BOOL, offsetof(clip_reward, sign), .fallback = 0,
     .help = "before that rewards become -1, 0 or 1"},
    {0}};

static deer_status init(deer_env *self, const deer_rng *rng) {
  const clip_reward *w = (const clip_reward *)self;
  (void)rng;
  if (w->low <= w->high) return DEER_OK;
  return deer_fail(DEER_EINVAL, "clip_reward: low is %g and high %g (expected low <= high)", w->low,
                   w->high);
}

static deer_status act(deer_env *self, const deer_real *action, double *reward) {
  const clip_reward *w = (const clip_reward *)self;
  DEER_TRY(deer_env_act(w->wrapper.inner, action, reward));
  double r = *reward;
  if (w->sign && r != 0 && r == r) r = r > 0 ? 1 : -1;
  /* a reward that is no number stays one, for the agent to refuse */
  *reward = r < w->low ? w->low : r > w->high ? w->high : r;
  return DEER_OK;
}

const deer_env_class deer_wrapper_clip_reward = {DEER_WRAPPED,
                                                 .name = "clip_reward",
                                                 .help = "keeps rewards between two bounds",
                                                 .size = sizeof(clip_reward),
                                                 .fields = fields,
                                                 .init = init,
                                                 .reset = deer_wrapped_reset,
                                                 .act = act,
                                                 .observe = deer_wrapped_observe};
