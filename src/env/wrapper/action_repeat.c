/* action_repeat.c: fewer decisions. Mnih et al. 2015, doi:10.1038/nature14236. */
#include "env/wrapper.h"

typedef struct action_repeat {
  deer_wrapper wrapper;
  int64_t repeats;
} action_repeat;

static const deer_field fields[] = {
    {"repeats", DEER_FIELD_INT, offsetof(action_repeat, repeats), .fallback = 4, .min = 1,
     .max = 1000, .help = "steps inside for one step", .search_min = 1, .search_max = 10},
    {0}};

static deer_status act(deer_env *self, const deer_real *action, double *reward) {
  action_repeat *w = (action_repeat *)self;
  return deer_env_repeat(w->wrapper.inner, action, w->repeats, reward);
}

const deer_env_class deer_wrapper_action_repeat = {
    DEER_WRAPPED,
    .name = "action_repeat",
    .help = "does each action several times and sums the rewards",
    .size = sizeof(action_repeat),
    .fields = fields,
    .init = deer_wrapped_init,
    .reset = deer_wrapped_reset,
    .act = act,
    .observe = deer_wrapped_observe};
