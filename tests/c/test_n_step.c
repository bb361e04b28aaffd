/* test_n_step.c: returns over several steps: by hand, and against a naive computation over many
 * wrap-arounds, terminal states, truncations and episodes that were broken off. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static deer_replay *replay_new(int history, int64_t capacity, bool only_full_history) {
  deer_space space = {.n_subjects = 1,
                      .subjects = {{history, DEER_SCALAR, DEER_DTYPE_REAL}},
                      .actions = {.n = 2, .size = 1}};
  deer_replay_config config = {
      .space = &space, .capacity = capacity, .only_full_history = only_full_history};
  deer_replay *replay;
  assert_int_equal(deer_replay_new(deer_replay_find("uniform"), &config, &replay), DEER_OK);
  return replay;
}

static void push(deer_replay *replay, double x, double reward, deer_ending ending) {
  deer_real value = (deer_real)x, action = 1;
  const void *observation[] = {&value};
  deer_sample sample = {observation, &action, reward, ending, 0};
  assert_int_equal(deer_replay_push(replay, &sample), DEER_OK);
}

static void close_with(deer_replay *replay, double x) {
  deer_real value = (deer_real)x;
  const void *observation[] = {&value};
  assert_int_equal(deer_replay_close(replay, 0, observation), DEER_OK);
}

typedef struct row {
  deer_real from, to, r, go_on;
} row;

/* the row of one slot, for a history of 1 */
static row gather(const deer_replay *replay, int64_t index, int n, double discount) {
  row x;
  deer_batch batch = {.size = 1, .index = &index, .n_step = n, .discount = discount};
  batch.obs_tm1[0] = &x.from;
  batch.obs_t[0] = &x.to;
  batch.r_t = &x.r;
  batch.continue_t = &x.go_on;
  assert_int_equal(deer_replay_gather(replay, &batch), DEER_OK);
  return x;
}

static void check(row x, double to, double r, double go_on) {
  assert_float_equal(x.to, to, 0);
  assert_float_equal(x.r, r, 0);
  assert_float_equal(x.go_on, go_on, 0);
}

/* rewards 1, 2, 4, 8 and a discount of 1/2 */
static void by_hand(void **state) {
  (void)state;
  deer_replay *replay = replay_new(1, 100, true);
  for (int t = 0; t < 4; t++) push(replay, t, 1 << t, t == 3 ? DEER_TERMINATED : DEER_RUNNING);
  for (int t = 4; t < 8; t++) push(replay, t, 1 << (t - 4), DEER_RUNNING);
  close_with(replay, 8);
  push(replay, 9, 1, DEER_RUNNING);
  push(replay, 10, 2, DEER_RUNNING);
  push(replay, 11, 4, DEER_RUNNING);

  check(gather(replay, 0, 0, 0.5), 1, 1, 1);
  check(gather(replay, 0, 1, 0.5), 1, 1, 1);
  check(gather(replay, 0, 2, 0.5), 2, 1 + 1, 0.5);
  check(gather(replay, 0, 3, 0.5), 3, 1 + 1 + 1, 0.25);
  check(gather(replay, 0, 4, 0.5), 0, 4, 0); /* the terminal state counts nothing */
  check(gather(replay, 0, 9, 0.5), 0, 4, 0);
  check(gather(replay, 3, 3, 0.5), 0, 8, 0);
  /* a truncation goes on from its final observation, however few the steps are */
  check(gather(replay, 4, 4, 0.5), 8, 4, 0.125);
  check(gather(replay, 4, 9, 0.5), 8, 4, 0.125);
  check(gather(replay, 6, 3, 0.5), 8, 4 + 4, 0.5);
  check(gather(replay, 7, 3, 0.5), 8, 8, 1);
  /* of an episode under way, as far as is known: nothing yet about what the newest led to */
  check(gather(replay, 9, 2, 0.5), 11, 1 + 1, 0.5);
  check(gather(replay, 9, 5, 0.5), 11, 1 + 1, 0.5);
  check(gather(replay, 10, 5, 0.5), 11, 2, 1);
  assert_false(deer_replay_drawable(replay, 11));
  deer_replay_free(replay);
}

/* ---- against a naive computation ---- */

enum { EVENTS = 3000, HISTORY = 3 };

typedef struct entry {
  double x, reward;
  int episode;
  bool terminal, final;
} entry;

typedef struct model {
  entry at[2 * EVENTS];
  int n, episode;
} model;

static bool known(const model *m, int i) {
  if (m->at[i].final) return false;
  return m->at[i].terminal || (i + 1 < m->n && m->at[i + 1].episode == m->at[i].episode);
}

static row expected(const model *m, int i, int n, double discount) {
  double sum = 0;
  for (int k = 0;; k++) {
    sum += pow(discount, k) * m->at[i + k].reward;
    if (m->at[i + k].terminal) return (row){.to = 0, .r = (deer_real)sum, .go_on = 0};
    if (k + 1 == n || !known(m, i + k + 1))
      return (row){.to = (deer_real)m->at[i + k + 1].x,
                   .r = (deer_real)sum,
                   .go_on = (deer_real)pow(discount, k)};
  }
}

static void event(model *m, deer_replay *replay, deer_rng *rng) {
  bool open = m->n > 0 && !m->at[m->n - 1].terminal && !m->at[m->n - 1].final &&
              m->at[m->n - 1].episode == m->episode;
  uint64_t kind = deer_rng_below(rng, 12);
  double x = m->n + 1;
  if (open && kind == 0) {
    close_with(replay, x);
    m->at[m->n++] = (entry){.x = x, .episode = m->episode++, .final = true};
  } else if (open && kind == 1) {
    deer_replay_break(replay, 0);
    m->episode++;
  } else {
    entry e = {.x = x, .reward = deer_rng_normal(rng), .episode = m->episode};
    e.terminal = kind == 2;
    push(replay, x, e.reward, e.terminal ? DEER_TERMINATED : DEER_RUNNING);
    m->at[m->n++] = e;
    m->episode += e.terminal;
  }
}

/* every slot that can be drawn, for several numbers of steps */
static void compare(const model *m, const deer_replay *replay) {
  int first = m->n - (int)deer_replay_slots(replay);
  for (int64_t i = 0; i < deer_replay_slots(replay); i++)
    for (int n = 1; deer_replay_drawable(replay, i) && n < 8; n += 2) {
      deer_real from[HISTORY], to[HISTORY], r, go_on;
      deer_batch batch = {.size = 1, .index = &i, .n_step = n, .discount = 0.9};
      batch.obs_tm1[0] = from;
      batch.obs_t[0] = to;
      batch.r_t = &r;
      batch.continue_t = &go_on;
      assert_int_equal(deer_replay_gather(replay, &batch), DEER_OK);
      row e = expected(m, first + (int)i, n, 0.9);
      assert_float_equal(from[HISTORY - 1], m->at[first + i].x, 0);
      assert_float_equal(to[HISTORY - 1], e.to, 0);
      assert_float_equal(r, e.r, 1e-5);
      assert_float_equal(go_on, e.go_on, 1e-6);
      /* the whole history moved on by as many steps */
      for (int k = 0; e.go_on > 0 && k < HISTORY && from[0] > 0; k++)
        assert_float_equal(to[k], (deer_real)((double)e.to - (HISTORY - 1) + k), 0);
    }
}

static void equals_naive_computation(void **state) {
  (void)state;
  for (int full = 0; full < 2; full++) {
    static model m;
    m = (model){0};
    deer_rng rng = deer_rng_seed(11);
    deer_replay *replay = replay_new(HISTORY, 40, full);
    for (int t = 0; t < EVENTS; t++) {
      event(&m, replay, &rng);
      if (t % 7 == 0) compare(&m, replay);
    }
    deer_replay_free(replay);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(by_hand),
                                     cmocka_unit_test(equals_naive_computation)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
