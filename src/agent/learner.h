/* learner.h: an agent that does not drive: the caller's own loop (a game, a robot, a simulator)
 * asks for actions and tells what they led to. For a program that can be told when to act,
 * agent.h has the loop ready.
 *
 *   for (;;) {
 *     deer_learner_choose(learner, 0, observation, true, action);
 *     ... the caller acts: reward, ending, next ...
 *     deer_learner_observe(learner, &outcome);
 *     deer_learner_update(learner, &learnt, &loss);
 *   }
 *
 * It keeps what an agent keeps: the histories of what was observed, the replay, what the policy
 * remembers. A lane is one stream of experience, such as an environment of several; its episodes
 * follow each other. Choices to explore must be followed up: what each led to is observed, and the
 * next choice is made where that ended, or in a new episode. Choices that do not explore may also
 * come from anywhere, with nothing observed after them, as when the caller tests what was learnt:
 * the histories follow them, nothing is stored, and exploring again begins a new episode.
 *
 * With several lanes, messages begin with the number of the lane. Nothing is allocated once every
 * lane has been used and the algo has learnt for the first time. */
#ifndef DEER_LEARNER_H
#define DEER_LEARNER_H

#include "agent/policy.h"

typedef struct deer_learner deer_learner;

typedef struct deer_learner_config {
  deer_algo *algo;     /* borrowed, as is the policy: they outlive the learner */
  deer_policy *policy; /* by which it explores */
  int lanes;           /* 0 is as 1 */
  const deer_replay_class *replay;
  const deer_option *replay_options;
  int n_replay_options;
  int64_t replay_memory_size, replay_start_size; /* as those of deer_agent_config */
  bool only_full_history;
  const deer_rng *rng; /* streams "policy" and "replay" are split from it, as by an agent */
} deer_learner_config;

/* Fails with DEER_EINVAL (a start size that cannot be, a policy that cannot work with the algo, a
 * wrong option of the replay) or DEER_ENOMEM; *learner is then NULL. */
deer_status deer_learner_new(const deer_learner_config *config, deer_learner **learner);
void deer_learner_free(deer_learner *learner);

/* The action [actions.size] for what a lane observes now, [shape...] of each subject: that of the
 * policy, or, while the replay holds no more than replay_start samples, one by chance; without
 * `explore` the best one. NULL: what was observed to come next, or the same as before; so may
 * `observation` say, and the histories do not move twice. The first observation of an episode
 * begins it. While an action that explores is under way, the best one in the same state may be
 * looked at: the other one stays the lane's. So may a policy while it chooses.
 * DEER_ESTATE when there is no lane of that number, or the observation does not follow on what was
 * told; DEER_EDATA when it is NaN or infinite; DEER_EINVAL when the action is not in the space;
 * otherwise the status of policy and algo. */
deer_status deer_learner_choose(deer_learner *learner, int lane, const void *const *observation,
                                bool explore, deer_real *action);

/* The same for all lanes at once, in a fraction of the time, for the algo is asked once: the
 * actions [lanes, actions.size] for observations[s] = [lanes, shape...], all of them given or none,
 * for all of which or for none the best ones are chosen. Where one lane is refused, nothing is
 * changed. */
deer_status deer_learner_choose_all(deer_learner *learner, const void *const *observations,
                                    bool explore, deer_real *actions);

/* Makes an observation the newest of a lane, as a choice without `explore` does, but for the
 * choice: to look at the state, or to ask the algo what it says about it. */
deer_status deer_learner_see(deer_learner *learner, int lane, const void *const *observation);

/* What an action led to. */
typedef struct deer_outcome {
  int lane;
  const void *const *observation; /* in which it was taken; NULL: where it was chosen, or what was
                                     observed to come next */
  const deer_real *action;        /* NULL: the one chosen. Others may act in the learner's place */
  double reward;
  deer_ending ending;
  const void *const *next; /* observed then, also after a truncation, from which the value of the
                              future is taken; not read after a terminal state, where it may be
                              NULL */
} deer_outcome;

/* Stores it; after an ending the lane awaits another episode. DEER_ESTATE as choose, when there is
 * no action, and in a policy that is choosing for the lane; DEER_EINVAL when the action is not in
 * the space or `next` is missing; DEER_EDATA when a number is NaN or infinite: then nothing is
 * changed. DEER_ENOMEM for running statistics. */
deer_status deer_learner_observe(deer_learner *learner, const deer_outcome *outcome);

/* One update of the algo, if it is time. *learnt tells; if not, deer_error() says what is waited
 * for. An algo that learns from fresh samples takes its horizon's worth of each lane as soon as
 * they are there: update after every observation. *loss as that of deer_algo_class.learn. */
deer_status deer_learner_update(deer_learner *learner, bool *learnt, double *loss);

/* The lane's episode is over, if there is one, by the caller's decision: the last sample continues
 * in what was observed after it. The next episode begins with these histories, history[s] being
 * [history, shape...] before the first observation; NULL: zeros. Fails as choose. */
deer_status deer_learner_reset(deer_learner *learner, int lane, const void *const *history);

/* The histories in which a lane chose last. NULL when there is no such lane. */
const void *const *deer_learner_state(const deer_learner *learner, int lane);

int deer_learner_lanes(const deer_learner *learner);
deer_replay *deer_learner_replay(const deer_learner *learner);

#endif
