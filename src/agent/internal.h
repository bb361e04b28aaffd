/* internal.h: what an agent holds; for files in agent/ only. */
#ifndef DEER_AGENT_INTERNAL_H
#define DEER_AGENT_INTERNAL_H

#include "agent/agent.h"
#include "env/vec.h"

/* what the agent knows about one environment and the episode under way in it */
typedef struct deer_lane {
  int number;                     /* of the lane in the memory of training */
  void *state[DEER_MAX_SUBJECTS]; /* [history, shape...], oldest first */
  deer_real *action;
  void *train_memory, *test_memory; /* what the policies remember */
  bool unasked;                     /* no policy has chosen yet in this episode */

  double reward, sum; /* the last one, and all of the episode */
  int64_t steps;
  deer_ending ending;
  double value_sum; /* over the greedy steps, so many */
  int64_t n_values;
} deer_lane;

struct deer_agent {
  deer_env *env;
  deer_algo *algo;
  deer_policy *train_policy, *test_policy;
  deer_replay *replay, *test_set;
  deer_rng policy_rng, replay_rng;
  bool only_full_history, in_turn;
  bool resting; /* training steps do nothing but tell that they are over */
  int64_t sticky;
  int64_t replay_memory_size, replay_start_size, train_every;
  int64_t horizon; /* of an algo that learns from fresh samples alone, otherwise 0 */

  deer_listener *listener;
  void *listener_context;
  unsigned mask;

  int mode;
  bool in_episode, in_training_run;
  bool stopping; /* the run ends after the present step */

  deer_lane own;                        /* of `env`: tests, and training without others */
  void *observation[DEER_MAX_SUBJECTS]; /* [shape...], where that environment writes */
  bool observed;                        /* there lies the present one */
  bool arrived;                         /* with in_turn: it is terminal, which is yet to be told */

  deer_env **envs; /* others to train in, in step */
  int n_envs;      /* 0 for none */
  deer_vec_env *vec;
  deer_lane *lanes;
  void *states[DEER_MAX_SUBJECTS]; /* [n, history, shape...], where the states of the lanes lie */
  deer_real *actions;              /* [n, size] */
  deer_answers answers;            /* of the algo to all states at once */

  const deer_lane *present; /* that of which signals tell */
  deer_real override[DEER_MAX_ACTION_SIZE];
  bool overridden;

  int64_t test_length; /* with in_turn: of the test epoch that comes next, 0 for none */
  double loss_sum, value_sum, test_reward;
  deer_episode last_episode;
  int64_t n_losses, n_values, n_test_episodes;
  int64_t n_refused;     /* updates of this training epoch for which nothing could be drawn */
  int64_t steps, epochs; /* of training */
  int64_t epoch, step;   /* where the run is, for messages; both count from 1 */
};

/* Fires a signal if somebody listens. */
deer_status deer_agent_signal(deer_agent *agent, deer_event event);

/* One episode of at most *budget steps in the agent's own environment, which it takes away from
 * *budget. */
deer_status deer_agent_episode(deer_agent *agent, int64_t *budget);

/* Steps of training that act nowhere, until *budget is used up or they shall act again. */
deer_status deer_agent_rest(deer_agent *agent, int64_t *budget);

/* ---- together.c: several environments in step ---- */

/* Lanes and buffers for agent->n_envs environments, and what they need. */
deer_status deer_agent_make_lanes(deer_agent *agent, deer_env *const *envs, const int *group);
void deer_agent_free_lanes(deer_agent *agent);

/* An epoch of training of `length` steps of all environments together. */
deer_status deer_agent_together(deer_agent *agent, int64_t length);

/* ---- lane.c: what is the same for one environment and for several ---- */

/* State, action and policies' memory of a lane, all but `number`; and what of it is not shared. */
deer_status deer_lane_init(deer_lane *lane, const deer_agent *agent);
void deer_lane_finish(deer_lane *lane);

/* An episode begins: its histories are in the state. */
void deer_lane_begin(deer_lane *lane);

/* Drops the oldest entry of each history and appends `observation`. */
void deer_lane_shift(const deer_agent *agent, deer_lane *lane, const void *const *observation);

/* Chooses lane->action, with onActionChosen. `answers` is NULL for one environment. */
deer_status deer_lane_decide(deer_agent *agent, deer_lane *lane, deer_answers *answers);

/* Must what follows be told as soon as a sample is stored? So it is for algos that learn from fresh
 * samples alone. */
bool deer_agent_tells_ahead(const deer_agent *agent);

/* Stores what the action led to, which is in the lane, and, where that must be told, what followed:
 * `next`, NULL where that is terminal or must not. Then counts the step, learns if it is time, and
 * tells onActionTaken. */
deer_status deer_lane_took(deer_agent *agent, deer_lane *lane, const void *const *next);

/* Counts a step of training, and learns if it is time. */
deer_status deer_agent_count(deer_agent *agent);

/* The episode is over: what followed last, unless that is known already, statistics and
 * onEpisodeEnd. */
deer_status deer_lane_end(deer_agent *agent, deer_lane *lane, const void *const *last);

#endif
