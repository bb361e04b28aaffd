/* internal.h: what an agent holds; for files in agent/ only. */
#ifndef DEER_AGENT_INTERNAL_H
#define DEER_AGENT_INTERNAL_H

#include "agent/agent.h"

struct deer_agent {
  deer_env *env;
  deer_algo *algo;
  deer_policy *train_policy, *test_policy;
  void *train_memory, *test_memory; /* what the policies remember */
  deer_replay *replay, *test_set;
  deer_rng policy_rng, replay_rng;
  bool only_full_history;
  int64_t replay_memory_size, replay_start_size, train_every;

  deer_listener *listener;
  void *listener_context;
  unsigned mask;

  int mode;
  bool in_episode, in_training_run;
  bool stopping;                        /* the run ends after the present step */
  bool unasked;                         /* no policy has chosen yet in this episode */
  void *state[DEER_MAX_SUBJECTS];       /* [history, shape...], oldest first */
  void *observation[DEER_MAX_SUBJECTS]; /* [shape...], where the environment writes */
  deer_real action[DEER_MAX_ACTION_SIZE], override[DEER_MAX_ACTION_SIZE];
  bool overridden;

  double loss_sum, value_sum, test_reward;
  deer_episode last_episode;
  int64_t n_losses, n_values, n_test_episodes;
  int64_t n_refused;     /* updates of this training epoch for which nothing could be drawn */
  int64_t steps, epochs; /* of training */
  int64_t epoch, step;   /* where the run is, for messages; both count from 1 */
};

/* policies in files of their own */
extern const deer_policy_class deer_policy_longer_exploration, deer_policy_boltzmann;

/* Fires a signal if somebody listens. */
deer_status deer_agent_signal(deer_agent *agent, deer_event event);

/* One episode of at most *budget steps, which it takes away from *budget. */
deer_status deer_agent_episode(deer_agent *agent, int64_t *budget);

#endif
