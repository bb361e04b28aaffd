/* env.h: an environment, the task of the agent. Built-in ones are const class structs in envs/;
 * those written in Lua are wrapped by bind/luaenv.c. Mode -1 is training, 0, 1, ... are validation
 * and test sets.
 *
 * An episode: deer_env_reset, then repeat { observe, deer_env_act } until deer_env_ending says it
 * is over. Terminated and truncated are different everywhere: after a terminal state there is no
 * future reward, after a truncation (a time limit) there would have been. */
#ifndef DEER_ENV_H
#define DEER_ENV_H

#include "base/field.h"
#include "base/rng.h"
#include "env/space.h"

#define DEER_ENV_ABI 2

#define DEER_ENV_NO_EPISODE (-2) /* the mode of an environment that was never reset */

typedef struct deer_env deer_env;
struct deer_canvas; /* io/canvas.h */
struct deer_replay;

typedef enum deer_ending { DEER_RUNNING, DEER_TERMINATED, DEER_TRUNCATED } deer_ending;

/* One step of `n` environments at once: action is [n, actions.size]; the others are written:
 * observation[s] [n, shape...] of subject s, also where the episode is over; reward and ending [n].
 */
typedef struct deer_env_rows {
  int n;
  const deer_real *action;
  void *const *observation;
  double *reward;
  deer_ending *ending;
} deer_env_rows;

typedef struct deer_env_class {
  int abi;                  /* DEER_ENV_ABI */
  const char *name;         /* "cartpole" */
  const char *help;         /* one line */
  size_t size;              /* bytes of the instance, which begins with a deer_env */
  const deer_field *fields; /* options, written into the instance before init; NULL for none */

  /* Fills self->space and draws what is drawn once. `rng` is the stream of this instance, to be
   * split from; what an episode draws comes from deer_env_rng. */
  deer_status (*init)(deer_env *self, const deer_rng *rng);

  /* Starts an episode. history[s] is [history, shape...] of subject s in its dtype, zeroed; the
   * environment writes the observations that came before the first one. */
  deer_status (*reset)(deer_env *self, int mode, void *const *history);

  /* One step. `action` has actions.size entries and lies in the space. */
  deer_status (*act)(deer_env *self, const deer_real *action, double *reward);

  /* The present observation: observation[s] is [shape...] of subject s in its dtype. */
  deer_status (*observe)(deer_env *self, void *const *observation);

  /* How things stand but for the time limit. Optional: nothing else ends an episode then. */
  deer_status (*ending)(deer_env *self, deer_ending *ending);

  /* What act, ending and observe do one after the other in each of several instances of this class,
   * the same numbers, in one call that is faster and never fails (optional). */
  void (*steps)(deer_env *const *envs, const deer_env_rows *rows);

  /* Looks at the test episodes just run (optional). The data belong to the agent. */
  deer_status (*summarize)(deer_env *self, struct deer_replay *test_set);

  /* Draws the present state over all of a canvas of self->picture_width x self->picture_height
   * pixels (optional); changes nothing else. */
  deer_status (*render)(deer_env *self, struct deer_canvas *canvas);

  /* The same for a state of which all that was observed is known, observation[s] as observe writes
   * it: for a film of samples (optional). */
  deer_status (*draw)(deer_env *self, const void *const *observation, struct deer_canvas *canvas);

  deer_status (*stop)(deer_env *self); /* after the last epoch (optional) */
  /* Frees what init acquired (optional). Must survive an init that failed or never came. */
  void (*finish)(deer_env *self);
} deer_env_class;

struct deer_env {
  const deer_env_class *kind;
  deer_space space;
  int picture_width, picture_height; /* of what render draws, in pixels; set by init */
  int picture_rate;                  /* steps that are a second in a film; 0: any */
  int64_t max_steps;                 /* steps after which an episode is cut short; 0 for never */
  int64_t steps;                     /* of this episode */
  int mode;                          /* of this episode; DEER_ENV_NO_EPISODE before the first */
  deer_rng streams[2];               /* of training and of tests: see deer_env_rng */
};

/* A row of a class's options: the time limit, unless told otherwise `steps` (0 for none). */
#define DEER_ENV_MAX_STEPS(steps)                                                                  \
  {                                                                                                \
    "max_steps", DEER_FIELD_INT, offsetof(deer_env, max_steps),                                    \
        .fallback = (steps), .max = 1e15,                                                          \
        .help = "steps after which an episode is cut short; 0 for never"                           \
  }

/* Frees the environment made by deer_env_new; NULL allowed. */
void deer_env_free(deer_env *env);

/* Makes an instance; `options` are n name/value pairs. Fails with the message of the wrong option,
 * DEER_ENOMEM or the failure of init or of deer_space_check. *env is then NULL. */
typedef struct deer_option {
  const char *name;
  deer_value value;
} deer_option;
deer_status deer_env_new(const deer_env_class *kind, const deer_option *options, int n,
                         const deer_rng *rng, deer_env **env);

/* One episode: what kind->reset, kind->act and kind->ending do, with the time limit. The status is
 * theirs, or DEER_EINVAL for an act before the first reset. An episode that reaches max_steps
 * without being over is truncated. */
deer_status deer_env_reset(deer_env *env, int mode, void *const *history);
deer_status deer_env_act(deer_env *env, const deer_real *action, double *reward);

/* The same action `times` times, or until the episode is over; `reward` is the sum. */
deer_status deer_env_repeat(deer_env *env, const deer_real *action, int64_t times, double *reward);
deer_status deer_env_ending(deer_env *env, deer_ending *ending);

/* The stream of what happens by chance in this episode. Tests have one of their own, so that a test
 * in between changes nothing in training. */
deer_rng *deer_env_rng(deer_env *env);

/* Every environment of envs/envs.def in its order; NULL past the end. By name: NULL when unknown.
 */
const deer_env_class *deer_env_at(int i);
const deer_env_class *deer_env_find(const char *name);

#endif
