/* internal.h: the rings in which every kind of replay keeps its samples, one for each lane; for
 * files in replay/ only.
 *
 * A place is where a sample lies in the arrays, for good. A slot's index, which the outside knows,
 * is its age: entry `at` of a lane, 0 being the oldest, has the index at * lanes + lane, so that
 * one index in each row of `lanes` belongs to each lane, whether it holds anything there or not. */
#ifndef DEER_REPLAY_INTERNAL_H
#define DEER_REPLAY_INTERNAL_H

#include "replay/replay.h"

/* what a slot of the ring holds */
enum {
  DEER_SLOT_FINAL = 1,     /* the observation after a truncated episode, nothing else */
  DEER_SLOT_TERMINAL = 2,  /* a sample that reached a terminal state */
  DEER_SLOT_TRUNCATED = 4, /* a sample after which the episode was cut */
  DEER_SLOT_AHEAD = 8 /* an observation whose action is not known yet, the newest of its lane */
};

/* what is no sample */
enum { DEER_SLOT_BARE = DEER_SLOT_FINAL | DEER_SLOT_AHEAD };

/* one environment's part of the memory: a ring of `room` places from `base` on */
typedef struct deer_replay_lane {
  int64_t base, capacity;
  int64_t first;   /* ring position of the oldest slot */
  int64_t slots;   /* held */
  int64_t samples; /* held, at most capacity */
  int64_t pushed;  /* samples ever added */
} deer_replay_lane;

struct deer_replay {
  const deer_replay_class *kind;
  deer_space space;
  int64_t capacity;
  bool only_full_history;
  int longest;                     /* history of the subjects */
  size_t bytes[DEER_MAX_SUBJECTS]; /* of an observation of each */

  deer_replay_lane *lane;
  int lanes;
  int64_t room;    /* places of each lane; more than its capacity, for final observations */
  int64_t samples; /* held by all lanes */

  char *observation[DEER_MAX_SUBJECTS];
  deer_real *action, *reward;
  uint8_t *flags;
  int32_t
      *age; /* slots of the same episode right before, as far as they matter: at most `longest` */
};

/* What draw answers when there is nothing to draw: DEER_EAGAIN with the reason. */
deer_status deer_replay_nothing(const deer_replay *replay);

/* Draws n slots from which `length` samples of one episode follow each other, the first of which
 * can be drawn; each is equally likely. DEER_EAGAIN, with nothing written, when there is none. */
deer_status deer_replay_draw_starts(const deer_replay *replay, deer_rng *rng, int length, int n,
                                    int64_t *index);

/* Copies what `index` tells to rows of the batch, from row `row` on. */
void deer_replay_gather_rows(const deer_replay *replay, const int64_t *index, int n, int row,
                             const deer_batch *batch);

/* The lane of slot `index` and which entry of it that is, 0 being the oldest. */
static inline const deer_replay_lane *deer_replay_find_lane(const deer_replay *r, int64_t index,
                                                            int64_t *at) {
  *at = r->lanes == 1 ? index : index / r->lanes;
  return &r->lane[index - *at * r->lanes];
}

static inline int64_t deer_replay_place_in(const deer_replay *r, const deer_replay_lane *lane,
                                           int64_t at) {
  int64_t p = lane->first + at;
  return lane->base + (p < r->room ? p : p - r->room);
}

/* The place of slot `index`, and the other way round. */
static inline int64_t deer_replay_place(const deer_replay *r, int64_t index) {
  int64_t at;
  const deer_replay_lane *lane = deer_replay_find_lane(r, index, &at);
  return deer_replay_place_in(r, lane, at);
}

static inline int64_t deer_replay_index(const deer_replay *r, int64_t place) {
  int64_t lane = r->lanes == 1 ? 0 : place / r->room;
  int64_t at = place - r->lane[lane].base - r->lane[lane].first;
  return (at < 0 ? at + r->room : at) * r->lanes + lane;
}

/* Is it known what entry `at` of a lane, a sample, led to? */
static inline bool deer_replay_has_outcome(const deer_replay *r, const deer_replay_lane *lane,
                                           int64_t at) {
  uint8_t flags = r->flags[deer_replay_place_in(r, lane, at)];
  if (flags & (DEER_SLOT_BARE | DEER_SLOT_TERMINAL)) return flags & DEER_SLOT_TERMINAL;
  /* what follows must be there, and be of the same episode */
  return at + 1 < lane->slots && r->age[deer_replay_place_in(r, lane, at + 1)] > 0;
}

/* Can entry `at` be drawn? */
static inline bool deer_replay_drawable_in(const deer_replay *r, const deer_replay_lane *lane,
                                           int64_t at) {
  if (at >= lane->slots || !deer_replay_has_outcome(r, lane, at)) return false;
  int least = r->longest - 1;
  return !r->only_full_history ||
         (at >= least && r->age[deer_replay_place_in(r, lane, at)] >= least);
}

#endif
