/* test_sequence.c: sequences of samples: all there are, equally likely, none across an end. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { EVENTS = 400, HISTORY = 3, MOST_LENGTH = 9 };

/* what was pushed, by number */
typedef struct model {
  int episode[EVENTS + 1];
  bool terminal[EVENTS], closed[EVENTS];
  int n;
} model;

static deer_replay *replay_new(const char *kind, int lanes, int64_t capacity, bool full) {
  deer_space space = {
      .n_subjects = 2,
      .subjects = {{HISTORY, DEER_SCALAR, DEER_DTYPE_REAL}, {1, DEER_SHAPE(2), DEER_DTYPE_I32}},
      .actions = {.n = 2, .size = 1}};
  deer_replay_config config = {
      .space = &space, .lanes = lanes, .capacity = capacity, .only_full_history = full};
  deer_replay *replay;
  if (deer_replay_new(deer_replay_find(kind), &config, &replay) != DEER_OK)
    fail_msg("%s", deer_error());
  return replay;
}

/* sample t is observed as t and { t, -t }, its reward is t */
static void push(deer_replay *replay, int lane, int t, deer_ending ending) {
  deer_real x = (deer_real)t, action = 0;
  int32_t pair[] = {t, -t};
  const void *observation[] = {&x, pair};
  deer_sample sample = {observation, &action, t, ending, lane};
  assert_int_equal(deer_replay_push(replay, &sample), DEER_OK);
}

static void fill(model *m, deer_replay *replay, uint64_t seed) {
  deer_rng rng = deer_rng_seed(seed);
  for (int t = 0; t < EVENTS; t++) {
    uint64_t end = deer_rng_below(&rng, 24);
    m->terminal[t] = end == 0;
    push(replay, 0, t, end == 0 ? DEER_TERMINATED : DEER_RUNNING);
    m->closed[t] = end == 1;
    deer_real x = (deer_real)t + 1;
    int32_t pair[] = {t + 1, -t - 1};
    const void *observation[] = {&x, pair};
    if (end == 1) assert_int_equal(deer_replay_close(replay, 0, observation), DEER_OK);
    if (end == 2) deer_replay_break(replay, 0);
    m->episode[t + 1] = m->episode[t] + (end < 3);
  }
  m->n = EVENTS;
}

/* can sequences of this length begin with sample t, of which those from `first` on are held? */
static bool starts(const model *m, int t, int first, int length, bool full) {
  int last = t + length - 1, before = full ? HISTORY - 1 : 0;
  if (t - before < first || last >= m->n) return false;
  if (m->episode[t - before] != m->episode[last]) return false;
  if (m->terminal[last] || m->closed[last]) return true;
  return last + 1 < m->n && m->episode[last + 1] == m->episode[last];
}

static void check_rows(const deer_batch *b, int length) {
  for (int row = 0; row < b->size * length; row++) {
    int t = (int)b->r_t[row], start = (int)b->r_t[row - row % length];
    assert_int_equal(t, start + row % length);
    assert_float_equal(((deer_real *)b->obs_tm1[0])[row * HISTORY + HISTORY - 1], t, 0);
    assert_int_equal(((int32_t *)b->obs_tm1[1])[2 * row + 1], -t);
    if (b->continue_t[row] > 0)
      assert_int_equal(((int32_t *)b->obs_t[1])[2 * row], t + 1);
    else
      assert_int_equal(((int32_t *)b->obs_t[1])[2 * row], 0);
    assert_float_equal(b->weight[row], 1, 0);
  }
}

/* all that begin a sequence do so as often as others: Pearson's statistic */
static void check_length(const model *m, deer_replay *replay, int length, bool full) {
  enum { SIZE = 32, ROWS = SIZE * MOST_LENGTH };
  static deer_real state[ROWS * HISTORY], r_t[ROWS], continue_t[ROWS], weight[ROWS];
  static int32_t pair[ROWS * 2], next[ROWS * 2];
  static int hits[EVENTS];
  int64_t index[ROWS];
  deer_rng rng = deer_rng_seed(3);
  deer_batch b = {.size = SIZE,
                  .obs_tm1 = {state, pair},
                  .obs_t = {NULL, next},
                  .r_t = r_t,
                  .continue_t = continue_t,
                  .weight = weight,
                  .index = index};
  int first = m->n - (int)deer_replay_count(replay), kinds = 0, draws = 0;
  memset(hits, 0, sizeof hits);
  for (; draws < 16000; draws += SIZE) {
    assert_int_equal(deer_replay_sequences(replay, &rng, length, &b), DEER_OK);
    check_rows(&b, length);
    for (int i = 0; i < SIZE; i++) hits[(int)r_t[i * length]]++;
    for (int row = 0; row < SIZE * length; row++)
      assert_float_equal(deer_replay_reward(replay, index[row]), r_t[row], 0);
  }
  double statistic = 0;
  for (int t = 0; t < m->n; t++) kinds += starts(m, t, first, length, full);
  assert_true(kinds > 3);
  double expected = (double)draws / kinds;
  for (int t = 0; t < m->n; t++) {
    if (starts(m, t, first, length, full))
      statistic += (hits[t] - expected) * (hits[t] - expected) / expected;
    else
      assert_int_equal(hits[t], 0);
  }
  if (fabs(statistic - (kinds - 1)) > 4.5 * sqrt(2.0 * (kinds - 1)))
    fail_msg("chi-square %g with %d degrees of freedom", statistic, kinds - 1);
}

static void sequences_are_equally_likely(void **state) {
  (void)state;
  static const char *const kinds[] = {"uniform", "prioritized"};
  for (int k = 0; k < 2; k++)
    for (int full = 0; full < 2; full++) {
      model m = {.n = 0};
      deer_replay *replay = replay_new(kinds[k], 0, 150, full);
      fill(&m, replay, 21);
      for (int length = 1; length <= MOST_LENGTH; length += 4)
        check_length(&m, replay, length, full);
      deer_replay_free(replay);
    }
}

static void sequences_stay_in_their_lane(void **state) {
  (void)state;
  deer_replay *replay = replay_new("uniform", 3, 60, true);
  for (int t = 0; t < 100; t++)
    for (int lane = 0; lane < 3; lane++)
      push(replay, lane, 1000 * lane + t, (t + lane) % 13 == 0 ? DEER_TERMINATED : DEER_RUNNING);
  deer_rng rng = deer_rng_seed(1);
  deer_real r[64 * 5];
  deer_batch b = {.size = 64, .r_t = r};
  bool seen[3] = {false};
  assert_int_equal(deer_replay_sequences(replay, &rng, 5, &b), DEER_OK);
  for (int row = 0; row < 64 * 5; row++) {
    assert_int_equal((int)r[row], (int)r[row - row % 5] + row % 5);
    seen[(int)r[row] / 1000] = true;
    int t = (int)r[row] % 1000, lane = (int)r[row] / 1000;
    if (row % 5 < 4) assert_int_not_equal((t + lane) % 13, 0);
  }
  assert_true(seen[0] && seen[1] && seen[2]);
  deer_replay_free(replay);
}

static void impossible_sequences_are_refused(void **state) {
  (void)state;
  deer_replay *replay = replay_new("uniform", 0, 50, true);
  deer_rng rng = deer_rng_seed(1);
  deer_real r[8] = {7, 7, 7, 7, 7, 7, 7, 7};
  deer_batch b = {.size = 2, .r_t = r};
  assert_int_equal(deer_replay_sequences(replay, &rng, 4, &b), DEER_EAGAIN);
  for (int t = 0; t < 80; t++) push(replay, 0, t, t % 5 == 4 ? DEER_TERMINATED : DEER_RUNNING);
  /* five samples an episode, of which the first two have no history */
  assert_int_equal(deer_replay_sequences(replay, &rng, 4, &b), DEER_EAGAIN);
  assert_string_equal(deer_error(), "no sequence of 4 samples of one episode can be drawn");
  for (int i = 0; i < 8; i++) assert_float_equal(r[i], 7, 0);
  assert_int_equal(deer_replay_sequences(replay, &rng, 3, &b), DEER_OK);
  assert_int_equal(deer_replay_sequences(replay, &rng, 0, &b), DEER_EINVAL);
  deer_replay_free(replay);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(sequences_are_equally_likely),
                                     cmocka_unit_test(sequences_stay_in_their_lane),
                                     cmocka_unit_test(impossible_sequences_are_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
