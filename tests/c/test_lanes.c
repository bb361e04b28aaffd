/* test_lanes.c: a memory that several environments fill: each lane is as a memory of its own, every
 * sample of all lanes is equally likely, and what follows may be told ahead of its action. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { LANES = 3, HISTORY = 3 };

static const deer_space space = {
    .n_subjects = 2,
    .subjects = {{.history = HISTORY, .dtype = DEER_DTYPE_REAL},
                 {.history = 1, .shape = {.rank = 1, .dim = {2}}, .dtype = DEER_DTYPE_U8}},
    .actions = {.n = 100, .size = 1}};

static deer_replay *make(const char *kind, int64_t capacity, int lanes, bool full) {
  deer_replay_config config = {
      .space = &space, .capacity = capacity, .lanes = lanes, .only_full_history = full};
  deer_replay *replay;
  if (deer_replay_new(deer_replay_find(kind), &config, &replay) != DEER_OK)
    fail_msg("%s", deer_error());
  return replay;
}

/* an observation made of one number */
typedef struct shown {
  deer_real x;
  uint8_t bytes[2];
  const void *observation[2];
} shown;

static const void *const *show(shown *s, int x) {
  *s = (shown){.x = (deer_real)x, .bytes = {(uint8_t)x, (uint8_t)(x / 256)}};
  s->observation[0] = &s->x;
  s->observation[1] = s->bytes;
  return s->observation;
}

static deer_status try_push(deer_replay *replay, int lane, int x, deer_ending ending) {
  shown s;
  deer_real action = (deer_real)(x % 100);
  deer_sample sample = {show(&s, x), &action, 10 * x, ending, lane};
  return deer_replay_push(replay, &sample);
}

static void push(deer_replay *replay, int lane, int x, deer_ending ending) {
  if (try_push(replay, lane, x, ending) != DEER_OK) fail_msg("%s", deer_error());
}

static deer_status close_with(deer_replay *replay, int lane, int x) {
  shown s;
  return deer_replay_close(replay, lane, show(&s, x));
}

static deer_status follow_with(deer_replay *replay, int lane, int x) {
  shown s;
  return deer_replay_follow(replay, lane, show(&s, x));
}

/* one gathered sample */
typedef struct row {
  deer_real tm1[HISTORY], t[HISTORY], r, go_on, action;
  uint8_t bytes_tm1[2], bytes_t[2];
  int32_t a;
} row;

static row gather(const deer_replay *replay, int64_t slot, int n_step) {
  row r;
  memset(&r, 0xa5, sizeof r);
  deer_batch batch = {.size = 1, .obs_tm1 = {r.tm1, r.bytes_tm1}, .obs_t = {r.t, r.bytes_t}};
  batch.a_tm1 = &r.a;
  batch.action_tm1 = &r.action;
  batch.r_t = &r.r;
  batch.continue_t = &r.go_on;
  batch.index = &slot;
  batch.n_step = n_step;
  batch.discount = 0.5;
  assert_int_equal(deer_replay_gather(replay, &batch), DEER_OK);
  return r;
}

/* ---- against memories of one lane each ---- */

typedef struct twins {
  deer_replay *all, *alone[LANES];
  int next; /* number of the next observation */
} twins;

/* the same random event in a lane of the one and in the other: a sample, a close, a break */
static void random_event(twins *w, deer_rng *rng) {
  int lane = (int)deer_rng_below(rng, LANES), x = w->next++;
  switch (deer_rng_below(rng, 10)) {
  case 0:
    assert_int_equal(close_with(w->all, lane, x), close_with(w->alone[lane], 0, x));
    return;
  case 1:
    deer_replay_break(w->all, lane);
    deer_replay_break(w->alone[lane], 0);
    return;
  default: {
    deer_ending ending = deer_rng_below(rng, 6) == 0 ? DEER_TERMINATED : DEER_RUNNING;
    push(w->all, lane, x, ending);
    push(w->alone[lane], 0, x, ending);
  }
  }
}

static void compare_slot(const twins *w, int lane, int64_t at) {
  int64_t slot = at * LANES + lane;
  bool can = deer_replay_drawable(w->alone[lane], at);
  assert_int_equal(deer_replay_drawable(w->all, slot), can);
  for (int n_step = 1; can && n_step <= 3; n_step++) {
    row a = gather(w->all, slot, n_step), b = gather(w->alone[lane], at, n_step);
    assert_memory_equal(&a, &b, sizeof a);
  }
}

static void compare_recent(const twins *w, int lane) {
  enum { MOST = 7 };
  int64_t a[MOST], b[MOST];
  int64_t n = deer_replay_recent(w->all, lane, MOST, a);
  assert_int_equal(n, deer_replay_recent(w->alone[lane], 0, MOST, b));
  int64_t held = deer_replay_count(w->alone[lane]);
  assert_int_equal(n, held < MOST ? held : MOST);
  for (int64_t i = 0; i < n; i++) assert_int_equal(a[i], b[i] * LANES + lane);
  assert_int_equal(deer_replay_pushed(w->all, lane), deer_replay_pushed(w->alone[lane], 0));
}

static void compare(const twins *w) {
  int64_t count = 0, walked[LANES] = {0}, slots = 0;
  for (int lane = 0; lane < LANES; lane++) {
    int64_t held = deer_replay_slots(w->alone[lane]);
    for (int64_t at = 0; at <= held; at++) compare_slot(w, lane, at);
    count += deer_replay_count(w->alone[lane]);
    slots = held > slots ? held : slots;
    compare_recent(w, lane);
    walked[lane] = -1;
  }
  assert_int_equal(deer_replay_count(w->all), count);
  assert_int_equal(deer_replay_slots(w->all), slots * LANES);
  for (int64_t slot = -1; deer_replay_next(w->all, &slot); count--) {
    int lane = (int)(slot % LANES);
    const deer_replay *alone = w->alone[lane];
    assert_true(deer_replay_next(alone, &walked[lane]));
    assert_int_equal(walked[lane], slot / LANES);
    assert_true(deer_replay_reward(w->all, slot) == deer_replay_reward(alone, walked[lane]));
    assert_int_equal(deer_replay_ending(w->all, slot), deer_replay_ending(alone, walked[lane]));
    assert_true(*deer_replay_action(w->all, slot) == *deer_replay_action(alone, walked[lane]));
    assert_memory_equal(deer_replay_observation(w->all, slot, 0),
                        deer_replay_observation(alone, walked[lane], 0), sizeof(deer_real));
  }
  assert_int_equal(count, 0);
}

/* also after each lane has wrapped several times, for full histories and cut ones */
static void lanes_equal_memories_of_their_own(void **state) {
  (void)state;
  const char *kinds[] = {"uniform", "prioritized"};
  for (int k = 0; k < 4; k++) {
    twins w = {.all = make(kinds[k / 2], 20 * LANES, LANES, k % 2)};
    for (int i = 0; i < LANES; i++) w.alone[i] = make(kinds[k / 2], 20, 1, k % 2);
    deer_rng rng = deer_rng_seed((uint64_t)k + 1);
    for (int i = 0; i < 600; i++) {
      random_event(&w, &rng);
      if (i % 7 == 0) compare(&w);
    }
    deer_replay_free(w.all);
    for (int i = 0; i < LANES; i++) deer_replay_free(w.alone[i]);
  }
}

/* 20 samples in 3 lanes: 7, 7 and 6 of them stay */
static void capacity_is_shared_out(void **state) {
  (void)state;
  deer_replay *replay = make("uniform", 20, LANES, true);
  for (int t = 0; t < 90; t++) push(replay, t % LANES, t, DEER_TERMINATED);
  int64_t held[LANES] = {0};
  for (int64_t slot = -1; deer_replay_next(replay, &slot);) held[slot % LANES]++;
  assert_int_equal(held[0], 7);
  assert_int_equal(held[1], 7);
  assert_int_equal(held[2], 6);
  assert_int_equal(deer_replay_count(replay), 20);
  deer_replay_free(replay);
}

/* ---- drawing ---- */

/* lanes that hold much, little and something, with endings of every kind, wrapped and not */
static deer_replay *uneven(const char *kind) {
  deer_replay *replay = make(kind, 180, LANES, true);
  for (int t = 0; t < 200; t++) push(replay, 0, t, t % 7 == 0 ? DEER_TERMINATED : DEER_RUNNING);
  for (int t = 200; t < 215; t++) push(replay, 1, t, DEER_RUNNING);
  for (int t = 215; t < 260; t++) {
    push(replay, 2, t, DEER_RUNNING);
    if (t % 5 == 0) assert_int_equal(close_with(replay, 2, t + 1000), DEER_OK);
  }
  return replay;
}

/* Pearson's statistic of 64000 draws, each alone, stays within 4.5 standard deviations of its mean
 */
static void check_uniform(const char *kind) {
  deer_replay *replay = uneven(kind);
  int hits[1000] = {0}, kinds = 0, draws = 64000;
  deer_rng rng = deer_rng_seed(11);
  int64_t slot, slots = deer_replay_slots(replay);
  deer_batch batch = {.size = 1, .index = &slot};
  assert_in_range(slots, 180, 1000);
  for (int i = 0; i < draws; i++) {
    assert_int_equal(deer_replay_sample(replay, &rng, &batch), DEER_OK);
    assert_true(deer_replay_drawable(replay, slot));
    hits[slot]++;
  }
  for (int64_t i = 0; i < slots; i++) kinds += deer_replay_drawable(replay, i);
  double expected = (double)draws / kinds, statistic = 0, freedom = kinds - 1;
  for (int64_t i = 0; i < slots; i++)
    if (deer_replay_drawable(replay, i))
      statistic += (hits[i] - expected) * (hits[i] - expected) / expected;
  if (fabs(statistic - freedom) > 4.5 * sqrt(2 * freedom))
    fail_msg("%s: chi-square %g with %g degrees of freedom", kind, statistic, freedom);
  deer_replay_free(replay);
}

static void drawing_is_uniform_over_lanes(void **state) {
  (void)state;
  check_uniform("uniform");
  check_uniform("prioritized"); /* nothing has been learnt: all errors are the same */
}

/* an error told of a slot makes that sample likely, in whichever lane it lies */
static void priorities_find_their_lane(void **state) {
  (void)state;
  deer_replay *replay = uneven("prioritized");
  int64_t slots = deer_replay_slots(replay), slot;
  for (int64_t i = 0; i < slots; i++) {
    deer_real nothing = 0;
    assert_int_equal(deer_replay_update(replay, 1, &i, &nothing), DEER_OK);
  }
  deer_rng rng = deer_rng_seed(3);
  deer_batch batch = {.size = 1, .index = &slot};
  int tried = 0;
  for (int64_t i = 0; i < slots; i += 10) {
    if (!deer_replay_drawable(replay, i)) continue;
    deer_real error[] = {1e6, 0};
    int hits = 0;
    assert_int_equal(deer_replay_update(replay, 1, &i, &error[0]), DEER_OK);
    for (int k = 0; k < 20; k++) {
      assert_int_equal(deer_replay_sample(replay, &rng, &batch), DEER_OK);
      hits += slot == i;
    }
    assert_in_range(hits, 19, 20);
    assert_int_equal(deer_replay_update(replay, 1, &i, &error[1]), DEER_OK);
    tried++;
  }
  assert_in_range(tried, 9, 100);
  deer_replay_free(replay);
}

/* ---- what follows, told ahead ---- */

static void newest_can_be_gathered_once_told(void **state) {
  (void)state;
  deer_replay *replay = make("prioritized", 40, 2, false);
  int64_t slot[3];
  for (int t = 0; t < 3; t++) push(replay, 1, t, DEER_RUNNING);
  assert_int_equal(deer_replay_recent(replay, 1, 3, slot), 3);
  assert_false(deer_replay_drawable(replay, slot[2]));
  assert_int_equal(follow_with(replay, 1, 3), DEER_OK);
  assert_int_equal(follow_with(replay, 1, 3), DEER_OK);
  assert_int_equal(deer_replay_count(replay), 3);
  assert_int_equal(deer_replay_pushed(replay, 1), 3);
  assert_int_equal(deer_replay_recent(replay, 1, 9, slot), 3);
  row newest = gather(replay, slot[2], 1), three = gather(replay, slot[0], 5);
  assert_true(newest.t[HISTORY - 1] == 3 && newest.tm1[HISTORY - 1] == 2 && newest.go_on == 1);
  assert_true(three.t[HISTORY - 1] == 3 && three.r == 0 + 5 + 5 && three.go_on == 0.25);

  /* the sample that comes takes the place, and nothing about the others changes */
  assert_int_equal(try_push(replay, 1, 4, DEER_RUNNING), DEER_EINVAL);
  assert_non_null(strstr(deer_error(), "said to follow"));
  shown other;
  show(&other, 3);
  other.x = NAN;
  assert_int_equal(deer_replay_follow(replay, 1, other.observation), DEER_EDATA);
  assert_int_equal(close_with(replay, 1, 4), DEER_EINVAL);
  push(replay, 1, 3, DEER_TERMINATED);
  assert_int_equal(deer_replay_count(replay), 4);
  row again = gather(replay, slot[2], 1);
  assert_memory_equal(&again, &newest, sizeof again);
  assert_int_equal(follow_with(replay, 1, 4), DEER_ESTATE);
  deer_replay_free(replay);
}

/* a memory that is always told ahead ends up with what one that never is holds */
static void telling_changes_nothing_in_the_end(void **state) {
  (void)state;
  twins w = {.all = make("prioritized", 15, 1, true)};
  w.alone[0] = make("prioritized", 15, 1, true);
  deer_rng rng = deer_rng_seed(8);
  for (int t = 0; t < 500; t++) {
    uint64_t how = deer_rng_below(&rng, 8);
    deer_ending ending = how == 0 ? DEER_TERMINATED : how == 1 ? DEER_TRUNCATED : DEER_RUNNING;
    push(w.all, 0, t, ending);
    push(w.alone[0], 0, t, ending);
    if (ending == DEER_RUNNING) assert_int_equal(follow_with(w.all, 0, t + 1), DEER_OK);
    if (how == 1 || how == 2) {
      assert_int_equal(close_with(w.all, 0, t + 1), DEER_OK);
      assert_int_equal(close_with(w.alone[0], 0, t + 1), DEER_OK);
    }
    int64_t slots = deer_replay_slots(w.alone[0]), slot = -1, other = -1;
    while (deer_replay_next(w.alone[0], &slot)) {
      assert_true(deer_replay_next(w.all, &other));
      assert_true(deer_replay_reward(w.all, other) == deer_replay_reward(w.alone[0], slot));
      assert_int_equal(deer_replay_ending(w.all, other), deer_replay_ending(w.alone[0], slot));
      bool can = deer_replay_drawable(w.alone[0], slot);
      if (slot < slots - 1) assert_int_equal(deer_replay_drawable(w.all, other), can);
      if (!can) continue;
      row a = gather(w.all, other, 2), b = gather(w.alone[0], slot, 2);
      assert_memory_equal(a.tm1, b.tm1, sizeof a.tm1);
    }
    assert_false(deer_replay_next(w.all, &other));
  }
  deer_replay_free(w.all);
  deer_replay_free(w.alone[0]);
}

/* what was told stays known when the run ends there; the next episode is another one */
static void breaking_keeps_what_was_told(void **state) {
  (void)state;
  deer_replay *replay = make("uniform", 10, 1, false);
  push(replay, 0, 1, DEER_RUNNING);
  assert_int_equal(follow_with(replay, 0, 2), DEER_OK);
  deer_replay_break(replay, 0);
  push(replay, 0, 7, DEER_RUNNING);
  int64_t slot[2];
  assert_int_equal(deer_replay_recent(replay, 0, 2, slot), 2);
  assert_int_equal(deer_replay_ending(replay, slot[0]), DEER_TRUNCATED);
  row r = gather(replay, slot[0], 3);
  assert_true(r.t[HISTORY - 1] == 2 && r.r == 10 && r.go_on == 1);
  assert_int_equal(follow_with(replay, 0, 8), DEER_OK);
  row next = gather(replay, slot[1], 1);
  assert_true(next.tm1[HISTORY - 1] == 7 && next.tm1[HISTORY - 2] == 0);
  deer_replay_free(replay);
}

/* ---- wrong numbers ---- */

static void wrong_lanes_are_refused(void **state) {
  (void)state;
  deer_replay *replay = make("uniform", 10, 2, true);
  const int wrong[] = {-1, 2, 1000};
  for (int i = 0; i < 3; i++) {
    assert_int_equal(try_push(replay, wrong[i], 1, DEER_RUNNING), DEER_EINVAL);
    assert_int_equal(close_with(replay, wrong[i], 1), DEER_EINVAL);
    assert_int_equal(follow_with(replay, wrong[i], 1), DEER_EINVAL);
    deer_replay_break(replay, wrong[i]);
  }
  assert_int_equal(follow_with(replay, 0, 1), DEER_ESTATE);
  assert_int_equal(deer_replay_count(replay), 0);
  assert_int_equal(deer_replay_lanes(replay), 2);
  deer_replay_free(replay);
  const int many[] = {-1, 11};
  for (int i = 0; i < 2; i++) {
    deer_replay_config config = {.space = &space, .capacity = 10, .lanes = many[i]};
    assert_int_equal(deer_replay_new(deer_replay_find("uniform"), &config, &replay), DEER_EINVAL);
    assert_non_null(strstr(deer_error(), "lanes"));
    assert_null(replay);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lanes_equal_memories_of_their_own),
      cmocka_unit_test(capacity_is_shared_out),
      cmocka_unit_test(drawing_is_uniform_over_lanes),
      cmocka_unit_test(priorities_find_their_lane),
      cmocka_unit_test(newest_can_be_gathered_once_told),
      cmocka_unit_test(telling_changes_nothing_in_the_end),
      cmocka_unit_test(breaking_keeps_what_was_told),
      cmocka_unit_test(wrong_lanes_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
