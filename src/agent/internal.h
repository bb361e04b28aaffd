/* internal.h: what an agent holds; for files in agent/ only. */
#ifndef DEER_AGENT_INTERNAL_H
#define DEER_AGENT_INTERNAL_H

#include "agent/agent.h"
#include "env/vec.h"

/* what the agent knows about one environment and the episode under way in it */
typedef struct deer_lane {
  int number;                      /* of the lane in the memory of training */
  void *state[DEER_MAX_SUBJECTS];  /* [history, shape...], oldest first */
  void *newest[DEER_MAX_SUBJECTS]; /* the last entry of each */
  size_t bytes[DEER_MAX_SUBJECTS]; /* of an entry */
  deer_real *action;
  void *train_memory, *test_memory; /* what the policies remember */
  bool unasked;                     /* no policy has chosen yet in this episode */

  double reward, sum; /* the last one, and all of the episode */
  int64_t steps;
  deer_ending ending;
  double value_sum; /* over the greedy steps, so many */
  int64_t n_values;
} deer_lane;

/* what an algo learns from */
typedef struct deer_experience {
  deer_algo *algo; /* borrowed */
  deer_replay *replay;
  deer_rng rng;       /* of what is drawn */
  int64_t size;       /* samples that are kept */
  int64_t start_size; /* gathered by chance before the algo acts and learns */
  int64_t horizon;    /* of an algo that learns from fresh samples alone, otherwise 0 */
  bool only_full_history;
} deer_experience;

struct deer_agent {
  deer_env *env;
  deer_algo *algo;
  deer_policy *train_policy, *test_policy;
  deer_experience past; /* of training */
  deer_replay *test_set;
  deer_rng policy_rng;
  bool in_turn;
  bool resting; /* training steps do nothing but tell that they are over */
  int64_t sticky;
  int64_t train_every;

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
  deer_real *actions;   /* [n, size] */
  deer_answers answers; /* of the algo to all states at once, which lie there */

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
static inline deer_status deer_agent_signal(deer_agent *agent, deer_event event) {
  if (!(agent->mask & 1u << event.signal)) return DEER_OK;
  return agent->listener(agent->listener_context, &event);
}

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

/* ---- experience.c: what an algo learns from, and when there is enough of it ---- */

typedef struct deer_experience_config {
  deer_algo *algo;
  const deer_replay_class *replay;
  const deer_option *options; /* of the replay */
  int n_options, lanes;
  int64_t size, start_size; /* as replay_memory_size and replay_start_size of deer_agent_config */
  bool only_full_history;
  const deer_rng *rng;
} deer_experience_config;

/* Fails as deer_agent_new says. What was made is freed by finish, also when this fails. */
deer_status deer_experience_init(deer_experience *e, const deer_experience_config *config);
void deer_experience_finish(deer_experience *e);

/* Is it too early to learn, so that actions are taken by chance? */
bool deer_experience_gathers(const deer_experience *e);

/* One update of the algo; DEER_EAGAIN, with the reason, when it is too early. */
deer_status deer_experience_learn(deer_experience *e, double *loss);

/* How many samples a test set for so many steps keeps. */
int64_t deer_experience_test_size(const deer_experience *e, int64_t length);

/* ---- lane.c: an environment as an agent sees it ---- */

/* The policies' memory of a lane; either may be NULL. */
deer_status deer_lane_init(deer_lane *lane, const deer_policy *train, const deer_policy *test);
void deer_lane_finish(deer_lane *lane);

/* Its state lies with those of others, in the row of its number. */
void deer_lane_place(deer_lane *lane, const deer_space *space, const deer_answers *all);

/* Memory of its own for state and action. */
deer_status deer_lane_reserve(deer_lane *lane, const deer_space *space);
void deer_lane_release(deer_lane *lane);

/* An episode begins: its histories are in the state. Histories of zeros. */
void deer_lane_begin(deer_lane *lane);
void deer_lane_clear(deer_lane *lane, const deer_space *space);

/* Drops the oldest entry of each history and appends `observation`. */
void deer_lane_shift(deer_lane *lane, const deer_space *space, const void *const *observation);

/* Stores what the action led to, which is in the lane, and what followed: `next`, NULL where that
 * must not be told yet. */
deer_status deer_lane_store(const deer_lane *lane, deer_replay *replay, const void *const *next);

/* Tells the algo's running statistics what was seen and earned. */
deer_status deer_lane_tell(const deer_lane *lane, deer_algo *algo);

/* ---- lane.c: what is the same for one environment of an agent and for several ---- */

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
