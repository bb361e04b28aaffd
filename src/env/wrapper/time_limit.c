/* time_limit.c: episodes of at most so many steps, be they longer inside or not. */
#include "env/wrapper.h"

/* the limit itself is that of every environment: deer_env_ending */
static const deer_field fields[] = {{"max_steps", DEER_FIELD_INT, offsetof(deer_env, max_steps),
                                     .fallback = 1000, .min = 1, .max = 1e15,
                                     .help = "steps after which an episode is cut short"},
                                    {0}};

const deer_env_class deer_wrapper_time_limit = {
    DEER_WRAPPED,
    .name = "time_limit",
    .help = "cuts episodes short after a number of steps, which is a truncation",
    .size = sizeof(deer_wrapper),
    .fields = fields,
    .init = deer_wrapped_init,
    .reset = deer_wrapped_reset,
    .act = deer_wrapped_act,
    .observe = deer_wrapped_observe};
