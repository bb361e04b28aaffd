/* test_replays.c: every registered replay: what is drawn can be drawn and is what was stored, by
 * every seed and after the memory has wrapped; an empty one says so; drawing allocates nothing. */
#include "deer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { CAPACITY = 50, BATCH = 16, HISTORY = 3 };

static deer_replay *make(int kind) {
  deer_space space = {.n_subjects = 2, .actions = {.n = 5, .size = 1}};
  space.subjects[0] = (deer_subject){HISTORY, DEER_SCALAR, DEER_DTYPE_REAL};
  space.subjects[1] = (deer_subject){1, DEER_SHAPE(2, 2), DEER_DTYPE_U8};
  deer_replay_config config = {.space = &space, .capacity = CAPACITY, .only_full_history = true};
  deer_replay *replay;
  if (deer_replay_new(deer_replay_at(kind), &config, &replay) != DEER_OK)
    fail_msg("%s", deer_error());
  return replay;
}

/* sample t: observation t, action t mod 5, reward 10 t; every 7th ends its episode, every 21st by a
 * cut */
static void push(deer_replay *replay, int t) {
  deer_real x = t, action = t % 5;
  uint8_t frame[4] = {(uint8_t)t, 1, 2, 3};
  const void *observation[] = {&x, frame};
  deer_ending ending = t % 7 == 6 && t % 21 != 20 ? DEER_TERMINATED : DEER_RUNNING;
  deer_sample sample = {observation, &action, 10.0 * t, ending, 0};
  assert_int_equal(deer_replay_push(replay, &sample), DEER_OK);
  deer_real last = t + 1;
  const void *after[] = {&last, frame};
  if (t % 21 == 20) assert_int_equal(deer_replay_close(replay, 0, after), DEER_OK);
}

typedef struct rows {
  deer_real tm1[BATCH][HISTORY], t[BATCH][HISTORY], r[BATCH], go_on[BATCH];
  uint8_t frame[BATCH][4];
  int32_t a[BATCH];
  int64_t index[BATCH];
  deer_batch batch;
} rows;

static deer_batch *bind(rows *m) {
  m->batch = (deer_batch){.size = BATCH, .obs_tm1 = {m->tm1, m->frame}, .obs_t = {m->t}};
  m->batch.a_tm1 = m->a;
  m->batch.r_t = m->r;
  m->batch.continue_t = m->go_on;
  m->batch.index = m->index;
  return &m->batch;
}

static void check_row(const rows *m, int i) {
  int t = (int)m->tm1[i][HISTORY - 1];
  bool terminal = t % 7 == 6 && t % 21 != 20;
  for (int k = 0; k < HISTORY; k++) {
    assert_true(m->tm1[i][k] == t - (HISTORY - 1) + k);
    assert_true(m->t[i][k] == (terminal ? 0 : t - (HISTORY - 2) + k));
  }
  assert_true(t % 7 >= HISTORY - 1); /* the whole history lies in one episode */
  assert_true(m->a[i] == t % 5 && m->r[i] == 10 * t && m->go_on[i] == !terminal);
  assert_int_equal(m->frame[i][0], t);
}

static void draws_are_what_was_stored(void **state) {
  (void)state;
  for (int kind = 0; deer_replay_at(kind); kind++) {
    deer_replay *replay = make(kind);
    deer_rng rng = deer_rng_seed(9);
    static rows m;
    int drawn = 0;
    for (int t = 0; t < 200; t++) {
      push(replay, t);
      assert_int_equal(deer_replay_count(replay), t < CAPACITY ? t + 1 : CAPACITY);
      if (deer_replay_sample(replay, &rng, bind(&m)) != DEER_OK) continue;
      for (int i = 0; i < BATCH; i++) {
        assert_true(deer_replay_drawable(replay, m.index[i]));
        check_row(&m, i);
        drawn++;
      }
    }
    assert_true(drawn > 190 * BATCH);
    deer_replay_free(replay);
  }
}

static void nothing_to_draw_is_said(void **state) {
  (void)state;
  for (int kind = 0; deer_replay_at(kind); kind++) {
    deer_replay *replay = make(kind);
    deer_rng rng = deer_rng_seed(1);
    static rows m;
    assert_int_equal(deer_replay_sample(replay, &rng, bind(&m)), DEER_EAGAIN);
    push(replay, 0);
    assert_int_equal(deer_replay_sample(replay, &rng, bind(&m)), DEER_EAGAIN);
    deer_replay_free(replay);
  }
}

static void same_seed_same_draws_without_allocation(void **state) {
  (void)state;
  for (int kind = 0; deer_replay_at(kind); kind++) {
    deer_replay *replay = make(kind);
    static rows a, b;
    for (int t = 0; t < 120; t++) push(replay, t);
    uint64_t calls = deer_alloc_calls();
    deer_rng x = deer_rng_seed(3), y = deer_rng_seed(3);
    assert_int_equal(deer_replay_sample(replay, &x, bind(&a)), DEER_OK);
    assert_int_equal(deer_replay_sample(replay, &y, bind(&b)), DEER_OK);
    assert_memory_equal(a.index, b.index, sizeof a.index);
    assert_true(deer_alloc_calls() == calls);
    deer_replay_free(replay);
  }
}

static void kinds_are_found_by_name(void **state) {
  (void)state;
  for (int kind = 0; deer_replay_at(kind); kind++) {
    assert_ptr_equal(deer_replay_find(deer_replay_at(kind)->name), deer_replay_at(kind));
    assert_non_null(deer_replay_at(kind)->help);
  }
  assert_null(deer_replay_find("perfect"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(draws_are_what_was_stored),
                                     cmocka_unit_test(nothing_to_draw_is_said),
                                     cmocka_unit_test(same_seed_same_draws_without_allocation),
                                     cmocka_unit_test(kinds_are_found_by_name)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
