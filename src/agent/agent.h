/* agent.h: the step loop: histories of the state, replay, policies, modes, epochs, episodes and the
 * signals that controllers listen to. One epoch of training is `length` steps; episodes inside it
 * end in a terminal state, in a truncation by the environment, or (truncated as well) with the
 * epoch.
 *
 * One step: observe, shift the state, choose, onActionChosen, act, store, onActionTaken. In
 * training the choice is random while the replay holds no more than replay_start samples. An algo
 * that learns from fresh samples alone (deer_algo_class.horizon) acts by itself from the first one,
 * and is told what followed a sample before onActionTaken.
 *
 * Given several environments to train in, the agent takes each of these steps for all of them
 * before the next one: choices and onActionChosen in their order; then all act, on several threads
 * where that pays; then each sample is stored and onActionTaken and onEpisodeEnd are told, again in
 * their order. Steps, of an epoch and of whoever counts signals, are those of all environments
 * together. Tests run in the agent's own environment. */
#ifndef DEER_AGENT_H
#define DEER_AGENT_H

#include "agent/policy.h"

typedef struct deer_agent deer_agent;

typedef enum deer_signal {
  DEER_ON_START,         /* once per run, before anything else */
  DEER_ON_ACTION_CHOSEN, /* before the environment acts; `action` */
  DEER_ON_ACTION_TAKEN,  /* after the sample is stored */
  DEER_ON_EPISODE_END,   /* `terminal` (false for a truncation) and the last `reward` */
  DEER_ON_EPOCH_END,
  DEER_ON_END, /* once per run, also when it ends with an error or Ctrl-C */
  DEER_SIGNALS
} deer_signal;

typedef struct deer_event {
  deer_signal signal;
  const deer_real *action;
  bool terminal;
  double reward;
} deer_event;

typedef struct deer_episode {
  double reward; /* the sum, without discount */
  int64_t steps;
  bool whole; /* false when not the environment ended it, but the epoch */
} deer_episode;

/* Called for each signal of the mask. A failure ends the run with that status. The listener may
 * call any function below, except run inside an episode. */
typedef deer_status deer_listener(void *context, const deer_event *event);

typedef struct deer_agent_config {
  deer_env *env; /* borrowed, as are algo and the policies: they outlive the agent */
  deer_algo *algo;
  deer_policy *train_policy, *test_policy;
  const deer_replay_class *replay;
  const deer_option *replay_options;
  int n_replay_options;
  deer_env *const *envs; /* n_envs to train in instead of `env`, of the same space; borrowed */
  int n_envs;
  const int *group;           /* of each: see deer_vec_env_new */
  int64_t replay_memory_size; /* of all environments together; 0 for 1000000. Not less than an algo
                                 with a horizon needs, for which 0 is just that */
  int64_t replay_start_size;  /* -1: the longest history; otherwise at least that; less than the
                                 memory holds. Algos with a horizon have none: -1 */
  bool only_full_history;
  bool in_turn; /* epochs as in DeeR 0.2, for one environment and algos without a horizon. Test
                   epochs that a listener asks for by deer_agent_start_mode come in turn with those
                   of training instead of being run by it, and onEpochEnd is told in their mode. A
                   terminal state takes a step of its own, if the epoch has one left, with no
                   onActionChosen: its observation, action 0 and reward 0 are the sample that is
                   terminal, instead of the one that led there */
  int64_t train_every; /* an update after the first training step and every so many more, before
                          onActionTaken; 0: only when deer_agent_train is called */
  const deer_rng *rng; /* streams "policy" and "replay" are split from it */
} deer_agent_config;

/* Fails with DEER_EINVAL (a start size that cannot be, an algo for another space, a policy that
 * cannot work with it, a wrong option of the replay) or DEER_ENOMEM; *agent is then NULL. */
deer_status deer_agent_new(const deer_agent_config *config, deer_agent **agent);
void deer_agent_free(deer_agent *agent);

/* `mask` has bit (1u << signal) set for each signal to be heard. */
void deer_agent_listen(deer_agent *agent, deer_listener *listener, void *context, unsigned mask);

/* In training mode: n_epochs training epochs of `length` steps with onStart, onEpochEnd after each,
 * the environment's stop and onEnd. In a test mode (after start_mode): n_epochs test epochs,
 * onEpochEnd after each, and nothing else. May be called from a listener between episodes (an
 * interleaved test), but not inside an episode: DEER_ESTATE. On failure: the status of whatever
 * failed, with where it happened ("epoch 3, step 17: ...") in front of the message unless it is
 * DEER_ECALLBACK or DEER_EINTERRUPT; a training run that failed leaves the agent in training mode.
 */
deer_status deer_agent_run(deer_agent *agent, int64_t n_epochs, int64_t length);

/* Ends the run that is under way, and the training run around it, after the present step: the
 * episode counts as cut short, and onEpisodeEnd, onEpochEnd and onEnd come as always. Without a run
 * it does nothing. */
void deer_agent_stop(deer_agent *agent);

/* One update of the algo, if the replay holds more than replay_start samples and one can be drawn;
 * *trained tells. */
deer_status deer_agent_train(deer_agent *agent, bool *trained);

/* Whether training steps act: when not, an epoch of training touches no environment and consists of
 * onActionTaken, for each of its steps, and one onEpisodeEnd. From the next episode on, with
 * several environments from the next epoch on. */
void deer_agent_set_gathering(deer_agent *agent, bool gathering);

/* How often each action is done, in training and tests; the reward of the step is the sum. An
 * episode that is over ends it early. DEER_EINVAL when below 1. At first 1. */
deer_status deer_agent_set_sticky(deer_agent *agent, int64_t times);

/* Test mode `mode` >= 0 with an empty test set that keeps `length` samples; DEER_ESTATE inside an
 * episode, DEER_EINVAL for -1. With in_turn, an epoch of `length` steps follows the present one. */
deer_status deer_agent_start_mode(deer_agent *agent, int mode, int64_t length);

/* Back to training mode; the test set stays until the next start_mode. DEER_ESTATE inside an
 * episode. */
deer_status deer_agent_resume_training(deer_agent *agent);
int deer_agent_mode(const deer_agent *agent); /* -1 in training */

/* The environment's summary of the last test epoch; DEER_ESTATE in training mode. */
deer_status deer_agent_summarize(deer_agent *agent);

/* The next action is `action` instead of the policy's (its value counts as 0). Called in
 * onActionChosen it replaces the action just chosen. DEER_EINVAL when it is not in the space. */
deer_status deer_agent_override_action(deer_agent *agent, const deer_real *action);

/* Statistics. The mean loss of the updates of this training epoch, -1 when there was none. The mean
 * value over the greedy steps of the last episode, 0 when there was none. The test reward per
 * episode of the last test epoch (an episode cut by its end counts as one) and the number of
 * episodes. *n is how many numbers went into the mean. */
double deer_agent_mean_loss(const deer_agent *agent, int64_t *n);
double deer_agent_mean_value(const deer_agent *agent, int64_t *n);
double deer_agent_test_score(const deer_agent *agent, int64_t *n_episodes);

/* Of which of several environments the present signal tells, from 0; 0 when there is but one. */
int deer_agent_lane(const deer_agent *agent);

/* The state that the policy sees, in that environment: the history of each subject. */
const void *const *deer_agent_state(const deer_agent *agent);

/* The last episode, as a listener of onEpisodeEnd finds it. */
deer_episode deer_agent_last_episode(const deer_agent *agent);

int64_t deer_agent_steps(const deer_agent *agent);  /* training steps since the agent was made */
int64_t deer_agent_epochs(const deer_agent *agent); /* training epochs completed */

deer_replay *deer_agent_replay(const deer_agent *agent); /* of training */
deer_replay *
deer_agent_test_set(const deer_agent *agent); /* of the last test epoch, NULL before the first */

#endif
