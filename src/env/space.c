/* space.c: sizes and checks of observations and actions. */
#include "env/space.h"

#include <math.h>

size_t deer_subject_count(const deer_subject *subject) { return deer_shape_count(&subject->shape); }

size_t deer_subject_bytes(const deer_subject *subject) {
  return deer_subject_count(subject) * deer_dtype_size(subject->dtype);
}

size_t deer_history_bytes(const deer_subject *subject) {
  return (size_t)subject->history * deer_subject_bytes(subject);
}

deer_shape deer_subject_state(const deer_subject *subject) {
  deer_shape state = {.rank = subject->shape.rank + 1, .dim = {subject->history}};
  for (int i = 0; i < subject->shape.rank; i++) state.dim[i + 1] = subject->shape.dim[i];
  return state;
}

deer_shape deer_subject_batch(const deer_subject *subject, int batch) {
  deer_shape one = deer_subject_state(subject), all = {.rank = one.rank + 1, .dim = {batch}};
  for (int i = 0; i < one.rank; i++) all.dim[i + 1] = one.dim[i];
  return all;
}

int deer_space_longest(const deer_space *space) {
  int longest = 1;
  for (int s = 0; s < space->n_subjects; s++)
    if (space->subjects[s].history > longest) longest = space->subjects[s].history;
  return longest;
}

static bool same_subject(const deer_subject *a, const deer_subject *b) {
  return a->history == b->history && a->dtype == b->dtype && deer_shape_equal(&a->shape, &b->shape);
}

static bool same_actions(const deer_action_space *a, const deer_action_space *b) {
  if (a->n != b->n || a->size != b->size) return false;
  for (int i = 0; i < a->size && a->n == 0; i++) {
    if (a->choices[i] != b->choices[i]) return false;
    if (a->choices[i] == 0 && (a->low[i] != b->low[i] || a->high[i] != b->high[i])) return false;
  }
  return true;
}

bool deer_space_equal(const deer_space *a, const deer_space *b) {
  if (a->n_subjects != b->n_subjects || !same_actions(&a->actions, &b->actions)) return false;
  for (int s = 0; s < a->n_subjects; s++)
    if (!same_subject(&a->subjects[s], &b->subjects[s])) return false;
  return true;
}

static deer_status check_subject(const deer_subject *subject, int s) {
  if (subject->history < 1)
    return deer_fail(DEER_EINVAL, "subject %d: the history is %d (expected at least 1)", s,
                     subject->history);
  if (subject->dtype > DEER_DTYPE_I32)
    return deer_fail(DEER_EINVAL, "subject %d: stored as type %d (expected %s, uint8 or int32)", s,
                     (int)subject->dtype, deer_dtype_name(DEER_DTYPE_REAL));
  /* a batch of states has two dimensions more */
  if (subject->shape.rank < 0 || subject->shape.rank > DEER_MAX_RANK - 2)
    return deer_fail(DEER_ESHAPE, "subject %d: rank %d (expected 0 to %d)", s, subject->shape.rank,
                     DEER_MAX_RANK - 2);
  deer_shape state = deer_subject_state(subject);
  if (deer_shape_check(&state, "state") != DEER_OK)
    return deer_fail(DEER_ESHAPE, "subject %d: %s", s, deer_error());
  return DEER_OK;
}

deer_action_kind deer_actions_kind(const deer_action_space *actions) {
  if (actions->n > 0) return DEER_ACTIONS_DISCRETE;
  return actions->choices[0] > 0 ? DEER_ACTIONS_MULTI_DISCRETE : DEER_ACTIONS_CONTINUOUS;
}

const char *deer_action_kind_name(deer_action_kind kind) {
  if (kind == DEER_ACTIONS_DISCRETE) return "discrete";
  return kind == DEER_ACTIONS_CONTINUOUS ? "continuous" : "multi-discrete";
}

static deer_status check_choices(const deer_action_space *actions) {
  for (int i = 0; i < actions->size; i++)
    if (actions->choices[i] < 1 || actions->choices[i] > DEER_MOST_ACTIONS)
      return deer_fail(DEER_EINVAL, "actions: choice %d is one of %d (expected 1 to %d)", i,
                       actions->choices[i], DEER_MOST_ACTIONS);
  return DEER_OK;
}

static deer_status check_actions(const deer_action_space *actions) {
  if (actions->n < 0)
    return deer_fail(DEER_EINVAL, "actions: %d (expected at least 1)", actions->n);
  if (actions->n > 0) {
    if (actions->size == 1 && actions->n <= DEER_MOST_ACTIONS) return DEER_OK;
    return deer_fail(DEER_EINVAL,
                     "actions: %d discrete actions of size %d (expected 1 to %d of size 1)",
                     actions->n, actions->size, DEER_MOST_ACTIONS);
  }
  if (actions->size < 1 || actions->size > DEER_MAX_ACTION_SIZE)
    return deer_fail(DEER_EINVAL, "actions: %d numbers (expected 1 to %d)", actions->size,
                     DEER_MAX_ACTION_SIZE);
  if (actions->choices[0] > 0) return check_choices(actions);
  for (int i = 0; i < actions->size; i++) {
    /* the width must be a number too, for drawing actions at random */
    double low = actions->low[i], high = actions->high[i];
    if (!(isfinite((deer_real)low) && isfinite((deer_real)high) && isfinite(high - low) &&
          low <= high))
      return deer_fail(
          DEER_EINVAL,
          "actions: number %d: expected bounds low <= high, finite as %s, got %g and %g", i,
          deer_dtype_name(DEER_DTYPE_REAL), low, high);
  }
  return DEER_OK;
}

deer_status deer_space_check(const deer_space *space) {
  if (space->n_subjects < 1 || space->n_subjects > DEER_MAX_SUBJECTS)
    return deer_fail(DEER_EINVAL, "%d subjects (expected 1 to %d)", space->n_subjects,
                     DEER_MAX_SUBJECTS);
  for (int s = 0; s < space->n_subjects; s++) DEER_TRY(check_subject(&space->subjects[s], s));
  return check_actions(&space->actions);
}

/* as messages show it: a NaN is printed with its sign */
static double shown(deer_real x) { return isnan(x) ? NAN : (double)x; }

/* looks at `n` observations of subject s that lie one after the other; `what` they are */
static deer_status check_finite(const deer_subject *subject, int s, const void *data, int n,
                                const char *what) {
  if (subject->dtype != DEER_DTYPE_REAL) return DEER_OK;
  const deer_real *x = data;
  size_t count = (size_t)n * deer_subject_count(subject), i = 0;
  /* without a way out the compiler makes vectors of this loop; frames have many elements */
  int wrong = 0;
  for (size_t k = 0; k < count; k++) wrong |= !isfinite(x[k]);
  if (!wrong) return DEER_OK;
  while (isfinite(x[i])) i++;
  return deer_fail(DEER_EDATA,
                   "subject %d of the %s is %g at element %zu (expected a finite number)", s, what,
                   shown(x[i]), i);
}

deer_status deer_observations_check(const deer_space *space, int n,
                                    const void *const *observation) {
  for (int s = 0; s < space->n_subjects; s++)
    DEER_TRY(check_finite(&space->subjects[s], s, observation[s], n, "observation"));
  return DEER_OK;
}

deer_status deer_observation_check(const deer_space *space, const void *const *observation) {
  return deer_observations_check(space, 1, observation);
}

deer_status deer_state_check(const deer_space *space, const void *const *state) {
  for (int s = 0; s < space->n_subjects; s++) {
    const deer_subject *subject = &space->subjects[s];
    DEER_TRY(check_finite(subject, s, state[s], subject->history, "initial history"));
  }
  return DEER_OK;
}

static bool is_below(double x, int n) { return x >= 0 && x < n && x == floor(x); }

deer_status deer_action_check(const deer_action_space *actions, const deer_real *action) {
  if (actions->n > 0) {
    if (is_below((double)*action, actions->n)) return DEER_OK;
    return deer_fail(DEER_EINVAL, "action %g is not one of 0..%d", shown(*action), actions->n - 1);
  }
  if (actions->choices[0] > 0) {
    for (int i = 0; i < actions->size; i++)
      if (!is_below((double)action[i], actions->choices[i]))
        return deer_fail(DEER_EINVAL, "action: number %d is %g, not one of 0..%d", i,
                         shown(action[i]), actions->choices[i] - 1);
    return DEER_OK;
  }
  for (int i = 0; i < actions->size; i++)
    if (!(action[i] >= (deer_real)actions->low[i] && action[i] <= (deer_real)actions->high[i]))
      return deer_fail(DEER_EINVAL, "action: number %d is %g (expected %g to %g)", i,
                       shown(action[i]), actions->low[i], actions->high[i]);
  return DEER_OK;
}
