/* rollout.h: the samples that an on-policy algorithm learns from next: which they are, what is
 * known about each, advantages. The observations stay in the replay. For files in algo/ only. */
#ifndef DEER_ROLLOUT_H
#define DEER_ROLLOUT_H

#include "deer.h"

/* Lane after lane, each in the order of time; arrays have `room` entries, the first n of them
 * count. Zeroed bytes are an empty one. */
typedef struct deer_rollout {
  int lanes;
  int64_t horizon; /* at most so many samples of a lane */
  int64_t room, n;

  int64_t *index;      /* slots of the replay */
  deer_ending *ending; /* truncated also where something is missing after the sample */
  deer_real *r_t, *v_tm1, *v_cut, *log_prob; /* v_cut of the state after the sample, where cut */
  deer_real *advantage, *target;             /* target of v_tm1 */
  int64_t *order;                            /* in which minibatches take the samples */

  int64_t *start;  /* [lanes + 1] where a lane begins, and the end */
  int64_t *learnt; /* [lanes] samples of the lane that need not be looked at again */
  int64_t *seen;   /* [lanes] samples whose endings are counted in n_endings */
  int64_t n_endings;
} deer_rollout;

/* Makes room for `horizon` samples of every lane of the replay; *fresh tells that this is another
 * place than before, and nothing in it. */
deer_status deer_rollout_prepare(deer_rollout *rollout, const deer_replay *replay, int64_t horizon,
                                 bool *fresh);
void deer_rollout_free(deer_rollout *rollout);

/* Has every lane, or has any, `horizon` samples that were not learnt from yet? Lanes are filled one
 * after the other: while the first has too few, it alone is looked at to tell about all. */
bool deer_rollout_full(const deer_rollout *rollout, const deer_replay *replay);
bool deer_rollout_any_full(const deer_rollout *rollout, const deer_replay *replay);

/* How many episodes have ended among them. */
int64_t deer_rollout_endings(deer_rollout *rollout, const deer_replay *replay);

/* Takes the newest samples of every lane; with `whole`, of lanes that have fewer than `horizon` of
 * them, only up to the last end of an episode: the rest is left for another time. Samples that
 * cannot be drawn are left out. */
void deer_rollout_take(deer_rollout *rollout, const deer_replay *replay, bool whole);

/* The sample at position i is the last one known of its episode, and the episode would go on. */
static inline bool deer_rollout_is_cut(const deer_rollout *rollout, int64_t i) {
  return rollout->ending[i] == DEER_TRUNCATED;
}

/* Works out advantages and targets from values and rewards: deer_gae along each lane. `normalize`
 * shifts and scales advantages to mean 0 and deviation 1 afterwards. */
void deer_rollout_value(deer_rollout *rollout, double discount, double lambda, bool normalize);

/* Another order. */
void deer_rollout_shuffle(deer_rollout *rollout, deer_rng *rng);

#endif
