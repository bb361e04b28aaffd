/* replay.c: the ring of samples: adding, forgetting, rebuilding histories. */
#include "replay/internal.h"

#include <math.h>
#include <string.h>

#define REPLAY(name) extern const deer_replay_class deer_replay_##name;
#include "replay/replays.def"
#undef REPLAY

static const deer_replay_class *const classes[] = {
#define REPLAY(name) &deer_replay_##name,
#include "replay/replays.def"
#undef REPLAY
};

const deer_replay_class *deer_replay_at(int i) {
  return i >= 0 && i < (int)(sizeof classes / sizeof *classes) ? classes[i] : NULL;
}

const deer_replay_class *deer_replay_find(const char *name) {
  for (int i = 0; deer_replay_at(i); i++)
    if (strcmp(deer_replay_at(i)->name, name) == 0) return deer_replay_at(i);
  return NULL;
}

/* ---- life ---- */

#define MOST_SAMPLES (INT64_C(1) << 40)

/* bytes of one slot over all arrays */
static size_t slot_bytes(const deer_replay *r) {
  size_t bytes = sizeof *r->reward + sizeof *r->flags + sizeof *r->age + r->kind->slot_bytes;
  bytes += (size_t)r->space.actions.size * sizeof *r->action;
  for (int s = 0; s < r->space.n_subjects; s++) bytes += deer_subject_bytes(&r->space.subjects[s]);
  return bytes;
}

size_t deer_replay_bytes(const deer_replay *r) { return (size_t)r->room * slot_bytes(r); }

/* refuses a memory that the machine does not have, before the system starts to swap or kill */
static deer_status check_memory(const deer_replay *r) {
  double asked = (double)r->room * (double)slot_bytes(r), giga = 1e9;
  double machine = (double)deer_machine_bytes();
  if (asked < machine) return DEER_OK;
  return deer_fail(
      DEER_ENOMEM,
      "a replay of %lld samples needs %.1f GB (%zu bytes each), the machine has %.1f GB",
      (long long)r->capacity, asked / giga, slot_bytes(r), machine / giga);
}

static deer_status reserve(deer_replay *r) {
  size_t room = (size_t)r->room;
  r->action = deer_alloc_array(room, (size_t)r->space.actions.size * sizeof *r->action);
  r->reward = deer_alloc_array(room, sizeof *r->reward);
  r->flags = deer_alloc_array(room, sizeof *r->flags);
  r->age = deer_alloc_array(room, sizeof *r->age);
  if (!r->action || !r->reward || !r->flags || !r->age) return DEER_ENOMEM;
  for (int s = 0; s < r->space.n_subjects; s++) {
    r->observation[s] = deer_alloc_array(room, deer_subject_bytes(&r->space.subjects[s]));
    if (!r->observation[s]) return DEER_ENOMEM;
  }
  return DEER_OK;
}

static deer_status start(deer_replay *r, const deer_replay_config *config) {
  if (r->kind->abi != DEER_REPLAY_ABI)
    return deer_fail(DEER_EINVAL, "%s: made for version %d of the interface, this is %d",
                     r->kind->name, r->kind->abi, DEER_REPLAY_ABI);
  DEER_TRY(deer_space_check(config->space));
  if (config->capacity < 1 || config->capacity > MOST_SAMPLES)
    return deer_fail(DEER_EINVAL, "a replay of %lld samples (expected 1 to %lld)",
                     (long long)config->capacity, (long long)MOST_SAMPLES);
  r->space = *config->space;
  r->capacity = config->capacity;
  r->only_full_history = config->only_full_history;
  r->longest = deer_space_longest(&r->space);
  /* episodes of 16 samples and more never push a sample out early */
  r->room = r->capacity + r->capacity / 16 + 16;
  DEER_TRY(check_memory(r));
  deer_fields_default(r->kind->fields, r);
  for (int i = 0; i < config->n_options; i++)
    DEER_TRY(
        deer_fields_set(r->kind->fields, r, config->options[i].name, config->options[i].value));
  DEER_TRY(reserve(r));
  return r->kind->init ? r->kind->init(r) : DEER_OK;
}

deer_status deer_replay_new(const deer_replay_class *kind, const deer_replay_config *config,
                            deer_replay **replay) {
  *replay = NULL;
  deer_replay *made = deer_alloc(kind->size);
  if (!made) return DEER_ENOMEM;
  made->kind = kind;
  deer_status status = start(made, config);
  if (status == DEER_OK)
    *replay = made;
  else
    deer_replay_free(made);
  return status;
}

void deer_replay_free(deer_replay *r) {
  if (!r) return;
  if (r->kind->finish) r->kind->finish(r);
  for (int s = 0; s < DEER_MAX_SUBJECTS; s++) deer_free(r->observation[s]);
  deer_free(r->action);
  deer_free(r->reward);
  deer_free(r->flags);
  deer_free(r->age);
  deer_free(r);
}

int64_t deer_replay_count(const deer_replay *r) { return r->samples; }
int64_t deer_replay_slots(const deer_replay *r) { return r->slots; }
const deer_space *deer_replay_space(const deer_replay *r) { return &r->space; }

/* ---- adding ---- */

/* slot `index` can be drawn from now on, if it can */
static void open_slot(deer_replay *r, int64_t index) {
  if (r->kind->opened && deer_replay_drawable(r, index))
    r->kind->opened(r, deer_replay_position(r, index));
}

static void close_slot(deer_replay *r, int64_t index) {
  if (r->kind->closed && index < r->slots) r->kind->closed(r, deer_replay_position(r, index));
}

static void forget_oldest(deer_replay *r) {
  /* with the oldest goes the first one that needs it for its history */
  close_slot(r, 0);
  if (r->only_full_history && r->longest > 1) close_slot(r, r->longest - 1);
  if (!(r->flags[r->first] & DEER_SLOT_FINAL)) r->samples--;
  r->first = r->first + 1 == r->room ? 0 : r->first + 1;
  r->slots--;
}

/* a new newest slot with this observation; returns its ring position */
static int64_t append(deer_replay *r, const void *const *observation, uint8_t flags) {
  bool sample = !(flags & DEER_SLOT_FINAL);
  while (r->slots == r->room || (sample && r->samples == r->capacity)) forget_oldest(r);
  int64_t p = deer_replay_position(r, r->slots), age = 0;
  if (r->slots > 0) {
    int64_t before = deer_replay_position(r, r->slots - 1);
    /* an episode goes on until it ends; its final observation still belongs to it */
    uint8_t ended = DEER_SLOT_FINAL | DEER_SLOT_TERMINAL | (sample ? DEER_SLOT_TRUNCATED : 0);
    if (!(r->flags[before] & ended)) age = r->age[before] + 1;
  }
  for (int s = 0; s < r->space.n_subjects; s++) {
    size_t bytes = deer_subject_bytes(&r->space.subjects[s]);
    memcpy(r->observation[s] + (size_t)p * bytes, observation[s], bytes);
  }
  r->flags[p] = flags;
  r->age[p] = (int32_t)(age < r->longest ? age : r->longest);
  r->slots++;
  r->samples += sample;
  return p;
}

/* what went before the newest slot may have waited for its successor */
static void open_previous(deer_replay *r) {
  if (r->age[deer_replay_position(r, r->slots - 1)] > 0) open_slot(r, r->slots - 2);
}

deer_status deer_replay_push(deer_replay *r, const deer_sample *sample) {
  /* also a number that is too large for the memory's */
  if (!isfinite((deer_real)sample->reward))
    return deer_fail(DEER_EDATA, "the reward is %g (expected a finite number)",
                     isnan(sample->reward) ? NAN : sample->reward);
  DEER_TRY(deer_observation_check(&r->space, sample->observation));
  DEER_TRY(deer_action_check(&r->space.actions, sample->action));
  uint8_t flags = sample->ending == DEER_TERMINATED  ? DEER_SLOT_TERMINAL
                  : sample->ending == DEER_TRUNCATED ? DEER_SLOT_TRUNCATED
                                                     : 0;
  int64_t p = append(r, sample->observation, flags);
  size_t size = (size_t)r->space.actions.size;
  memcpy(r->action + (size_t)p * size, sample->action, size * sizeof *r->action);
  r->reward[p] = (deer_real)sample->reward;
  open_slot(r, r->slots - 1);
  open_previous(r);
  return DEER_OK;
}

deer_status deer_replay_close(deer_replay *r, const void *const *observation) {
  int64_t last = r->slots > 0 ? deer_replay_position(r, r->slots - 1) : -1;
  if (last < 0 || r->flags[last] & (DEER_SLOT_FINAL | DEER_SLOT_TERMINAL))
    return deer_fail(DEER_ESTATE, "there is no episode to close");
  DEER_TRY(deer_observation_check(&r->space, observation));
  r->flags[last] = DEER_SLOT_TRUNCATED;
  append(r, observation, DEER_SLOT_FINAL);
  open_previous(r);
  return DEER_OK;
}

void deer_replay_break(deer_replay *r) {
  if (r->slots == 0) return;
  uint8_t *last = &r->flags[deer_replay_position(r, r->slots - 1)];
  if (*last == 0) *last = DEER_SLOT_TRUNCATED;
}

/* ---- drawing ---- */

/* is it known what the sample in this slot led to? */
static bool has_outcome(const deer_replay *r, int64_t index) {
  uint8_t flags = r->flags[deer_replay_position(r, index)];
  if (flags & (DEER_SLOT_FINAL | DEER_SLOT_TERMINAL)) return flags & DEER_SLOT_TERMINAL;
  /* what follows must be there, and be of the same episode */
  return index + 1 < r->slots && r->age[deer_replay_position(r, index + 1)] > 0;
}

bool deer_replay_drawable(const deer_replay *r, int64_t index) {
  if (index < 0 || index >= r->slots || !has_outcome(r, index)) return false;
  int least = r->longest - 1;
  return !r->only_full_history ||
         (index >= least && r->age[deer_replay_position(r, index)] >= least);
}

/* copies `n` observations of subject s from slot `index` on */
static void copy_run(const deer_replay *r, int s, int64_t index, int64_t n, char *to) {
  size_t bytes = deer_subject_bytes(&r->space.subjects[s]);
  int64_t p = deer_replay_position(r, index), whole = r->room - p < n ? r->room - p : n;
  memcpy(to, r->observation[s] + (size_t)p * bytes, (size_t)whole * bytes);
  if (whole < n) memcpy(to + (size_t)whole * bytes, r->observation[s], (size_t)(n - whole) * bytes);
}

/* the history of subject s that ends with slot `index`; entries from before the episode are zeros
 */
static void copy_history(const deer_replay *r, int s, int64_t index, char *to) {
  int64_t h = r->space.subjects[s].history, age = r->age[deer_replay_position(r, index)];
  int64_t n = age < index ? age + 1 : index + 1;
  if (n > h) n = h;
  size_t missing = (size_t)(h - n) * deer_subject_bytes(&r->space.subjects[s]);
  memset(to, 0, missing);
  copy_run(r, s, index - n + 1, n, to + missing);
}

/* where the steps from a sample on lead to */
typedef struct outcome {
  int64_t steps;
  double reward, weight; /* sum of the rewards; what the value of the last state counts */
  bool terminal;
} outcome;

static outcome follow(const deer_replay *r, int64_t index, const deer_batch *b) {
  outcome o = {.weight = 1};
  for (;;) {
    int64_t p = deer_replay_position(r, index + o.steps++);
    o.reward += o.weight * (double)r->reward[p];
    o.terminal = r->flags[p] & DEER_SLOT_TERMINAL;
    if (o.terminal || o.steps >= b->n_step || !has_outcome(r, index + o.steps)) break;
    o.weight *= b->discount;
  }
  if (o.terminal) o.weight = 0;
  return o;
}

/* writes sample `index` as row `row` of the batch */
static void gather_row(const deer_replay *r, int64_t index, int row, const deer_batch *b) {
  int64_t p = deer_replay_position(r, index);
  outcome o = follow(r, index, b);
  for (int s = 0; s < r->space.n_subjects; s++) {
    const deer_subject *subject = &r->space.subjects[s];
    size_t bytes = (size_t)subject->history * deer_subject_bytes(subject), at = (size_t)row * bytes;
    if (b->obs_tm1[s]) copy_history(r, s, index, (char *)b->obs_tm1[s] + at);
    if (b->obs_t[s] && o.terminal) memset((char *)b->obs_t[s] + at, 0, bytes);
    if (b->obs_t[s] && !o.terminal) copy_history(r, s, index + o.steps, (char *)b->obs_t[s] + at);
  }
  size_t size = (size_t)r->space.actions.size;
  const deer_real *action = r->action + (size_t)p * size;
  if (b->a_tm1) b->a_tm1[row] = (int32_t)*action;
  if (b->action_tm1) memcpy(b->action_tm1 + (size_t)row * size, action, size * sizeof *action);
  if (b->r_t) b->r_t[row] = (deer_real)o.reward;
  if (b->continue_t) b->continue_t[row] = (deer_real)o.weight;
}

/* asks for the memory of a sample that is gathered soon: it lies anywhere */
static void prefetch_row(const deer_replay *r, int64_t index) {
  size_t p = (size_t)deer_replay_position(r, index);
  __builtin_prefetch(&r->flags[p]);
  __builtin_prefetch(&r->age[p]);
  __builtin_prefetch(&r->reward[p]);
  __builtin_prefetch(&r->action[p * (size_t)r->space.actions.size]);
  for (int s = 0; s < r->space.n_subjects; s++)
    __builtin_prefetch(r->observation[s] + p * deer_subject_bytes(&r->space.subjects[s]));
}

static void gather_rows(const deer_replay *r, const int64_t *index, int n, int row,
                        const deer_batch *b) {
  enum { AHEAD = 16 };
  for (int i = 0; i < n && i < AHEAD; i++) prefetch_row(r, index[i]);
  for (int i = 0; i < n; i++) {
    if (i + AHEAD < n) prefetch_row(r, index[i + AHEAD]);
    gather_row(r, index[i], row + i, b);
  }
}

static void weigh(const deer_replay *r, int n, const int64_t *index, deer_real *weight) {
  if (r->kind->weigh)
    r->kind->weigh(r, n, index, weight);
  else
    for (int i = 0; i < n; i++) weight[i] = 1;
}

/* scales weights so that the largest is 1 */
static void normalize(int n, deer_real *weight) {
  deer_real largest = 0;
  for (int i = 0; i < n; i++) largest = weight[i] > largest ? weight[i] : largest;
  for (int i = 0; i < n; i++) weight[i] /= largest;
}

deer_status deer_replay_nothing(const deer_replay *r) {
  return deer_fail(
      DEER_EAGAIN,
      "no sample can be drawn: none of %lld has a full history of %d and a known successor",
      (long long)r->samples, r->only_full_history ? r->longest : 1);
}

deer_status deer_replay_sample(deer_replay *r, deer_rng *rng, deer_batch *batch) {
  enum { AT_ONCE = 64 };
  int64_t few[AT_ONCE];
  int most = batch->index ? batch->size : AT_ONCE;
  for (int row = 0; row < batch->size; row += most) {
    int n = batch->size - row < most ? batch->size - row : most;
    int64_t *index = batch->index ? batch->index : few;
    DEER_TRY(r->kind->draw(r, rng, n, index));
    gather_rows(r, index, n, row, batch);
    if (batch->weight) weigh(r, n, index, batch->weight + row);
  }
  if (batch->weight && r->kind->weigh) normalize(batch->size, batch->weight);
  return DEER_OK;
}

deer_status deer_replay_update(deer_replay *r, int n, const int64_t *index,
                               const deer_real *error) {
  if (!r->kind->update) return DEER_OK;
  for (int i = 0; i < n; i++)
    if (!isfinite(error[i]))
      return deer_fail(DEER_EDATA, "the error of sample %lld is %g (expected a finite number)",
                       (long long)index[i], (double)error[i]);
  r->kind->update(r, n, index, error);
  return DEER_OK;
}

deer_status deer_replay_gather(const deer_replay *r, deer_batch *batch) {
  for (int i = 0; i < batch->size; i++)
    if (!deer_replay_drawable(r, batch->index[i]))
      return deer_fail(DEER_EINVAL, "sample %lld cannot be drawn", (long long)batch->index[i]);
  gather_rows(r, batch->index, batch->size, 0, batch);
  return DEER_OK;
}

/* ---- looking ---- */

bool deer_replay_next(const deer_replay *r, int64_t *slot) {
  for (++*slot; *slot < r->slots; ++*slot)
    if (!(r->flags[deer_replay_position(r, *slot)] & DEER_SLOT_FINAL)) return true;
  return false;
}

const void *deer_replay_observation(const deer_replay *r, int64_t slot, int subject) {
  return r->observation[subject] +
         (size_t)deer_replay_position(r, slot) * deer_subject_bytes(&r->space.subjects[subject]);
}

const deer_real *deer_replay_action(const deer_replay *r, int64_t slot) {
  return r->action + (size_t)deer_replay_position(r, slot) * (size_t)r->space.actions.size;
}

double deer_replay_reward(const deer_replay *r, int64_t slot) {
  return (double)r->reward[deer_replay_position(r, slot)];
}

deer_ending deer_replay_ending(const deer_replay *r, int64_t slot) {
  uint8_t flags = r->flags[deer_replay_position(r, slot)];
  if (flags & DEER_SLOT_TERMINAL) return DEER_TERMINATED;
  return flags & DEER_SLOT_TRUNCATED ? DEER_TRUNCATED : DEER_RUNNING;
}
