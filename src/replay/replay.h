/* replay.h: the memory of transitions. Every observation is stored once, in a ring; states with
 * their histories are rebuilt when a batch is drawn. Lin 1992; Mnih et al. 2015.
 *
 * Sample t is (observation_t, action_t, reward_t, ending_t) as DeeR stores it: reward and ending
 * are what action_t led to. When an episode stops without a terminal state (time limit, end of the
 * epoch), deer_replay_close keeps the observation that came last, so that the last transition can
 * bootstrap from it and no transition spans two episodes.
 *
 * Environments that fill one memory in step have a lane each, numbered from 0: in a lane samples
 * follow each other in time, and each lane keeps its share of the capacity. A sample is named by
 * its slot: the n-th oldest entry of a lane is slot n * lanes + lane, so with one lane slots go
 * from 0, the oldest, to the newest. A lane that holds less than others has nothing in its last
 * ones. */
#ifndef DEER_REPLAY_H
#define DEER_REPLAY_H

#include "base/field.h"
#include "base/rng.h"
#include "env/env.h"

#define DEER_REPLAY_ABI 3

typedef struct deer_replay deer_replay;

/* Where a batch is written: buffers of the caller, usually inputs of a program. A NULL buffer is
 * skipped. */
typedef struct deer_batch {
  int size;
  void *obs_tm1[DEER_MAX_SUBJECTS]; /* [size, history, shape...] in the subject's dtype */
  void *obs_t[DEER_MAX_SUBJECTS];   /* the same one step later; zeros where s_t is terminal */
  int32_t *a_tm1;                   /* [size], discrete actions */
  deer_real *action_tm1;            /* [size, actions.size], any actions */
  deer_real *r_t;                   /* [size] */
  deer_real *continue_t; /* [size], 0 where s_t is terminal, else 1 (a truncation continues) */
  deer_real *weight; /* [size], importance of each sample, the largest 1; all 1 where samples are
                        equally likely. Not written by deer_replay_gather */
  int64_t *index;    /* [size], the slots of the samples drawn */

  /* Returns over several steps (Sutton 1988; Mnih et al. 2016): with n_step > 1, r_t is the sum of
   * discount^i times the reward i steps later over n_step steps, obs_t what followed the last of
   * them, and continue_t, where that is not terminal, discount^(steps - 1): times the discount it
   * is what the value of s_t counts. There are fewer steps where the episode ends sooner, by a
   * truncation in its final observation, or where no more is known yet. 0 is as 1: one step. */
  int n_step;
  double discount;
} deer_batch;

/* How samples are drawn. The storage is common to all kinds. */
typedef struct deer_replay_class {
  int abi; /* DEER_REPLAY_ABI */
  const char *name, *paper, *help;
  size_t size;              /* bytes of the instance, which begins with a struct deer_replay */
  size_t slot_bytes;        /* what init allocates for each slot; counted with the samples */
  const deer_field *fields; /* options of the kind; NULL for none */
  deer_status (*init)(deer_replay *self); /* optional */
  /* Draws n slots that deer_replay_drawable accepts. DEER_EAGAIN when there is none. */
  deer_status (*draw)(deer_replay *self, deer_rng *rng, int n, int64_t *index);
  /* The sample that lies at place `at` can be drawn from now on; not any more. Between, it can.
   * Optional. */
  void (*opened)(deer_replay *self, int64_t at);
  void (*closed)(deer_replay *self, int64_t at);
  /* How much samples should count that were drawn more often than others, up to a common factor;
   * index[i] is a slot. Optional: all the same. */
  void (*weigh)(const deer_replay *self, int n, const int64_t *index, deer_real *weight);
  /* Samples were learnt from, with these temporal-difference errors, all finite. Optional. */
  void (*update)(deer_replay *self, int n, const int64_t *index, const deer_real *error);
  void (*finish)(deer_replay *self); /* optional; must survive an init that failed or never came */
} deer_replay_class;

typedef struct deer_replay_config {
  const deer_space *space; /* copied */
  int lanes;               /* at most `capacity`; 0 is as 1 */
  int64_t capacity; /* samples kept, by all lanes; at least 1. Final observations lie beside them,
                       in room for one per 16 samples: only when truncated episodes are shorter than
                       that are the oldest samples forgotten a little earlier */
  bool only_full_history; /* draw only where the whole history lies in one episode; else older
                             entries are zeros */
  const deer_option *options;
  int n_options;
} deer_replay_config;

/* Fails with DEER_EINVAL (wrong option, capacity), or DEER_ENOMEM with the computed size in the
 * message when the memory asked for is more than the machine has. */
deer_status deer_replay_new(const deer_replay_class *kind, const deer_replay_config *config,
                            deer_replay **replay);
void deer_replay_free(deer_replay *replay);

/* Adds a sample; observation[s] is [shape...] of subject s. The oldest of its lane is forgotten
 * when the lane is full. Fails with DEER_EDATA when the reward or an element of the observation is
 * NaN or infinite as a deer_real, with DEER_EINVAL when the action is not in the space, there is no
 * such lane, or deer_replay_follow was told another observation. */
typedef struct deer_sample {
  const void *const *observation;
  const deer_real *action;
  double reward;
  deer_ending ending;
  int lane;
} deer_sample;
deer_status deer_replay_push(deer_replay *replay, const deer_sample *sample);

/* Tells the observation that follows the newest sample of a lane before its action is known, so
 * that this sample can be drawn; the next push or close of the lane must bring the same one.
 * DEER_ESTATE when the episode is over, otherwise fails as push does. */
deer_status deer_replay_follow(deer_replay *replay, int lane, const void *const *observation);

/* Ends an episode that did not reach a terminal state: `observation` is what followed the last
 * sample of the lane, which from now on counts as truncated. DEER_ESTATE when there is none. */
deer_status deer_replay_close(deer_replay *replay, int lane, const void *const *observation);

/* Ends an episode of which nothing more will be known (an error, Ctrl-C), so that the next sample
 * of the lane begins another one. Its last sample can never be drawn, unless it is terminal or what
 * followed was told. */
void deer_replay_break(deer_replay *replay, int lane);

int deer_replay_lanes(const deer_replay *replay);
int64_t deer_replay_count(const deer_replay *replay); /* samples held by all lanes */

/* One more than the largest slot that holds something: a sample, or an observation after one. */
int64_t deer_replay_slots(const deer_replay *replay);

int64_t deer_replay_pushed(const deer_replay *replay, int lane); /* samples ever added to a lane */

/* The slots of the newest samples of a lane, oldest first: at most n; returns how many. */
int64_t deer_replay_recent(const deer_replay *replay, int lane, int64_t n, int64_t *index);

const deer_space *deer_replay_space(const deer_replay *replay);
size_t deer_replay_bytes(const deer_replay *replay);

/* Can slot `index` (0 .. slots-1) be drawn: is it a sample whose successor is known and,
 * with only_full_history, whose history does not cross the start of its episode? O(1). */
bool deer_replay_drawable(const deer_replay *replay, int64_t index);

/* Draws batch->size samples and gathers them. DEER_EAGAIN, with nothing written, when no sample can
 * be drawn. */
deer_status deer_replay_sample(deer_replay *replay, deer_rng *rng, deer_batch *batch);

/* Draws batch->size sequences of `length` samples that follow each other in one episode, of which
 * the first can be drawn; those of sequence i are the rows i * length and after, so buffers have
 * `length` times as many rows, and `index` as many entries. Every sequence is equally likely,
 * whatever the kind; weights are 1. Hausknecht and Stone 2015, arXiv:1507.06527. Fails as
 * deer_replay_sample does, with DEER_EINVAL for a length below 1. */
deer_status deer_replay_sequences(deer_replay *replay, deer_rng *rng, int length,
                                  deer_batch *batch);

/* Tells the replay the temporal-difference errors of samples that were learnt from, from which some
 * kinds make priorities. `index` as deer_replay_sample wrote it, with nothing added since; what
 * cannot be drawn is passed over. DEER_EDATA, with nothing changed, when an error is not finite. */
deer_status deer_replay_update(deer_replay *replay, int n, const int64_t *index,
                               const deer_real *error);

/* Gathers the samples batch->index[0..size-1]; DEER_EINVAL when one is out of range or not
 * drawable. */
deer_status deer_replay_gather(const deer_replay *replay, deer_batch *batch);

/* Walks over the samples, those of a lane in time order: *slot starts at -1; false at the end.
 * Final observations are passed over. */
bool deer_replay_next(const deer_replay *replay, int64_t *slot);
const void *deer_replay_observation(const deer_replay *replay, int64_t slot,
                                    int subject); /* [shape...] */
const deer_real *deer_replay_action(const deer_replay *replay, int64_t slot);
double deer_replay_reward(const deer_replay *replay, int64_t slot);
deer_ending deer_replay_ending(const deer_replay *replay, int64_t slot);

/* Every kind of replays.def in its order; NULL past the end. By name: NULL when unknown. */
const deer_replay_class *deer_replay_at(int i);
const deer_replay_class *deer_replay_find(const char *name);

#endif
