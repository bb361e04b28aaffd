/* replay.c: the rings of samples: adding, forgetting, looking. */
#include "base/machine.h"
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
  for (int s = 0; s < r->space.n_subjects; s++) bytes += r->bytes[s];
  return bytes;
}

/* of all lanes */
static int64_t places(const deer_replay *r) { return r->room * r->lanes; }

size_t deer_replay_bytes(const deer_replay *r) { return (size_t)places(r) * slot_bytes(r); }

/* refuses a memory that the machine does not have, before the system starts to swap or kill */
static deer_status check_memory(const deer_replay *r) {
  double asked = (double)places(r) * (double)slot_bytes(r), giga = 1e9;
  double machine = (double)deer_machine_bytes();
  if (asked < machine) return DEER_OK;
  return deer_fail(
      DEER_ENOMEM,
      "a replay of %lld samples needs %.1f GB (%zu bytes each), the machine has %.1f GB",
      (long long)r->capacity, asked / giga, slot_bytes(r), machine / giga);
}

static deer_status reserve(deer_replay *r) {
  size_t room = (size_t)places(r);
  r->action = deer_alloc_array(room, (size_t)r->space.actions.size * sizeof *r->action);
  r->reward = deer_alloc_array(room, sizeof *r->reward);
  r->flags = deer_alloc_array(room, sizeof *r->flags);
  r->age = deer_alloc_array(room, sizeof *r->age);
  if (!r->action || !r->reward || !r->flags || !r->age) return DEER_ENOMEM;
  for (int s = 0; s < r->space.n_subjects; s++) {
    r->observation[s] = deer_alloc_array(room, r->bytes[s]);
    if (!r->observation[s]) return DEER_ENOMEM;
  }
  return DEER_OK;
}

/* the capacity is shared out; the first lanes take what is left over */
static deer_status make_lanes(deer_replay *r) {
  r->lane = deer_alloc_array((size_t)r->lanes, sizeof *r->lane);
  if (!r->lane) return DEER_ENOMEM;
  for (int i = 0; i < r->lanes; i++)
    r->lane[i] = (deer_replay_lane){
        .base = i * r->room, .capacity = r->capacity / r->lanes + (i < r->capacity % r->lanes)};
  return DEER_OK;
}

static deer_status check_sizes(const deer_replay_config *config) {
  if (config->capacity < 1 || config->capacity > MOST_SAMPLES)
    return deer_fail(DEER_EINVAL, "a replay of %lld samples (expected 1 to %lld)",
                     (long long)config->capacity, (long long)MOST_SAMPLES);
  if (config->lanes < 0 || config->lanes > config->capacity)
    return deer_fail(DEER_EINVAL, "a replay of %lld samples in %d lanes (expected 1 to %lld lanes)",
                     (long long)config->capacity, config->lanes, (long long)config->capacity);
  return DEER_OK;
}

static deer_status start(deer_replay *r, const deer_replay_config *config) {
  if (r->kind->abi != DEER_REPLAY_ABI)
    return deer_fail(DEER_EINVAL, "%s: made for version %d of the interface, this is %d",
                     r->kind->name, r->kind->abi, DEER_REPLAY_ABI);
  DEER_TRY(deer_space_check(config->space));
  DEER_TRY(check_sizes(config));
  r->space = *config->space;
  r->capacity = config->capacity;
  r->only_full_history = config->only_full_history;
  r->longest = deer_space_longest(&r->space);
  for (int s = 0; s < r->space.n_subjects; s++)
    r->bytes[s] = deer_subject_bytes(&r->space.subjects[s]);
  /* episodes of 16 samples and more never push a sample out early */
  r->lanes = config->lanes > 0 ? config->lanes : 1;
  int64_t most = (r->capacity + r->lanes - 1) / r->lanes;
  r->room = most + most / 16 + 16;
  DEER_TRY(check_memory(r));
  deer_fields_default(r->kind->fields, r);
  for (int i = 0; i < config->n_options; i++)
    DEER_TRY(
        deer_fields_set(r->kind->fields, r, config->options[i].name, config->options[i].value));
  DEER_TRY(make_lanes(r));
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
  deer_free(r->lane);
  deer_free(r->action);
  deer_free(r->reward);
  deer_free(r->flags);
  deer_free(r->age);
  deer_free(r);
}

int64_t deer_replay_count(const deer_replay *r) { return r->samples; }
const deer_space *deer_replay_space(const deer_replay *r) { return &r->space; }
int deer_replay_lanes(const deer_replay *r) { return r->lanes; }

int64_t deer_replay_slots(const deer_replay *r) {
  int64_t most = 0;
  for (int i = 0; i < r->lanes; i++) most = r->lane[i].slots > most ? r->lane[i].slots : most;
  return most * r->lanes;
}

/* ---- what can be drawn ---- */

bool deer_replay_drawable(const deer_replay *r, int64_t index) {
  if (index < 0) return false;
  int64_t at;
  const deer_replay_lane *l = deer_replay_find_lane(r, index, &at);
  return deer_replay_drawable_in(r, l, at);
}

/* entry `at` can be drawn from now on, if it can */
static void open_slot(deer_replay *r, const deer_replay_lane *l, int64_t at) {
  if (r->kind->opened && deer_replay_drawable_in(r, l, at))
    r->kind->opened(r, deer_replay_place_in(r, l, at));
}

static void close_slot(deer_replay *r, const deer_replay_lane *l, int64_t at) {
  if (r->kind->closed && at < l->slots) r->kind->closed(r, deer_replay_place_in(r, l, at));
}

/* what went before the newest slot may have waited for its successor */
static void open_previous(deer_replay *r, const deer_replay_lane *l) {
  if (r->age[deer_replay_place_in(r, l, l->slots - 1)] > 0) open_slot(r, l, l->slots - 2);
}

/* ---- adding ---- */

static void forget_oldest(deer_replay *r, deer_replay_lane *l) {
  /* with the oldest goes the first one that needs it for its history */
  close_slot(r, l, 0);
  if (r->only_full_history && r->longest > 1) close_slot(r, l, r->longest - 1);
  if (!(r->flags[deer_replay_place_in(r, l, 0)] & DEER_SLOT_BARE)) {
    l->samples--;
    r->samples--;
  }
  l->first = l->first + 1 == r->room ? 0 : l->first + 1;
  l->slots--;
}

/* place of the newest slot; -1 when there is none */
static int64_t newest(const deer_replay *r, const deer_replay_lane *l) {
  return l->slots > 0 ? deer_replay_place_in(r, l, l->slots - 1) : -1;
}

/* how many slots of its episode lie before a slot that comes next: an episode goes on until it
 * ends; its final observation, or one whose action is not known yet, still belongs to it */
static int64_t next_age(const deer_replay *r, const deer_replay_lane *l, uint8_t flags) {
  int64_t before = newest(r, l);
  if (before < 0) return 0;
  uint8_t ended = DEER_SLOT_FINAL | DEER_SLOT_TERMINAL;
  if (!(flags & DEER_SLOT_FINAL)) ended |= DEER_SLOT_TRUNCATED;
  return r->flags[before] & ended ? 0 : r->age[before] + 1;
}

/* a new newest slot with this observation */
static void append(deer_replay *r, deer_replay_lane *l, const void *const *observation,
                   uint8_t flags) {
  if (l->slots == r->room) forget_oldest(r, l);
  int64_t age = next_age(r, l, flags), p = deer_replay_place_in(r, l, l->slots);
  for (int s = 0; s < r->space.n_subjects; s++)
    memcpy(r->observation[s] + (size_t)p * r->bytes[s], observation[s], r->bytes[s]);
  r->flags[p] = flags;
  r->age[p] = (int32_t)(age < r->longest ? age : r->longest);
  l->slots++;
}

static bool is_ahead(const deer_replay *r, const deer_replay_lane *l) {
  return l->slots > 0 && r->flags[newest(r, l)] & DEER_SLOT_AHEAD;
}

/* the first subject in which this is not the observation of the newest slot; n_subjects for none */
static int first_other(const deer_replay *r, const deer_replay_lane *l,
                       const void *const *observation) {
  const size_t p = (size_t)newest(r, l);
  int s = 0;
  while (s < r->space.n_subjects &&
         memcmp(r->observation[s] + p * r->bytes[s], observation[s], r->bytes[s]) == 0)
    s++;
  return s;
}

/* the lane, if there is one of this number and the observation is right */
static deer_status check(const deer_replay *r, int lane, const void *const *observation) {
  if (lane < 0 || lane >= r->lanes)
    return deer_fail(DEER_EINVAL, "lane %d of a replay with %d", lane, r->lanes);
  const bool ahead = is_ahead(r, &r->lane[lane]);
  const int other = ahead ? first_other(r, &r->lane[lane], observation) : 0;
  /* what was told ahead was looked at then */
  if (other == r->space.n_subjects) return DEER_OK;
  DEER_TRY(deer_observation_check(&r->space, observation));
  if (!ahead) return DEER_OK;
  return deer_fail(DEER_EINVAL,
                   "the observation is not the one that was said to follow (subject %d)", other);
}

static void store(deer_replay *r, deer_replay_lane *l, const deer_sample *sample) {
  uint8_t flags = sample->ending == DEER_TERMINATED  ? DEER_SLOT_TERMINAL
                  : sample->ending == DEER_TRUNCATED ? DEER_SLOT_TRUNCATED
                                                     : 0;
  while (l->samples == l->capacity) forget_oldest(r, l);
  if (!is_ahead(r, l)) append(r, l, sample->observation, flags);
  int64_t p = newest(r, l);
  size_t size = (size_t)r->space.actions.size;
  memcpy(r->action + (size_t)p * size, sample->action, size * sizeof *r->action);
  r->reward[p] = (deer_real)sample->reward;
  r->flags[p] = flags;
  l->samples++;
  l->pushed++;
  r->samples++;
}

deer_status deer_replay_push(deer_replay *r, const deer_sample *sample) {
  /* also a number that is too large for the memory's */
  if (!isfinite((deer_real)sample->reward))
    return deer_fail(DEER_EDATA, "the reward is %g (expected a finite number)",
                     isnan(sample->reward) ? NAN : sample->reward);
  DEER_TRY(check(r, sample->lane, sample->observation));
  DEER_TRY(deer_action_check(&r->space.actions, sample->action));
  deer_replay_lane *l = &r->lane[sample->lane];
  store(r, l, sample);
  open_slot(r, l, l->slots - 1);
  open_previous(r, l);
  return DEER_OK;
}

/* does the newest slot belong to an episode that may go on? */
static bool is_open(const deer_replay *r, const deer_replay_lane *l, uint8_t ended) {
  return l->slots > 0 && !(r->flags[newest(r, l)] & ended);
}

deer_status deer_replay_follow(deer_replay *r, int lane, const void *const *observation) {
  DEER_TRY(check(r, lane, observation));
  deer_replay_lane *l = &r->lane[lane];
  if (is_ahead(r, l)) return DEER_OK;
  if (!is_open(r, l, DEER_SLOT_FINAL | DEER_SLOT_TERMINAL | DEER_SLOT_TRUNCATED))
    return deer_fail(DEER_ESTATE, "there is no episode that goes on");
  append(r, l, observation, DEER_SLOT_AHEAD);
  open_previous(r, l);
  return DEER_OK;
}

/* the episode ends here: the newest sample is truncated, an observation after it is final */
static void cut(deer_replay *r, deer_replay_lane *l) {
  int64_t at = l->slots - 1;
  uint8_t *last = &r->flags[deer_replay_place_in(r, l, at)];
  if (*last & DEER_SLOT_BARE) {
    *last = DEER_SLOT_FINAL;
    last = &r->flags[deer_replay_place_in(r, l, at - 1)];
  }
  *last = DEER_SLOT_TRUNCATED;
}

deer_status deer_replay_close(deer_replay *r, int lane, const void *const *observation) {
  DEER_TRY(check(r, lane, observation));
  deer_replay_lane *l = &r->lane[lane];
  if (!is_open(r, l, DEER_SLOT_FINAL | DEER_SLOT_TERMINAL))
    return deer_fail(DEER_ESTATE, "there is no episode to close");
  if (!is_ahead(r, l)) append(r, l, observation, DEER_SLOT_FINAL);
  cut(r, l);
  open_previous(r, l);
  return DEER_OK;
}

void deer_replay_break(deer_replay *r, int lane) {
  if (lane < 0 || lane >= r->lanes) return;
  deer_replay_lane *l = &r->lane[lane];
  if (is_open(r, l, DEER_SLOT_FINAL | DEER_SLOT_TERMINAL)) cut(r, l);
}

/* ---- looking ---- */

bool deer_replay_next(const deer_replay *r, int64_t *slot) {
  int64_t slots = deer_replay_slots(r), at;
  for (++*slot; *slot < slots; ++*slot) {
    const deer_replay_lane *l = deer_replay_find_lane(r, *slot, &at);
    if (at < l->slots && !(r->flags[deer_replay_place_in(r, l, at)] & DEER_SLOT_BARE)) return true;
  }
  return false;
}

int64_t deer_replay_pushed(const deer_replay *r, int lane) { return r->lane[lane].pushed; }

int64_t deer_replay_recent(const deer_replay *r, int lane, int64_t n, int64_t *index) {
  const deer_replay_lane *l = &r->lane[lane];
  int64_t found = n < l->samples ? n : l->samples, left = found;
  for (int64_t at = l->slots - 1; left > 0; at--)
    if (!(r->flags[deer_replay_place_in(r, l, at)] & DEER_SLOT_BARE))
      index[--left] = at * r->lanes + lane;
  return found;
}

const void *deer_replay_observation(const deer_replay *r, int64_t slot, int subject) {
  return r->observation[subject] + (size_t)deer_replay_place(r, slot) * r->bytes[subject];
}

const deer_real *deer_replay_action(const deer_replay *r, int64_t slot) {
  return r->action + (size_t)deer_replay_place(r, slot) * (size_t)r->space.actions.size;
}

double deer_replay_reward(const deer_replay *r, int64_t slot) {
  return (double)r->reward[deer_replay_place(r, slot)];
}

deer_ending deer_replay_ending(const deer_replay *r, int64_t slot) {
  uint8_t flags = r->flags[deer_replay_place(r, slot)];
  if (flags & DEER_SLOT_TERMINAL) return DEER_TERMINATED;
  return flags & DEER_SLOT_TRUNCATED ? DEER_TRUNCATED : DEER_RUNNING;
}
