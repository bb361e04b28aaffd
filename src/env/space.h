/* space.h: what can be observed and what can be done. */
#ifndef DEER_SPACE_H
#define DEER_SPACE_H

#include "tensor/tensor.h"

#define DEER_MAX_SUBJECTS    16
#define DEER_MAX_ACTION_SIZE 64
#define DEER_MOST_ACTIONS    (1 << 24) /* reals tell whole numbers apart up to here */

/* One observable element (DeeR's inputDimensions row). The environment returns its value at the
 * present step, of `shape`; the agent keeps the last `history` of them, oldest first: the state is
 * [history, shape...]. */
typedef struct deer_subject {
  int history;      /* at least 1 */
  deer_shape shape; /* of one observation: a scalar, a vector [m], a frame [rows, columns],
                       [channels, rows, columns] */
  deer_dtype dtype; /* how it is stored; networks see reals whatever it is */
} deer_subject;

/* An action is always an array of `size` reals; what was chosen is a whole number in it. */
typedef struct deer_action_space {
  int n;                             /* above 0: discrete actions 0..n-1 */
  int size;                          /* 1 for discrete */
  int choices[DEER_MAX_ACTION_SIZE]; /* above 0, where n is 0: multi-discrete, `size` choices at
                                        once, number i being one of 0..choices[i]-1 */
  double low[DEER_MAX_ACTION_SIZE], high[DEER_MAX_ACTION_SIZE]; /* else a box, between these */
} deer_action_space;

typedef enum deer_action_kind {
  DEER_ACTIONS_DISCRETE = 1,
  DEER_ACTIONS_CONTINUOUS = 2,
  DEER_ACTIONS_MULTI_DISCRETE = 4
} deer_action_kind;

typedef struct deer_space {
  int n_subjects;
  deer_subject subjects[DEER_MAX_SUBJECTS];
  deer_action_space actions;
} deer_space;

/* Fails with DEER_EINVAL or DEER_ESHAPE and a message naming the wrong part ("subject 1: history 0
 * ..."). */
deer_status deer_space_check(const deer_space *space);

size_t deer_subject_count(const deer_subject *subject);     /* elements of one observation */
size_t deer_subject_bytes(const deer_subject *subject);     /* bytes of one observation */
size_t deer_history_bytes(const deer_subject *subject);     /* bytes of `history` of them */
deer_shape deer_subject_state(const deer_subject *subject); /* [history, shape...] */

/* [batch, history, shape...], what networks take */
deer_shape deer_subject_batch(const deer_subject *subject, int batch);

/* The longest history of the subjects. */
int deer_space_longest(const deer_space *space);

/* Can what was made for the one be used with the other? */
bool deer_space_equal(const deer_space *a, const deer_space *b);

/* DEER_EDATA when an element of observation[s] ([shape...] of every subject s), or of state[s]
 * ([history, shape...]), is NaN or infinite: "subject 0 of the observation is nan at element 3
 * ...". */
deer_status deer_observation_check(const deer_space *space, const void *const *observation);

/* The same for `n` observations at once: observation[s] is [n, shape...]. */
deer_status deer_observations_check(const deer_space *space, int n, const void *const *observation);
deer_status deer_state_check(const deer_space *space, const void *const *state);

deer_action_kind deer_actions_kind(const deer_action_space *actions);
const char *deer_action_kind_name(deer_action_kind kind); /* "multi-discrete" */

/* DEER_OK when `action` lies in the space; else DEER_EINVAL, "action 7 is not one of 0..1". */
deer_status deer_action_check(const deer_action_space *actions, const deer_real *action);

#endif
