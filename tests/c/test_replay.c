/* test_replay.c: the replay memory against DeeR's tables, against a naive model over many
 * wrap-arounds, and at its limits. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

static json_t *golden;

/* ---- helpers ---- */

static deer_space scalars(int history0, int history1) {
  deer_space space = {.n_subjects = history1 > 0 ? 2 : 1, .actions = {.n = 2, .size = 1}};
  space.subjects[0] = (deer_subject){.history = history0, .dtype = DEER_DTYPE_REAL};
  space.subjects[1] = (deer_subject){.history = history1, .dtype = DEER_DTYPE_REAL};
  return space;
}

static deer_replay *replay_new(const deer_space *space, int64_t capacity, bool only_full_history) {
  deer_replay_config config = {
      .space = space, .capacity = capacity, .only_full_history = only_full_history};
  deer_replay *replay;
  assert_int_equal(deer_replay_new(deer_replay_find("uniform"), &config, &replay), DEER_OK);
  return replay;
}

/* one number as the observation of every scalar subject */
static void push(deer_replay *replay, double x, deer_ending ending) {
  deer_real value = (deer_real)x, action = (deer_real)(((int)x % 2 + 2) % 2);
  const void *observation[DEER_MAX_SUBJECTS];
  for (int s = 0; s < DEER_MAX_SUBJECTS; s++) observation[s] = &value;
  deer_sample sample = {observation, &action, 10 * x, ending, 0};
  assert_int_equal(deer_replay_push(replay, &sample), DEER_OK);
}

static deer_status close_with(deer_replay *replay, double x) {
  deer_real value = (deer_real)x;
  const void *observation[DEER_MAX_SUBJECTS];
  for (int s = 0; s < DEER_MAX_SUBJECTS; s++) observation[s] = &value;
  return deer_replay_close(replay, 0, observation);
}

/* a batch with buffers of its own, poisoned so that what is not written shows */
typedef struct buffers {
  deer_batch batch;
  deer_space space;
} buffers;

static size_t state_bytes(const deer_space *space, int s) {
  return (size_t)space->subjects[s].history * deer_subject_bytes(&space->subjects[s]);
}

static buffers buffers_new(const deer_space *space, int size) {
  buffers b = {.space = *space, .batch = {.size = size}};
  size_t n = (size_t)size;
  for (int s = 0; s < space->n_subjects; s++) {
    b.batch.obs_tm1[s] =
        memset(deer_alloc(n * state_bytes(space, s)), 0xa5, n * state_bytes(space, s));
    b.batch.obs_t[s] =
        memset(deer_alloc(n * state_bytes(space, s)), 0xa5, n * state_bytes(space, s));
  }
  b.batch.a_tm1 = deer_alloc_array(n, sizeof(int32_t));
  b.batch.action_tm1 = deer_alloc_array(n * (size_t)space->actions.size, sizeof(deer_real));
  b.batch.r_t = deer_alloc_array(n, sizeof(deer_real));
  b.batch.continue_t = deer_alloc_array(n, sizeof(deer_real));
  b.batch.index = deer_alloc_array(n, sizeof(int64_t));
  return b;
}

static void buffers_free(buffers *b) {
  for (int s = 0; s < b->space.n_subjects; s++) {
    deer_free(b->batch.obs_tm1[s]);
    deer_free(b->batch.obs_t[s]);
  }
  deer_free(b->batch.a_tm1);
  deer_free(b->batch.action_tm1);
  deer_free(b->batch.r_t);
  deer_free(b->batch.continue_t);
  deer_free(b->batch.index);
}

static int count_drawable(const deer_replay *replay) {
  int n = 0;
  for (int64_t i = 0; i < deer_replay_slots(replay); i++) n += deer_replay_drawable(replay, i);
  return n;
}

/* ---- DeeR's tables ---- */

static deer_space golden_space(const json_t *dimensions) {
  deer_space space = {.n_subjects = (int)json_array_size(dimensions),
                      .actions = {.n = 2, .size = 1}};
  for (int s = 0; s < space.n_subjects; s++) {
    const json_t *row = json_array_get(dimensions, (size_t)s);
    deer_subject *subject = &space.subjects[s];
    subject->history = (int)json_integer_value(json_array_get(row, 0));
    subject->shape.rank = (int)json_array_size(row) - 1;
    for (int i = 0; i < subject->shape.rank; i++)
      subject->shape.dim[i] = (int)json_integer_value(json_array_get(row, (size_t)i + 1));
  }
  return space;
}

static bool contains(const json_t *list, int t) {
  for (size_t i = 0; i < json_array_size(list); i++)
    if (json_integer_value(json_array_get(list, i)) == t) return true;
  return false;
}

/* samples 0 .. n-1: every element of observation t is t, the action t mod 2, the reward 10 t */
static void golden_fill(deer_replay *replay, int n, const json_t *terminals) {
  for (int t = 0; t < n; t++) {
    deer_real values[8], action = (deer_real)(t % 2);
    for (int i = 0; i < 8; i++) values[i] = (deer_real)t;
    const void *observation[] = {values, values};
    deer_sample sample = {observation, &action, 10.0 * t,
                          contains(terminals, t) ? DEER_TERMINATED : DEER_RUNNING, 0};
    assert_int_equal(deer_replay_push(replay, &sample), DEER_OK);
  }
}

/* compares nested lists of numbers with memory; returns what follows in memory */
static const deer_real *compare(const json_t *expected, const deer_real *got) {
  if (!json_is_array(expected)) {
    assert_float_equal(*got, json_number_value(expected), 0);
    return got + 1;
  }
  for (size_t i = 0; i < json_array_size(expected); i++)
    got = compare(json_array_get(expected, i), got);
  return got;
}

/* gathers the one sample `index` and compares its states with a row of a table */
static void compare_row(const deer_replay *replay, int64_t index, const json_t *row) {
  const deer_space *space = deer_replay_space(replay);
  buffers b = buffers_new(space, 1);
  b.batch.index[0] = index;
  assert_int_equal(deer_replay_gather(replay, &b.batch), DEER_OK);
  for (int s = 0; s < space->n_subjects; s++) {
    compare(json_array_get(json_object_get(row, "states"), (size_t)s), b.batch.obs_tm1[s]);
    compare(json_array_get(json_object_get(row, "next_states"), (size_t)s), b.batch.obs_t[s]);
  }
  const json_t *action = json_object_get(row, "action"), *reward = json_object_get(row, "reward");
  if (action) assert_int_equal(b.batch.a_tm1[0], json_integer_value(action));
  if (reward) assert_float_equal(b.batch.r_t[0], json_number_value(reward), 0);
  bool terminal = json_boolean_value(json_object_get(row, "terminal"));
  assert_true(b.batch.continue_t[0] == (terminal ? 0 : 1));
  buffers_free(&b);
}

/* what DeeR draws as it is must come out equal here; what it shifts to another sample (a history
 * that crosses episodes), refuses, or draws without knowing the successor cannot be drawn here */
static void table_of_full_histories(void **state) {
  (void)state;
  size_t k, i;
  json_t *c, *row, *cases = json_object_get(golden, "A_valid_index_mapping");
  int equal = 0, refused = 0;
  json_array_foreach(cases, k, c) {
    int added = (int)json_integer_value(json_object_get(c, "samples_added"));
    int capacity = (int)json_integer_value(json_object_get(c, "maxSize"));
    bool master = strcmp(json_string_value(json_object_get(c, "version")), "master") == 0;
    /* the ring of DeeR's master forgets nothing any more when a small memory is full */
    if (master && added > capacity) continue;
    deer_space space = golden_space(json_object_get(c, "inputDimensions"));
    deer_replay *replay = replay_new(&space, capacity, true);
    golden_fill(replay, added, json_object_get(c, "terminal_at_t"));
    int64_t n = deer_replay_count(replay);
    assert_int_equal(n, json_integer_value(json_object_get(c, "nElems")));
    json_array_foreach(json_object_get(c, "map"), i, row) {
      int64_t drawn = json_integer_value(json_object_get(row, "drawn"));
      const json_t *used = json_object_get(row, "used");
      bool newest = drawn == n - 1 && !json_boolean_value(json_object_get(row, "terminal"));
      if (!used || json_integer_value(used) != drawn || newest) {
        assert_false(deer_replay_drawable(replay, drawn));
        refused++;
        continue;
      }
      assert_true(deer_replay_drawable(replay, drawn));
      compare_row(replay, drawn, row);
      equal++;
    }
    deer_replay_free(replay);
  }
  assert_in_range(equal, 30, 1000);
  assert_in_range(refused, 20, 1000);
}

/* a history shorter than asked for is filled up with zeros */
static void table_of_short_histories(void **state) {
  (void)state;
  const json_t *table = json_object_get(golden, "B_only_full_history_False_master");
  deer_space space = golden_space(json_object_get(table, "inputDimensions"));
  deer_replay *replay = replay_new(&space, 20, false);
  golden_fill(replay, 12, json_object_get(table, "terminal_at_t"));
  size_t i;
  json_t *row, *rows = json_object_get(table, "rows");
  assert_int_equal(json_array_size(rows), 11);
  json_array_foreach(rows, i, row)
      compare_row(replay, json_integer_value(json_object_get(row, "drawn")), row);
  assert_false(deer_replay_drawable(replay, 11));
  deer_replay_free(replay);
}

/* ---- a naive model ---- */

/* everything ever added, in order; observation k is filled with numbers made of k */
typedef struct entry {
  bool final, terminal, truncated;
  int episode;
} entry;

enum { MOST = 6000 };

typedef struct model {
  entry entries[MOST];
  int n, first; /* the window [first, n) is what is held */
  int episode;  /* of the next entry */
  int capacity, room, longest;
  bool only_full_history;
} model;

static double element(int k, int s, size_t i) { return (k * 31 + s * 7 + (int)i * 3) % 251; }

static void model_trim(model *m) {
  for (;;) {
    int samples = 0;
    for (int k = m->first; k < m->n; k++) samples += !m->entries[k].final;
    if (samples <= m->capacity && m->n - m->first <= m->room) return;
    m->first++;
  }
}

static int model_count(const model *m) {
  int samples = 0;
  for (int k = m->first; k < m->n; k++) samples += !m->entries[k].final;
  return samples;
}

static bool same_episode(const model *m, int k, int other) {
  return other >= m->first && other < m->n && m->entries[k].episode == m->entries[other].episode;
}

static bool model_drawable(const model *m, int k) {
  const entry *e = &m->entries[k];
  if (e->final || (!e->terminal && !same_episode(m, k, k + 1))) return false;
  for (int back = 1; m->only_full_history && back < m->longest; back++)
    if (!same_episode(m, k, k - back)) return false;
  return true;
}

static double dtype_value(deer_dtype dtype, const void *data, size_t i) {
  return dtype == DEER_DTYPE_U8 ? ((const uint8_t *)data)[i] : (double)((const deer_real *)data)[i];
}

/* the state of subject s that ends with entry k (zeros for k = -1) against memory */
static void compare_state(const model *m, const deer_subject *subject, int s, int k,
                          const void *got) {
  size_t count = deer_subject_count(subject);
  for (int h = 0; h < subject->history; h++) {
    int at = k - (subject->history - 1 - h);
    bool known = k >= 0 && same_episode(m, k, at);
    for (size_t i = 0; i < count; i++)
      if (dtype_value(subject->dtype, got, (size_t)h * count + i) !=
          (known ? element(at, s, i) : 0))
        fail_msg("entry %d, subject %d, history %d, element %zu", k, s, h, i);
  }
}

/* all drawable samples in one batch */
static void compare_gathered(const model *m, const deer_replay *replay, buffers *b) {
  const deer_space *space = &b->space;
  b->batch.size = 0;
  for (int k = m->first; k < m->n; k++)
    if (model_drawable(m, k)) b->batch.index[b->batch.size++] = k - m->first;
  assert_int_equal(deer_replay_gather(replay, &b->batch), DEER_OK);
  for (int row = 0; row < b->batch.size; row++) {
    int k = (int)b->batch.index[row] + m->first;
    bool terminal = m->entries[k].terminal;
    for (int s = 0; s < space->n_subjects; s++) {
      size_t at = (size_t)row * state_bytes(space, s);
      compare_state(m, &space->subjects[s], s, k, (char *)b->batch.obs_tm1[s] + at);
      compare_state(m, &space->subjects[s], s, terminal ? -1 : k + 1,
                    (char *)b->batch.obs_t[s] + at);
    }
    assert_int_equal(b->batch.a_tm1[row], k % 2);
    assert_float_equal(b->batch.action_tm1[row], (k % 2), 0);
    assert_float_equal(b->batch.r_t[row], k, 0);
    assert_true(b->batch.continue_t[row] == (terminal ? 0 : 1));
  }
}

static void compare_slots(const model *m, const deer_replay *replay) {
  assert_int_equal(deer_replay_slots(replay), m->n - m->first);
  assert_int_equal(deer_replay_count(replay), model_count(m));
  for (int k = m->first; k < m->n; k++)
    if (deer_replay_drawable(replay, k - m->first) != model_drawable(m, k))
      fail_msg("entry %d: drawable %d", k, !model_drawable(m, k));
  assert_false(deer_replay_drawable(replay, m->n - m->first));
  assert_false(deer_replay_drawable(replay, -1));
}

/* walking over the samples gives them in order of time with what was stored */
static void compare_walk(const model *m, const deer_replay *replay) {
  int64_t slot = -1;
  const deer_subject *subject = &deer_replay_space(replay)->subjects[0];
  for (int k = m->first; k < m->n; k++) {
    const entry *e = &m->entries[k];
    if (e->final) continue;
    assert_true(deer_replay_next(replay, &slot));
    assert_int_equal(slot, k - m->first);
    assert_float_equal(deer_replay_reward(replay, slot), k, 0);
    assert_float_equal(*deer_replay_action(replay, slot), (k % 2), 0);
    assert_float_equal(dtype_value(subject->dtype, deer_replay_observation(replay, slot, 0), 0),
                       element(k, 0, 0), 0);
    assert_int_equal(deer_replay_ending(replay, slot), e->terminal    ? DEER_TERMINATED
                                                       : e->truncated ? DEER_TRUNCATED
                                                                      : DEER_RUNNING);
  }
  assert_false(deer_replay_next(replay, &slot));
}

/* writes the observation of entry k */
static void observe(const deer_space *space, int k, void *const *observation) {
  for (int s = 0; s < space->n_subjects; s++)
    for (size_t i = 0; i < deer_subject_count(&space->subjects[s]); i++)
      if (space->subjects[s].dtype == DEER_DTYPE_U8)
        ((uint8_t *)observation[s])[i] = (uint8_t)element(k, s, i);
      else
        ((deer_real *)observation[s])[i] = (deer_real)element(k, s, i);
}

typedef struct setting {
  int histories[3], capacity;
  bool only_full_history;
  int percent_end; /* chance of each step to end its episode */
} setting;

/* one random event: a sample (running, terminal, truncated), a close, a break */
static void random_event(model *m, deer_replay *replay, deer_rng *rng, int percent_end) {
  static _Alignas(64) char memory[3][64];
  void *observation[] = {memory[0], memory[1], memory[2]};
  const deer_space *space = deer_replay_space(replay);
  observe(space, m->n, observation);
  entry *before = m->n > 0 ? &m->entries[m->n - 1] : NULL;
  bool ended = deer_rng_below(rng, 100) < (uint64_t)percent_end;
  int how = ended ? (int)deer_rng_below(rng, 4) : 0;
  if (how == 1 && before && !before->final && !before->terminal) {
    /* closing belongs to the episode of the last sample, also when that was already truncated */
    assert_int_equal(deer_replay_close(replay, 0, (const void *const *)observation), DEER_OK);
    before->truncated = true;
    m->entries[m->n++] = (entry){.final = true, .episode = before->episode};
    m->episode = before->episode + 1;
  } else if (how == 2) {
    deer_replay_break(replay, 0);
    if (before && !before->final && !before->terminal) before->truncated = true;
    m->episode++;
  } else {
    deer_real action = (deer_real)(m->n % 2);
    deer_ending ending = !ended ? DEER_RUNNING : how == 3 ? DEER_TRUNCATED : DEER_TERMINATED;
    deer_sample sample = {(const void *const *)observation, &action, m->n, ending, 0};
    assert_int_equal(deer_replay_push(replay, &sample), DEER_OK);
    m->entries[m->n++] = (entry){.terminal = ending == DEER_TERMINATED,
                                 .truncated = ending == DEER_TRUNCATED,
                                 .episode = m->episode};
    if (ending != DEER_RUNNING) m->episode++;
  }
  model_trim(m);
}

static void run_setting(const setting *c, uint64_t seed) {
  deer_space space = {.n_subjects = 3,
                      .subjects = {{c->histories[0], DEER_SCALAR, DEER_DTYPE_REAL},
                                   {c->histories[1], DEER_SHAPE(3), DEER_DTYPE_REAL},
                                   {c->histories[2], DEER_SHAPE(3, 5), DEER_DTYPE_U8}},
                      .actions = {.n = 2, .size = 1}};
  model *m = deer_alloc(sizeof *m);
  /* beside the samples lies room for one final observation per 16 of them */
  *m = (model){.capacity = c->capacity,
               .room = c->capacity + c->capacity / 16 + 16,
               .only_full_history = c->only_full_history};
  for (int s = 0; s < 3; s++)
    if (c->histories[s] > m->longest) m->longest = c->histories[s];
  deer_replay *replay = replay_new(&space, c->capacity, c->only_full_history);
  deer_rng rng = deer_rng_seed(seed);
  buffers b = buffers_new(&space, m->room);
  for (int i = 0; m->n < 40 * (c->capacity < 50 ? c->capacity + 20 : 50); i++) {
    random_event(m, replay, &rng, c->percent_end);
    compare_slots(m, replay);
    if (i % 5 == 0) compare_gathered(m, replay, &b);
    if (i % 50 == 0) compare_walk(m, replay);
  }
  buffers_free(&b);
  deer_replay_free(replay);
  deer_free(m);
}

static void memory_equals_naive_model(void **state) {
  (void)state;
  static const setting settings[] = {
      {{1, 1, 1}, 1, true, 30},    {{1, 1, 1}, 2, true, 10},    {{3, 1, 2}, 1, false, 30},
      {{3, 1, 2}, 3, true, 10},    {{3, 1, 2}, 7, true, 20},    {{3, 1, 2}, 7, false, 20},
      {{1, 4, 2}, 5, true, 5},     {{1, 4, 2}, 16, false, 60},  {{2, 1, 12}, 40, true, 3},
      {{2, 1, 12}, 40, false, 10}, {{12, 12, 12}, 97, true, 2}, {{5, 3, 1}, 97, false, 90},
      {{1, 1, 1}, 33, true, 100},  {{6, 1, 1}, 60, true, 0}};
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) run_setting(&settings[i], i + 1);
}

/* ---- when a sample can be drawn ---- */

static void newest_waits_for_its_successor(void **state) {
  (void)state;
  deer_space space = scalars(1, 0);
  deer_replay *replay = replay_new(&space, 10, true);
  push(replay, 1, DEER_RUNNING);
  assert_false(deer_replay_drawable(replay, 0));
  push(replay, 2, DEER_RUNNING);
  assert_true(deer_replay_drawable(replay, 0));
  assert_false(deer_replay_drawable(replay, 1));
  /* a final observation makes the last one drawable, and is no sample itself */
  assert_int_equal(close_with(replay, 3), DEER_OK);
  assert_true(deer_replay_drawable(replay, 1));
  assert_false(deer_replay_drawable(replay, 2));
  assert_int_equal(deer_replay_count(replay), 2);
  assert_int_equal(deer_replay_slots(replay), 3);
  assert_int_equal(deer_replay_ending(replay, 1), DEER_TRUNCATED);
  /* a terminal sample needs none; one that was broken off never gets one */
  push(replay, 4, DEER_TERMINATED);
  assert_true(deer_replay_drawable(replay, 3));
  push(replay, 5, DEER_RUNNING);
  deer_replay_break(replay, 0);
  push(replay, 6, DEER_RUNNING);
  assert_false(deer_replay_drawable(replay, 4));
  deer_replay_free(replay);
}

static void close_needs_an_open_episode(void **state) {
  (void)state;
  deer_space space = scalars(1, 0);
  deer_replay *replay = replay_new(&space, 10, true);
  assert_int_equal(close_with(replay, 0), DEER_ESTATE);
  push(replay, 1, DEER_TERMINATED);
  assert_int_equal(close_with(replay, 0), DEER_ESTATE);
  push(replay, 2, DEER_RUNNING);
  assert_int_equal(close_with(replay, 3), DEER_OK);
  assert_int_equal(close_with(replay, 4), DEER_ESTATE);
  deer_replay_break(replay, 0);
  assert_int_equal(deer_replay_ending(replay, 0), DEER_TERMINATED);
  deer_replay_free(replay);
}

static void gather_refuses_what_cannot_be_drawn(void **state) {
  (void)state;
  deer_space space = scalars(2, 0);
  deer_replay *replay = replay_new(&space, 10, true);
  for (int t = 0; t < 4; t++) push(replay, t, DEER_RUNNING);
  buffers b = buffers_new(&space, 1);
  static const int64_t wrong[] = {0, 3, 4, -1, INT64_MAX, INT64_MIN};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    b.batch.index[0] = wrong[i];
    assert_int_equal(deer_replay_gather(replay, &b.batch), DEER_EINVAL);
  }
  b.batch.index[0] = 1;
  assert_int_equal(deer_replay_gather(replay, &b.batch), DEER_OK);
  buffers_free(&b);
  deer_replay_free(replay);
}

/* ---- drawing ---- */

/* Pearson's statistic of `draws` draws over all that can be drawn stays within 4.5 standard
 * deviations of its mean */
static void check_uniform(deer_replay *replay, int draws) {
  int64_t slots = deer_replay_slots(replay);
  int *hits = deer_alloc_array((size_t)slots, sizeof *hits), kinds = count_drawable(replay);
  int64_t index[32];
  deer_batch batch = {.size = 32, .index = index};
  deer_rng rng = deer_rng_seed(5);
  for (int i = 0; i < draws; i += batch.size) {
    assert_int_equal(deer_replay_sample(replay, &rng, &batch), DEER_OK);
    for (int row = 0; row < batch.size; row++) {
      assert_true(deer_replay_drawable(replay, index[row]));
      hits[index[row]]++;
    }
  }
  double expected = (double)draws / kinds, statistic = 0;
  for (int64_t i = 0; i < slots; i++)
    if (deer_replay_drawable(replay, i))
      statistic += (hits[i] - expected) * (hits[i] - expected) / expected;
  double freedom = kinds - 1;
  if (fabs(statistic - freedom) > 4.5 * sqrt(2 * freedom))
    fail_msg("chi-square %g with %g degrees of freedom", statistic, freedom);
  deer_free(hits);
}

static void drawing_is_uniform(void **state) {
  (void)state;
  deer_space space = scalars(3, 1);
  deer_replay *replay = replay_new(&space, 200, true);
  for (int t = 0; t < 1000; t++) {
    push(replay, t, t % 7 == 0 ? DEER_TERMINATED : DEER_RUNNING);
    if (t % 11 == 0 && t % 7 != 0) close_with(replay, t);
  }
  assert_in_range(count_drawable(replay), 80, 190);
  check_uniform(replay, 64000);
  deer_replay_free(replay);
}

/* hardly anything can be drawn: rejection gives up and counting takes over */
static void drawing_is_uniform_among_few(void **state) {
  (void)state;
  deer_space space = scalars(3, 1);
  deer_replay *replay = replay_new(&space, 4000, true);
  for (int t = 0; t < 4000; t++)
    push(replay, t, t % 1000 >= 500 && t % 1000 < 503 ? DEER_RUNNING : DEER_TERMINATED);
  assert_int_equal(count_drawable(replay), 8);
  check_uniform(replay, 6400);
  deer_replay_free(replay);
}

static void drawing_fails_where_nothing_can_be_drawn(void **state) {
  (void)state;
  deer_space space = scalars(3, 1);
  deer_replay *replay = replay_new(&space, 50, true);
  buffers b = buffers_new(&space, 4), untouched = buffers_new(&space, 4);
  for (int i = 0; i < 4; i++) b.batch.index[i] = 77;
  deer_rng rng = deer_rng_seed(1);
  assert_int_equal(deer_replay_sample(replay, &rng, &b.batch), DEER_EAGAIN);
  /* DeeR searches for ever in such a memory */
  for (int t = 0; t < 130; t++) {
    push(replay, t, t % 2 ? DEER_TERMINATED : DEER_RUNNING);
    assert_int_equal(deer_replay_sample(replay, &rng, &b.batch), DEER_EAGAIN);
  }
  assert_memory_equal(b.batch.obs_tm1[0], untouched.batch.obs_tm1[0], 4 * state_bytes(&space, 0));
  assert_memory_equal(b.batch.obs_t[1], untouched.batch.obs_t[1], 4 * state_bytes(&space, 1));
  for (int i = 0; i < 4; i++) assert_int_equal(b.batch.index[i], 77);
  buffers_free(&untouched);
  buffers_free(&b);
  deer_replay_free(replay);
}

static void same_stream_draws_the_same(void **state) {
  (void)state;
  deer_space space = scalars(3, 1);
  deer_replay *replay = replay_new(&space, 50, true);
  for (int t = 0; t < 80; t++) push(replay, t, t % 9 ? DEER_RUNNING : DEER_TERMINATED);
  int64_t index[2][100];
  for (int i = 0; i < 2; i++) {
    /* more than is drawn at once when the caller does not ask for the indices */
    deer_rng rng = deer_rng_seed(42);
    deer_real reward[100];
    deer_batch batch = {.size = 100, .r_t = reward, .index = i == 0 ? index[0] : NULL};
    assert_int_equal(deer_replay_sample(replay, &rng, &batch), DEER_OK);
    for (int row = 0; row < 100; row++)
      index[1][row] = i == 0 ? 0 : (int64_t)(reward[row] / 10) - 30;
  }
  assert_memory_equal(index[0], index[1], sizeof index[0]);
  deer_replay_free(replay);
}

/* ---- limits ---- */

static void not_a_number_is_refused(void **state) {
  (void)state;
  deer_space space = {
      .n_subjects = 2,
      .subjects = {{1, DEER_SCALAR, DEER_DTYPE_REAL}, {1, DEER_SHAPE(4), DEER_DTYPE_REAL}},
      .actions = {.n = 2, .size = 1}};
  deer_replay *replay = replay_new(&space, 10, true);
  deer_real scalar = 0, vector[4] = {0}, action = 0;
  const void *observation[] = {&scalar, vector};
  static const double wrong[] = {NAN, INFINITY, -INFINITY};
  for (int i = 0; i < 3; i++) {
    deer_sample sample = {observation, &action, wrong[i], DEER_RUNNING, 0};
    assert_int_equal(deer_replay_push(replay, &sample), DEER_EDATA);
    sample.reward = 0;
    vector[2] = (deer_real)wrong[i];
    assert_int_equal(deer_replay_push(replay, &sample), DEER_EDATA);
    assert_non_null(strstr(deer_error(), "subject 1 of the observation is "));
    assert_non_null(strstr(deer_error(), "at element 2 (expected a finite number)"));
    vector[2] = 0;
  }
  /* too large for a float, and actions that there are not */
  deer_sample large = {observation, &action, 1e300, DEER_RUNNING, 0};
  assert_int_equal(deer_replay_push(replay, &large), DEER_EDATA);
  assert_non_null(strstr(deer_error(), "the reward is 1e+300"));
  for (int i = 0; i < 5; i++) {
    const deer_real beyond = (deer_real[]){-1, 2, 0.5, (deer_real)1e20, (deer_real)NAN}[i];
    assert_int_equal(
        deer_replay_push(replay, &(deer_sample){observation, &beyond, 0, DEER_RUNNING, 0}),
        DEER_EINVAL);
  }
  assert_int_equal(deer_replay_slots(replay), 0);
  deer_sample sample = {observation, &action, 0, DEER_RUNNING, 0};
  assert_int_equal(deer_replay_push(replay, &sample), DEER_OK);
  scalar = (deer_real)NAN;
  assert_int_equal(deer_replay_close(replay, 0, observation), DEER_EDATA);
  assert_int_equal(deer_replay_slots(replay), 1);
  assert_int_equal(deer_replay_ending(replay, 0), DEER_RUNNING);
  deer_replay_free(replay);
}

static void vectors_of_actions(void **state) {
  (void)state;
  deer_space space = scalars(1, 0);
  space.actions = (deer_action_space){.size = 3, .low = {-1, -1, -1}, .high = {1, 1, 1}};
  deer_replay *replay = replay_new(&space, 2, true);
  deer_real x = 0, action[3];
  const void *observation[] = {&x};
  for (int t = 0; t < 30; t++) {
    for (int i = 0; i < 3; i++) action[i] = (deer_real)(t + i) / 64;
    deer_sample sample = {observation, action, t, DEER_TERMINATED, 0};
    assert_int_equal(deer_replay_push(replay, &sample), DEER_OK);
  }
  int64_t index = 1;
  deer_batch batch = {.size = 1, .action_tm1 = action, .index = &index};
  assert_int_equal(deer_replay_gather(replay, &batch), DEER_OK);
  for (int i = 0; i < 3; i++) assert_float_equal(action[i], (29.0 + i) / 64, 0);
  assert_float_equal(deer_replay_action(replay, 0)[2], 30.0 / 64, 0);
  deer_replay_free(replay);
}

/* each observation once, in its own type: a million frames would not fit otherwise */
static void observations_are_stored_once(void **state) {
  (void)state;
  deer_space space = {.n_subjects = 1,
                      .subjects = {{4, DEER_SHAPE(84, 84), DEER_DTYPE_U8}},
                      .actions = {.n = 4, .size = 1}};
  deer_replay *replay = replay_new(&space, 1600, true);
  assert_in_range(deer_replay_bytes(replay), 84 * 84 * 1600, 84 * 84 * 1600 * 11 / 10);
  deer_replay_free(replay);
}

static void check_made_at_once(const char *kind) {
  deer_space space = {
      .n_subjects = 2,
      .subjects = {{12, DEER_SCALAR, DEER_DTYPE_REAL}, {1, DEER_SHAPE(40), DEER_DTYPE_REAL}},
      .actions = {.n = 2, .size = 1}};
  double best = 1;
  for (int i = 0; i < 5; i++) {
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    deer_replay_config config = {.space = &space, .capacity = 1000000, .only_full_history = true};
    deer_replay *replay;
    assert_int_equal(deer_replay_new(deer_replay_find(kind), &config, &replay), DEER_OK);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds =
        (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
    best = seconds < best ? seconds : best;
    deer_replay_free(replay);
  }
  /* the sanitizers write to all memory, or to a map of it, themselves */
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
  assert_true(best < 0.02);
#endif
}

static void big_memory_is_made_at_once(void **state) {
  (void)state;
  check_made_at_once("uniform");
  check_made_at_once("prioritized");
}

static void impossible_memories_are_refused(void **state) {
  (void)state;
  deer_space space = {.n_subjects = 1,
                      .subjects = {{4, DEER_SHAPE(84, 84), DEER_DTYPE_REAL}},
                      .actions = {.n = 4, .size = 1}};
  deer_replay *replay = (deer_replay *)&space;
  deer_replay_config config = {.space = &space, .capacity = INT64_C(1) << 38};
  const deer_replay_class *uniform = deer_replay_find("uniform");
  assert_int_equal(deer_replay_new(uniform, &config, &replay), DEER_ENOMEM);
  assert_null(replay);
  assert_non_null(strstr(deer_error(), "a replay of 274877906944 samples needs "));
  assert_non_null(strstr(deer_error(), " GB (28237 bytes each), the machine has "));
  static const int64_t wrong[] = {0, -1, INT64_MIN, INT64_MAX};
  for (int i = 0; i < 4; i++) {
    config.capacity = wrong[i];
    assert_int_equal(deer_replay_new(uniform, &config, &replay), DEER_EINVAL);
    assert_non_null(strstr(deer_error(), "(expected 1 to 1099511627776)"));
  }
  config.capacity = 10;
  deer_replay_class old = *uniform;
  old.abi = DEER_REPLAY_ABI + 1;
  assert_int_equal(deer_replay_new(&old, &config, &replay), DEER_EINVAL);
  assert_non_null(strstr(deer_error(), "uniform: made for version "));
  deer_option option = {"alpha", {DEER_VALUE_NUMBER, 1, NULL}};
  config.options = &option;
  config.n_options = 1;
  assert_int_equal(deer_replay_new(uniform, &config, &replay), DEER_EINVAL);
  assert_non_null(strstr(deer_error(), "alpha"));
  config.n_options = 0;
  space.subjects[0].history = 0;
  assert_int_equal(deer_replay_new(uniform, &config, &replay), DEER_EINVAL);
  assert_non_null(strstr(deer_error(), "subject 0: the history is 0"));
}

static void every_failed_allocation_is_survived(void **state) {
  (void)state;
  deer_space space = scalars(3, 1);
  deer_replay_config config = {.space = &space, .capacity = 10};
  size_t blocks = deer_alloc_blocks();
  deer_status status = DEER_ENOMEM;
  int n = 0;
  while (status != DEER_OK) {
    deer_replay *replay;
    deer_alloc_fail_at((uint64_t)++n);
    status = deer_replay_new(deer_replay_find("uniform"), &config, &replay);
    assert_true(status == DEER_OK ? replay != NULL : status == DEER_ENOMEM && !replay);
    deer_replay_free(replay);
    assert_int_equal(deer_alloc_blocks(), blocks);
  }
  deer_alloc_fail_at(0);
  assert_in_range(n, 5, 20);
  deer_replay_free(NULL);
}

static void steady_state_allocates_nothing(void **state) {
  (void)state;
  deer_space space = scalars(3, 1);
  deer_replay *replay = replay_new(&space, 50, true);
  buffers b = buffers_new(&space, 100);
  deer_rng rng = deer_rng_seed(1);
  for (int t = 0; t < 60; t++) push(replay, t, DEER_RUNNING);
  uint64_t calls = deer_alloc_calls();
  for (int t = 0; t < 300; t++) {
    push(replay, t, t % 20 == 0 ? DEER_TERMINATED : DEER_RUNNING);
    if (t % 30 == 7) close_with(replay, 0);
    assert_int_equal(deer_replay_sample(replay, &rng, &b.batch), DEER_OK);
  }
  assert_int_equal(deer_alloc_calls(), calls);
  buffers_free(&b);
  deer_replay_free(replay);
}

static void kinds_are_found(void **state) {
  (void)state;
  assert_string_equal(deer_replay_at(0)->name, "uniform");
  assert_ptr_equal(deer_replay_find("uniform"), deer_replay_at(0));
  assert_null(deer_replay_find("unifrom"));
  assert_null(deer_replay_at(-1));
  assert_null(deer_replay_at(1000));
}

int main(void) {
  json_error_t error;
  golden = json_load_file("tests/golden/replay.json", 0, &error);
  if (!golden) return fprintf(stderr, "tests/golden/replay.json: %s\n", error.text), 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(table_of_full_histories),
      cmocka_unit_test(table_of_short_histories),
      cmocka_unit_test(memory_equals_naive_model),
      cmocka_unit_test(newest_waits_for_its_successor),
      cmocka_unit_test(close_needs_an_open_episode),
      cmocka_unit_test(gather_refuses_what_cannot_be_drawn),
      cmocka_unit_test(drawing_is_uniform),
      cmocka_unit_test(drawing_is_uniform_among_few),
      cmocka_unit_test(drawing_fails_where_nothing_can_be_drawn),
      cmocka_unit_test(same_stream_draws_the_same),
      cmocka_unit_test(not_a_number_is_refused),
      cmocka_unit_test(vectors_of_actions),
      cmocka_unit_test(observations_are_stored_once),
      cmocka_unit_test(big_memory_is_made_at_once),
      cmocka_unit_test(impossible_memories_are_refused),
      cmocka_unit_test(every_failed_allocation_is_survived),
      cmocka_unit_test(steady_state_allocates_nothing),
      cmocka_unit_test(kinds_are_found),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  json_decref(golden);
  return failed;
}
