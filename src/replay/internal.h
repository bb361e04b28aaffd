/* internal.h: the ring in which every kind of replay keeps its samples; for files in replay/ only.
 */
#ifndef DEER_REPLAY_INTERNAL_H
#define DEER_REPLAY_INTERNAL_H

#include "replay/replay.h"

/* what a slot of the ring holds */
enum {
  DEER_SLOT_FINAL = 1,    /* the observation after a truncated episode, nothing else */
  DEER_SLOT_TERMINAL = 2, /* a sample that reached a terminal state */
  DEER_SLOT_TRUNCATED = 4 /* a sample after which the episode was cut */
};

struct deer_replay {
  const deer_replay_class *kind;
  deer_space space;
  int64_t capacity;
  bool only_full_history;
  int longest; /* history of the subjects */

  int64_t room;    /* slots of the ring; more than capacity, for final observations */
  int64_t first;   /* ring position of the oldest slot */
  int64_t slots;   /* held */
  int64_t samples; /* held, at most capacity */

  char *observation[DEER_MAX_SUBJECTS];
  deer_real *action, *reward;
  uint8_t *flags;
  int32_t
      *age; /* slots of the same episode right before, as far as they matter: at most `longest` */
};

/* What draw answers when there is nothing to draw: DEER_EAGAIN with the reason. */
deer_status deer_replay_nothing(const deer_replay *replay);

/* The ring position of slot `index`, 0 being the oldest. */
static inline int64_t deer_replay_position(const deer_replay *r, int64_t index) {
  int64_t p = r->first + index;
  return p < r->room ? p : p - r->room;
}

#endif
